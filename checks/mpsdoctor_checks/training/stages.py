"""The stages of a workload on all devices: the same numbers first, then the race."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from mpsdoctor.texts import Part
from mpsdoctor.worker.shapes import Block, Losses, WarmUp
from mpsdoctor_checks.training import correctness, race, records
from mpsdoctor_checks.training.compiling import compile_seconds
from mpsdoctor_checks.training.lanes import Entrant, Failed
from mpsdoctor_checks.training.plan import Workload
from mpsdoctor_checks.training.records import Measurement
from mpsdoctor_checks.training.trial import DeviceRun, Trial, runs_of

LOSSES = 10  # steps compared with the CPU's
FEWEST_STEPS = 9  # of warm-up and blocks together, on each device, or nothing can be said
ROUNDS = 32  # that a share should hold: three decide a lopsided race, so that it all ends within a fifth of it
COUNTED = 8 / 9  # of the steps of a block, see the worker's `block`
SHORTEST, LONGEST = 0.02, 0.25  # seconds a block; the clock resolves 100 ns, drift shows within seconds
FOR_LOSSES, FOR_WARM_UP = 0.3, 0.2  # of a share, for all devices together
ALMOST = 0.9  # of the patience with a job; steps that need all of it are too slow to be timed
PATIENCE = 30.0  # seconds at least for a job: a device may wake up in it
# Seconds more for a job that holds a first step: a cold Metal compiles 175 graphs, hundreds of ms each.
FIRST_STEP = 120.0
WARM_UP = 1.0  # seconds that a device may take in any case: what is timed before it settles is wrong


class Say(Protocol):
    """Tells the blocks so far, and the seconds left."""

    def __call__(self, blocks: Mapping[str, Sequence[float]] = ..., left: float | None = ...) -> None: ...


def examine(
    workload: Workload,
    lanes: Iterable[Entrant],
    share: float,
    left: float,
    say: Say,
    against: Part = correctness.ON_THE_CPU,
    fewest: int = 1,
) -> Measurement:
    """Results, comparisons and evidence of one workload, within its share of seconds, never much beyond those left.

    Compiling does not count. The first lane is the baseline; `against` tells where its losses come from. A
    block has `fewest` steps or more.
    """
    trial = Trial(workload, runs_of(lanes), patience=max(PATIENCE, left), against=against, fewest=fewest)
    count = len(trial.runs)
    begun = time.monotonic()
    say()
    trial.attempt_all(lambda run: prepare(trial, run))
    trial.attempt_all(lambda run: check_losses(trial, run, share * FOR_LOSSES / count))
    begun += sum(trial.compiling().values())
    until = begun + share
    leave_out(trial, begun + left - time.monotonic())
    trial.attempt_all(lambda run: warm_up(trial, run, warm_up_time(share, count)))
    if trial.active():
        time_blocks(trial, until, say)
    release(trial)
    return records.of_trial(trial)


def prepare(trial: Trial, run: DeviceRun) -> None:
    lane = run.lane
    lane.step = 0
    named = {"workload": trial.workload.family, "size": trial.workload.size, "device": lane.device}
    run.prepared = lane.ask("prepare", trial.patience, **named, **lane.options)


def check_losses(trial: Trial, run: DeviceRun, seconds: float) -> None:
    """The loss curve; Failed where it is not the baseline's, or not finite."""
    reference = trial.baseline.curve
    steps = len(reference["losses"]) if reference else LOSSES
    patience = FIRST_STEP + trial.patience
    curve: Losses = run.lane.ask("losses", patience, steps=steps, seconds=seconds, most=ALMOST * trial.patience)
    run.losses = curve["losses"]
    run.compiling = compile_seconds(curve["seconds"])
    dtype = run.lane.options.get("dtype", "float32")
    if reference:
        fault = correctness.compare(reference, curve, dtype, trial.against)
    else:
        fault = correctness.own_fault(curve["losses"])
    if fault:
        raise Failed(fault.outcome, fault.detail)
    run.curve = curve


def leave_out(trial: Trial, seconds: float) -> None:
    """Give the workload up where even the fewest steps do not fit into what is left of the budget."""
    curves = [run.curve for run in trial.active() if run.curve]
    needed = FEWEST_STEPS * sum(statistics.median(curve["seconds"]) for curve in curves)
    if needed > max(seconds, 0.0):
        figures = {"steps": FEWEST_STEPS, "needed": needed, "left": max(seconds, 0.0)}
        for run in trial.active():
            trial.fail(run, "skipped", Part("steps_too_long", figures))


def warm_up_time(share: float, devices: int) -> float:
    """Seconds at most for each device; where nothing is compared, no more than the share."""
    least = WARM_UP if devices > 1 else min(WARM_UP, share)
    return max(least, share * FOR_WARM_UP / devices)


def warm_up(trial: Trial, run: DeviceRun, seconds: float) -> None:
    answer: WarmUp = run.lane.ask("warm_up", trial.patience, seconds=seconds)
    run.warm_up = answer
    run.remember_memory(answer)


def time_blocks(trial: Trial, until: float, say: Say) -> None:
    """The race; `until` is a time of the monotonic clock."""
    names = [run.name for run in trial.active()]
    length = COUNTED * (until - time.monotonic()) / (ROUNDS * len(names))
    for run in trial.active():
        step = run.step_seconds()
        run.block_steps = max(trial.fewest, math.ceil(SHORTEST / step), int(min(length, LONGEST) / step))
    blocks: dict[str, list[float]] = {}

    def out_of_time() -> bool:
        say(blocks, until - time.monotonic())
        enough = len(blocks[names[0]]) >= race.FIRST_LOOK
        return enough and time.monotonic() > until

    race.run_race(names, blocks, lambda name: time_block(trial, trial.runs[name]), out_of_time)
    for name, seconds in blocks.items():
        trial.runs[name].blocks = seconds
    trial.stopped = "out of time" if time.monotonic() > until else "decided"


def time_block(trial: Trial, run: DeviceRun) -> float | None:
    """Seconds a step, or None where that failed."""
    trial.attempt(run, lambda run: take_block(trial, run))
    if run.failure or not run.last_block:
        return None
    return run.last_block["seconds"] / run.last_block["steps"]


def take_block(trial: Trial, run: DeviceRun) -> None:
    answer: Block = run.lane.ask("block", trial.patience, steps=run.block_steps)
    since, run.lane.step = run.lane.step, answer["done"]
    if not math.isfinite(answer["loss"]):
        figures = {"loss": str(answer["loss"]), "since": since, "step": run.lane.step}
        raise Failed("nan", Part("loss_not_finite_between", figures))
    run.last_block = answer
    run.remember_memory(answer)


def release(trial: Trial) -> None:
    """Give the memory back; a worker that is gone has none."""
    for run in trial.runs.values():
        if not run.lane.out and run.prepared:
            run.lane.worker.call("mpsdoctor_worker.training.sessions:release", timeout=trial.patience)
