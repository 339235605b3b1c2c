"""From the facts of timed training to findings. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mpsdoctor import sentences
from mpsdoctor.check import Finding, Severity, finding
from mpsdoctor.texts import Each, Part
from mpsdoctor_checks.training.statistics import enough

Facts = Mapping[str, Any]
Row = Mapping[str, Any]
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


def label(row: Row) -> str:
    return f"{row['workload']} {row['size']}"


def named(row: Row) -> dict[str, str]:
    """What the texts call a row by."""
    return {"workload": row["workload"], "size": row["size"]}


def names(rows: Sequence[Row]) -> Each:
    return Each("run", [named(row) for row in rows], ", ")


def by_device(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["device"], []).append(row)
    return found


def failures(facts: Facts) -> Iterator[Finding]:
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
                    causes=by_cause(failed),
                    **dialog(outcome, device),
                )


def dialog(outcome: str, device: str) -> dict[str, Any]:
    """A crash on a Mac may bring up a window."""
    return {"dialog": Part("dialog" if device.partition(":")[0] == "mps" else "")} if outcome == "crash" else {}


def by_cause(rows: Sequence[Row]) -> Each:
    """What went wrong, each cause once: `mlp small, cnn small: out of memory`."""
    causes: dict[str, list[Row]] = {}
    for row in rows:
        causes.setdefault(first_line(row["detail"]), []).append(row)
    return Each("cause", [{"runs": names(some), "why": why(cause)} for cause, some in causes.items()])


def first_line(text: str) -> str:
    """What went wrong in a sentence: what torch goes on to say is the same for everybody."""
    return sentences.shortened(text, 400)


def why(text: str) -> str | Part:
    """The first line for a text, in our words where there is none."""
    return first_line(text) or Part("no_detail")


def compared(code: str, wanted: Callable[[Row], bool]) -> Callable[[Facts], Iterator[Finding]]:
    """A rule that names, by device, the comparisons of one kind."""

    def rule(facts: Facts) -> Iterator[Finding]:
        for device, rows in by_device(facts["comparisons"]).items():
            some = [row for row in rows if wanted(row)]
            if some:
                figures = {label(row): {"speedup": row["speedup"], "ci95": row["ci95"]} for row in some}
                told = [{**named(row), "speedup": row["speedup"], "ci95": row["ci95"]} for row in some]
                yield finding(
                    code, "info", figures, device=device, count=len(some), all=len(rows), rows=Each("row", told)
                )

    return rule


faster = compared("MPS501", lambda row: row["winner"] == row["device"])
slower = compared("MPS502", lambda row: row["winner"] == row["baseline"])
close = compared("MPS503", lambda row: row["winner"] == "tie" and enough(row["pairs"]))
undecided = compared("MPS529", lambda row: row["winner"] == "tie" and not enough(row["pairs"]))


def alone(facts: Facts) -> Iterator[Finding]:
    """On one device there are figures but no comparison."""
    timed = [row for row in facts["results"] if row["outcome"] == "ok"]
    if timed and len(by_device(facts["results"])) == 1:
        figures = [{**named(row), "step_ms": row["step_ms"], "ci95_ms": row["ci95_ms"]} for row in timed]
        device = timed[0]["device"].upper()
        yield finding("MPS504", "info", device=device, counted=counted(timed), rows=Each("row", figures))


def counted(some: Sequence[object]) -> Part:
    return Part("workload" if len(some) == 1 else "workloads", {"count": len(some)})


def left_out(facts: Facts) -> Iterator[Finding]:
    for device, rows in by_device(facts["results"]).items():
        some = [row for row in rows if row["outcome"] == "skipped"]
        if some:
            reasons = Each("reason", [{"why": detail} for detail in dict.fromkeys(row["detail"] for row in some)])
            yield finding("MPS505", "info", device=device, counted=counted(some), runs=names(some), reasons=reasons)


def not_alone(facts: Facts) -> Iterator[Finding]:
    if facts["alone"] is False:
        yield finding("MPS520", "warning")


def disturbed(facts: Facts) -> Iterator[Finding]:
    """What the machine was doing besides; one finding, naming each."""
    seen = facts["disturbances"]
    if seen:
        waited = (facts["conditions"].get("before") or {}).get("waited_s")
        yield finding(
            "MPS521",
            "warning",
            facts["conditions"],
            conditions=Each("condition", [{"condition": each} for each in seen]),
            waiting=Part("waited", {"waited_s": waited}) if waited else Part(""),
            kept=Part("not_kept" if facts.get("doubtful") else ""),
        )


def noisy(facts: Facts) -> Iterator[Finding]:
    for device, rows in by_device(facts["results"]).items():
        some = [row for row in rows if row["outcome"] == "ok" and width(row) > NOISY]
        if some:
            figures = Each("row", [{**named(row), "width": width(row)} for row in some])
            yield finding("MPS522", "info", device=device, limit=NOISY, rows=figures)


def width(row: Row) -> float:
    """Half the interval, relative to the figure."""
    low, high = row["ci95_ms"]
    return float((high - low) / (2 * row["step_ms"]))


def slow_start(facts: Facts) -> Iterator[Finding]:
    """Steps before a device has settled that cost far more than the later ones: a short run pays for them."""
    steps = {(row["workload"], row["size"], row["device"]): row["step_ms"] for row in facts["results"]}
    slow: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
    for run in facts["runs"]:
        for device, first in run["first_steps_ms"].items():
            key = (run["workload"], run["size"])
            later = steps.get((*key, device))
            if later and sum(first) - later * len(first) >= SLOW_START_MS and first[0] > SLOW_START * later:
                slow.setdefault(device, {})[key] = {"first_steps_ms": first, "step_ms": later}
    for device, runs in slow.items():
        yield slow_start_of(device, runs)


def slow_start_of(device: str, runs: Mapping[tuple[str, str], dict[str, Any]]) -> Finding:
    seconds = {
        key: sum(each for each in run["first_steps_ms"] if each > SLOW_START * run["step_ms"]) / 1e3
        for key, run in runs.items()
    }
    total = sum(seconds.values())
    return finding(
        "MPS523",
        "info",
        {
            "seconds": {" ".join(key): spent for key, spent in seconds.items()},
            **{" ".join(key): run for key, run in runs.items()},
        },
        remedy="remedy" if total > LONG_START else None,
        device=device,
        total=total,
        counted=counted(list(runs)),
        rows=Each("row", [{"workload": key[0], "size": key[1], "spent": spent} for key, spent in seconds.items()]),
    )


def unsettled(facts: Facts) -> Iterator[Finding]:
    """Figures taken while step times still drifted; a race with an answer does not depend on them."""
    devices = dict.fromkeys(device for run in facts["runs"] for device in run["warm_up"])
    for device in devices:
        drifted = [run for run in facts["runs"] if device in run["warm_up"] and not run["warm_up"][device]["settled"]]
        some = [
            {**named(run), "steps": run["warm_up"][device]["steps"], "seconds": run["warm_up"][device]["seconds"]}
            for run in drifted
        ]
        if some:
            yield finding("MPS524", "info", device=device, counted=counted(some), rows=Each("row", some))


RULES: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
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
