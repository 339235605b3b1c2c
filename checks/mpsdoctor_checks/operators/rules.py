"""Findings about the outcomes of probes: one for a kind of outcome on a device."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TypedDict

from mpsdoctor import sentences
from mpsdoctor.check import Finding, finding
from mpsdoctor.explain.messages import known_cause
from mpsdoctor.facts.build import Build
from mpsdoctor.facts.operators import OperatorRow, ProbeFacts, count_probes, detail_of
from mpsdoctor.support.spoken import spoken
from mpsdoctor.texts import Each, Part, from_both
from mpsdoctor.worker.shapes import Judgement
from mpsdoctor_checks.operators.kinds import ALWAYS, ASK_YOUR_STEP, KINDS, on_macos
from mpsdoctor_checks.operators.newer import lacking, newer_torch

Group = tuple[str, str]

MOST_FINDINGS = 12
MOST_ROWS = 40  # of evidence; the facts have them all
MOST_NAMED = 10  # operators in a detail
FAILED = ("error", "crash")  # what an operator ended with that does not say by itself what is wrong
HALF = ("float16", "bfloat16")
SEVERITIES = ("error", "warning", "info")
OPERATOR = re.compile(r"\b\w+::[\w.]+|\"\w+\"")  # in a message, where all others say the same of others


def judge(facts: ProbeFacts, build: Build) -> list[Finding]:
    """The findings of all rules, worst first, at most a dozen. `build` are the facts of the build check."""
    findings = [finding for rule in RULES for finding in rule(facts, build)]
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return findings[:MOST_FINDINGS]


def kind_of(row: Judgement) -> str:
    """The outcome, of fallbacks in two kinds: those that take the variable, and those in any case."""
    return ALWAYS if row["outcome"] == "fallback" and not row.get("fallback") else row["outcome"]


def accelerators(facts: ProbeFacts, build: Build) -> Iterator[Finding]:
    """MPS311 to MPS331: outcomes on accelerators, one finding for each kind and device."""
    groups: dict[Group, list[OperatorRow]] = {}
    for row in facts["results"]:
        if row["device"] != "cpu" and kind_of(row) in KINDS:
            groups.setdefault((kind_of(row), row["device"]), []).append(row)
    for outcome in KINDS:
        for (kind, device), rows in groups.items():
            if kind == outcome:
                yield finding_of(outcome, device, sort_worst_first(rows, facts), build)


def finding_of(outcome: str, device: str, rows: list[OperatorRow], build: Build) -> Finding:
    """One finding about all rows of a kind; MPS has more to say on operators that it lacks."""
    code, severity = KINDS[outcome]
    missing = outcome == "unimplemented"
    newer, pip_note, commands = newer_torch(list(map(lacking, rows)), device, build, missing=missing)
    quits = outcome == "crash" and on_macos(build)
    note = fallback_note(rows, device) if missing else [Part("quit" if quits else "")]
    return finding(
        code,
        severity,
        evidence(rows),
        commands=(*commands, ASK_YOUR_STEP) if commands else None,
        subject=subject(rows),
        device=device,
        note=note,
        newer=newer,
        pip_note=pip_note,
        **listing(rows),
    )


def fallback_note(rows: list[OperatorRow], device: str) -> list[Part]:
    """What is known about the CPU stepping in, apart for half types: many of the CPU's kernels lack those."""
    if device.partition(":")[0] != "mps":
        return [Part("")]
    halves = [row for row in rows if row["dtype"] in HALF]
    others = [row for row in rows if row["dtype"] not in HALF]
    if any("fallback" not in row for row in rows):
        return [Part("untried")]
    names = list(dict.fromkeys(short_name(row) for row in others))
    dtypes = list(dict.fromkeys(row["dtype"] for row in halves))
    whole = Part("no_help_for" if halves else "no_help", {"whole_names": names}) if others else Part("")
    return [whole, Part("halves", {"halves": dtypes}) if halves else Part("")]


def sort_worst_first(rows: Iterable[OperatorRow], facts: ProbeFacts) -> list[OperatorRow]:
    """Core operators first, then the largest errors."""
    failures = facts.get("core_failures", {})
    core = {(failure["entry"], device) for device, of_device in failures.items() for failure in of_device}
    return sorted(rows, key=lambda row: ((row["entry"], row["device"]) not in core, -float(row.get("max_rel") or 0.0)))


def subject(rows: list[OperatorRow]) -> Part:
    """The subject of a title: one operator by name and dtype, several by number and the worst of them.

    Where float32 is not concerned, the dtypes are named for several too.
    """
    operators = list(dict.fromkeys(short_name(row) for row in rows))
    dtypes = list(dict.fromkeys(row["dtype"] for row in rows))
    of = Part("of", {"dtypes": dtypes}) if dtypes else Part("")
    if len(operators) > 1:
        names = [*operators[:3], *(["…"] if len(operators) > 3 else [])]
        return Part("several", {"count": len(operators), "names": names, "of": Part("") if "float32" in dtypes else of})
    backward = all(row["direction"] == "backward" for row in rows)
    return Part("gradient" if backward else "one", {"op": operators[0], "of": of})


def short_name(row: OperatorRow) -> str:
    """`sum` for `aten::sum`, `SGD(fused=True)` for `aten::_fused_sgd_`."""
    return spoken(row["op"])


class Listing(TypedDict):
    """The values `lines` and `rest` of a finding."""

    lines: Each
    rest: Part


def listing(rows: list[OperatorRow]) -> Listing:
    """The operators with dtypes, layouts and the first words of each; of those with one reason the first alone."""
    groups: dict[str, list[OperatorRow]] = {}
    for row in rows:
        groups.setdefault(short_name(row), []).append(row)
    causes: dict[str, list[str]] = {}
    for op, group in groups.items():
        causes.setdefault(OPERATOR.sub("", group[0]["detail"]), []).append(op)
    alike = list(causes.values())
    rest = sum(len(ops) for ops in alike[MOST_NAMED:])
    lines = [describe_operator(first, groups[first], others) for first, *others in alike[:MOST_NAMED]]
    more = Part("more", {"more_count": rest}) if rest else Part("")
    return {"lines": Each("operator", lines, "\n"), "rest": more}


def describe_operator(op: str, rows: list[OperatorRow], others: list[str]) -> dict[str, object]:
    """Dtypes, layouts and directions of an operator, the first line of its detail, and the operators with the same."""
    known = from_both(rows[0].get("known", ()), rows[0].get("known_values", ()))
    explained = known_cause(rows[0]["detail"], rows[0]["device"]) if rows[0]["outcome"] in FAILED else Part("")
    same = {"others_count": len(others), "others_names": limit_names(others)}
    return {
        "op": op if rows[0]["op"].endswith(f"::{op}") else f"{op} ({rows[0]['op']})",
        "dtypes": limit_names([row["dtype"] for row in rows]),
        "variants": limit_names([variant for row in rows for variant in row["variants"]]),
        "directions": limit_names([row["direction"] for row in rows]),
        "first": sentences.first_line(detail_of(rows[0])),
        "known": Part("known", {"failure": known[0]}) if known else explained,
        "others": Part("others" if len(others) > 1 else "other", same) if others else Part(""),
    }


def limit_names(names: list[str]) -> list[str]:
    """Each name once; of many the first, and a mark that there are more."""
    distinct = list(dict.fromkeys(names))
    return [*distinct[:MOST_NAMED], *(["…"] if len(distinct) > MOST_NAMED else [])]


class Evidence(TypedDict):
    """Numbers of probes and operators, and the worst rows without the names that say nothing here."""

    probes: int
    operators: int
    dtypes: dict[str, int]
    worst: list[dict[str, object]]


def evidence(rows: list[OperatorRow]) -> Evidence:
    keys = ("op", "dtype", "variants", "direction", "outcome", "detail", "known")
    worst: list[dict[str, object]] = [{**row} for row in rows[:MOST_ROWS]]
    return {
        "probes": sum(map(count_probes, rows)),
        "operators": len({row["op"] for row in rows}),
        "dtypes": dict(count_dtypes(rows)),
        "worst": [{key: row[key] for key in keys if key in row} for row in worst],
    }


def count_dtypes(rows: list[OperatorRow]) -> Counter[str]:
    """Probes by dtype."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row["dtype"]] += count_probes(row)
    return counts


def self_test(facts: ProbeFacts, build: Build) -> Iterator[Finding]:
    """MPS341: a probe fails on the CPU, where it must not; kernels the CPU never had are no failure."""
    failed = ("wrong", "nan", "crash", "timeout", "error", "oom")
    rows = [row for row in facts["results"] if row["device"] == "cpu" and row["outcome"] in failed]
    if rows:
        quits = on_macos(build) and any(row["outcome"] == "crash" for row in rows)
        note = Part("quit" if quits else "")
        yield finding("MPS341", "error", evidence(rows), subject=subject(rows), note=note, **listing(rows))


def not_probed(facts: ProbeFacts, build: Build) -> Iterator[Finding]:
    """MPS342: a device could not be probed, or not to the end, for another reason than time."""
    for device, reason in facts["not_probed"].items():
        planned, made = facts["coverage"][device]["planned"], facts["coverage"][device]["made"]
        evidence = {"device": device, "planned": planned, "made": made}
        yield finding("MPS342", "warning", evidence, device=device, reason=reason, planned=planned, made=made)


def core_not_probed(facts: ProbeFacts, build: Build) -> Iterator[Finding]:
    """MPS343: there was no time for all that every training needs, so the absence of findings means little."""
    for device, coverage in facts["coverage"].items():
        core = coverage.get("core")
        if device == "cpu" or device in facts["not_probed"] or not core or core["made"] >= core["planned"]:
            continue
        yield finding(
            "MPS343",
            "warning",
            {"device": device, **coverage},
            device=device,
            core_made=core["made"],
            core_planned=core["planned"],
            layouts=sum(count for variant, count in coverage["variants"].items() if variant != "contiguous"),
            made=coverage["made"],
            planned=coverage["planned"],
            operators=coverage["operators"],
        )


Rule = Callable[[ProbeFacts, Build], Iterator[Finding]]
RULES: tuple[Rule, ...] = (accelerators, self_test, not_probed, core_not_probed)
