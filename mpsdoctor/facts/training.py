"""Facts of `training` and of a person's own step: what is timed and what decides; advice has a module of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypedDict, cast

from mpsdoctor.facts.advice import Advice, AdviceFacts, Doubt
from mpsdoctor.texts import Wording, WordingData, from_values

if TYPE_CHECKING:  # the front ends start without what the machine is read with
    from mpsdoctor.facts.conditions import Moments
    from mpsdoctor.runtime.shapes import AtBatch


class WorkloadRow(TypedDict):
    """What every row has."""

    workload: str
    size: str


class DeviceRow(WorkloadRow):
    """What every row about a device has."""

    device: str


class _Result(DeviceRow):
    dtype: str
    outcome: str
    samples_per_s: float | None
    peak_memory_bytes: int | None
    detail: str
    detail_values: WordingData | None


class Result(_Result):
    """A workload on a device; it has figures where the outcome is "ok"."""

    step_ms: float | None
    ci95_ms: list[float] | None
    steps: int | None


class TimedResult(_Result):
    """A result that has figures."""

    step_ms: float
    ci95_ms: list[float]
    steps: int


class Comparison(DeviceRow):
    """How many times as fast as the baseline a device is; `winner` is a device or "tie"."""

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


class Run(WorkloadRow):
    """Everything that decides about a workload, by device."""

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


STEP = "step"  # the size of a person's own training step, which is all there is to measure


class _Timed(TypedDict):
    results: list[Result]
    comparisons: list[Comparison]
    runs: list[Run]
    conditions: Moments
    alone: bool | None


class TimedFacts(_Timed, Doubt, total=False):
    """What the rules about timed training read. `alone`: no other timed run of this user went on.

    `disturbances` are there once all is timed.
    """

    disturbances: list[str]
    disturbances_values: list[WordingData]


class StepFacts(TimedFacts):
    """Facts about a person's own step."""

    step: str


class OperatorTime(TypedDict):
    """A single operator on a Mac, in milliseconds: the middle one of some calls, the fastest and the slowest.

    `chip_ms` is what it took others on so many `machines` with this `chip`, and `times` how many times as long it takes
    here, both None where there were none; `all_chips_ms` is of the fastest and the slowest chip of all.
    """

    operator: str
    device: str
    ms: float
    range_ms: list[float]
    chip: str
    machines: int
    chip_ms: float | None
    times: float | None
    all_chips_ms: list[float]


class TrainingFacts(TimedFacts, AdviceFacts):
    """Facts of the check. `compiling` is seconds by device, `batches` is by family.

    `operators` are there on a Mac, from the standard budget on.
    """

    operators: list[OperatorTime]
    batches: dict[str, list[AtBatch]]
    compiling: dict[str, float]
    hints: list[str]
    hints_values: list[WordingData]


def no_training() -> TrainingFacts:
    """The facts before anything is timed."""
    return {
        "results": [],
        "comparisons": [],
        "runs": [],
        "conditions": {},
        "alone": None,
        "operators": [],
        "advice": [],
        "batches": {},
        "compiling": {},
        "settings": {},
        "hints": [],
        "hints_values": [],
        "doubtful": False,
    }


def timed_results(results: Iterable[Result]) -> list[TimedResult]:
    """Those with figures."""
    return [cast(TimedResult, row) for row in results if row["outcome"] == "ok"]


def detail_of(row: Result | Advice) -> Wording:
    """The detail of a row with its values, where it is a sentence of ours."""
    return from_values(row["detail"], row.get("detail_values"))
