"""From the facts of timed training to findings. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypedDict, TypeVar

from mpsdoctor import sentences
from mpsdoctor.check import Finding, Severity, finding
from mpsdoctor.explain.messages import known_cause
from mpsdoctor.facts.advice import Advice
from mpsdoctor.facts.training import (
    Comparison,
    DeviceRow,
    Result,
    Run,
    TimedFacts,
    TimedResult,
    WorkloadRow,
    detail_of,
    timed_results,
)
from mpsdoctor.quiet import BUSY_PERCENT
from mpsdoctor.texts import Each, Part, Wording, from_both
from mpsdoctor.winners import standing_of
from mpsdoctor_checks.training import disturbance
from mpsdoctor_checks.training.plan import Workload, workload_of
from mpsdoctor_checks.training.statistics import enough

Row = TypeVar("Row", bound=DeviceRow)
Rule = Callable[[TimedFacts], Iterator[Finding]]
Values = dict[str, Any]  # what the templates of a code are filled with, by name: each template decides
NOISY = 0.15  # half the interval; above this a difference of 5 % is out of reach
SLOW_START = 5.0  # times the later steps, and at least half a second: what a short run would pay
SLOW_START_MS = 500.0
LONG_START = 5.0  # seconds over all workloads; below, nobody need change a training for it


class Failure(NamedTuple):
    """What an outcome means."""

    code: str
    severity: Severity


FAILURES: dict[str, Failure] = {
    "diverged": Failure("MPS510", "error"),
    "nan": Failure("MPS511", "error"),
    "crash": Failure("MPS512", "error"),
    "timeout": Failure("MPS513", "error"),
    "oom": Failure("MPS514", "warning"),
    "unsupported": Failure("MPS515", "warning"),
    "error": Failure("MPS516", "error"),
}


class Name(TypedDict):
    """What the texts call a workload by."""

    workload: str
    size: str


def label(row: WorkloadRow) -> str:
    return f"{row['workload']} {row['size']}"


def name_of(row: WorkloadRow) -> Name:
    return {"workload": row["workload"], "size": row["size"]}


def names(rows: Sequence[WorkloadRow]) -> Each:
    return Each("run", [name_of(row) for row in rows], ", ")


def by_device(rows: Sequence[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["device"], []).append(row)
    return groups


def failures(facts: TimedFacts) -> Iterator[Finding]:
    """One finding a device and outcome, naming each workload and step."""
    for device, rows in by_device(facts["results"]).items():
        for outcome, failure in FAILURES.items():
            failed = [row for row in rows if row["outcome"] == outcome]
            if failed:
                yield finding(
                    failure.code,
                    failure.severity,
                    {"device": device, "workloads": {label(row): row["detail"] for row in failed}},
                    device=device,
                    runs=names(failed),
                    causes=by_cause(failed, device),
                    **dialog(outcome, device),
                )


def dialog(outcome: str, device: str) -> Values:
    """A crash on a Mac may bring up a window."""
    return {"dialog": Part("dialog" if device.partition(":")[0] == "mps" else "")} if outcome == "crash" else {}


def by_cause(rows: Sequence[Result], device: str) -> Each:
    """Each cause of a failure once: `mlp small, cnn small: out of memory`, with what is known of its message."""
    causes: dict[str, list[Result]] = {}
    for row in rows:
        causes.setdefault(str(why(row)), []).append(row)
    known = {reason: known_cause(reason, device) for reason in causes}
    return Each(
        "cause",
        [
            {"runs": names(failed), "why": (why(failed[0]), known[reason]) if known[reason].name else why(failed[0])}
            for reason, failed in causes.items()
        ],
    )


def why(row: Result | Advice) -> Wording:
    """The error in a sentence, without the general advice that torch adds."""
    return sentences.shortened_wording(detail_of(row), 400) or Part("no_detail")


def compare(code: str, is_wanted: Callable[[Comparison], bool]) -> Rule:
    """A rule that names, by device, the comparisons of one kind."""

    def rule(facts: TimedFacts) -> Iterator[Finding]:
        for device, rows in by_device(facts["comparisons"]).items():
            wanted = [row for row in rows if is_wanted(row)]
            if wanted:
                figures = {label(row): {"speedup": row["speedup"], "ci95": row["ci95"]} for row in wanted}
                values = [{**name_of(row), "speedup": row["speedup"], "ci95": row["ci95"]} for row in wanted]
                yield finding(
                    code, "info", figures, device=device, count=len(wanted), all=len(rows), rows=Each("row", values)
                )

    return rule


NOBODY = ("same", "open")
faster = compare("MPS501", lambda row: standing_of(row) == "faster")
slower = compare("MPS502", lambda row: standing_of(row) == "slower")
close = compare("MPS503", lambda row: standing_of(row) in NOBODY and enough(row["pairs"]))
undecided = compare("MPS529", lambda row: standing_of(row) in NOBODY and not enough(row["pairs"]))


def alone(facts: TimedFacts) -> Iterator[Finding]:
    """On one device there are figures but no comparison."""
    timed = timed_results(facts["results"])
    if timed and len(by_device(facts["results"])) == 1:
        figures = [{**name_of(row), "step_ms": row["step_ms"], "ci95_ms": row["ci95_ms"]} for row in timed]
        device = timed[0]["device"].upper()
        yield finding("MPS504", "info", device=device, counted=count_workloads(timed), rows=Each("row", figures))


def count_workloads(workloads: Sequence[object]) -> Part:
    return Part("workload" if len(workloads) == 1 else "workloads", {"count": len(workloads)})


def left_out(facts: TimedFacts) -> Iterator[Finding]:
    for device, rows in by_device(facts["results"]).items():
        skipped = [row for row in rows if row["outcome"] == "skipped"]
        if skipped:
            details = {row["detail"]: detail_of(row) for row in skipped}
            yield finding(
                "MPS505",
                "info",
                device=device,
                counted=count_workloads(skipped),
                runs=names(skipped),
                reasons=Each("reason", [{"why": detail} for detail in details.values()]),
            )


def not_alone(facts: TimedFacts) -> Iterator[Finding]:
    if facts["alone"] is False:
        yield finding("MPS520", "warning")


def disturbed(facts: TimedFacts) -> Iterator[Finding]:
    """One finding that names every disturbance of the machine."""
    disturbances = facts["disturbances"]
    if disturbances:
        conditions = from_both(disturbances, facts.get("disturbances_values", ()))
        before = facts["conditions"].get("before") or {}
        waited, in_vain = before.get("waited_s"), (before.get("cpu_percent") or 0.0) > BUSY_PERCENT
        yield finding(
            "MPS521",
            "warning",
            facts["conditions"],
            conditions=Each("condition", [{"condition": condition} for condition in conditions]),
            waiting=Part("waited", {"waited_s": waited}) if waited and in_vain else Part(""),
            steps=[*disturbance.find_remedies(facts["conditions"]), Part("again")],
            kept=Part("not_kept" if facts.get("doubtful") else ""),
        )


def noisy(facts: TimedFacts) -> Iterator[Finding]:
    for device, rows in by_device(timed_results(facts["results"])).items():
        wide = [row for row in rows if width(row) > NOISY]
        if wide:
            figures = Each("row", [{**name_of(row), "width": width(row)} for row in wide])
            yield finding("MPS522", "info", device=device, limit=NOISY, rows=figures)


def width(row: TimedResult) -> float:
    """Half the interval, relative to the figure."""
    low, high = row["ci95_ms"]
    return (high - low) / (2 * row["step_ms"])


class SlowStart(TypedDict):
    """Milliseconds of the first steps, and of the later ones."""

    first_steps_ms: list[float]
    step_ms: float


def slow_start(facts: TimedFacts) -> Iterator[Finding]:
    """Steps before a device has settled that cost far more than the later ones: a short run pays for them."""
    steps = {(workload_of(row), row["device"]): row["step_ms"] for row in facts["results"]}
    slow: dict[str, dict[Workload, SlowStart]] = {}
    for run in facts["runs"]:
        for device, first in run["first_steps_ms"].items():
            later = steps.get((workload_of(run), device))
            if later and sum(first) - later * len(first) >= SLOW_START_MS and first[0] > SLOW_START * later:
                slow.setdefault(device, {})[workload_of(run)] = {"first_steps_ms": first, "step_ms": later}
    for device, starts in slow.items():
        yield slow_start_of(device, starts)


def slow_start_of(device: str, starts: Mapping[Workload, SlowStart]) -> Finding:
    seconds = {
        workload: sum(ms for ms in start["first_steps_ms"] if ms > SLOW_START * start["step_ms"]) / 1e3
        for workload, start in starts.items()
    }
    total = sum(seconds.values())
    return finding(
        "MPS523",
        "info",
        {
            "seconds": {" ".join(workload): spent for workload, spent in seconds.items()},
            **{" ".join(workload): start for workload, start in starts.items()},
        },
        remedy="remedy" if total > LONG_START else None,
        device=device,
        total=total,
        counted=count_workloads(list(starts)),
        rows=Each(
            "row", [{"workload": family, "size": size, "spent": spent} for (family, size), spent in seconds.items()]
        ),
    )


def unsettled(facts: TimedFacts) -> Iterator[Finding]:
    """Figures taken while step times still drifted; a race with an answer does not depend on them."""
    drifted: dict[str, list[Run]] = {}
    for run in facts["runs"]:
        for device, warm_up in run["warm_up"].items():
            runs = drifted.setdefault(device, [])
            runs += [] if warm_up["settled"] else [run]
    for device, runs in drifted.items():
        rows = [
            {**name_of(run), "steps": run["warm_up"][device]["steps"], "seconds": run["warm_up"][device]["seconds"]}
            for run in runs
        ]
        if rows:
            yield finding("MPS524", "info", device=device, counted=count_workloads(rows), rows=Each("row", rows))


RULES: tuple[Rule, ...] = (
    failures,
    faster,
    slower,
    close,
    undecided,
    alone,
    left_out,
    not_alone,
    disturbed,
    noisy,
    slow_start,
    unsettled,
)
