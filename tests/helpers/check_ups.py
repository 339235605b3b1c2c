"""Check-ups of a machine that did not change, or did, made of block times with the noise of real machines.

What a machine does to a block: every run has a level of its own, in common for all trainings and for each, and that in
common wanders slowly; within a training blocks drift, follow each other (lag 1: a half), and now and then meet
something else that runs.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from mpsdoctor.report import CheckResult, Report

RECORDED = Path(__file__).parents[1] / "unit" / "recorded"
FAMILIES = ("mlp", "lstm", "transformer", "cnn")
WANDERS = 60  # blocks, until the level of a run has forgotten where it was
FOLLOWS = 0.5  # of the deviation of a block is that of the one before


@dataclass(frozen=True)
class Noise:
    """Standard deviations, as shares of a step: of a block, of the drift over a training, of the level of a run, in
    common for all trainings, of how far that wanders, and each training's own; how often a block meets something else,
    and how much that costs.
    """

    block: float
    drift: float
    in_common: float
    wanders: float
    own: float
    met: float
    costs: float


NOISES = {
    # On a Mac that is kept for benchmarks processes repeat to 0.11 %, values to 0.2 %: docs/compare.md has the file.
    "quiet": Noise(0.005, 0.004, 0.002, 0.003, 0.003, 0.03, 0.15),
    "usual": Noise(0.012, 0.008, 0.004, 0.004, 0.005, 0.05, 0.3),
    "noisy": Noise(0.04, 0.03, 0.01, 0.015, 0.015, 0.10, 0.5),
    # Two processors that other programs keep busy, as five check-ups recorded: medians differ by half and more.
    "busy": Noise(0.15, 0.10, 0.05, 0.10, 0.20, 0.20, 1.0),
}
Slower = Mapping[tuple[str, str], float]  # how many times as long a training takes in the new run


def recorded(name: str = "accelerator-wins") -> Report:
    return msgspec.json.decode((RECORDED / f"{name}.json").read_bytes(), type=Report)


def with_check(report: Report, check_id: str, **facts: Any) -> Report:
    """The same report with other facts of a check, which is added where it is missing."""
    checks = {check.id: check for check in report.checks}
    check = checks.get(check_id) or CheckResult(check_id, check_id, "mpsdoctor 0.1.0", "pass")
    checks[check_id] = msgspec.structs.replace(check, facts={**check.facts, **facts})
    return msgspec.structs.replace(report, checks=tuple(checks.values()))


def draw_levels(chance: random.Random, noise: Noise) -> Iterator[float]:
    """The level of a run from block to block, as a logarithm."""
    level, wandered = chance.gauss(0, noise.in_common), chance.gauss(0, noise.wanders)
    kept = math.exp(-1 / WANDERS)
    while True:
        yield level + wandered
        wandered = kept * wandered + math.sqrt(1 - kept**2) * chance.gauss(0, noise.wanders)


def draw_blocks(
    chance: random.Random, noise: Noise, step_ms: float, count: int, levels: Iterator[float]
) -> list[float]:
    """Milliseconds a step, in the order of time."""
    own = chance.gauss(0, noise.own)
    drift, deviation, blocks = chance.gauss(0, noise.drift), chance.gauss(0, noise.block), list[float]()
    for number in range(count):
        deviation = FOLLOWS * deviation + math.sqrt(1 - FOLLOWS**2) * chance.gauss(0, noise.block)
        met = abs(chance.gauss(0, noise.costs)) if chance.random() < noise.met else 0.0
        blocks.append(
            step_ms * math.exp(next(levels) + own + drift * (number / max(1, count - 1) - 0.5) + deviation + met)
        )
    return blocks


def timed(blocks: Mapping[tuple[str, str], Mapping[str, Sequence[float]]]) -> dict[str, Any]:
    """The facts of training with these blocks, by workload, size and device."""
    results = [
        {"workload": workload, "size": size, "device": device, "dtype": "float32", "outcome": "ok",
         "step_ms": statistics.median(series), "ci95_ms": [min(series), max(series)], "steps": 10 * len(series),
         "samples_per_s": None, "peak_memory_bytes": None, "detail": ""}
        for (workload, size), devices in blocks.items()
        for device, series in devices.items()
    ]  # fmt: skip
    runs = [
        {"workload": workload, "size": size, "blocks_ms": {device: list(series) for device, series in devices.items()},
         "batch": 32, "parameters": 1000}
        for (workload, size), devices in blocks.items()
    ]  # fmt: skip
    return {"results": results, "runs": runs, "comparisons": [], "doubtful": False, "disturbances": []}


def check_up(
    chance: random.Random, noise: Noise, sizes: Sequence[str], counts: Sequence[int], slower: Slower | None = None
) -> Report:
    """A report of a CPU alone, with so many blocks a training as one of `counts` says."""
    levels, steps, blocks = draw_levels(chance, noise), random.Random(1), {}
    for size in sizes:
        for family in FAMILIES:
            step_ms = steps.uniform(1, 100) * (slower or {}).get((family, size), 1.0)
            blocks[family, size] = {"cpu": draw_blocks(chance, noise, step_ms, chance.choice(counts), levels)}
    return with_check(recorded("cpu-only"), "training", **timed(blocks))
