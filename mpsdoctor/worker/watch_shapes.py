"""What a script under `mpsdoctor run --watch` tells the doctor, as types."""

from __future__ import annotations

from typing import Dict, Optional, TypedDict


class DeviceBytes(TypedDict):
    """Memory of a device: what tensors take after a step, what the driver or the pool holds, the most of both.

    On the CPU `tensors` is what this process takes, as far as the system tells.
    """

    tensors: Optional[int]
    reserved: Optional[int]
    peak: Optional[int]


class Told(TypedDict):
    """What a process has done since it last told: optimizer steps, their seconds, and the longest.

    `aside` has the seconds of steps that a validation, a checkpoint or the start of an epoch lay in; `steps` does not
    count them, `done` counts all since the start of the process.
    """

    pid: int
    torch: str
    done: int
    steps: int
    seconds: float
    longest: float
    aside: Dict[str, float]
    memory: Dict[str, DeviceBytes]
