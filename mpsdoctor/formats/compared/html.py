"""A comparison as one page that can be mailed: what is worse first, then the trainings."""

from __future__ import annotations

from collections import defaultdict

from mpsdoctor.compare.shapes import Comparison
from mpsdoctor.formats import Style, pages
from mpsdoctor.formats.compared import rows

COLOURS = {"worse": "error", "better": "info", "slower": "error", "faster": "info"}


def render(comparison: Comparison, style: Style) -> str:
    return pages.render("compared.html", comparison=comparison, rows=rows, colours=defaultdict(str, COLOURS))
