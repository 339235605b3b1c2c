"""From the replayed calls of a training step to the answer: it runs, runs with the fallback, does not, or is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mpsdoctor.report import Finding, Remedy
from mpsdoctor.support import FALLBACK_ON
from mpsdoctor_checks import installing
from mpsdoctor_checks.operators.kinds import ALWAYS, upgrade
from mpsdoctor_checks.operators.rules import kind_of

Row = Mapping[str, Any]

STOPS = ("crash", "timeout", "unimplemented", "oom", "error", "dtype")
WRONG = ("wrong", "nan")
SAYS = {
    "crash": "kills the process",
    "timeout": "does not end",
    "unimplemented": "is not implemented",
    "oom": "runs out of memory",
    "error": "raises an error",
    "dtype": "does not support this dtype",
    "wrong": "gives wrong numbers",
    "nan": "gives numbers that are not finite",
    "fallback": "runs on the CPU",
    ALWAYS: "always runs on the CPU",
}
MOST = 12  # places that are named in a detail

# answer: code, severity, title, what it means
KINDS: dict[str, tuple[str, Any, str, str]] = {
    "does not run": (
        "MPS351",
        "error",
        "the step does not run on {device}: {first}",
        "Training stops at this call.",
    ),
    "runs but wrong": (
        "MPS352",
        "error",
        "the step runs on {device} but computes wrong: {first}",
        "Nothing raises an error: the training goes on with wrong values.",
    ),
    "runs with the fallback": (
        "MPS353",
        "warning",
        "the step runs on {device} only with the CPU's help: {first}",
        f"With {FALLBACK_ON} torch copies tensors to the CPU and back at these calls; without it they raise an error.",
    ),
}
ON_THE_CPU = (
    "MPS354",
    "info",
    "the step runs on {device}, but for a part on the CPU: {first}",
    "torch itself takes the CPU at these calls, whatever PYTORCH_ENABLE_MPS_FALLBACK says. They work; copying the "
    "tensors there and back costs time.",
)


def remedy_of(answer: str, build: Row) -> Remedy | None:
    if answer == "runs with the fallback":
        return Remedy("Set it before the program that imports torch starts.", (f"export {FALLBACK_ON}",))
    if answer == "runs but wrong":
        return upgrade(build)
    note, commands = installing.torch(build.get("python") or {}, "--upgrade torch")
    text = "Upgrade torch, replace these operators, or move their tensors to the CPU for the call."
    return Remedy(f"{text}{note}", commands)


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
    also = [one for one in answer["also"] if one["does"] == SAYS[ALWAYS]]
    if answer["answer"] in KINDS:
        code, severity, title, means = KINDS[answer["answer"]]
        every, remedy = answer["operators"], remedy_of(answer["answer"], build)
    elif also:
        (code, severity, title, means), every, remedy = ON_THE_CPU, also, None
    else:
        return
    lines = [line(one) for one in every[:MOST]]
    more = f"\nand {len(every) - MOST} more" if len(every) > MOST else ""
    detail = f"{target}: {means}\n" + "\n".join(lines) + more
    filled = title.replace("{device}", device).replace("{first}", brief(every[0]))
    evidence = {"device": device, "operators": every, "also": answer["also"]}
    yield Finding(code, severity, filled, detail, evidence, remedy)


def brief(one: Mapping[str, Any]) -> str:
    return f"{one['op']} {one['does']}, at {one['at']}"


def line(one: Mapping[str, Any]) -> str:
    """One operator with its place and the first words of what it said."""
    first = (str(one["detail"]).splitlines() or [""])[0]
    code = f": {one['code']}" if one["code"] else ""
    return f"{brief(one)}{code} [{first}]"
