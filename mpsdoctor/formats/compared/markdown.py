"""A comparison for an issue or the summary of a job. Text of the reports is only text."""

from __future__ import annotations

from mpsdoctor.compare.shapes import Comparison
from mpsdoctor.formats import Style
from mpsdoctor.formats.compared import rows
from mpsdoctor.formats.markdown import escape, table
from mpsdoctor.texts import say

MOST = 100  # changes of a kind; an issue takes 65,536 characters


def render(comparison: Comparison, style: Style) -> str:
    parts = [
        [f"## mpsdoctor compare: {escape(rows.headline(comparison))}"],
        [escape(rows.title(comparison))],
        *(show_group(heading, lines) for heading, lines in rows.groups(comparison)),
        show_reasons(comparison) if comparison.why_not else show_speeds(comparison),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def show_group(heading: str, lines: list[rows.Line]) -> list[str]:
    shown = [f"- **{escape(line.told)}** {escape(f'{line.what}: {line.ends}')}{explain(line)}" for line in lines[:MOST]]
    more = [f"- {say('compare.more', count=len(lines) - MOST)}"] if lines[MOST:] else []
    return [f"### {escape(heading)}", "", *shown, *more]


def explain(line: rows.Line) -> str:
    return f"; {escape(line.detail)}" if line.detail else ""


def show_reasons(comparison: Comparison) -> list[str]:
    reasons = [f"- {escape(reason)}" for reason in rows.reasons(comparison)]
    return [escape(say("compare.cannot_be_told")), "", *reasons]


def show_speeds(comparison: Comparison) -> list[str]:
    body = [tuple(row) for row in rows.speeds(comparison)]
    return [*table(rows.heads(), body), "", escape(say("compare.tilde"))] if body else []
