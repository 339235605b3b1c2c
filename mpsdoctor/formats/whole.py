"""The JSON document of `--json`: a report, or what compares two."""

from __future__ import annotations

import msgspec

from mpsdoctor.formats import Style


def render(report: msgspec.Struct, style: Style) -> str:
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"
