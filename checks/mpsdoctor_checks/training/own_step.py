"""`bench --step FILE.py:FUNC`: a person's own training step on every device, in the loop of the training check.

It differs in two places: the step comes from the person's file, and its losses are only asked to be finite, for
nothing says that the file trains from the same numbers on every device.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from mpsdoctor import machine
from mpsdoctor.check import Collected, Context, Job, Skip, UnusableRequestError, typed
from mpsdoctor.doubts import STEP
from mpsdoctor.worker.shapes import Prepared
from mpsdoctor_checks import training
from mpsdoctor_checks.operators.model import (
    RECORD_GRACE,
    Target,
    describe_death,
    describe_failure,
    failure_in,
    was_late,
)
from mpsdoctor_checks.training import correctness, disturbance, item, lanes, plan, quiet, records, rules
from mpsdoctor_checks.training.lanes import Entrant, Failed, Lane
from mpsdoctor_checks.training.narrator import Narrator, timing
from mpsdoctor_checks.training.trial import Trial

PREPARE = "mpsdoctor_worker.training.own_step:prepare"
PATIENCE = 3.0  # times what one step may take, for jobs that make three of them at least
id = training.id
title = "Your training step timed on each device"
needs = training.needs
seconds = {"quick": 3.0, "standard": 12.0, "thorough": 60.0}


def examine(
    context: Context,
    wanted: Target,
    name: str,
    longest: float,
    begin: Callable[[Context], object] = lambda context: None,
) -> Collected:
    """Facts and findings about a training step, called `name`; `longest` is the most seconds that one step may take.

    UnusableRequestError where the file fails on every device. `begin` is called first, and may raise it too.
    """
    devices = training.chosen(context)
    begin(context)
    before = quiet.idle_conditions()
    with context.timing() as alone:
        taking_part = {device: Lane(device, context.worker(device)) for device in devices}
        training.get_ready(context, taking_part)
        trial = Trial(plan.Item(name, STEP), dict(taking_part), patience=PATIENCE * longest)
        time_step(context, trial, lambda lane: prepare(trial, taking_part[lane.device], wanted, longest))
    refuse_what_never_ran(trial, wanted)
    facts: dict[str, Any] = {"step": str(wanted), **records.of_trial(trial), "alone": alone}
    facts["conditions"] = {"before": before, "after": machine.conditions()}
    facts["disturbances"] = disturbance.seen(facts["conditions"])
    return facts, [finding for rule in rules.RULES for finding in rule(facts)]


def time_step(context: Context, trial: Trial, begin: Callable[[Entrant], None]) -> None:
    """The stages of the training check, the first two in this module's way."""
    devices = list(trial.lanes)
    trial.failures |= {device: ("skipped", lane.out) for device, lane in trial.lanes.items() if lane.out}
    say = Narrator(context, trial.item, timing(devices), devices)
    say()
    trial.each(begin)
    until = time.monotonic() + context.seconds
    trial.each(lambda lane: first_steps(trial, lane, context.seconds * item.FOR_LOSSES / len(devices)))
    warm_up = item.warm_up_time(context.seconds, len(devices))
    trial.each(lambda lane: item.warm_up(trial, lane, warm_up))
    if trial.active():
        item.time_blocks(trial, until, say)
    item.release(trial)


def prepare(trial: Trial, lane: Lane, wanted: Target, seconds: float) -> None:
    """Call the person's function for this device and make the first step. Failed, with the place in the file."""
    args = {"path": str(wanted.file), "function": wanted.function, "shown": str(wanted).rpartition(":")[0]}
    job = Job(PREPARE, {**args, "device": lane.device, "seconds": seconds}, seconds + RECORD_GRACE)
    answer = next(lane.worker.run([job]))
    if answer.outcome == "cancelled":
        raise Failed("skipped", "cancelled")
    if answer.outcome != "ok":
        outcome = "timeout" if was_late(answer) else "crash"
        lane.out = f"{lane.device} was given up after a {outcome}"
        raise Failed(outcome, describe_death(answer, wanted, seconds))
    if failed := failure_in(answer):
        detail = describe_failure(failed, wanted)
        raise Failed(lanes.kind_of_error(detail), detail)
    trial.prepared[lane.device] = typed(answer, Prepared)


def first_steps(trial: Trial, lane: Entrant, seconds: float) -> None:
    """Some steps one by one, each loss read."""
    curve = lane.ask("losses", trial.patience, steps=item.LOSSES, seconds=seconds)
    if trial.prepared[lane.device]["loss"]:
        trial.losses[lane.device] = curve["losses"]
        fault = correctness.own_fault(curve)
        if fault:
            raise Failed(fault.outcome, fault.detail)
    trial.curves[lane.device] = curve


def refuse_what_never_ran(trial: Trial, wanted: Target) -> None:
    """UnusableRequestError where every device failed, unless with NaN, which is a result; Skip where none was tried."""
    if trial.active():
        return
    details = [detail for outcome, detail in trial.failures.values() if outcome != "skipped"]
    if not details or any(detail.startswith("cancelled") for detail in details):
        raise Skip(next(iter(trial.failures.values()))[1])
    if all(outcome != "nan" for outcome, _ in trial.failures.values()):
        told = details[0]
        raise UnusableRequestError(told if wanted.file.name in told else f"{wanted}: {told}")
