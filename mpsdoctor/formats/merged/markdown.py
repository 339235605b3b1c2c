"""A report of many machines for an issue or the summary of a job. Text of the reports is only text."""

from __future__ import annotations

from mpsdoctor.formats import Style
from mpsdoctor.formats.markdown import escape, table
from mpsdoctor.formats.merged import rows
from mpsdoctor.merging.shapes import FleetReport
from mpsdoctor.report import Finding
from mpsdoctor.texts import say

MOST = 100  # rows of a table; an issue takes 65,536 characters


def render(fleet: FleetReport, style: Style) -> str:
    parts = [[f"## mpsdoctor fleet: {escape(rows.headline(fleet))}"]]
    machines, *others = map(show_table, rows.tables(fleet))
    found = [line for finding in rows.findings(fleet) for line in show_finding(finding)]
    parts += [machines, found, *others]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def show_table(content: rows.Table) -> list[str]:
    head = tuple(say(f"many.{name}") for name in content.columns)
    more = [f"\n{escape(say('many.more', count=len(content.rows) - MOST))}"] if content.rows[MOST:] else []
    below = [f"\n{escape(content.below)}"] if content.below else []
    title = [f"### {escape(say(f'many.heading_{content.heading}'))}", ""]
    return [*title, *table(head, content.rows[:MOST]), *more, *below]


def show_finding(finding: Finding) -> list[str]:
    remedy = f" {escape(finding.remedy.text)}" if finding.remedy else ""
    title = f"**{escape(rows.severity(finding))}** {escape(finding.code)} {escape(finding.title)}"
    return [f"- {title}: {escape(' '.join(finding.detail.split()))}{remedy}"]
