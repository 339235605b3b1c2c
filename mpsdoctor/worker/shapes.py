"""What workers answer, by field. The doctor checks an answer against its shape where it arrives.

The standard library alone: a worker runs in an interpreter that may have nothing but torch.
"""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple, TypedDict


class Interpreter(TypedDict):
    """`torch_facts.python`: `pip` is whether it has one, `externally_managed` whether pip refuses to install (PEP 668).

    `torch_version` is what the installed package says, which survives a torch that cannot be imported.
    """

    version: str
    executable: str
    arch: str
    pip: bool
    externally_managed: bool
    torch_version: Optional[str]


class TorchBuild(TypedDict):
    """What torch says of itself; of one that cannot be imported the error, and at most its version."""

    version: Optional[str]
    mps_built: Optional[bool]
    mps_available: Optional[bool]
    cuda_available: Optional[bool]
    error: Optional[str]


class TorchFacts(TypedDict):
    """`torch_facts.torch`: torch, and the devices it offers by their names."""

    torch: TorchBuild
    offered: List[str]
    num_threads: int
    cuda_version: Optional[str]
    git_version: Optional[str]
    debug: bool


class DeviceTrial(TypedDict):
    """`torch_facts.try_device`: whether a device does what it says, else why not; its name if it does."""

    usable: bool
    reason: Optional[str]
    name: Optional[str]


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
