"""Small experiments after the timed workloads: what they are, what they cost, which of them are run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from mpsdoctor_checks.training import item as items
from mpsdoctor_checks.training.advice import sweep, ways
from mpsdoctor_checks.training.advice.ways import Options, Ways, blank
from mpsdoctor_checks.training.lanes import Lane
from mpsdoctor_checks.training.plan import Item

Row = dict[str, Any]
Facts = dict[str, Any]

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
    workload: str
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
TIMED = ("results", "comparisons")
BUDGETS = ("quick", "standard", "thorough")


@dataclass
class Bench:
    """What experiments are made with: `facts` of the timed workloads, `threads` worth a try, `end` a monotonic time.

    `get_ready` brings dead workers back, `narrate` makes a narrator of what is being tried.
    """

    budget: str
    lanes: Mapping[str, Lane]
    facts: Mapping[str, Any]
    threads: Sequence[int]
    end: float
    get_ready: Callable[[], None]
    narrate: Callable[[Item, str], items.Say]

    def left(self) -> float:
        return self.end - time.monotonic()


def experiments(bench: Bench) -> Iterator[Facts]:
    """Rows of `advice`, and of `batches` by family, for each experiment and device; also for what is left out.

    What needs more than its part of the time has another chance with what the others did not use.
    """
    todo = [(experiment, device) for experiment in EXPERIMENTS for device in devices(experiment, bench.lanes)]
    later = []
    for number, (experiment, device) in enumerate(todo):
        weights = [each.seconds for each, _ in todo[number:] if belongs(each, bench.budget)]
        part = bench.left() * experiment.seconds / max(sum(weights), experiment.seconds)
        found = made(experiment, device, part, bench)
        if found is None:
            later.append((experiment, device))
        else:
            yield found
    for experiment, device in later:
        yield made(experiment, device, bench.left(), bench) or without(experiment, device, bench)


def belongs(experiment: Experiment, budget: str) -> bool:
    return BUDGETS.index(budget) >= BUDGETS.index(experiment.budget)


def made(experiment: Experiment, device: str, part: float, bench: Bench) -> Facts | None:
    """What came of an experiment, or why it cannot be made; None where it takes more than `part` of the seconds."""
    why = obstacle(experiment, device, bench)
    if why:
        return told_as_skipped(experiment, device, why)
    # A sweep lives with less, a race does not.
    most = min(part if experiment.ways is None else 2 * part, bench.left())
    for size, seconds in needs(experiment, device, bench).items():
        if seconds <= most:
            item = Item(experiment.workload, size)
            if experiment.ways is None:  # ends by itself where there is no more to know
                return sweep_of(item, device, min(part, bench.left()), bench)
            share = min(max(experiment.seconds * LONGER[bench.budget], seconds), bench.left())
            return race_of(experiment, item, device, share, bench)
    return None


def without(experiment: Experiment, device: str, bench: Bench) -> Facts:
    seconds = min(needs(experiment, device, bench).values())
    return told_as_skipped(experiment, device, f"needs about {seconds:.2g} s, {max(bench.left(), 0):.2g} s were left")


def told_as_skipped(experiment: Experiment, device: str, why: str) -> Facts:
    item = Item(experiment.workload, SIZES[0])
    return {"advice": [blank(experiment.kind, item, device, "skipped", why)]}


def devices(experiment: Experiment, lanes: Mapping[str, Lane]) -> list[str]:
    accelerators = [device for device in lanes if device != "cpu"]
    if experiment.on == "cpu":
        return ["cpu"]
    return accelerators if experiment.on == "accelerator" else accelerators or ["cpu"]


def obstacle(experiment: Experiment, device: str, bench: Bench) -> str:
    """Why an experiment cannot be made, however much time there is; empty where it can."""
    if not belongs(experiment, bench.budget):
        return f"belongs to the {experiment.budget} budget"
    if experiment.kind == "threads" and not bench.threads:
        return "there is no other number of threads to try"
    bench.get_ready()
    asked = part_takers(experiment, device)
    out = next((bench.lanes[each].out for each in asked if bench.lanes[each].out), "")
    timed = needs(experiment, device, bench)
    return out or ("" if timed else f"{experiment.workload} was not timed on {' and '.join(asked)}")


def part_takers(experiment: Experiment, device: str) -> list[str]:
    return ["cpu", device] if experiment.ways is None else [device]


def needs(experiment: Experiment, device: str, bench: Bench) -> dict[str, float]:
    """Seconds that an experiment takes at least, by size; of sizes that were timed on each device taking part."""
    asked = part_takers(experiment, device)
    entrants = 1 + len(bench.threads if experiment.kind == "threads" else experiment.ways or ())
    found = {}
    for size in SIZES:
        times: dict[str, float] = {
            row["device"]: row["step_ms"] / 1e3
            for row in bench.facts["results"]
            if (row["workload"], row["size"], row["outcome"]) == (experiment.workload, size, "ok")
        }
        if all(each in times for each in asked):
            racing = entrants * sum(ways.least_seconds(times[each], experiment.fewest) for each in asked)
            found[size] = racing + experiment.compiles * first_steps(
                Item(experiment.workload, size), asked, bench.facts
            )
    return found


def first_steps(item: Item, devices: Sequence[str], facts: Mapping[str, Any]) -> float:
    """Seconds that compiling an item took on some devices."""
    runs = (run for run in facts["runs"] if (run["workload"], run["size"]) == item)
    return math.fsum(run["compiling_s"].get(device, 0.0) for run in runs for device in devices)


def race_of(experiment: Experiment, item: Item, device: str, share: float, bench: Bench) -> Facts:
    options = experiment.ways or {named(count): {"num_threads": count} for count in bench.threads}
    say = bench.narrate(item, f"{' and '.join(options)} on {device}")
    chosen = Ways(experiment.kind, item, device, options, experiment.fewest)
    return {"advice": ways.compare(chosen, bench.lanes[device], share, bench.left(), say)}


def named(threads: int) -> str:
    return f"{threads} thread{'' if threads == 1 else 's'}"


def sweep_of(item: Item, device: str, share: float, bench: Bench) -> Facts:
    found = begun(item, device, bench.facts)

    def say(batch: int) -> items.Say:
        return bench.narrate(item, f"batches of {batch} on cpu and {device}")

    sweep.run(found, (bench.lanes["cpu"], bench.lanes[device]), share, bench.left(), say)
    return {"advice": [sweep.row(found)], "batches": {item.workload: sweep.table(found)}}


def begun(item: Item, device: str, facts: Mapping[str, Any]) -> sweep.Sweep:
    """A sweep that knows the declared batch, which was timed as a workload."""

    def ours(row: Mapping[str, Any]) -> bool:
        return (row["workload"], row["size"]) == item

    base = next(int(run["batch"]) for run in facts["runs"] if ours(run))
    timed = {key: [row for row in facts[key] if ours(row) and row["device"] in ("cpu", device)] for key in TIMED}
    found = sweep.Sweep(item, device, base, first_steps(item, ("cpu", device), facts))
    found.take(base, timed)
    return found
