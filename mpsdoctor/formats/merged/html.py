"""A report of many machines as one page that can be mailed: findings first, the gravest open, then the tables."""

from __future__ import annotations

from mpsdoctor.formats import Style, pages
from mpsdoctor.formats.merged import rows
from mpsdoctor.merging.shapes import FleetReport


def render(fleet: FleetReport, style: Style) -> str:
    return pages.render("merged.html", fleet=fleet, rows=rows)
