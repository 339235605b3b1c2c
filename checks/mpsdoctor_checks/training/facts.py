"""What the check collects, by field: the facts of `training` and of a person's own step, as the report has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypedDict, cast

from mpsdoctor.machine.shapes import Conditions as MachineConditions
from mpsdoctor.texts import Wording, WordingData, from_values


class WorkloadRow(TypedDict):
    """What every row has."""

    workload: str
    size: str


class DeviceRow(WorkloadRow):
    """What every row about a device has."""

    device: str


class Result(TypedDict):
    """A workload on a device; it has figures where the outcome is "ok"."""

    workload: str
    size: str
    device: str
    dtype: str
    outcome: str
    step_ms: float | None
    ci95_ms: list[float] | None
    samples_per_s: float | None
    steps: int | None
    peak_memory_bytes: int | None
    detail: str
    detail_values: WordingData | None


class TimedResult(TypedDict):
    """A result that has figures."""

    workload: str
    size: str
    device: str
    dtype: str
    outcome: str
    step_ms: float
    ci95_ms: list[float]
    samples_per_s: float | None
    steps: int
    peak_memory_bytes: int | None
    detail: str
    detail_values: WordingData | None


class Comparison(TypedDict):
    """A speed-up against the baseline; `winner` is a device or "tie"."""

    workload: str
    size: str
    device: str
    baseline: str
    speedup: float
    ci95: list[float]
    winner: str
    pairs: int
    detail: str
    detail_values: WordingData | None


class WarmUpSummary(TypedDict):
    steps: int
    seconds: float
    settled: bool


class Run(TypedDict):
    """Everything that decided about a workload, by device."""

    workload: str
    size: str
    steps_per_block: dict[str, int]
    blocks_ms: dict[str, list[float]]
    batch: int | None
    memory: dict[str, list[tuple[int, int]]]
    losses: dict[str, list[float | None]]
    first_steps_ms: dict[str, list[float]]
    compiling_s: dict[str, float]
    warm_up: dict[str, WarmUpSummary]
    parameters: int | None
    stopped: str


class BatchSpeed(TypedDict):
    """A batch size of a sweep; `stopped` tells why its race ended."""

    batch: int
    speedup: float
    ci95: list[float]
    pairs: int
    stopped: str


class BatchRow(TypedDict):
    """A batch size as the profile keeps it."""

    batch: int
    device: str
    speedup: float
    ci95: list[float]


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
    ci95: Any
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


class Settings(TypedDict, total=False):
    """Settings of the CPU, as the profile keeps them."""

    num_threads: int
    nnpack: bool


class Conditions(MachineConditions, total=False):
    """Those of the machine, and how many seconds were waited for them."""

    waited_s: float


class Moments(TypedDict, total=False):
    """Conditions before and after all timing; percents of the processor that others took between workloads."""

    before: Conditions
    between: list[float]
    after: Conditions


class _Doubt(TypedDict, total=False):
    doubtful: bool


class _Timed(TypedDict):
    results: list[Result]
    comparisons: list[Comparison]
    runs: list[Run]
    conditions: Moments
    alone: bool | None


class TimedFacts(_Timed, _Doubt, total=False):
    """What the rules about timed training read. `alone`: no other timed run of this user went on.

    `doubtful`: the machine was disturbed so much that no figure is kept.
    """

    disturbances: list[str]
    disturbances_values: list[WordingData]


class StepFacts(TimedFacts):
    """Facts about a person's own step."""

    step: str


class AdviceFacts(_Doubt):
    """What the rules about advice read."""

    advice: list[Advice]
    settings: Settings


class TrainingFacts(TimedFacts, AdviceFacts, total=False):
    """Facts of the check. `compiling` is seconds by device, `batches` is by family."""

    batches: dict[str, list[BatchRow]]
    compiling: dict[str, float]
    hints: list[str]
    hints_values: list[WordingData]


def timed_results(results: Iterable[Result]) -> list[TimedResult]:
    """Those with figures."""
    return [cast(TimedResult, row) for row in results if row["outcome"] == "ok"]


def detail_of(row: Result | Advice) -> Wording:
    """The detail of a row with what it was filled with, where it is a sentence of ours."""
    return from_values(row["detail"], row.get("detail_values"))
