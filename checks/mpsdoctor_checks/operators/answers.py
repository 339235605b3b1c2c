"""From the replayed calls of a training step to the answer: it runs, runs with the fallback, does not, or is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mpsdoctor import sentences
from mpsdoctor.check import Finding, Severity, finding
from mpsdoctor.facts.build import Build
from mpsdoctor.facts.operators import OperatorUse, ReplayRow, StepAnswer, detail_of
from mpsdoctor.support.spoken import with_name
from mpsdoctor.texts import Each, Part, Wording, as_values, from_values
from mpsdoctor_checks.operators.kinds import ALWAYS
from mpsdoctor_checks.operators.newer import lacking, newer_torch
from mpsdoctor_checks.operators.rules import kind_of

STOPS = ("crash", "timeout", "unimplemented", "oom", "error", "dtype")
WRONG = ("wrong", "nan")
KINDS_OF_ROWS = (*STOPS, *WRONG, "fallback", ALWAYS)
# From the worst on: the answer that rows of these kinds make.
DECIDING: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("does not run", STOPS),
    ("runs but wrong", WRONG),
    ("runs with the fallback", ("fallback",)),
)
PHASES = ("forward", "backward", "optimizer")
MOST = 12  # places that are named in a detail

KINDS: dict[str, tuple[str, Severity]] = {
    "does not run": ("MPS351", "error"),
    "runs but wrong": ("MPS352", "error"),
    "runs with the fallback": ("MPS353", "warning"),
}


def answer_of(rows: Sequence[ReplayRow], distinct: int) -> StepAnswer:
    """The worst decides: what stops a training, then wrong numbers, then the fallback.

    What torch itself takes to the CPU needs nothing, and is among `also`.
    """
    answer, outcomes = next(
        (pair for pair in DECIDING if any(kind_of(row) in pair[1] for row in rows)), ("runs as it is", ())
    )
    deciding = [row for row in rows if kind_of(row) in outcomes]
    others = [row for row in rows if kind_of(row) in KINDS_OF_ROWS and row not in deciding]
    skipped = sum(row["outcome"] == "skipped" for row in rows)
    return {
        "answer": answer,
        "judged": len(rows) - skipped,
        "distinct": distinct,
        "skipped": skipped,
        "operators": list_operators(deciding),
        "also": list_operators(others),
    }


def list_operators(rows: Iterable[ReplayRow]) -> list[OperatorUse]:
    """The operators of some rows, one for each operator, outcome and place, in the order of the step."""
    uses: dict[tuple[str, str, str, str], OperatorUse] = {}
    for row in rows:
        key = (row["op"], kind_of(row), row["direction"], str(call_site(row)))
        if key in uses:
            uses[key]["count"] += row["count"]
        else:
            uses[key] = operator_use(row)
    return list(uses.values())


def operator_use(row: ReplayRow) -> OperatorUse:
    at, does = call_site(row), does_of(kind_of(row))
    return {
        "op": row["op"],
        "outcome": row["outcome"],
        "direction": row["direction"],
        "at": str(at),
        "at_values": as_values(at),
        "kind": kind_of(row),
        "does": str(does),
        "does_values": as_values(does),
        "code": row["code"],
        "arguments": row["variants"][0],
        "detail": row["detail"],
        "detail_values": row.get("detail_values"),
        "count": row["count"],
    }


def does_of(kind: str) -> Part:
    """What an operator does where a row is of this kind."""
    return Part(f"operator_{kind}")


def call_site(row: ReplayRow) -> Wording:
    """The place in the person's code that a call belongs to, or the part of the step where there is none."""
    meets = Part("devices_meet_site", {"made": row["meets"]}) if row.get("meets") else None
    site = [part for part in (row["place"], module_of(row), meets) if part]
    if not site:
        return Part(f"phase_{row['phase']}") if row["phase"] in PHASES else Part("phase", {"phase": row["phase"]})
    where = Part("sites", {"sites": Each("site", [{"site": part} for part in site], " · ")})
    backward = row["direction"] == "backward" or row["phase"] == "backward"
    return Part("backward_of", {"where": where}) if backward else where


def module_of(row: ReplayRow) -> Wording | None:
    if not row["made_at"]:
        return row["module"]
    return Part("module_made_at", {"module": row["module"] or Part("module"), "made_at": row["made_at"]})


def finding_of(device: str, answer: StepAnswer, target: str, build: Build) -> Iterator[Finding]:
    """One finding about a device where not all is right. `build` are the facts of the build check."""
    also = [operator for operator in answer["also"] if operator["kind"] == ALWAYS]
    code, severity = KINDS.get(answer["answer"], ("MPS354", "info"))
    operators = answer["operators"] if answer["answer"] in KINDS else also
    if not operators:
        return
    missing = all(use["kind"] == "unimplemented" for use in operators)
    newer, note, commands = newer_torch(list(map(lacking, operators)), device, build, missing=missing)
    rest = len(operators) - MOST
    yield finding(
        code,
        severity,
        {"device": device, "operators": operators, "also": answer["also"]},
        commands=commands or None,
        target=target,
        device=device,
        first=Part("call", call_values(operators[0])),
        lines=Each("line", [line_values(operator) for operator in operators[:MOST]], "\n"),
        rest=Part("more", {"more_count": rest}) if rest > 0 else Part(""),
        newer=newer,
        pip_note=note,
    )


def call_values(operator: OperatorUse) -> dict[str, object]:
    at = from_values(operator["at"], operator["at_values"])
    return {"op": with_name(operator["op"]), "does": does_of(operator["kind"]), "at": at}


def line_values(operator: OperatorUse) -> dict[str, object]:
    """One operator with its place and the first line of its detail."""
    first = sentences.first_line(detail_of(operator))
    source = Part("source", {"line_of_code": operator["code"]}) if operator["code"] else Part("")
    return {**call_values(operator), "source": source, "quoted": Part("quoted", {"first_words": first})}
