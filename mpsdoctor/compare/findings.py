"""Findings that are new, gone or worse, and the verdict. Pure.

What tells of a moment is no change of the machine, and what tells of speed is compared as speed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mpsdoctor.compare.shapes import Change, Direction, change, turned
from mpsdoctor.report import ORDER, CheckResult, Finding, Report, Verdict
from mpsdoctor.texts import Part

RAN = ("pass", "warn", "fail")
# Of the run itself: another one beside it, what disturbed it, how far its figures scatter.
OF_THE_RUN = ("MPS520", "MPS521", "MPS522", "MPS524")
# Of the moment: low power mode, heat, memory that is used.
OF_THE_MOMENT = ("MPS105", "MPS106", "MPS401", "MPS402", "MPS403")
BUDGETS = ("quick", "standard", "thorough")
FIGURE = re.compile(r"\d+(?:[.,]\d+)*")


def compare_findings(old: Report, new: Report) -> Iterator[Change]:
    """Of the checks that ran in both reports."""
    before, after = ({check.id: check for check in report.checks} for report in (old, new))
    reach = BUDGETS.index(new.budget) - BUDGETS.index(old.budget)
    for name in [name for name in before if name in after]:
        for first, second in pair_findings(before[name], after[name]):
            yield from judge(first, second, reach)


def pair_findings(old: CheckResult, new: CheckResult) -> Iterator[tuple[Finding | None, Finding | None]]:
    """Each finding with what it was before. One of a check that did not run to its end may still be there."""
    before, after = relevant(old), relevant(new)
    for code in sorted(before.keys() | after.keys()):
        first, second = before.get(code, []), after.get(code, [])
        if (first or old.status in RAN) and (second or new.status in RAN):
            yield from pair_alike(first, second)


def relevant(check: CheckResult) -> dict[str, list[Finding]]:
    """By code, those that tell something about the machine."""
    found: dict[str, list[Finding]] = {}
    for finding in check.findings:
        figures = check.id == "training" and finding.severity == "info"
        if not figures and finding.code not in OF_THE_RUN:
            found.setdefault(finding.code, []).append(finding)
    return found


def pair_alike(old: list[Finding], new: list[Finding]) -> Iterator[tuple[Finding | None, Finding | None]]:
    """Of one code: first those with the same title, whatever its figures, then what is left in order."""
    before, after = by_title(old), by_title(new)
    for title in [title for title in before if title in after]:
        count = min(len(before[title]), len(after[title]))
        yield from zip(before[title][:count], after[title][:count], strict=True)
        del before[title][:count], after[title][:count]
    left, right = ([finding for title in sorted(side) for finding in side[title]] for side in (before, after))
    most = max(len(left), len(right))
    yield from zip(pad(left, most), pad(right, most), strict=True)


def by_title(findings: list[Finding]) -> dict[str, list[Finding]]:
    """The gravest first."""
    titles: dict[str, list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: ORDER[finding.severity]):
        titles.setdefault(FIGURE.sub("#", finding.title), []).append(finding)
    return titles


def pad(findings: list[Finding], length: int) -> list[Finding | None]:
    return [*findings, *[None] * (length - len(findings))]


def judge(old: Finding | None, new: Finding | None, reach: int) -> Iterator[Change]:
    """`reach` is above 0 where the new check-up looked for more, below where for less."""
    there = new or old
    if there is None or (old and new and old.severity == new.severity):
        return
    ends = old.severity if old else None, new.severity if new else None
    grades = [ORDER[finding.severity] if finding else ORDER["info"] for finding in (old, new)]
    direction: Direction = turned(grades[1] - grades[0])
    if there.code in OF_THE_MOMENT:
        direction, detail = "neutral", Part("of_the_moment", {"title": there.title})
    elif (old is None and reach > 0) or (new is None and reach < 0):
        direction, detail = "neutral", Part("other_reach", {"title": there.title})
    else:
        detail = Part("changed_finding", {"title": there.title})
    yield change(there.code, "finding", ends, direction, detail)


def compare_verdicts(old: Report, new: Report) -> Iterator[Change]:
    """Another device, for all or for a family."""
    first, second = old.verdict, new.verdict
    if first is None or second is None:
        return
    if first.device != second.device:
        direction = turned((second.device != "cpu") - (first.device != "cpu"))
        sure = "low" not in (first.confidence, second.confidence)
        detail = Part("changed_verdict", {"before": first.confidence, "after": second.confidence})
        yield change("device", "verdict", (first.device, second.device), direction if sure else "neutral", detail)
    yield from compare_families(first, second)


def compare_families(old: Verdict, new: Verdict) -> Iterator[Change]:
    for family in sorted(old.by_workload.keys() & new.by_workload.keys()):
        ends = old.by_workload[family], new.by_workload[family]
        if ends[0] != ends[1] and ends != (old.device, new.device):
            yield change(family, "verdict", ends, "neutral")
