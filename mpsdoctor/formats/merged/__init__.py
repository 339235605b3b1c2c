"""Reporters for a report of many machines, by format."""

from __future__ import annotations

from mpsdoctor import clean
from mpsdoctor.formats import FORMATS as OF_REPORTS
from mpsdoctor.formats import Format

FORMATS: dict[str, Format] = {
    "text": Format("merged.text", "txt", for_people=True),
    "json": OF_REPORTS["json"],
    "markdown": Format("merged.markdown", "md"),
    "html": Format("merged.html", "html", inert=clean.inert_markup),
}
