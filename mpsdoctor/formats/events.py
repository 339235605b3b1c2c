"""A line of JSON an event; the last one is the report."""

from __future__ import annotations

import msgspec

from mpsdoctor.formats import Style
from mpsdoctor.report import Report


def render(report: Report, style: Style) -> str:
    return msgspec.json.encode({"event": "report", "report": report}).decode() + "\n"
