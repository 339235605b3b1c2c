"""From a trial to the rows of the report. Pure."""

from __future__ import annotations

import math
from typing import Any

from mpsdoctor.worker.shapes import WarmUp
from mpsdoctor_checks.training import race
from mpsdoctor_checks.training.plan import Item
from mpsdoctor_checks.training.statistics import interval, median, ratios
from mpsdoctor_checks.training.trial import Trial

Row = dict[str, Any]
FIRST_STEPS = 32  # kept as evidence; what is slow at first has been seen to be over by then
WHY_NO_RACE = "the {baseline} failed, so there is nothing to compare with"


def of_trial(trial: Trial) -> dict[str, Any]:
    """`results`, `comparisons` and `runs` of one item."""
    return {
        "results": [result(trial, device) for device in trial.lanes],
        "comparisons": comparisons(trial),
        "runs": [evidence(trial)],
    }


def blank(item: Item, device: str, outcome: str, detail: str) -> Row:
    """A result without figures."""
    row: Row = dict.fromkeys(("step_ms", "ci95_ms", "samples_per_s", "steps", "peak_memory_bytes"))
    head = {"workload": item.workload, "size": item.size, "device": device, "dtype": "float32"}
    return {**head, "outcome": outcome, **row, "detail": detail}


def result(trial: Trial, device: str) -> Row:
    if device in trial.failures:
        return blank(trial.item, device, *trial.failures[device])
    blocks = trial.blocks.get(device, [])
    if not blocks:
        return blank(trial.item, device, "skipped", WHY_NO_RACE.format(baseline=next(iter(trial.lanes))))
    low, high = interval(blocks)
    return {
        **blank(trial.item, device, "ok", ""),
        "step_ms": 1e3 * median(blocks),
        "ci95_ms": [1e3 * low, 1e3 * high],
        "samples_per_s": batch / median(blocks) if (batch := trial.prepared[device]["batch"]) else None,
        "steps": trial.sizes[device] * len(blocks),
        "peak_memory_bytes": trial.last[device]["peak_bytes"],
        "detail": f"{len(blocks)} blocks of {trial.sizes[device]}",
    }


def comparisons(trial: Trial) -> list[Row]:
    """Speed-ups against the first device, which is the baseline; above 1 the other one is faster."""
    baseline = next(iter(trial.lanes))
    if baseline in trial.failures:
        return []
    return [
        compared(trial, baseline, device)
        for device in trial.active()
        if device != baseline and trial.blocks.get(device) and trial.blocks.get(baseline)
    ]


def compared(trial: Trial, baseline: str, device: str) -> Row:
    pairs = ratios(trial.blocks[baseline], trial.blocks[device])
    standing, why = race.standing(pairs)
    low, high = interval(pairs)
    return {
        "workload": trial.item.workload,
        "size": trial.item.size,
        "device": device,
        "baseline": baseline,
        "speedup": median(pairs),
        "ci95": [low, high],
        "winner": {"faster": device, "slower": baseline, "tie": "tie"}[standing],
        "pairs": len(pairs),
        "detail": f"{why} after {len(pairs)} pairs",
    }


def evidence(trial: Trial) -> Row:
    """Everything that decided: block times in milliseconds a step, losses, warm-up, why it stopped."""
    return {
        "workload": trial.item.workload,
        "size": trial.item.size,
        "steps_per_block": trial.sizes,
        "blocks_ms": {device: [round(1e3 * each, 4) for each in blocks] for device, blocks in trial.blocks.items()},
        "batch": next((prepared["batch"] for prepared in trial.prepared.values()), None),
        "memory": trial.memory,
        "losses": {device: list(map(finite, losses)) for device, losses in trial.losses.items()},
        "first_steps_ms": {device: first_steps(trial, device) for device in trial.curves},
        "compiling_s": {device: round(seconds, 3) for device, seconds in trial.compiling.items()},
        "warm_up": {device: shortened(warm) for device, warm in trial.warm.items()},
        "parameters": next((prepared["parameters"] for prepared in trial.prepared.values()), None),
        "stopped": trial.stopped,
    }


def first_steps(trial: Trial, device: str) -> list[float]:
    """Milliseconds of each step from the first; in blocks of the warm-up, each step has the block's mean."""
    curve = trial.warm[device]["curve"] if device in trial.warm else []
    warm = [each for steps, each in curve for _ in range(steps)]
    return [round(1e3 * each, 3) for each in [*trial.curves[device]["seconds"], *warm][:FIRST_STEPS]]


def finite(loss: float) -> float | None:
    """JSON has no NaN."""
    return loss if math.isfinite(loss) else None


def shortened(warm: WarmUp) -> Row:
    return {"steps": warm["steps"], "seconds": warm["seconds"], "settled": warm["settled"]}
