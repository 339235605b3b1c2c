"""From a trial to the rows of the report. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from mpsdoctor import texts
from mpsdoctor.facts.training import Comparison, Result, Run, WarmUpSummary
from mpsdoctor.texts import Part, Wording
from mpsdoctor.worker.shapes import Losses, WarmUp
from mpsdoctor_checks.training import race
from mpsdoctor_checks.training.plan import Workload
from mpsdoctor_checks.training.statistics import interval, median, ratios
from mpsdoctor_checks.training.trial import DeviceRun, Trial

FIRST_STEPS = 32  # kept as evidence; a slow start was never measured to last longer


class Measurement(NamedTuple):
    """The rows of one workload, or of a workload that is left out."""

    results: list[Result]
    comparisons: list[Comparison]
    runs: list[Run]


def of_trial(trial: Trial) -> Measurement:
    results = [result(trial, run) for run in trial.runs.values()]
    return Measurement(results, comparisons(trial), [evidence(trial)])


def left_out(workload: Workload, devices: Iterable[str], why: Part) -> Measurement:
    """Rows of a workload that is not begun."""
    reason = Part("left_out", {"reason": why})
    return Measurement([blank(workload, device, "skipped", reason) for device in devices], [], [])


def blank(workload: Workload, device: str, outcome: str, detail: Wording) -> Result:
    """A result without figures."""
    return {
        "workload": workload.family,
        "size": workload.size,
        "device": device,
        "dtype": "float32",
        "outcome": outcome,
        "step_ms": None,
        "ci95_ms": None,
        "samples_per_s": None,
        "steps": None,
        "peak_memory_bytes": None,
        "detail": str(detail),
        "detail_values": texts.as_values(detail),
    }


def result(trial: Trial, run: DeviceRun) -> Result:
    if run.failure:
        return blank(trial.workload, run.name, run.failure.outcome, run.failure.detail)
    blocks, steps = run.blocks, run.block_steps
    if not (blocks and steps and run.prepared and run.last_block):
        return blank(trial.workload, run.name, "skipped", Part("no_race", {"baseline": trial.baseline.name}))
    return timed(trial.workload, run.name, blocks, steps, run.prepared["batch"], run.last_block["peak_bytes"])


def timed(
    workload: Workload, name: str, blocks: list[float], steps: int, batch: int | None, peak_bytes: int | None
) -> Result:
    """A result with the figures of blocks, which are seconds a step over so many `steps` each."""
    low, high = interval(blocks)
    return {
        **blank(workload, name, "ok", Part("blocks_of_steps", {"count": len(blocks), "steps": steps})),
        "step_ms": 1e3 * median(blocks),
        "ci95_ms": [1e3 * low, 1e3 * high],
        "samples_per_s": batch / median(blocks) if batch else None,
        "steps": steps * len(blocks),
        "peak_memory_bytes": peak_bytes,
    }


def comparisons(trial: Trial) -> list[Comparison]:
    """Speed-ups against the baseline; above 1 the other one is faster."""
    baseline = trial.baseline
    if baseline.failure or not baseline.blocks:
        return []
    return [
        comparison(trial, run, ratios(baseline.blocks, run.blocks))
        for run in trial.active()
        if run is not baseline and run.blocks
    ]


def comparison(trial: Trial, run: DeviceRun, pairs: list[float]) -> Comparison:
    return compared(trial.workload, run.name, trial.baseline.name, pairs)


def compared(workload: Workload, device: str, baseline: str, pairs: list[float]) -> Comparison:
    """The speed-up by pairs of blocks, and who has won."""
    standing, why = race.standing(pairs)
    low, high = interval(pairs)
    detail = Part("after_pairs", {"reason": why, "count": len(pairs)})
    return {
        "workload": workload.family,
        "size": workload.size,
        "device": device,
        "baseline": baseline,
        "speedup": median(pairs),
        "ci95": [low, high],
        "winner": {"faster": device, "slower": baseline, "tie": "tie"}[standing],
        "pairs": len(pairs),
        "detail": str(detail),
        "detail_values": texts.as_values(detail),
    }


def evidence(trial: Trial) -> Run:
    """Everything that decides: block times in milliseconds a step, losses, warm-up, why it stopped."""
    runs = trial.runs
    prepared = next((run.prepared for run in runs.values() if run.prepared), None)
    return {
        "workload": trial.workload.family,
        "size": trial.workload.size,
        "steps_per_block": {name: run.block_steps for name, run in runs.items() if run.block_steps},
        "blocks_ms": {name: milliseconds(run.blocks, 4) for name, run in runs.items() if run.blocks is not None},
        "batch": prepared["batch"] if prepared else None,
        "memory": {name: run.memory for name, run in runs.items() if run.memory},
        "losses": {name: list(map(finite, run.losses)) for name, run in runs.items() if run.losses is not None},
        "first_steps_ms": {name: first_steps(run.curve, run.warm_up) for name, run in runs.items() if run.curve},
        "compiling_s": {name: round(seconds, 3) for name, seconds in trial.compiling().items()},
        "warm_up": {name: summarize(run.warm_up) for name, run in runs.items() if run.warm_up},
        "parameters": prepared["parameters"] if prepared else None,
        "stopped": trial.stopped,
    }


def first_steps(curve: Losses, warm_up: WarmUp | None) -> list[float]:
    """Milliseconds of each step from the first; in blocks of the warm-up, each step has the block's mean."""
    blocks = warm_up["curve"] if warm_up else []
    warm = [seconds for steps, seconds in blocks for _ in range(steps)]
    return milliseconds([*curve["seconds"], *warm][:FIRST_STEPS], 3)


def milliseconds(seconds: Iterable[float], digits: int) -> list[float]:
    return [round(1e3 * step, digits) for step in seconds]


def finite(loss: float) -> float | None:
    """JSON has no NaN."""
    return loss if math.isfinite(loss) else None


def summarize(warm: WarmUp) -> WarmUpSummary:
    return {"steps": warm["steps"], "seconds": warm["seconds"], "settled": warm["settled"]}
