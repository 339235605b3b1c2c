"""The rows of operators in the report, and the facts that they are part of."""

from __future__ import annotations

from typing import TypedDict

from mpsdoctor.worker.shapes import Judgement


class _OperatorRow(Judgement):
    op: str
    device: str
    dtype: str
    direction: str
    variants: list[str]


class OperatorRow(_OperatorRow, total=False):
    """Probes that ended alike, as the report has them. `entry` is there where the outcome is not ok.

    `probes` is their number, where it differs from that of the variants.
    """

    entry: str
    probes: int


class ReplayRow(_OperatorRow):
    """A replayed call, with its place in the step and how often the step makes it."""

    phase: str
    place: str | None
    code: str | None
    made_at: str | None
    module: str | None
    count: int


class CoreFailure(TypedDict):
    """A probe that rules its device out."""

    op: str
    entry: str
    dtype: str
    variant: str
    direction: str
    outcome: str
    detail: str


class CoreCoverage(TypedDict):
    """How many of the probes were made without which nothing trains."""

    planned: int
    made: int


class _Coverage(TypedDict):
    planned: int
    made: int
    operators: int
    dtypes: dict[str, int]
    variants: dict[str, int]


class Coverage(_Coverage, total=False):
    """How much of a plan was probed: numbers of probes."""

    core: CoreCoverage


class ResultFacts(TypedDict):
    """What the rules judge; all but `results` by device. `not_probed` is the reason, where it is not want of time."""

    results: list[OperatorRow]
    coverage: dict[str, Coverage]
    summary: dict[str, dict[str, int]]
    planned: dict[str, int]
    skipped: dict[str, int]
    probes_per_second: dict[str, float | None]
    core_failures: dict[str, list[CoreFailure]]
    not_probed: dict[str, str]


class OperatorFacts(ResultFacts):
    """Facts of the catalogue's probes. `fallback_statistics` are torch's own: runs on the CPU by operator."""

    fallback_statistics: dict[str, dict[str, int]]


class SampleFacts(ResultFacts):
    """Facts of PyTorch's operator database; `asked` are the operators that a person named."""

    source: str
    asked: list[str]
    entries: list[str]
