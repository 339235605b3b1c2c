"""A comparison for people: 80 columns; what changed kind by kind, then a table of the trainings."""

from __future__ import annotations

from collections.abc import Iterator

import click
from rich.cells import cell_len

from mpsdoctor.compare.shapes import Comparison
from mpsdoctor.formats import Style, wrapping
from mpsdoctor.formats.compared import rows
from mpsdoctor.formats.text import ASCII, SIGNS, WIDTH, Paint, wrap_lines
from mpsdoctor.texts import say

LINES = 12  # of a kind; -v shows all
OF_DIRECTION = {"worse": "fail", "better": "pass", "neutral": "skip"}
WIDTHS = (13, 8, 7, 9, 9)  # of the columns before the last


def render(comparison: Comparison, style: Style) -> str:
    """The whole comparison."""

    def paint(text: str, colour: str) -> str:
        return click.style(text, fg=colour, bold=colour != "bright_black") if style.colour else text

    parts = [wrapping.wrap(rows.title(comparison), WIDTH), [rows.headline(comparison)]]
    parts += [list(show_group(heading, lines, style, paint)) for heading, lines in rows.groups(comparison)]
    parts += [list(show_reasons(comparison)) if comparison.why_not else list(show_speeds(comparison, paint))]
    text = "\n\n".join("\n".join(part) for part in parts if part) + "\n"
    return text if style.unicode else text.translate(ASCII).encode("ascii", "replace").decode()


def show_group(heading: str, lines: list[rows.Line], style: Style, paint: Paint) -> Iterator[str]:
    yield heading
    most = len(lines) if style.verbosity > 0 else LINES
    for line in lines[:most]:
        sign, plain, colour = SIGNS[OF_DIRECTION[line.direction]]
        begin = f"{sign if style.unicode else plain} {line.told} "
        first, *more = wrap_lines(f"{line.what}: {line.ends}", begin, "    ")
        yield from (paint(text, colour) for text in (first, *more))
        yield from wrap_lines(line.detail, "    ", "    ")
    if lines[most:]:
        yield "    " + say("compare.more_v", count=len(lines[most:]))


def show_reasons(comparison: Comparison) -> Iterator[str]:
    yield from wrap_lines(say("compare.cannot_be_told"), "", "")
    for reason in rows.reasons(comparison):
        yield from wrap_lines(reason, "  - ", "    ")


def show_speeds(comparison: Comparison, paint: Paint) -> Iterator[str]:
    table = rows.speeds(comparison)
    if not table:
        return
    yield show_cells(rows.heads())
    for speed, row in zip(comparison.speeds, table, strict=True):
        colour = {"slower": "red", "faster": "green"}.get(speed.answer)
        yield from (paint(line, colour) if colour else line for line in show_row(row))
    yield say("compare.tilde")


def show_row(row: rows.Row) -> Iterator[str]:
    """A line; a name that is too long for its column, as a step of one's own may have, stands in one before it."""
    if cell_len(row.training) < WIDTHS[0]:
        yield show_cells(row)
    else:
        yield row.training
        yield show_cells(row._replace(training=""))


def show_cells(cells: tuple[str, ...]) -> str:
    """The columns."""
    padded = [wrapping.pad(cell, width - 1) + " " for cell, width in zip(cells[:3], WIDTHS, strict=False)]
    figures = [wrapping.pad_left(cell, width) for cell, width in zip(cells[3:5], WIDTHS[3:], strict=True)]
    return f"{''.join(padded)}{''.join(figures)}  {cells[5]}".rstrip()
