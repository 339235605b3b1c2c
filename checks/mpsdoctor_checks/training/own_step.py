"""`bench --step FILE.py:FUNC`: a person's own training step on every device, in the loop of the training check.

It differs in two places: the step comes from the person's file, and its losses are only asked to be finite, for
nothing says that the file trains from the same numbers on every device.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from mpsdoctor import clean, texts
from mpsdoctor.check import Collected, Context, Job, OwnCodeError, Skip, typed
from mpsdoctor.facts.training import STEP, StepFacts
from mpsdoctor.texts import Part, check_title
from mpsdoctor.worker.shapes import Losses, Prepared
from mpsdoctor_checks import training
from mpsdoctor_checks.operators.model import (
    RECORD_GRACE,
    Target,
    describe_death,
    describe_failure,
    error_of,
    failure_in,
    was_late,
)
from mpsdoctor_checks.training import correctness, disturbance, lanes, quiet, records, rules, stages
from mpsdoctor_checks.training.collect import choose_devices
from mpsdoctor_checks.training.lanes import Failed, Lane
from mpsdoctor_checks.training.narrator import Narrator, timing
from mpsdoctor_checks.training.plan import Workload
from mpsdoctor_checks.training.trial import DeviceRun, Trial, runs_of

PREPARE = "mpsdoctor_worker.training.own_step:prepare"
PATIENCE = 3.0  # times what one step may take, for jobs that make three of them at least
id = training.id
title = check_title("training_step")
needs = training.needs
seconds = {"quick": 3.0, "standard": 12.0, "thorough": 60.0}
timed = True


def examine(
    context: Context,
    wanted: Target,
    name: str,
    longest: float,
    begin: Callable[[Context], object] = lambda context: None,
) -> Collected:
    """Facts and findings about a training step, called `name`; `longest` is the most seconds that one step may take.

    UnusableRequestError where the file is not as it should be, OwnCodeError where its code fails on every device.
    `begin` is called first, and may raise them too.
    """
    devices = choose_devices(context)
    begin(context)
    before = quiet.idle_conditions()
    with context.timing() as alone:
        taking_part = {device: Lane(device, context.worker(device)) for device in devices}
        lanes.get_ready(context, taking_part)
        trial = Trial(Workload(name, STEP), runs_of(taking_part.values()), patience=PATIENCE * longest)
        time_step(context, trial, lambda run: prepare(run, wanted, longest))
    refuse_what_never_ran(trial, wanted)
    results, comparisons, runs = records.of_trial(trial)
    facts: StepFacts = {
        "step": str(wanted),
        "results": results,
        "comparisons": comparisons,
        "runs": runs,
        "alone": alone,
        "conditions": {"before": before, "after": quiet.idle_conditions()},
    }
    disturbances = disturbance.find_disturbances(facts["conditions"])
    facts["disturbances"] = list(map(str, disturbances))
    facts["disturbances_values"] = list(map(texts.as_data, disturbances))
    return dict(facts), [finding for rule in rules.RULES for finding in rule(facts)]


def time_step(context: Context, trial: Trial, begin: Callable[[DeviceRun], None]) -> None:
    """The stages of the training check, the first two in this module's way."""
    devices = list(trial.runs)
    say = Narrator(context, trial.workload, timing(devices), devices)
    say()
    trial.attempt_all(begin)
    until = time.monotonic() + context.seconds
    trial.attempt_all(lambda run: first_steps(trial, run, context.seconds * stages.FOR_LOSSES / len(devices)))
    warm_up = stages.warm_up_time(context.seconds, len(devices))
    trial.attempt_all(lambda run: stages.warm_up(trial, run, warm_up))
    if trial.active():
        stages.time_blocks(trial, until, say)
    stages.release(trial)


def prepare(run: DeviceRun, wanted: Target, seconds: float, **more: object) -> None:
    """Call the person's function for this device and make the first step; `more` is told to the worker.

    Failed, with the place in the file, where their code fails; UnusableRequestError where it is not as it should be.
    """
    lane = run.lane
    args = {"path": str(wanted.file), "function": wanted.function, "shown": str(wanted).rpartition(":")[0]}
    job = Job(PREPARE, {**args, **more, "device": lane.device, "seconds": seconds}, seconds + RECORD_GRACE)
    answer = next(lane.worker.run([job]))
    if answer.outcome == "cancelled":
        raise Failed("skipped", Part("cancelled"))
    if answer.outcome != "ok":
        outcome = "timeout" if was_late(answer) else "crash"
        lane.out = Part("given_up", {"device": lane.device, "end": Part(f"end_{outcome}")})
        raise Failed(outcome, describe_death(answer, wanted, seconds))
    if failed := failure_in(answer):
        if not failed["raised"]:
            raise error_of(failed, wanted)
        detail = describe_failure(failed, wanted)
        raise Failed(lanes.kind_of_error(detail), detail, clean.text(failed["traceback"]))
    run.prepared = typed(answer, Prepared)


def first_steps(trial: Trial, run: DeviceRun, seconds: float) -> None:
    """Some steps one by one, each loss read."""
    curve: Losses = run.lane.ask("losses", trial.patience, steps=stages.LOSSES, seconds=seconds)
    if run.prepared and run.prepared["loss"]:
        run.losses = curve["losses"]
        fault = correctness.own_fault(curve["losses"])
        if fault:
            raise Failed(fault.outcome, fault.detail)
    run.curve = curve


def refuse_what_never_ran(trial: Trial, wanted: Target) -> None:
    """OwnCodeError where every device failed, unless with NaN, which is a result; Skip where none was tried."""
    if trial.active():
        return
    failures = [run.failure for run in trial.failed if run.failure]
    tried = [failure for failure in failures if failure.outcome != "skipped"]
    if not tried or any(str(failure.detail).startswith("cancelled") for failure in tried):
        raise Skip(failures[0].detail)
    if all(failure.outcome != "nan" for failure in failures):
        first = str(tried[0].detail)
        raise OwnCodeError(first if wanted.file.name in first else f"{wanted}: {first}", tried[0].traceback)
