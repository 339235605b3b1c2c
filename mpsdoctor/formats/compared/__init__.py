"""Reporters of a comparison of two reports: each turns it into text of one format."""

from __future__ import annotations

from mpsdoctor import clean
from mpsdoctor.formats import Format

FORMATS: dict[str, Format] = {
    "text": Format("compared.text", "txt", for_people=True),
    "json": Format("whole", "json", inert=clean.inert_json),
    "markdown": Format("compared.markdown", "md"),
    "html": Format("compared.html", "html", inert=clean.inert_markup),
}
