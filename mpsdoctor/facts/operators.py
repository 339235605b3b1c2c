"""Facts of `operators`, in the three forms that they have: of probes, of a person's model, of a prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, NotRequired, TypedDict, final

from mpsdoctor.facts.issues import IssueRow
from mpsdoctor.texts import Wording, WordingData, from_values
from mpsdoctor.worker.shapes import Judgement

if TYPE_CHECKING:
    from mpsdoctor.support import Predicted as Predicted
    from mpsdoctor.support import PredictionRow as PredictionRow


class _Row(Judgement):
    op: str
    device: str
    dtype: str
    direction: str
    variants: list[str]


@final
class OperatorRow(_Row, total=False):
    """Probes that ended alike, as the report has them. `entry` is there where the outcome is not ok.

    `probes` is their number, where it differs from that of the variants.
    """

    entry: str
    probes: int


@final
class ReplayRow(_Row):
    """A replayed call, with its place in the step and how often the step makes it.

    `place`, `made_at` and `code` are where a person's model calls it, `meets` is where a tensor of the CPU was made
    that it takes together with one of the device.
    """

    phase: str
    place: str | None
    code: str | None
    made_at: str | None
    module: str | None
    count: int
    meets: NotRequired[str | None]


ProbeRow = OperatorRow | ReplayRow


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
    """How many probes that every training depends on are planned and made."""

    planned: int
    made: int


class _Coverage(CoreCoverage):
    operators: int
    dtypes: dict[str, int]
    variants: dict[str, int]


class Coverage(_Coverage, total=False):
    """How many probes of a plan are made on a device; `variants` are counts by layout.

    `not_reached` are operators of the plan without a probe, in its order.
    """

    core: CoreCoverage
    not_reached: list[str]


class _ProbeFacts(TypedDict):
    results: list[OperatorRow]
    coverage: dict[str, Coverage]
    summary: dict[str, dict[str, int]]
    planned: dict[str, int]
    skipped: dict[str, int]
    probes_per_second: dict[str, float | None]
    core_failures: dict[str, list[CoreFailure]]
    not_probed: dict[str, str]


@final
class ProbeFacts(_ProbeFacts, total=False):
    """Of the catalogue or PyTorch's operator database; all but `results` by device.

    `not_probed` is the reason, where it is not want of time. `issues` are canaries of known issues that are not fine,
    which `faulty.operators_of` adds and no report has here. `fallback_statistics` are torch's own: runs on the CPU by
    operator. `asked` are the operators that a person named, `entries` those of the database.
    """

    fallback_statistics: dict[str, dict[str, int]]
    issues: list[IssueRow]
    source: str
    asked: list[str]
    entries: list[str]


class TensorSummary(TypedDict):
    """A tensor among the arguments."""

    shape: list[int]
    stride: list[int]
    offset: int
    dtype: str


class CallSummary(TypedDict):
    """A recorded call: operator, arguments, and where it comes from."""

    op: str
    overload: str
    phase: str
    count: int
    dtype: str
    arguments: str
    tensors: list[TensorSummary]
    place: str | None
    code: str | None
    made_at: str | None
    module: str | None
    stack: list[str]


class OperatorUse(TypedDict):
    """An operator with one outcome at one place; `does` is what it does, in words, and `count` how often."""

    op: str
    outcome: str
    direction: str
    at: str
    at_values: WordingData | None
    kind: str
    does: str
    does_values: WordingData | None
    code: str | None
    arguments: str
    detail: str
    detail_values: WordingData | None
    count: int


class StepAnswer(TypedDict):
    """Whether a step runs on a device; `operators` decide it, `also` are others that are not right.

    `judged` and `skipped` are numbers of calls that were replayed and that were not, `distinct` of all.
    """

    answer: str
    judged: int
    distinct: int
    skipped: int
    operators: list[OperatorUse]
    also: list[OperatorUse]


class ModelFacts(TypedDict):
    """A person's training step: how many calls it makes, which are not replayed and why, and the answer by device."""

    target: str
    kind: str
    calls: int
    distinct: int
    operators: list[str]
    recorded: list[CallSummary]
    not_replayed: dict[str, str]
    questions: list[str]
    answers: dict[str, StepAnswer]


@final
class ReplayFacts(TypedDict):
    """Of a person's model."""

    source: str
    results: list[ReplayRow]
    model: ModelFacts


@final
class PredictionFacts(TypedDict):
    """Of a prediction, without results; `said` is the prediction in words."""

    source: str
    results: list[OperatorRow]
    prediction: Predicted
    said: str
    said_values: WordingData


Operators = ProbeFacts | ReplayFacts | PredictionFacts


def detail_of(row: Judgement | OperatorUse) -> Wording:
    """The detail with its values, where it is a sentence of ours."""
    return from_values(row["detail"], row.get("detail_values"))


def count_probes(row: ProbeRow) -> int:
    """How many probes a row stands for."""
    return int(row["probes"] if "probes" in row else len(row["variants"]))
