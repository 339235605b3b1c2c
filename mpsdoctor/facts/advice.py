"""Advice among the facts of `training`: what would train faster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict, cast

from mpsdoctor.runtime.shapes import CpuSettings
from mpsdoctor.texts import WordingData


class BatchSpeed(TypedDict):
    """A batch size of a sweep; `stopped` tells why its race ended."""

    batch: int
    speedup: float
    ci95: list[float]
    pairs: int
    stopped: str


class _Advice(TypedDict):
    kind: str
    workload: str
    size: str
    device: str
    dtype: str
    outcome: str
    detail: str
    detail_values: WordingData | None
    # Of a speed-up or a slope two figures, of a crossover two batches or None, of what was not measured None.
    ci95: Sequence[float | None] | None
    blocks: int
    stopped: str


class WayFigures(TypedDict, total=False):
    """What follows from the speed-up of a way to train, by kind: what it costs, its share, how far losses are apart."""

    cost_ms: float
    cost_ci95_ms: list[float]
    share: float
    share_ci95: list[float]
    loss_apart: float
    losses: int


class Advice(_Advice, WayFigures, total=False):
    """What an experiment of some kind tells; it has the figures of its kind where the outcome is "ok"."""

    # ways to train, against the usual one
    way: str
    threads: int
    speedup: float
    usual_ms: float
    step_ms: float
    blocks_ms: dict[str, list[float]]
    # the batch at which curves cross
    batch: int | None
    batches: list[BatchSpeed]
    # memory in use, from step to step
    bytes_per_step: float
    first_bytes: int
    last_bytes: int
    peak_bytes: int | None
    steps: int


class Doubt(TypedDict, total=False):
    """`doubtful`: the machine is disturbed so much that no figure is kept."""

    doubtful: bool


class AdviceFacts(Doubt):
    """What the rules about advice read."""

    advice: list[Advice]
    settings: CpuSettings


def interval_of(row: Advice) -> tuple[float, float]:
    """The interval of a speed-up or a slope, in a row with figures."""
    low, high = cast("Sequence[float]", row["ci95"])
    return low, high
