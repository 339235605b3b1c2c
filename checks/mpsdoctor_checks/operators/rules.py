"""What the outcomes of the probes mean for training: one finding for a kind of outcome on a device."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from mpsdoctor.check import Finding, Remedy
from mpsdoctor.support import FALLBACK_ON
from mpsdoctor_checks.operators.grouping import probes
from mpsdoctor_checks.operators.kinds import ALWAYS, KINDS, QUIT, REMEDY_TIME, UPGRADE, on_macos, upgrade

Row = Mapping[str, Any]
Facts = Mapping[str, Any]
Group = tuple[str, str]

MOST_FINDINGS = 12
MOST_ROWS = 40  # of evidence; the facts have them all
MOST_NAMED = 10  # operators in a detail
HALF = ("float16", "bfloat16")
SEVERITIES = ("error", "warning", "info")
OPERATOR = re.compile(r"\b\w+::[\w.]+|\"\w+\"")  # in a message, where all others say the same of others


def judge(facts: Facts, build: Facts) -> list[Finding]:
    """The findings of all rules, worst first, at most a dozen. `build` are the facts of the build check."""
    found = [finding for rule in RULES for finding in rule(facts, build)]
    found.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return found[:MOST_FINDINGS]


def kind_of(row: Row) -> str:
    """The outcome, of fallbacks in two kinds: those that take the variable, and those in any case."""
    return ALWAYS if row["outcome"] == "fallback" and not row.get("fallback") else str(row["outcome"])


def accelerators(facts: Facts, build: Facts) -> Iterator[Finding]:
    """MPS311 to MPS331: outcomes on accelerators, one finding for each kind and device."""
    groups: dict[Group, list[Row]] = {}
    for row in facts["results"]:
        if row["device"] != "cpu" and kind_of(row) in KINDS:
            groups.setdefault((kind_of(row), row["device"]), []).append(row)
    for outcome in KINDS:
        for (kind, device), rows in groups.items():
            if kind == outcome:
                yield finding_of(outcome, device, worst_first(rows, facts), build)


def finding_of(outcome: str, device: str, rows: list[Row], build: Facts) -> Finding:
    """One finding about all rows of a kind; MPS has more to say on operators that it lacks."""
    code, severity, does, means, remedy = KINDS[outcome]
    title = does.replace("{}", named(rows), 1).replace("{device}", device)
    more = {"unimplemented": fallback_note(rows, device), "crash": QUIT if on_macos(build) else ""}
    detail = " ".join(filter(None, (means, more.get(outcome), listing(rows))))
    return Finding(code, severity, title, detail, evidence(rows), upgrade(build) if remedy == UPGRADE else remedy)


def fallback_note(rows: list[Row], device: str) -> str:
    """What is known about the CPU stepping in, apart for half types: many of the CPU's kernels lack those."""
    if device.partition(":")[0] != "mps":
        return ""
    halves = [row for row in rows if row["dtype"] in HALF]
    others = [row for row in rows if row["dtype"] not in HALF]
    if any("fallback" not in row for row in rows):
        return f"Whether {FALLBACK_ON} helps was not tried for all of them; it must be set before torch is imported."
    parts = []
    if others:
        whose = f" with {', '.join(dict.fromkeys(short(row) for row in others))}" if halves else " here"
        parts.append(f"{FALLBACK_ON} does not help{whose}.")
    if halves:
        dtypes = " and ".join(dict.fromkeys(row["dtype"] for row in halves))
        parts.append(f"In {dtypes} {FALLBACK_ON} changes nothing: the CPU cannot do it either.")
    return " ".join(parts)


def worst_first(rows: Iterable[Row], facts: Facts) -> list[Row]:
    """Core operators first, then the largest errors."""
    core = {(bad["entry"], bad["device"]) for bad in with_device(facts.get("core_failures", {}))}
    return sorted(rows, key=lambda row: ((row["entry"], row["device"]) not in core, -float(row.get("max_rel") or 0.0)))


def with_device(failures: Mapping[str, list[Row]]) -> Iterator[dict[str, Any]]:
    for device, rows in failures.items():
        yield from ({**row, "device": device} for row in rows)


def named(rows: list[Row]) -> str:
    """The subject of a title: one operator by name and dtype, several by number and the worst of them.

    Where float32 is not concerned, the dtypes are named for several too.
    """
    operators = list(dict.fromkeys(short(row) for row in rows))
    dtypes = list(dict.fromkeys(row["dtype"] for row in rows))
    of = " of " + " and ".join(dtypes) if dtypes else ""
    if len(operators) > 1:
        shown = ", ".join(operators[:3]) + (", …" if len(operators) > 3 else "")
        return f"each of {len(operators)} operators ({shown})" + ("" if "float32" in dtypes else of)
    backward = all(row["direction"] == "backward" for row in rows)
    return ("gradient of " if backward else "") + operators[0] + of


def short(row: Row) -> str:
    """`sum` for `aten::sum`."""
    return str(row["op"]).rpartition("::")[2]


def listing(rows: list[Row]) -> str:
    """The operators with dtypes, layouts and the first words of each; of those with one reason the first alone."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(short(row), []).append(row)
    causes: dict[str, list[str]] = {}
    for op, group in groups.items():
        causes.setdefault(OPERATOR.sub("", str(group[0]["detail"])), []).append(op)
    lines = []
    for first, *others in list(causes.values())[:MOST_NAMED]:
        lines.append(f"{first}: {where(groups[first])}: {first_line(groups[first][0])}")
        if others:
            plural = "s" if len(others) > 1 else ""
            more = ", …" if len(others) > MOST_NAMED else ""
            shown = ", ".join(others[:MOST_NAMED])
            lines.append(f"and {len(others)} more operator{plural} for the same reason: {shown}{more}")
    more_ops = sum(len(ops) for ops in list(causes.values())[MOST_NAMED:])
    return "\n" + "\n".join(lines) + (f"\nand {more_ops} more operators" if more_ops else "")


def where(rows: list[Row]) -> str:
    """In which dtypes, layouts and directions it was seen."""
    variants = [variant for row in rows for variant in row["variants"]]
    dtypes, directions = ([row[key] for row in rows] for key in ("dtype", "direction"))
    return "; ".join(some(list(dict.fromkeys(part))) for part in (dtypes, variants, directions))


def some(names: list[str]) -> str:
    return ", ".join(names[:MOST_NAMED]) + (", …" if len(names) > MOST_NAMED else "")


def first_line(row: Row) -> str:
    """What happened, and whether PyTorch knows it."""
    known = row.get("known")
    return (str(row["detail"]).splitlines() or [""])[0] + (f" ({known[0]})" if known else "")


def evidence(rows: list[Row]) -> dict[str, Any]:
    """Counts, and the worst rows without the names that say nothing here."""
    keys = ("op", "dtype", "variants", "direction", "outcome", "detail")
    shown = [{key: row[key] for key in (*keys, *("known",) * ("known" in row))} for row in rows[:MOST_ROWS]]
    return {
        "probes": sum(map(probes, rows)),
        "operators": len({row["op"] for row in rows}),
        "dtypes": dict(counted(rows)),
        "worst": shown,
    }


def counted(rows: list[Row]) -> Counter[str]:
    """Probes by dtype."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row["dtype"]] += probes(row)
    return counts


def self_test(facts: Facts, build: Facts) -> Iterator[Finding]:
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
            "with these operators is in doubt."
            + (" " + QUIT if on_macos(build) and any(row["outcome"] == "crash" for row in rows) else "")
            + listing(rows),
            evidence(rows),
            Remedy("Try another torch version; if it stays, report it with this evidence."),
        )


def not_probed(facts: Facts, build: Facts) -> Iterator[Finding]:
    """MPS342: a device could not be probed, or not to the end, for another reason than time."""
    for device, reason in facts["not_probed"].items():
        coverage = facts["coverage"][device]
        yield Finding(
            "MPS342",
            "warning",
            f"Operators were not probed to the end on {device}",
            f"{reason}. {coverage['made']} of {coverage['planned']} probes were made; nothing is known about the "
            "others.",
            {"device": device, "planned": coverage["planned"], "made": coverage["made"]},
        )


def core_not_probed(facts: Facts, build: Facts) -> Iterator[Finding]:
    """MPS343: the time did not suffice for what every training needs; that nothing was found then says little."""
    for device, coverage in facts["coverage"].items():
        core = coverage.get("core")
        if device == "cpu" or device in facts["not_probed"] or not core or core["made"] >= core["planned"]:
            continue
        layouts = sum(count for variant, count in coverage["variants"].items() if variant != "contiguous")
        yield Finding(
            "MPS343",
            "warning",
            f"Only {core['made']} of {core['planned']} probes of the operators that training needs fitted on {device}",
            f"{coverage['made']:,} of {coverage['planned']:,} probes were made: {coverage['operators']} operators, "
            f"{layouts:,} probes in other layouts and shapes than the plain one. Nothing is known about the others. "
            "A device that compiles a graph for each new operator and shape takes its time.",
            {"device": device, **coverage},
            REMEDY_TIME,
        )


Rule = Callable[[Facts, Facts], Iterator[Finding]]
RULES: tuple[Rule, ...] = (accelerators, self_test, not_probed, core_not_probed)
