"""Small experiments after the timed workloads: what they are, what they cost, which of them are run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from mpsdoctor.facts.advice import Advice
from mpsdoctor.facts.training import Comparison, Result, Run, timed_results
from mpsdoctor.runtime.shapes import AtBatch
from mpsdoctor.texts import Each, Part, Wording
from mpsdoctor_checks.training.advice import sweep, ways
from mpsdoctor_checks.training.advice.ways import Ways, blank
from mpsdoctor_checks.training.lanes import Lane, Options
from mpsdoctor_checks.training.plan import Workload, workload_of
from mpsdoctor_checks.training.records import Measurement
from mpsdoctor_checks.training.stages import Say

# Of the check's seconds kept for advice; what the workloads leave comes on top where devices are compared.
KEPT = {"quick": 0.0, "standard": 0.28, "thorough": 0.35}
SIZES = ("medium", "small")  # where a step of the first takes too long, advice from the second is better than none
LONGER = {"standard": 1.0, "thorough": 2.0}  # times its own seconds that a race aims at


class Experiment(NamedTuple):
    """One thing to find out. `on` is "accelerator", "cpu", or "best": an accelerator, the CPU where there is none.

    `seconds` is what it aims at for each device, `budget` the smallest one that it belongs to. `ways` are those to
    train on one device, by name; a sweep of batches has none. Blocks have `fewest` steps or more. What `compiles` has
    other dtypes or sizes than the workload had.
    """

    kind: str
    family: str
    seconds: float
    budget: str
    on: str
    ways: Mapping[str, Options] | None = None
    fewest: int = 1
    compiles: bool = False


# The most telling first: two thirds of the operator calls of a small step are the optimizer's, which goes parameter by
# parameter on MPS; reading the loss at every step can cost half the speed of a device; convolutions and attention are
# what people move there.
EXPERIMENTS = (
    Experiment("fused", "cnn", 2.0, "standard", "accelerator", {"AdamW(fused=True)": {"fused": True}}),
    Experiment("item", "cnn", 2.5, "standard", "accelerator", {"reading the loss": {"reading": True}}, 8),
    Experiment("crossover", "cnn", 4.0, "standard", "accelerator", compiles=True),
    Experiment("threads", "cnn", 2.0, "standard", "cpu", {}),
    Experiment("copy", "cnn", 1.5, "standard", "accelerator", {"batches there": {"resident": True}}),
    Experiment("crossover", "transformer", 4.0, "standard", "accelerator", compiles=True),
    Experiment(
        "autocast",
        "transformer",
        2.5,
        "thorough",
        "best",
        {"float16": {"dtype": "float16"}, "bfloat16": {"dtype": "bfloat16"}},
        compiles=True,
    ),
    Experiment("crossover", "mlp", 4.0, "thorough", "accelerator", compiles=True),
    Experiment("crossover", "lstm", 4.0, "thorough", "accelerator", compiles=True),
    Experiment("channels_last", "cnn", 1.5, "thorough", "best", {"channels_last": {"channels_last": True}}),
    Experiment("threads", "transformer", 2.0, "thorough", "cpu", {}),
)
BUDGETS = ("quick", "standard", "thorough")


@dataclass(frozen=True)
class Outcome:
    """The result of an experiment: rows of advice, and batches by family."""

    advice: list[Advice]
    batches: dict[str, list[AtBatch]] = field(default_factory=dict)


@dataclass
class Bench:
    """What experiments are made with: rows of the timed workloads, `threads` worth a try, `end` a monotonic time.

    `get_ready` brings dead workers back, `narrate` makes a narrator of what is being tried.
    """

    budget: str
    lanes: Mapping[str, Lane]
    results: Sequence[Result]
    comparisons: Sequence[Comparison]
    runs: Sequence[Run]
    threads: Sequence[int]
    end: float
    get_ready: Callable[[], None]
    narrate: Callable[[Workload, Part], Say]

    def left(self) -> float:
        return self.end - time.monotonic()


def run_all(bench: Bench) -> Iterator[Outcome]:
    """The outcome of each experiment on each device, also of those left out.

    An experiment that needs more than its part of the time runs at the end, if enough is left.
    """
    todo = [(experiment, device) for experiment in EXPERIMENTS for device in devices(experiment, bench.lanes)]
    later = []
    for number, (experiment, device) in enumerate(todo):
        weights = [other.seconds for other, _ in todo[number:] if belongs(other, bench.budget)]
        part = bench.left() * experiment.seconds / max(sum(weights), experiment.seconds)
        outcome = run(experiment, device, part, bench)
        if outcome is None:
            later.append((experiment, device))
        else:
            yield outcome
    for experiment, device in later:
        yield run(experiment, device, bench.left(), bench) or leave_out(experiment, device, bench)


def belongs(experiment: Experiment, budget: str) -> bool:
    return BUDGETS.index(budget) >= BUDGETS.index(experiment.budget)


def run(experiment: Experiment, device: str, part: float, bench: Bench) -> Outcome | None:
    """The outcome of an experiment, or why it cannot be made; None where it takes more than `part` of the seconds."""
    why = obstacle(experiment, device, bench)
    if why:
        return skip(experiment, device, why)
    # A sweep lives with less, a race does not.
    most = min(part if experiment.ways is None else 2 * part, bench.left())
    for size, seconds in needs(experiment, device, bench).items():
        if seconds <= most:
            workload = Workload(experiment.family, size)
            if experiment.ways is None:  # ends by itself where there is no more to know
                return run_sweep(workload, device, min(part, bench.left()), bench)
            share = min(max(experiment.seconds * LONGER[bench.budget], seconds), bench.left())
            return run_race(experiment, workload, device, share, bench)
    return None


def leave_out(experiment: Experiment, device: str, bench: Bench) -> Outcome:
    """The outcome of an experiment that there is no time for."""
    seconds = min(needs(experiment, device, bench).values())
    return skip(experiment, device, Part("needs_seconds", {"needed": seconds, "left": max(bench.left(), 0)}))


def skip(experiment: Experiment, device: str, why: Wording) -> Outcome:
    return Outcome([blank(experiment.kind, Workload(experiment.family, SIZES[0]), device, "skipped", why)])


def devices(experiment: Experiment, lanes: Mapping[str, Lane]) -> list[str]:
    accelerators = [device for device in lanes if device != "cpu"]
    if experiment.on == "cpu":
        return ["cpu"]
    return accelerators if experiment.on == "accelerator" else accelerators or ["cpu"]


def obstacle(experiment: Experiment, device: str, bench: Bench) -> Wording:
    """Why an experiment cannot be made, however much time there is; empty where it can."""
    if not belongs(experiment, bench.budget):
        return Part("larger_budget", {"budget": experiment.budget})
    if experiment.kind == "threads" and not bench.threads:
        return Part("no_other_threads")
    bench.get_ready()
    needed = needed_devices(experiment, device)
    out = next((bench.lanes[other].out for other in needed if bench.lanes[other].out), "")
    timed = needs(experiment, device, bench)
    return out or ("" if timed else Part("not_timed_on", {"family": experiment.family, "devices": needed}))


def needed_devices(experiment: Experiment, device: str) -> list[str]:
    return ["cpu", device] if experiment.ways is None else [device]


def needs(experiment: Experiment, device: str, bench: Bench) -> dict[str, float]:
    """Seconds that an experiment takes at least, by size; of sizes that were timed on each device taking part."""
    needed = needed_devices(experiment, device)
    entrants = 1 + len(bench.threads if experiment.kind == "threads" else experiment.ways or ())
    seconds = {}
    for size in SIZES:
        workload = Workload(experiment.family, size)
        timed = (row for row in timed_results(bench.results) if workload_of(row) == workload)
        times = {row["device"]: row["step_ms"] / 1e3 for row in timed}
        if all(other in times for other in needed):
            racing = entrants * sum(ways.least_seconds(times[other], experiment.fewest) for other in needed)
            seconds[size] = racing + experiment.compiles * compiling_seconds(workload, needed, bench.runs)
    return seconds


def compiling_seconds(workload: Workload, devices: Sequence[str], runs: Sequence[Run]) -> float:
    """Seconds that compiling a workload took on some devices."""
    ours = (run for run in runs if workload_of(run) == workload)
    return math.fsum(run["compiling_s"].get(device, 0.0) for run in ours for device in devices)


def run_race(experiment: Experiment, workload: Workload, device: str, share: float, bench: Bench) -> Outcome:
    options = experiment.ways or {name_of(count): Options(num_threads=count) for count in bench.threads}
    rows = [
        {"way": ways.describe(experiment.kind, name, chosen.get("num_threads"))} for name, chosen in options.items()
    ]
    say = bench.narrate(workload, Part("trying_ways", {"ways": Each("way", rows, "and"), "device": device}))
    chosen = Ways(experiment.kind, workload, device, options, experiment.fewest)
    return Outcome(ways.compare(chosen, bench.lanes[device], share, bench.left(), say))


def name_of(threads: int) -> str:
    return f"{threads} thread{'' if threads == 1 else 's'}"


def run_sweep(workload: Workload, device: str, share: float, bench: Bench) -> Outcome:
    batches = begin_sweep(workload, device, bench)

    def say(batch: int) -> Say:
        return bench.narrate(workload, Part("trying_batches", {"batch": batch, "device": device}))

    sweep.run(batches, (bench.lanes["cpu"], bench.lanes[device]), share, bench.left(), say)
    return Outcome([sweep.row(batches)], {workload.family: sweep.table(batches)})


def begin_sweep(workload: Workload, device: str, bench: Bench) -> sweep.Sweep:
    """A sweep that knows the declared batch, which was timed as a workload."""
    pair = ("cpu", device)
    runs = [run for run in bench.runs if workload_of(run) == workload]
    declared = next(run["batch"] for run in runs if run["batch"])
    results = [row for row in bench.results if workload_of(row) == workload and row["device"] in pair]
    comparisons = [row for row in bench.comparisons if workload_of(row) == workload and row["device"] in pair]
    batches = sweep.Sweep(workload, device, declared, compiling_seconds(workload, pair, runs))
    batches.add(declared, Measurement(results, comparisons, runs))
    return batches
