"""From the replayed calls of a training step to the answer: it runs, runs with the fallback, does not, or is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mpsdoctor.check import Finding, Severity, finding
from mpsdoctor.texts import Each, Part
from mpsdoctor.texts.en import ops
from mpsdoctor_checks import installing
from mpsdoctor_checks.operators.kinds import ALWAYS
from mpsdoctor_checks.operators.rules import kind_of

Row = Mapping[str, Any]

STOPS = ("crash", "timeout", "unimplemented", "oom", "error", "dtype")
WRONG = ("wrong", "nan")
KINDS_OF_ROWS = (*STOPS, *WRONG, "fallback", ALWAYS)
SAYS = {kind: text for kind, text in ops.PARTS.items() if kind in KINDS_OF_ROWS}
MOST = 12  # places that are named in a detail

KINDS: dict[str, tuple[str, Severity]] = {
    "does not run": ("MPS351", "error"),
    "runs but wrong": ("MPS352", "error"),
    "runs with the fallback": ("MPS353", "warning"),
}


def answer_of(rows: Sequence[Row], distinct: int) -> dict[str, Any]:
    """`{"answer", "operators": [{"op", "outcome", "at", "direction", "detail", "count"}], "judged", "skipped"}`.

    The worst decides: what stops a training, then wrong numbers, then the fallback. What torch itself takes to the
    CPU needs nothing, and is among `also`.
    """
    told = {"judged": sum(row["outcome"] != "skipped" for row in rows), "distinct": distinct}
    told["skipped"] = len(rows) - told["judged"]
    for answer, outcomes in (
        ("does not run", STOPS),
        ("runs but wrong", WRONG),
        ("runs with the fallback", ("fallback",)),
    ):
        found = [row for row in rows if kind_of(row) in outcomes]
        if found:
            others = [row for row in rows if kind_of(row) in SAYS and row not in found]
            return {"answer": answer, **told, "operators": operators(found), "also": operators(others)}
    moved = [row for row in rows if kind_of(row) == ALWAYS]
    return {"answer": "runs as it is", **told, "operators": [], "also": operators(moved)}


def operators(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The operators of some rows, one for each operator, outcome and place, in the order of the step."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = (row["op"], kind_of(row), row["direction"], at(row))
        one = found.setdefault(key, {"op": row["op"], "outcome": row["outcome"], "direction": row["direction"]})
        one.setdefault("at", at(row))
        one.setdefault("kind", kind_of(row))
        one.setdefault("does", SAYS[kind_of(row)])
        one.setdefault("code", row["code"])
        one.setdefault("arguments", row["variants"][0])
        one.setdefault("detail", row["detail"])
        one["count"] = one.get("count", 0) + row["count"]
    return list(found.values())


def at(row: Row) -> str:
    """The place in the person's code that a call belongs to, or the part of the step where there is none."""
    backward = "backward of " if row["direction"] == "backward" or row["phase"] == "backward" else ""
    made = f"{row['module'] or 'module'} made at {row['made_at']}" if row["made_at"] else row["module"]
    named = " · ".join(filter(None, (row["place"], made)))
    return f"{backward}{named}" if named else {"optimizer": "optimizer step"}.get(row["phase"], f"{row['phase']} pass")


def finding_of(device: str, answer: Mapping[str, Any], target: str, build: Row) -> Iterator[Finding]:
    """One finding about a device that is not simply fine. `build` are the facts of the build check."""
    also = [operator for operator in answer["also"] if operator["kind"] == ALWAYS]
    code, severity = KINDS.get(answer["answer"], ("MPS354", "info"))
    every = answer["operators"] if answer["answer"] in KINDS else also
    if not every:
        return
    note, commands = installing.torch(build.get("python") or {}, "--upgrade torch")
    rest = len(every) - MOST
    yield finding(
        code,
        severity,
        {"device": device, "operators": every, "also": answer["also"]},
        commands=commands if code in ("MPS351", "MPS352") else None,
        target=target,
        device=device,
        first=Part("call", call(every[0])),
        lines=Each("line", [line(operator) for operator in every[:MOST]], "\n"),
        rest=Part("more", {"more_count": rest}) if rest > 0 else Part(""),
        pip_note=note,
    )


def call(operator: Mapping[str, Any]) -> dict[str, Any]:
    return {"op": operator["op"], "does": Part(operator["kind"]), "at": operator["at"]}


def line(operator: Mapping[str, Any]) -> dict[str, Any]:
    """One operator with its place and the first words of what it said."""
    first = (str(operator["detail"]).splitlines() or [""])[0]
    source = Part("source", {"line_of_code": operator["code"]}) if operator["code"] else Part("")
    return {**call(operator), "source": source, "quoted": Part("quoted", {"first_words": first})}
