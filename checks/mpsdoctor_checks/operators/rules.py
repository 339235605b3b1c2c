"""What the outcomes of the probes mean for training: one finding for a kind of outcome on a device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from mpsdoctor.check import Finding, Remedy

Row = Mapping[str, Any]
Facts = Mapping[str, Any]
Group = tuple[str, str]

MOST_FINDINGS = 12
MOST_ROWS = 40  # of evidence; the facts have them all
MOST_NAMED = 10  # operators in a detail
FALLBACK = "PYTORCH_ENABLE_MPS_FALLBACK=1"
HALF = ("float16", "bfloat16")
UPGRADE = Remedy(
    "Try the newest torch for this system; if it stays, train on the CPU or avoid these operators.",
    ("python -m pip install --upgrade torch",),
)
SEVERITIES = ("error", "warning", "info")

# outcome: code, severity, what an operator does, what it means for training, what to do
KINDS: dict[str, tuple[str, Any, str, str, Remedy | None]] = {
    "wrong": (
        "MPS311",
        "error",
        "{} differs from the CPU on {device}",
        "The device returned other numbers than the same call on the CPU in float64, beyond what rounding explains. "
        "Nothing raises an error: a training goes on with wrong values.",
        UPGRADE,
    ),
    "nan": (
        "MPS312",
        "error",
        "{} gives numbers that are not finite on {device}",
        "The device returned infinity or NaN where the CPU has a number. A loss that passes here becomes NaN.",
        UPGRADE,
    ),
    "crash": (
        "MPS313",
        "error",
        "{} kills the process on {device}",
        "The process ended during this call. No Python code can catch that; a training ends without a checkpoint.",
        UPGRADE,
    ),
    "timeout": (
        "MPS314",
        "error",
        "{} does not end on {device}",
        "The call gave no answer in time, so a training would stand still here.",
        UPGRADE,
    ),
    "error": (
        "MPS315",
        "warning",
        "{} raises an error on {device}",
        "The call works on the CPU. A training that needs it stops with this error.",
        UPGRADE,
    ),
    "unimplemented": (
        "MPS321",
        "warning",
        "{} is not implemented on {device}",
        "A training that needs it stops with NotImplementedError.",
        Remedy("Upgrade torch, or move these tensors to the CPU for this call."),
    ),
    "fallback": (
        "MPS322",
        "info",
        "{} runs on the CPU instead of {device}",
        f"There is no kernel for the device. With {FALLBACK} torch copies the tensors to the CPU and back, which costs "
        "time at each call; without it the call raises NotImplementedError. The variable is read while torch is "
        "imported: set later it does nothing.",
        Remedy("Set the variable before the program that imports torch starts.", (f"export {FALLBACK}",)),
    ),
    "dtype": (
        "MPS323",
        "info",
        "{} is not supported on {device}",
        "Trainings in float32 are not concerned. Under autocast or in a half dtype the call raises an error.",
        None,
    ),
    "oom": (
        "MPS331",
        "warning",
        "{} runs out of memory on {device}",
        "The tensors of a probe are a few kilobytes, so the device has no memory left at all: something else holds it, "
        "or it is a virtual machine whose GPU cannot allocate.",
        Remedy("Close what else uses the device, then examine again."),
    ),
}


def judge(facts: Facts) -> list[Finding]:
    """The findings of all rules, worst first, at most a dozen."""
    found = [finding for rule in RULES for finding in rule(facts)]
    found.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return found[:MOST_FINDINGS]


def accelerators(facts: Facts) -> Iterator[Finding]:
    """MPS311 to MPS331: outcomes on accelerators, one finding for each kind and device."""
    groups: dict[Group, list[Row]] = {}
    for row in facts["results"]:
        if row["device"] != "cpu" and row["outcome"] in KINDS:
            groups.setdefault((row["outcome"], row["device"]), []).append(row)
    for outcome in KINDS:
        for (kind, device), rows in groups.items():
            if kind == outcome:
                yield finding_of(outcome, device, worst_first(rows, facts))


def finding_of(outcome: str, device: str, rows: list[Row]) -> Finding:
    """One finding about all rows of a kind; MPS has more to say on operators that it lacks."""
    code, severity, does, means, remedy = KINDS[outcome]
    title = does.replace("{}", named(rows), 1).replace("{device}", device)
    parts = [means, fallback_note(rows, device) if outcome == "unimplemented" else "", listing(rows)]
    return Finding(code, severity, title, " ".join(filter(None, parts)), evidence(rows), remedy)


def fallback_note(rows: list[Row], device: str) -> str:
    """What is known about the CPU stepping in."""
    if device.partition(":")[0] != "mps":
        return ""
    if all(row.get("fallback") is False for row in rows):
        return f"{FALLBACK} does not help here."
    return f"Whether {FALLBACK} helps was not tried for all of them; it must be set before torch is imported."


def worst_first(rows: Iterable[Row], facts: Facts) -> list[Row]:
    """Core operators first, then the largest errors."""
    core = {(bad["entry"], bad["device"]) for bad in with_device(facts.get("core_failures", {}))}
    return sorted(rows, key=lambda row: ((row["entry"], row["device"]) not in core, -float(row.get("max_rel") or 0.0)))


def with_device(failures: Mapping[str, list[Row]]) -> Iterator[dict[str, Any]]:
    for device, rows in failures.items():
        yield from ({**row, "device": device} for row in rows)


def named(rows: list[Row]) -> str:
    """The subject of a title: one operator by name and dtype, several by number and the worst of them."""
    operators = list(dict.fromkeys(short(row) for row in rows))
    if len(operators) > 1:
        shown = ", ".join(operators[:3]) + (", …" if len(operators) > 3 else "")
        return f"each of {len(operators)} operators ({shown})"
    dtypes = list(dict.fromkeys(row["dtype"] for row in rows))
    backward = all(row["direction"] == "backward" for row in rows)
    return ("gradient of " if backward else "") + operators[0] + " of " + (" and ".join(dtypes) if dtypes else "")


def short(row: Row) -> str:
    """`sum` for `aten::sum`."""
    return str(row["op"]).rpartition("::")[2]


def listing(rows: list[Row]) -> str:
    """The operators with dtypes and layouts, and the first words of each."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(short(row), []).append(row)
    lines = [f"{op}: {where(group)}: {first_line(group[0])}" for op, group in list(groups.items())[:MOST_NAMED]]
    more = len(groups) - MOST_NAMED
    return "\n" + "\n".join(lines) + (f"\nand {more} more operators" if more > 0 else "")


def where(rows: list[Row]) -> str:
    """In which dtypes, layouts and directions it was seen."""
    parts = [", ".join(dict.fromkeys(str(row[key]) for row in rows)) for key in ("dtype", "variant", "direction")]
    return "; ".join(parts)


def first_line(row: Row) -> str:
    """What happened, and whether PyTorch knows it."""
    known = row.get("known")
    return (str(row["detail"]).splitlines() or [""])[0] + (f" ({known[0]})" if known else "")


def evidence(rows: list[Row]) -> dict[str, Any]:
    """Counts, and the worst rows without the names that say nothing here."""
    keys = ("op", "dtype", "variant", "direction", "outcome", "detail")
    shown = [{key: row[key] for key in (*keys, *("known",) * ("known" in row))} for row in rows[:MOST_ROWS]]
    return {
        "probes": len(rows),
        "operators": len({row["op"] for row in rows}),
        "dtypes": dict(Counter(row["dtype"] for row in rows)),
        "worst": shown,
    }


def self_test(facts: Facts) -> Iterator[Finding]:
    """MPS341: a probe fails on the CPU, where it must not; kernels the CPU never had are no failure."""
    failed = ("wrong", "nan", "crash", "timeout", "error", "oom")
    rows = [row for row in facts["results"] if row["device"] == "cpu" and row["outcome"] in failed]
    if rows:
        yield Finding(
            "MPS341",
            "error",
            f"The self-test on the CPU fails: {named(rows)}",
            "The CPU disagrees with itself in float64, or could not finish. Either this torch build computes "
            "wrongly on this machine or mpsdoctor's catalogue is at fault; what accelerators are said to do wrong "
            "with these operators is in doubt." + listing(rows),
            evidence(rows),
            Remedy("Try another torch version; if it stays, report it with this evidence."),
        )


def not_probed(facts: Facts) -> Iterator[Finding]:
    """MPS342: a device could not be probed, or not to the end, for another reason than time."""
    for device, reason in facts["not_probed"].items():
        done = sum(facts["summary"][device].values()) - facts["skipped"][device]
        yield Finding(
            "MPS342",
            "warning",
            f"Operators were not probed to the end on {device}",
            f"{reason}. {done} of {facts['planned'][device]} probes were made; nothing is known about the others.",
            {"device": device, "planned": facts["planned"][device], "made": done},
        )


RULES: tuple[Callable[[Facts], Iterator[Finding]], ...] = (accelerators, self_test, not_probed)
