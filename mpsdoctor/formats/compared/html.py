"""A comparison as one page that can be mailed: what is worse first, then the trainings."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from mpsdoctor.compare.shapes import Comparison
from mpsdoctor.formats import Style
from mpsdoctor.formats.compared import rows
from mpsdoctor.formats.html import list_items, page
from mpsdoctor.texts import say

COLOURS = {"worse": "error", "better": "info", "neutral": "", "slower": "error", "faster": "info"}


def render(comparison: Comparison, style: Style) -> str:
    title = f"mpsdoctor compare: {rows.headline(comparison)}"
    body = [f"<h1>{escape(title)}</h1>", f"<p>{escape(rows.title(comparison))}</p>"]
    for heading, lines in rows.groups(comparison):
        body += [f"<h2>{escape(heading)}</h2>", "<table>", *map(show_line, lines), "</table>"]
    body += show_reasons(comparison) if comparison.why_not else show_speeds(comparison)
    return page(title, body)


def show_line(line: rows.Line) -> str:
    told = f'<td class="{COLOURS[line.direction]}">{escape(line.told)}</td>'
    return f"<tr>{told}{''.join(f'<td>{escape(text)}</td>' for text in (line.what, line.ends, line.detail))}</tr>"


def show_reasons(comparison: Comparison) -> Iterator[str]:
    yield f"<p>{escape(say('compare.cannot_be_told'))}</p>"
    yield from list_items(rows.reasons(comparison))


def show_speeds(comparison: Comparison) -> Iterator[str]:
    table = rows.speeds(comparison)
    if not table:
        return
    head = "".join(f"<th>{escape(name)}</th>" for name in rows.heads())
    yield f"<h2>{escape(say('compare.heading_speed'))}</h2><table><tr>{head}</tr>"
    for speed, row in zip(comparison.speeds, table, strict=True):
        *cells, told = map(escape, row)
        kind = COLOURS.get(speed.answer, "")
        yield f'<tr>{"".join(f"<td>{cell}</td>" for cell in cells)}<td class="{kind}">{told}</td></tr>'
    yield f"</table><p>{escape(say('compare.tilde'))}</p>"
