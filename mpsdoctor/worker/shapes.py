"""What workers answer, by field. The doctor checks an answer against its shape where it arrives.

The standard library alone: a worker runs in an interpreter that may have nothing but torch.
"""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Tuple, TypedDict


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
    """How a call ended, by the outcomes of the report, and what is to say of it. `replay.probe`.

    Where numbers differ the largest errors, and the index of the element that is furthest off. The doctor adds whether
    the CPU steps in where a variable lets it (`fallback`), what PyTorch's own tests expect to fail (`known`), and how
    many `samples` it stands for.
    """

    max_abs: float
    max_rel: float
    index: List[int]
    fallback: bool
    known: List[str]
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
    """`probes.probe`: how one probe ended."""


class SampleFault(TypedDict):
    """Sent by `opinfos.run` after a sample that is not right; `at` is its number and the direction."""

    bad: Judgement
    at: Tuple[int, str]


class SampleTurn(TypedDict):
    """`opinfos.run`: the sample to go on from, None after the last one, and how many were begun by direction."""

    next: Optional[int]
    done: Dict[str, int]


class Ready(TypedDict):
    """`sessions.ready`: torch with what a training step imports. `nnpack`: whether float32 convolutions go to it."""

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
    """`sessions.losses`: the loss and the seconds of each step; eight numbers for each parameter's first gradient."""

    losses: List[float]
    seconds: List[float]
    gradients: Dict[str, List[float]]


class WarmUp(TypedDict):
    """`sessions.warm_up`: how many steps in how many seconds, and whether they became stable.

    `curve` are steps and seconds a step of each block, `step_seconds` the middle of the last three; `done` counts all
    steps of the session, `used_bytes` is memory in use on the device.
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
