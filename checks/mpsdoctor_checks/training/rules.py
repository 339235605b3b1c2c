"""From the facts of timed training to findings. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from mpsdoctor import sentences
from mpsdoctor.check import Finding, Remedy
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
    severity: Literal["warning", "error"]
    title: str
    remedy: str


FAILURES: dict[str, Failure] = {
    "diverged": Failure(
        "MPS510",
        "error",
        "{device} trains {items} to other numbers than the CPU",
        "Train on the CPU, or try another torch version: speed does not count while the numbers are wrong.",
    ),
    "nan": Failure(
        "MPS511",
        "error",
        "{device} trains {items} to NaN or infinity",
        "Train on the CPU, or try another torch version.",
    ),
    "crash": Failure(
        "MPS512",
        "error",
        "training {items} on {device} kills the process",
        "Train on the CPU; the last words of the process are in the evidence for a report to PyTorch.",
    ),
    "timeout": Failure(
        "MPS513",
        "error",
        "training {items} on {device} does not come to an end",
        "Train on the CPU; if the device is only slow, a larger budget gives it more time.",
    ),
    "oom": Failure(
        "MPS514",
        "warning",
        "{device} runs out of memory on {items}",
        "Close what else uses the device's memory, or train with smaller batches.",
    ),
    "unsupported": Failure(
        "MPS515",
        "warning",
        "{device} lacks something that {items} needs",
        "Models of this family need the CPU here, a newer torch, or on MPS the fallback "
        "PYTORCH_ENABLE_MPS_FALLBACK=1, set before torch is imported.",
    ),
    "error": Failure("MPS516", "error", "training {items} on {device} fails", "Train such models on another device."),
}


CRASH_DIALOG = " macOS may show 'Python quit unexpectedly' for it; that was this check."


def label(row: Row) -> str:
    return f"{row['workload']} {row['size']}"


def labels(rows: Sequence[Row]) -> str:
    return ", ".join(label(row) for row in rows)


def by_device(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["device"], []).append(row)
    return found


def speedup(row: Row) -> str:
    """As in `cnn medium 3.1 times (2.9 to 3.4)`."""
    low, high = row["ci95"]
    return f"{label(row)} {row['speedup']:.3g} times ({low:.3g} to {high:.3g})"


def failures(facts: Facts) -> Iterator[Finding]:
    """One finding a device and outcome, naming each workload and step."""
    for device, rows in by_device(facts["results"]).items():
        for outcome, failure in FAILURES.items():
            failed = [row for row in rows if row["outcome"] == outcome]
            if failed:
                dialog = CRASH_DIALOG if outcome == "crash" and device.partition(":")[0] == "mps" else ""
                yield Finding(
                    failure.code,
                    failure.severity,
                    failure.title.format(device=device, items=labels(failed)),
                    by_cause(failed) + ".",
                    {"device": device, "workloads": {label(row): row["detail"] for row in failed}},
                    Remedy(failure.remedy + dialog),
                )


def by_cause(rows: Sequence[Row]) -> str:
    """What went wrong, each cause once: `mlp small, cnn small: out of memory`."""
    causes: dict[str, list[Row]] = {}
    for row in rows:
        causes.setdefault(first_line(row["detail"]).rstrip("."), []).append(row)
    return "; ".join(f"{labels(some)}: {cause}" for cause, some in causes.items())


def first_line(text: str) -> str:
    """What went wrong in a sentence: what torch goes on to say is the same for everybody."""
    return sentences.shortened(text, 400) or "no detail"


def compared(code: str, title: str, wanted: Callable[[Row], bool], detail: str) -> Callable[[Facts], Iterator[Finding]]:
    """A rule that names, by device, the comparisons of one kind."""

    def rule(facts: Facts) -> Iterator[Finding]:
        for device, rows in by_device(facts["comparisons"]).items():
            some = [row for row in rows if wanted(row)]
            if some:
                head = title.format(device=device, count=len(some), all=len(rows))
                figures = "; ".join(speedup(row) for row in some)
                evidence = {label(row): {"speedup": row["speedup"], "ci95": row["ci95"]} for row in some}
                yield Finding(code, "info", head, f"{detail}: {figures}.", evidence)

    return rule


faster = compared(
    "MPS501",
    "{device} trains {count} of {all} workloads faster than the CPU",
    lambda row: row["winner"] == row["device"],
    "Speed against the CPU, with 95 % intervals",
)
slower = compared(
    "MPS502",
    "{device} trains {count} of {all} workloads slower than the CPU",
    lambda row: row["winner"] == row["baseline"],
    "Launching many small operators costs more than they compute. Speed against the CPU, with 95 % intervals",
)
close = compared(
    "MPS503",
    "{device} and the CPU are too close to call on {count} of {all} workloads",
    lambda row: row["winner"] == "tie" and enough(row["pairs"]),
    "Neither gains by moving such a training. Speed against the CPU, with 95 % intervals",
)
undecided = compared(
    "MPS529",
    "{device} against the CPU is not settled on {count} of {all} workloads",
    lambda row: row["winner"] == "tie" and not enough(row["pairs"]),
    "Too few blocks of steps fitted into the time for a winner, which then is the CPU; a longer budget tells. "
    "Speed against the CPU, with 95 % intervals",
)


def alone(facts: Facts) -> Iterator[Finding]:
    """On one device there are figures but no comparison."""
    timed = [row for row in facts["results"] if row["outcome"] == "ok"]
    if timed and len(by_device(facts["results"])) == 1:
        figures = "; ".join(
            f"{label(row)} {row['step_ms']:.3g} ms ({row['ci95_ms'][0]:.3g} to {row['ci95_ms'][1]:.3g})"
            for row in timed
        )
        title = f"the {timed[0]['device'].upper()} is the only device here; {counted(timed)} can be trained on it"
        yield Finding("MPS504", "info", title, f"Time of a training step, with 95 % interval: {figures}.")


def counted(some: Sequence[object]) -> str:
    return f"{len(some)} workload{'' if len(some) == 1 else 's'}"


def left_out(facts: Facts) -> Iterator[Finding]:
    for device, rows in by_device(facts["results"]).items():
        some = [row for row in rows if row["outcome"] == "skipped"]
        if some:
            reasons = "; ".join(dict.fromkeys(row["detail"] for row in some))
            yield Finding(
                "MPS505",
                "info",
                f"not timed on {device}: {counted(some)}",
                f"{labels(some)}: {reasons}.",
                remedy=Remedy("A larger budget times more.", ("mpsdoctor --budget thorough",)),
            )


def not_alone(facts: Facts) -> Iterator[Finding]:
    if facts["alone"] is False:
        detail = "Another mpsdoctor of this user was timing and did not end in time: the figures of both are doubtful."
        yield Finding(
            "MPS520",
            "warning",
            "another timed run was going on",
            detail,
            remedy=Remedy("Run it again when the other one is done."),
        )


def disturbed(facts: Facts) -> Iterator[Finding]:
    """What the machine was doing besides; one finding, naming each."""
    seen = facts["disturbances"]
    if seen:
        waited = (facts["conditions"].get("before") or {}).get("waited_s")
        detail = "; ".join(seen) + ". Absolute times are doubtful; ratios less so, for the devices took turns."
        detail += f" Quiet was waited for, {waited:.0f} s long, in vain." if waited else ""
        detail += " No setting, hint or batch size of this run goes into the profile." if facts.get("doubtful") else ""
        evidence = dict(facts["conditions"])
        remedy = Remedy("Run it again on a quiet machine, on mains power.")
        yield Finding("MPS521", "warning", "conditions that spoil the timing", detail, evidence, remedy)


def noisy(facts: Facts) -> Iterator[Finding]:
    for device, rows in by_device(facts["results"]).items():
        some = [row for row in rows if row["outcome"] == "ok" and width(row) > NOISY]
        if some:
            figures = "; ".join(f"{label(row)} ± {width(row):.0%}" for row in some)
            title = f"step times on {device} vary by more than {NOISY:.0%}"
            yield Finding("MPS522", "info", title, f"Half the 95 % interval: {figures}.")


def width(row: Row) -> float:
    """Half the interval, relative to the figure."""
    low, high = row["ci95_ms"]
    return float((high - low) / (2 * row["step_ms"]))


def slow_start(facts: Facts) -> Iterator[Finding]:
    """Steps before a device has settled that cost far more than the later ones: a short run pays for them."""
    steps = {(row["workload"], row["size"], row["device"]): row["step_ms"] for row in facts["results"]}
    slow: dict[str, dict[str, dict[str, Any]]] = {}
    for run in facts["runs"]:
        for device, first in run["first_steps_ms"].items():
            later = steps.get((run["workload"], run["size"], device))
            if later and sum(first) - later * len(first) >= SLOW_START_MS and first[0] > SLOW_START * later:
                slow.setdefault(device, {})[label(run)] = {"first_steps_ms": first, "step_ms": later}
    for device, runs in slow.items():
        yield slow_start_of(device, runs)


def slow_start_of(device: str, runs: Mapping[str, dict[str, Any]]) -> Finding:
    seconds = {
        name: sum(each for each in run["first_steps_ms"] if each > SLOW_START * run["step_ms"]) / 1e3
        for name, run in runs.items()
    }
    figures = "; ".join(f"{name} {spent:.1f} s" for name, spent in seconds.items())
    total = sum(seconds.values())
    return Finding(
        "MPS523",
        "info",
        f"{device} needs {total:.1f} s for the first steps of {counted(list(runs))}",
        f"What is new to a device is compiled first: {figures}. Step times do not count it. A training pays it "
        "once, and again for each new size of a batch or a sequence.",
        {"seconds": seconds, **runs},
        Remedy("Keep sizes the same from step to step: pad sequences, and drop the last, smaller batch.")
        if total > LONG_START
        else None,
    )


def unsettled(facts: Facts) -> Iterator[Finding]:
    """Figures taken while step times still drifted; a race with an answer does not depend on them."""
    devices = dict.fromkeys(device for run in facts["runs"] for device in run["warm_up"])
    for device in devices:
        some = [
            f"{label(run)} ({run['warm_up'][device]['steps']} steps in {run['warm_up'][device]['seconds']:.1f} s)"
            for run in facts["runs"]
            if device in run["warm_up"] and not run["warm_up"][device]["settled"]
        ]
        if some:
            title = f"step times on {device} had not settled in {counted(some)}"
            yield Finding(
                "MPS524", "info", title, f"They still drifted by more than 5 % at the end of: {'; '.join(some)}."
            )


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
