"""A report as one page that can be mailed: the verdict, what was found, measured and tried, and what is not known.

No script, and nothing from elsewhere: see `pages`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from mpsdoctor.facts import read_facts
from mpsdoctor.facts.issues import WRONG, IssueRow
from mpsdoctor.formats import Style, conditions, drawing, operator_table, pages, rows, wrapping
from mpsdoctor.formats.drawing import Chart
from mpsdoctor.issues import read_issues
from mpsdoctor.report import Finding, Report
from mpsdoctor.texts import entries, say, tell, term

LONGEST = 4000  # characters of evidence; the JSON report holds all of it
SAID = 160  # characters of what a dying process said
Row = TypeVar("Row")


@dataclass(frozen=True)
class Issue:
    """A known issue that is not fine here, with what is recorded of it."""

    row: IssueRow
    detail: str
    paragraphs: list[str]
    links: list[str]


def render(report: Report, style: Style) -> str:
    return pages.render(
        "checkup.html",
        report=report,
        rows=rows,
        drawing=drawing,
        conditions=conditions,
        evidence=evidence,
        charts=list(charts(report)),
        timed=list(rows.timed(report)),
        failed=fitting(failed, report),
        tables=fitting(operator_table.of_report, report),
        present=fitting(present_issues, report),
        absent=fitting(absent_issues, report),
        libraries=fitting(libraries, report),
        moments=fitting(conditions.timing, report),
        remarks=fitting(conditions.remarks, report),
        disturbances=fitting(conditions.disturbances, report),
    )


def fitting(part: Callable[[Report], Iterable[Row]], report: Report) -> list[Row]:
    """The rows of a part of the page; none where a stranger's facts have another shape than ours."""
    try:
        return list(part(report))
    except rows.UNFIT:
        return []


def evidence(finding: Finding) -> str:
    """As indented JSON, of a long one the beginning."""
    text = msgspec.json.format(msgspec.json.encode(finding.evidence), indent=1).decode()
    return text if len(text) <= LONGEST else text[:LONGEST].rpartition("\n")[0] + "\n…"


def charts(report: Report) -> Iterator[tuple[str, list[Chart]]]:
    """Headings with their pictures."""
    for name, draw in (("by_size", drawing.by_size), ("by_batch", drawing.by_batch), ("by_try", drawing.by_try)):
        if pictures := fitting(draw, report):
            yield say(f"report.chart_{name}"), pictures


def failed(report: Report) -> Iterator[tuple[str, str, str, str, str]]:
    """Trainings that did not end well: workload, size, device, outcome and what was seen."""
    training = read_facts(report).get("training")
    for row in training.get("results", ()) if training else ():
        if row["outcome"] not in ("ok", "skipped"):
            told = tell(row["detail"], row.get("detail_values"))
            yield row["workload"], row["size"], row["device"], term("outcome", row["outcome"]), told


def sorted_issues(report: Report) -> list[IssueRow]:
    """What is not fine first, the gravest first; then what is recorded as wrong here."""
    facts = read_facts(report).get("known-issues")
    order = {outcome: place for place, outcome in enumerate(WRONG)}
    found = facts["issues"] if facts else []
    return sorted(found, key=lambda row: (order.get(row["outcome"], len(order)), row["recorded"] != "bad"))


def present_issues(report: Report) -> Iterator[Issue]:
    """Those that are not fine here."""
    known = {issue["id"]: issue for issue in read_issues()}
    for row in sorted_issues(report):
        if row["outcome"] in WRONG:
            issue = known.get(row["id"])  # of a version that knew more there is none
            told = list(entries.paragraphs(issue)) if issue else []
            links = list(entries.links(issue)) if issue else []
            detail = wrapping.begin(tell(row["detail"], row.get("detail_values")), SAID)
            yield Issue(row, detail, told, links)


def absent_issues(report: Report) -> Iterable[tuple[str, list[str]]]:
    """The ids of the others, by what is recorded and what came of them."""
    groups: dict[str, list[str]] = {}
    for row in sorted_issues(report):
        if row["outcome"] not in WRONG:
            name = "skipped" if row["outcome"] == "skipped" else f"{row['recorded']}_fine"
            groups.setdefault(say(f"report.issues_{name}", device=row["device"]), []).append(row["id"])
    return groups.items()


def libraries(report: Report) -> Iterator[tuple[str, str, str, str]]:
    """Name with version, the device that it takes, whether `run` steers it, and the line to write."""
    facts = read_facts(report).get("libraries")
    for row in facts["libraries"] if facts else ():
        steered = say("report.yes" if row["follows_run"] else "report.no")
        yield f"{row['name']} {row['version']}", row["picks"] or say("report.not_known"), steered, row["how"]
