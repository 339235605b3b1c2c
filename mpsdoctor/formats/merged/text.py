"""A report of many machines for people: a line a machine, then what was found."""

from __future__ import annotations

from collections.abc import Iterator

import click
from rich.cells import cell_len, set_cell_size

from mpsdoctor.formats import Style, wrapping
from mpsdoctor.formats.merged import rows
from mpsdoctor.formats.text import ASCII, SIGNS, WIDTH, Paint, wrap_lines
from mpsdoctor.merging.shapes import FleetReport
from mpsdoctor.report import Finding
from mpsdoctor.texts import say

LONGEST = 24  # cells of a column but the last
LINES = 12  # of a table but that of the machines; -v shows all
OF_SEVERITY = {"error": "fail", "warning": "warn", "info": "skip"}
OF_ROW = {"ok": "pass", "error": "fail", "note": "skip"}


def render(fleet: FleetReport, style: Style) -> str:
    """The whole report."""

    def paint(text: str, colour: str) -> str:
        return click.style(text, fg=colour, bold=colour != "bright_black") if style.colour else text

    machines, *others = rows.tables(fleet)
    parts = [[rows.headline(fleet)], list(show_table(machines, style, paint))]
    parts += [list(show_finding(found, style, paint)) for found in rows.findings(fleet)]
    parts += [list(show_table(table, style, paint)) for table in others]
    text = "\n\n".join("\n".join(part) for part in parts if part) + "\n"
    return text if style.unicode else text.translate(ASCII).encode("ascii", "replace").decode()


def show_table(table: rows.Table, style: Style, paint: Paint) -> Iterator[str]:
    if table.heading != "machines":
        yield say(f"many.heading_{table.heading}")
    head = tuple(say(f"many.{name}") for name in table.columns)
    most = len(table.rows) if style.verbosity > 0 or table.heading == "machines" else LINES
    cells = [tuple(map(cut, row[:-1])) + row[-1:] for row in (head, *table.rows[:most])]
    widths = [max(cell_len(row[place]) for row in cells) for place in range(len(head))]
    gap = 2 if sum(widths) + 2 * len(widths) <= WIDTH else 1
    widths = [width + gap for width in widths]
    yield show_row(cells[0], "  ", widths)
    for row, sign in zip(cells[1:], table.signs, strict=False):
        shown, plain, colour = SIGNS[OF_ROW[sign]]
        line = show_row(row, f"{shown if style.unicode else plain} ", widths)
        yield paint(line, colour) if sign == "error" else line
    if table.rows[most:]:
        yield "  " + say("compare.more_v", count=len(table.rows) - most)
    if table.below:
        yield from wrap_lines(table.below, "  ", "  ")


def cut(cell: str) -> str:
    return cell if cell_len(cell) <= LONGEST else set_cell_size(cell, LONGEST - 1).rstrip() + "…"


def show_row(row: tuple[str, ...], begin: str, widths: list[int]) -> str:
    """The columns; what does not fit into the last one goes on below it."""
    padded = [wrapping.pad(cell, width) for cell, width in zip(row[:-1], widths, strict=False)]
    head = begin + "".join(padded)
    if cell_len(head) + cell_len(row[-1]) <= WIDTH:
        return (head + row[-1]).rstrip()
    room = cell_len(head) if cell_len(head) < WIDTH // 2 else 4
    return "\n".join(wrap_lines(row[-1], head, " " * room))


def show_finding(found: Finding, style: Style, paint: Paint) -> Iterator[str]:
    sign, plain, colour = SIGNS[OF_SEVERITY[found.severity]]
    begin = f"{sign if style.unicode else plain} {rows.severity(found)} {found.code} "
    first, *more = wrap_lines(found.title, begin, "    ")
    yield from (paint(line, colour) for line in (first, *more))
    yield from wrap_lines(found.detail, "    ", "    ")
    if found.remedy:
        yield from wrap_lines(found.remedy.text, "    → ", "      ")
