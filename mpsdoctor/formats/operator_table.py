"""The operators of a page: those that are not right with what is known of each, those that are in a few lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from mpsdoctor.facts import read_facts
from mpsdoctor.facts.operators import Operators, ProbeRow
from mpsdoctor.formats import matrix, operators, wrapping
from mpsdoctor.formats.matrix import Line
from mpsdoctor.report import Finding, Report
from mpsdoctor.texts import joined, say, tell, term

# A page of 5,000 rows stays below 300 kB: beyond these the report itself has the rest.
MOST = 250  # operators with what is known of each
MESSAGES = 3  # of an operator
PLACES = 3  # of a message
LONGEST = 160  # characters of a message
NAMES = 1500  # of operators without more


class Message(NamedTuple):
    """Probes of an operator that ended alike: what that means, where it was, and what was said."""

    outcome: str
    tone: str
    places: list[str]
    detail: str


class Problem(NamedTuple):
    """An operator on a device: a letter and a tone a column, and the messages, the worst first."""

    op: str
    device: str
    needed: bool
    cells: list[tuple[str, str]]
    messages: list[Message]
    findings: list[str]


class Group(NamedTuple):
    """Operators of which nothing more is told: what they have in common, how many, and their names."""

    title: str
    size: int
    names: str


class Table(NamedTuple):
    """`heads` are dtypes with the number of their columns, `directions` the columns; `letters` what they mean."""

    answer: str
    size: int
    outcomes: list[str]
    heads: list[tuple[str, int]]
    directions: list[str]
    letters: list[tuple[str, str, str, str]]
    problems: list[Problem]
    others: list[Group]
    fine: list[Group]


def of_report(report: Report) -> Iterator[Table]:
    """One, or none where nothing was probed."""
    facts = read_facts(report).get("operators")
    failures = facts["core_failures"] if facts and "core_failures" in facts else {}
    needed = {(failure["op"], device) for device, of_device in failures.items() for failure in of_device}
    lines = matrix.lines(facts.get("results", ()) if facts else (), needed)
    answer = tell_answer(facts) if facts else ""
    if lines or answer:
        found = [finding for check in report.checks if check.id == "operators" for finding in check.findings]
        yield build(lines, found, answer)


def tell_answer(facts: Operators) -> str:
    """What a prediction comes to, or the replay of a person's model on each device; of probes nothing."""
    if "said" in facts:
        return tell(facts["said"], facts.get("said_values"))
    answers = facts["model"]["answers"] if "model" in facts else {}
    return "\n".join(joined(": ", [device, term("answer", row["answer"])]) for device, row in answers.items())


def build(lines: Sequence[Line], findings: Sequence[Finding], answer: str) -> Table:
    """All lines in their order, with the findings that name them."""
    wrong = [line for line in lines if not line.right]
    columns = matrix.columns(wrong)
    named = name_findings(findings)
    return Table(
        answer,
        len(lines),
        [
            say("report.counted_outcome", count=count, outcome=term("outcome", outcome))
            for outcome, count in matrix.count_outcomes(lines).items()
        ],
        [(dtype, len(list(group))) for dtype, group in groupby(matrix.short(dtype)[:6] for dtype, _ in columns)],
        ["→" if direction == "forward" else "←" for _, direction in columns],
        list(explain_letters(wrong)),
        [describe(line, columns, named) for line in wrong[:MOST]],
        list(group_lines(wrong[MOST:], lambda line: term("outcome", min(line.worst.values(), key=matrix.rank)))),
        list(group_lines([line for line in lines if line.right], tell_pattern)),
    )


def name_findings(findings: Iterable[Finding]) -> Mapping[str, list[str]]:
    """The codes and titles of the findings that name an operator among the worst."""
    named: dict[str, list[str]] = {}
    for finding in findings:
        worst = finding.evidence.get("worst", ())
        rows = [row for row in worst if isinstance(row, dict)] if isinstance(worst, list | tuple) else []
        for op in dict.fromkeys(str(row.get("op")) for row in rows):
            named.setdefault(op, []).append(f"{finding.code} {finding.title}")
    return named


def explain_letters(lines: Iterable[Line]) -> Iterator[tuple[str, str, str, str]]:
    """Letter, tone, outcome and meaning of those that occur."""
    seen = {outcome for line in lines for outcome in line.worst.values()}
    for outcome in sorted(seen, key=matrix.rank):
        yield (*matrix.mark(outcome), term("outcome", outcome), matrix.meaning(outcome))


def describe(line: Line, columns: Sequence[tuple[str, str]], named: Mapping[str, list[str]]) -> Problem:
    cells = [matrix.mark(line.worst[cell]) if cell in line.worst else ("", "") for cell in columns]
    codes = named.get(line.op, []) if line.device != "cpu" else []
    return Problem(line.op, line.device, line.needed, cells, list(messages(line.probes)), codes)


def messages(probes: Iterable[ProbeRow]) -> Iterator[Message]:
    """What the probes that are not right said, the same once and the worst first."""
    groups: dict[tuple[str, str], list[ProbeRow]] = {}
    for row in sorted(probes, key=lambda row: matrix.rank(row["outcome"])):
        if row["outcome"] not in matrix.RIGHT:
            detail = tell(str(row["detail"]), row.get("detail_values")).strip()
            groups.setdefault((row["outcome"], detail), []).append(row)
    for (outcome, detail), of_group in list(groups.items())[:MESSAGES]:
        places = [*list(operators.places_of(of_group, set(), always=True))[:PLACES], *operators.spots_of(of_group)]
        yield Message(term("outcome", outcome), matrix.mark(outcome)[1], places, wrapping.begin(detail, LONGEST))


def group_lines(lines: Iterable[Line], title: Callable[[Line], str]) -> Iterator[Group]:
    """Operators with the same title on the same device."""
    groups: dict[str, list[str]] = {}
    for line in lines:
        groups.setdefault(joined(": ", [line.device, title(line)]), []).append(line.op.removeprefix("aten::"))
    for name, ops in groups.items():
        more = [say("report.and_others", count=len(ops) - NAMES)] if len(ops) > NAMES else []
        yield Group(name, len(ops), joined(", ", [*ops[:NAMES], *more]))


def tell_pattern(line: Line) -> str:
    """`float32, float16 forward, backward`: what was tried of an operator that is right."""
    by_direction: dict[tuple[str, ...], list[str]] = {}
    for dtype in dict.fromkeys(dtype for dtype, _ in matrix.columns([line])):
        tried = tuple(way for way in matrix.DIRECTIONS if line.worst.get((dtype, way)) == "ok")
        by_direction.setdefault(tried, []).append(dtype)
    parts = [f"{joined(', ', dtypes)} {joined(', ', ways)}".strip() for ways, dtypes in by_direction.items() if ways]
    return joined("; ", parts) or term("outcome", "skipped")
