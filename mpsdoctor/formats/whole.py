"""The JSON document of `--json`."""

from __future__ import annotations

import msgspec

from mpsdoctor.formats import Style
from mpsdoctor.report import Report


def render(report: Report, style: Style) -> str:
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"
