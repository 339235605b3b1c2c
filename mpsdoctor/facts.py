"""What the checks of this distribution collect, by field, as those read it who judge and show it.

Nothing is checked here: a third-party check may have one of these ids, and its facts any shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:  # the front ends start without what the machine is read with
    from mpsdoctor.machine.shapes import MachineFacts
    from mpsdoctor.report import Report
    from mpsdoctor.runtime.shapes import AtBatch, CpuSettings
    from mpsdoctor.texts import WordingData
    from mpsdoctor.worker.shapes import TorchBuild


class PythonFacts(TypedDict, total=False):
    """The interpreter under examination; empty where it does not answer."""

    version: str
    executable: str
    arch: str
    pip: bool
    externally_managed: bool
    torch_version: str | None


class DeviceFacts(TypedDict):
    """An entry of the report's `devices`."""

    device: str
    name: str | None
    usable: bool
    reason: str | None


class FailedDevice(DeviceFacts, total=False):
    """With the whole text of what went wrong."""

    detail: str


class Build(TypedDict, total=False):
    """Facts of `build`. `ends_import` are variables with which torch cannot be imported, by their values."""

    python: PythonFacts
    torch: TorchBuild | None
    devices: Sequence[FailedDevice]
    interpreter_error: str | None
    ends_import: dict[str, str]
    machine: MachineFacts
    import_error: str | None
    offered: list[str]
    num_threads: int
    cuda_version: str | None
    git_version: str | None
    debug: bool
    refused: dict[str, str]
    asked_for: list[str] | tuple[str, ...] | None


class CoreFailure(TypedDict):
    """A probe that rules a device out."""

    op: str
    outcome: str


class ProbeRow(TypedDict, total=False):
    """A row of `operators`' results: the variants of an operator that ended alike.

    `probes` is how many there were, where the variants do not tell; `place`, `made_at` and `code` are where a person's
    model calls it.
    """

    op: str
    device: str
    dtype: str
    direction: str
    outcome: str
    variants: list[str]
    detail: str | None
    probes: int
    place: str | None
    made_at: str | None
    code: str | None


class Coverage(TypedDict):
    """How many probes were planned and made on a device; `variants` are counts by layout."""

    planned: int
    made: int
    operators: int
    dtypes: dict[str, int]
    variants: dict[str, int]


class ModelAnswer(TypedDict):
    """What becomes of a person's model on a device."""

    answer: str
    judged: int
    skipped: int


class ModelFacts(TypedDict):
    """The operators of a person's model: how many calls, and the answer by device."""

    target: str
    calls: int
    distinct: int
    not_replayed: dict[str, str]
    answers: dict[str, ModelAnswer]


class Operators(TypedDict, total=False):
    """Facts of `operators`; counts by device. `said` is a prediction in words."""

    results: Sequence[ProbeRow]
    coverage: dict[str, Coverage]
    summary: dict[str, dict[str, int]]
    probes_per_second: dict[str, float | None]
    core_failures: dict[str, Sequence[CoreFailure]]
    asked: list[str]
    said: str
    said_values: WordingData
    model: ModelFacts


class Explained(TypedDict, total=False):
    """`detail_values` stand beside a detail that is a sentence of ours."""

    detail_values: WordingData | None


class TrainingRow(Explained):
    """A row of `training`'s results: a workload in a size on a device."""

    workload: str
    size: str
    device: str
    dtype: str
    outcome: str
    step_ms: float | None
    ci95_ms: Sequence[float] | None
    samples_per_s: float | None
    steps: int | None
    peak_memory_bytes: int | None
    detail: str | None


class Comparison(TypedDict):
    """How many times as fast as the baseline a device is. `winner` is a device or "tie"."""

    workload: str
    size: str
    device: str
    baseline: str
    speedup: float
    ci95: Sequence[float]
    winner: str


class Run(TypedDict, total=False):
    """What decided a race; the part of it that is drawn."""

    workload: str
    size: str
    parameters: int | None


class Training(TypedDict, total=False):
    """Facts of `training`. `alone`: no other check-up timed at once; `doubtful`: a disturbance spoilt the figures."""

    results: Sequence[TrainingRow]
    comparisons: Sequence[Comparison]
    runs: Sequence[Run]
    batches: dict[str, list[AtBatch]]
    settings: CpuSettings
    hints: list[str]
    hints_values: list[WordingData]
    alone: bool | None
    doubtful: bool
    disturbances: Sequence[str]
    disturbances_values: Sequence[WordingData]


class CheckFacts(TypedDict, total=False):
    """By check; one that did not run is missing."""

    chip: MachineFacts
    build: Build
    operators: Operators
    training: Training


def assume_shapes(facts: Mapping[str, Mapping[str, object]]) -> CheckFacts:
    """The facts by check, unchanged, as what our own checks collect."""
    unchecked: Any = facts
    shaped: CheckFacts = unchecked
    return shaped


def read_facts(report: Report) -> CheckFacts:
    """The facts of a report by check."""
    return assume_shapes({check.id: check.facts for check in report.checks})
