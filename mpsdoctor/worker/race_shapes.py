"""What a script in a race tells the doctor, as types."""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple, TypedDict


class Place(TypedDict):
    """A line of the person's code."""

    file: str
    line: int


class Hello(TypedDict):
    """A process of a script has imported torch: what it is steered to, and what torch offers."""

    hello: str
    device: str
    offered: List[str]
    torch: str
    pid: int
    executable: str
    python: str


class Learnt(TypedDict):
    """What the first steps showed.

    A training step is a `round` of optimizer steps. `draws`: random numbers came from the device itself.
    `weights`, `batches` and `inputs` (of the first module) are sums that tell whether two runs start from the same;
    `gradients` are sketches of those of the first step; `moves` tells by
    device where a module was put there, `place` where the person's code asks for a step.
    """

    step_seconds: float
    optimizers: int
    round: int
    batches_per_step: float
    draws: bool
    autocast: str
    epoch_batches: Optional[int]
    weights: List[float]
    batches: List[float]
    inputs: List[float]
    gradients: Dict[str, List[float]]
    dtypes: List[str]
    files: List[str]
    moves: Dict[str, Place]
    place: Optional[Place]


class _Answer(TypedDict):
    done: int
    losses: List[Tuple[int, float]]
    used_bytes: Optional[int]
    peak_bytes: Optional[int]
    ran_on: List[str]


class Answer(_Answer, total=False):
    """What each answer tells: optimizer steps so far, the losses since the last one, memory, where parameters are.

    On top of it what an order asked for: `learnt`, of a warm-up its `curve`, of a block what was set `aside`.
    """

    learnt: Learnt
    steps: int
    seconds: float
    settled: bool
    step_seconds: Optional[float]
    curve: List[Tuple[int, float]]
    aside: List[Tuple[str, int, float]]
