"""Operators, known issues and trainings that end another way. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mpsdoctor import intake
from mpsdoctor.compare.shapes import Change, Direction, Grades, change
from mpsdoctor.facts import read_facts
from mpsdoctor.report import Report
from mpsdoctor.texts import Part

# Numbers that are silently wrong are worse than an end that is seen.
OPERATORS = Grades(
    {"ok": 0, "fallback": 1}
    | dict.fromkeys(("unimplemented", "dtype", "error", "oom", "crash", "timeout"), 2)
    | dict.fromkeys(("wrong", "nan"), 3)
)
ISSUES = Grades(
    {"fine": 0, "slow": 1} | dict.fromkeys(("error", "leak", "crash", "hang"), 2) | dict.fromkeys(("wrong", "nan"), 3)
)
TRAININGS = Grades(
    {"ok": 0}
    | dict.fromkeys(("unsupported", "oom", "error", "crash", "timeout"), 2)
    | dict.fromkeys(("diverged", "nan"), 3)
)
Place = tuple[str, ...]


def compare_operators(old: Report, new: Report) -> Iterator[Change]:
    """A change for each operator, device, direction and pair of outcomes; what was probed in one alone is none."""
    before, after = list_probes(old), list_probes(new)
    groups: dict[tuple[str, str, str, str, str], list[Place]] = {}
    for place in [place for place in before if place in after]:
        if OPERATORS.direction(before[place], after[place]):
            operator, device, direction, dtype, variant = place
            groups.setdefault((operator, device, direction, before[place], after[place]), []).append((dtype, variant))
    for (operator, device, direction, *ends), places in sorted(groups.items()):
        dtypes, variants = (list(dict.fromkeys(part)) for part in zip(*sorted(places), strict=True))
        detail = Part("changed_probes", {"dtypes": dtypes, "variants": variants, "count": len(places)})
        better = OPERATORS.direction(*ends) or "neutral"
        yield change(f"{operator} {direction} {device}", "operator", (ends[0], ends[1]), better, detail)


def list_probes(report: Report) -> dict[Place, str]:
    """The outcome by operator, device, direction, dtype and variant: the worst, where several entries probe it."""
    facts = read_facts(report).get("operators")
    outcomes: dict[Place, str] = {}
    for row in rows_with(facts, "results", ("op", "device", "direction", "dtype", "outcome")):
        for variant in row.get("variants") or ():
            place = (row["op"], row["device"], row["direction"], row["dtype"], intake.line(str(variant)))
            if place not in outcomes or level(row["outcome"]) > level(outcomes[place]):
                outcomes[place] = row["outcome"]
    return outcomes


def level(outcome: str) -> int:
    return OPERATORS.levels.get(outcome, -1)


def rows_with(facts: Any, key: str, texts: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The rows of a fact that have all these texts: a check of a stranger may have the name of one of ours."""
    rows = facts.get(key) if isinstance(facts, Mapping) else None
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and all(isinstance(row.get(name), str) for name in texts):
            yield {**row, **{name: intake.line(row[name]) for name in texts}}


def compare_issues(old: Report, new: Report) -> Iterator[Change]:
    """Known issues that were tried in both reports."""
    before, after = (list_outcomes(report, "known-issues", "issues", ("id", "device")) for report in (old, new))
    yield from judge(before, after, ISSUES, "finding")


def compare_trainings(old: Report, new: Report) -> Iterator[Change]:
    """Trainings that came to an end in one report and failed in the other."""
    keys = ("workload", "size", "device")
    before, after = (list_outcomes(report, "training", "results", keys) for report in (old, new))
    yield from judge(before, after, TRAININGS, "speed")


def list_outcomes(report: Report, check: str, key: str, place: tuple[str, ...]) -> dict[Place, str]:
    facts = next((result.facts for result in report.checks if result.id == check), None)
    return {tuple(row[name] for name in place): row["outcome"] for row in rows_with(facts, key, (*place, "outcome"))}


def judge(before: dict[Place, str], after: dict[Place, str], grades: Grades, kind: Any) -> Iterator[Change]:
    for place in [place for place in before if place in after]:
        direction: Direction | None = grades.direction(before[place], after[place])
        if direction:
            yield change(" ".join(place), kind, (before[place], after[place]), direction)
