"""What workers answer, by field. The doctor checks an answer against its shape where it arrives.

The standard library alone: a worker runs in an interpreter that may have nothing but torch.
"""

from __future__ import annotations

from typing import Any, Dict, List, Literal, NamedTuple, Optional, Tuple, TypedDict, Union

# Where the tensors of a call are: all on the device, all on the CPU, some on each; or "loose": made without a word on
# the device by a step that may not speak of devices at all.
Lives = Literal["device", "host", "mixed", "loose", "loose-mixed"]


class Location(TypedDict):
    """Where something is wrong with a person's file; `line` and `function` are None where it is the file itself."""

    file: str
    line: Optional[int]
    function: Optional[str]


class StepFailure(Location):
    """The fault in words, and its place. `raised` is whether their code did, with the traceback from their code on."""

    what: str
    raised: bool
    traceback: str


class Failure(TypedDict):
    """What the jobs on a person's file answer instead where the file does not do what it should."""

    failed: StepFailure


class _Frame(TypedDict):
    file: str
    line: int
    function: str


class Frame(_Frame, total=False):
    """A frame of the person's, `code` its line."""

    code: str


class TensorNumbers(TypedDict, total=False):
    """The numbers of a recorded tensor where they are few, else what is known of them.

    A mask has them as hexadecimal `bits`, a large one how many are true.
    """

    values: List[Union[bool, int, float]]
    bits: str
    trues: int
    low: Union[int, float]
    high: Union[int, float]
    mean: float
    std: float


class _Layout(TypedDict):
    shape: List[int]
    stride: List[int]
    offset: int
    dtype: str


class TensorSpec(_Layout, TensorNumbers, total=False):
    """A recorded tensor as it lies in its storage, in elements; `lives` is there where it is not on the device."""

    grad: bool
    lives: Literal["host", "loose"]


class CallTraits(TypedDict, total=False):
    """`whole` names the function of a call that is replayed as it was made, perhaps `backward`; others an overload."""

    overload: str
    whole: str
    backward: bool


class OperatorCall(CallTraits):
    """A call as it is replayed. Arguments are of any depth, see `arguments.Encoder`."""

    op: str
    args: Any
    kwargs: Dict[str, Any]


class CallSite(TypedDict):
    """The person's frames, innermost first; the module that was running, and where that was made.

    `contained` is whether another module of torch's calls it.
    """

    frames: List[Frame]
    made: List[Frame]
    module: Optional[str]
    contained: bool


class RecordedCall(OperatorCall, CallSite):
    """The first of `count` calls that are the same but for the numbers in their tensors.

    `meets` is where a tensor of the CPU was made that the call takes together with one of the device.
    """

    count: int
    phase: str
    lives: Lives
    meets: Optional[Frame]


class Recording(TypedDict):
    """`own_model.record`: the distinct calls of one step; `total` counts repetitions too.

    `left_out` tells why by operator, `kind` is what the function returned, "module" or "callable", `questions` are the
    lines that ask for a tensor's device.
    """

    calls: List[RecordedCall]
    total: int
    left_out: Dict[str, str]
    kind: str
    questions: List[Frame]


class CallNode(TypedDict):
    """A call by what decides whether a kernel takes it, and the calls that it is made of.

    `node` is the one of the autograd graph, where float64 occurs; `optimizer` is whether one of torch's own optimizers
    calls it. `given` has the arguments by name, and what came out as "result": a tensor as its dtype and sizes. `place`
    is the person's line, `made` the one that made the module of torch's that calls it, `meets` as in `RecordedCall`.
    """

    op: str
    dtypes: List[str]
    sparse: bool
    node: str
    optimizer: bool
    given: Dict[str, Any]
    parts: List["CallNode"]
    lives: Lives
    place: Optional[Frame]
    made: Optional[Frame]
    meets: Optional[Frame]
    count: int


class Wheel(TypedDict):
    """`calltree.wheel`: version and folder of torch, the folder in parts."""

    version: str
    parts: List[str]


class StepTree(Wheel):
    """`own_model.tree`: the calls of one step; `left_out` and `questions` as in `Recording`."""

    calls: List[CallNode]
    left_out: Dict[str, str]
    questions: List[Frame]


class PlannedProbe(NamedTuple):
    """`probes.plan`: a probe of the catalogue, in the order in which JSON has it."""

    entry: str
    op: str
    dtype: str
    variant: str
    direction: str


class PlannedInfo(NamedTuple):
    """`opinfos.plan`: an OpInfo in one dtype, by its full name and its aten name."""

    name: str
    op: str
    dtype: str


class _Outcome(TypedDict):
    outcome: str
    detail: str


class Judgement(_Outcome, total=False):
    """`replay.probe`: the outcome of a call, as in the report, with its detail.

    A sentence of ours is named in `detail_values`, as `{"part": NAME, "values": {…}}`, and its values may be sentences
    too; the doctor has the words, and fills in the `detail`, which is empty till then.

    Where numbers differ the largest errors, and the index of the element that is furthest off. The doctor adds whether
    the CPU steps in where a variable lets it (`fallback`), what PyTorch's own tests expect to fail (`known`, with
    what the sentences were filled with), and how many `samples` it stands for.
    """

    detail_values: Dict[str, Any]
    max_abs: float
    max_rel: float
    index: List[int]
    fallback: bool
    known: List[str]
    known_values: List[Dict[str, Any]]
    samples: int


class ProbeNames(TypedDict):
    """Which probe it is; `op` is the aten name."""

    entry: str
    op: str
    device: str
    dtype: str
    variant: str
    direction: str


class ProbeResult(ProbeNames, Judgement):
    """`probes.probe`: the outcome of one probe."""


class SampleFault(TypedDict):
    """Sent by `opinfos.run` after a sample that is not right; `at` is its number and the direction."""

    bad: Judgement
    at: Tuple[int, str]


class SampleTurn(TypedDict):
    """`opinfos.run`: the sample to go on from, None after the last one, and how many were begun by direction."""

    next: Optional[int]
    done: Dict[str, int]


class Ready(TypedDict):
    """`sessions.ready`: torch with what a training step imports.

    `nnpack`: whether the CPU gives float32 convolutions to it and can be told not to.
    """

    torch: str
    num_threads: int
    nnpack: bool


class Prepared(TypedDict):
    """`sessions.prepare` and `own_step.prepare`: a session is built.

    Of a person's own step parameters are not known, the batch may not be, and `loss` is whether it returns one.
    """

    parameters: Optional[int]
    batch: Optional[int]
    loss: bool
    num_threads: int


class Losses(TypedDict):
    """`sessions.losses`: the loss and the seconds of each step, the first with its compilation.

    `gradients` are eight numbers for each parameter's first gradient.
    """

    losses: List[float]
    seconds: List[float]
    gradients: Dict[str, List[float]]


class WarmUp(TypedDict):
    """`sessions.warm_up`: how many steps in how many seconds, and whether they became stable.

    `curve` are steps and seconds a step of each block, `step_seconds` the middle of the last three; `done` counts all
    steps of the session, `used_bytes` is memory in use on the device, None where it does not tell.
    """

    steps: int
    seconds: float
    settled: bool
    step_seconds: Optional[float]
    curve: List[Tuple[int, float]]
    done: int
    used_bytes: Optional[int]


class Block(TypedDict):
    """`sessions.block`: `steps` in `seconds`, timed with the device waited for at both ends; the last loss."""

    seconds: float
    steps: int
    loss: float
    done: int
    used_bytes: Optional[int]
    peak_bytes: Optional[int]


class MemoryLimits(TypedDict):
    """`memory.limits`: what a device recommends as the most, as MPS does, and what of its own memory is free."""

    recommended_bytes: Optional[int]
    free_bytes: Optional[int]
