"""One workload in one size on all devices: the same numbers first, then the race."""

from __future__ import annotations

import math
import statistics as plain
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from mpsdoctor_checks.training import correctness, race, records
from mpsdoctor_checks.training.compiling import compile_seconds
from mpsdoctor_checks.training.lanes import Entrant, Failed
from mpsdoctor_checks.training.plan import Item
from mpsdoctor_checks.training.trial import Trial

LOSSES = 10  # steps compared with the CPU's
FEWEST_STEPS = 9  # of warm-up and blocks together, on each device, or nothing can be said
ROUNDS = 32  # that a share should hold: three decide a lopsided race, so that it all ends within a fifth of it
COUNTED = 8 / 9  # of the steps of a block, see the worker's `block`
SHORTEST, LONGEST = 0.02, 0.25  # seconds a block; the clock resolves 100 ns, drift shows within seconds
FOR_LOSSES, FOR_WARM_UP = 0.3, 0.2  # of a share, for all devices together
ALMOST = 0.9  # of the patience with a job; steps that need all of it are too slow to be timed
PATIENCE = 30.0  # seconds at least for a job: a device may wake up in it
FIRST_STEP = (
    120.0  # seconds more for one that holds a first step: a cold Metal compiles 175 graphs, hundreds of ms each
)
WARM_UP = 1.0  # seconds that a device may take in any case: what is timed before it settles is wrong


class Say(Protocol):
    """Tells the blocks so far, and the seconds left."""

    def __call__(self, blocks: Mapping[str, Sequence[float]] = ..., left: float | None = ...) -> None: ...


def examine(
    item: Item,
    lanes: Mapping[str, Entrant],
    share: float,
    left: float,
    say: Say,
    against: str = "on the CPU",
    fewest: int = 1,
) -> dict[str, Any]:
    """Results, comparisons and evidence of one item, within its share of seconds, never much beyond those left.

    Compiling does not count. The first lane is the baseline; `against` tells in words where its losses come from. A
    block has `fewest` steps or more.
    """
    trial = Trial(item, dict(lanes), patience=max(PATIENCE, left), against=against, fewest=fewest)
    begun = time.monotonic()
    for device, lane in lanes.items():
        if lane.out:
            trial.failures[device] = ("skipped", lane.out)
    say()
    trial.each(lambda lane: prepare(trial, lane))
    trial.each(lambda lane: check_losses(trial, lane, share * FOR_LOSSES / len(lanes)))
    begun += sum(trial.compiling.values())
    until = begun + share
    leave_out(trial, begun + left - time.monotonic())
    trial.each(lambda lane: warm_up(trial, lane, warm_up_time(share, len(lanes))))
    if trial.active():
        time_blocks(trial, until, say)
    release(trial)
    return records.of_trial(trial)


def prepare(trial: Trial, lane: Entrant) -> None:
    lane.step = 0
    args = {"workload": trial.item.workload, "size": trial.item.size, "device": lane.device, **lane.options}
    trial.prepared[lane.device] = lane.ask("prepare", trial.patience, **args)


def check_losses(trial: Trial, lane: Entrant, seconds: float) -> None:
    """The loss curve; Failed where it is not the baseline's, or not finite."""
    reference = trial.curves.get(next(iter(trial.lanes)))
    steps = len(reference["losses"]) if reference else LOSSES
    patience = FIRST_STEP + trial.patience
    curve = lane.ask("losses", patience, steps=steps, seconds=seconds, most=ALMOST * trial.patience)
    trial.losses[lane.device] = curve["losses"]
    trial.compiling[lane.device] = compile_seconds(curve["seconds"])
    dtype = lane.options.get("dtype", "float32")
    fault = correctness.compare(reference, curve, dtype, trial.against) if reference else correctness.own_fault(curve)
    if fault:
        raise Failed(fault.outcome, fault.detail)
    trial.curves[lane.device] = curve


def leave_out(trial: Trial, seconds: float) -> None:
    """Give the item up where even the fewest steps do not fit into what is left of the budget."""
    needed = FEWEST_STEPS * sum(plain.median(trial.curves[device]["seconds"]) for device in trial.active())
    if needed > max(seconds, 0.0):
        why = f"{FEWEST_STEPS} steps on each device take {needed:.2g} s, {max(seconds, 0.0):.2g} s were left"
        trial.failures |= dict.fromkeys(trial.active(), ("skipped", why))


def warm_up_time(share: float, devices: int) -> float:
    """Seconds at most for each device; where nothing is compared, no more than the share."""
    least = WARM_UP if devices > 1 else min(WARM_UP, share)
    return max(least, share * FOR_WARM_UP / devices)


def warm_up(trial: Trial, lane: Entrant, seconds: float) -> None:
    trial.warm[lane.device] = lane.ask("warm_up", trial.patience, seconds=seconds)
    trial.remember_memory(lane.device, trial.warm[lane.device])


def time_blocks(trial: Trial, until: float, say: Say) -> None:
    """The race; `until` is a time of the monotonic clock."""
    devices = trial.active()
    length = COUNTED * (until - time.monotonic()) / (ROUNDS * len(devices))
    for device in devices:
        step = trial.warm[device]["step_seconds"] or plain.median(trial.curves[device]["seconds"])
        trial.sizes[device] = max(trial.fewest, math.ceil(SHORTEST / step), int(min(length, LONGEST) / step))

    def out_of_time() -> bool:
        say(trial.blocks, until - time.monotonic())
        enough = len(trial.blocks[devices[0]]) >= race.FIRST_LOOK
        return enough and time.monotonic() > until

    race.run_race(devices, trial.blocks, lambda device: one_block(trial, device), out_of_time)
    trial.stopped = "out of time" if time.monotonic() > until else "decided"


def one_block(trial: Trial, device: str) -> float | None:
    """Seconds a step, or None where the device failed."""
    trial.try_with(device, lambda lane: take_block(trial, lane))
    if device in trial.failures:
        return None
    return float(trial.last[device]["seconds"]) / int(trial.last[device]["steps"])


def take_block(trial: Trial, lane: Entrant) -> None:
    answer = lane.ask("block", trial.patience, steps=trial.sizes[lane.device])
    since, lane.step = lane.step, answer["done"]
    if not math.isfinite(answer["loss"]):
        raise Failed("nan", f"loss {answer['loss']} between steps {since} and {lane.step}")
    trial.last[lane.device] = answer
    trial.remember_memory(lane.device, answer)


def release(trial: Trial) -> None:
    """Give the memory back; a worker that is gone has none."""
    for lane in trial.lanes.values():
        if not lane.out and lane.device in trial.prepared:
            lane.worker.call("mpsdoctor_worker.training.sessions:release", timeout=trial.patience)
