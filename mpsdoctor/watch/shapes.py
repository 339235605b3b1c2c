"""The lines of a watched training's file, as types: one JSON object a line, by its `kind`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 60)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e12)]
Percent = Annotated[float, msgspec.Meta(ge=0, le=1e6)]


class Begin(msgspec.Struct, frozen=True, tag_field="kind", tag="begin"):
    """The first line: what was started, when and where."""

    schema: Literal[1]
    tool: str
    started: str
    command: tuple[str, ...]
    os: str | None = None
    os_version: str | None = None
    chip: str | None = None
    memory_bytes: Count | None = None


class DeviceMemory(msgspec.Struct, frozen=True, omit_defaults=True):
    """Bytes of a device in all processes that train: of tensors after a step, of the driver or pool, the most so far.

    The most is of the tensors. Of `cpu` it is all of what the processes that train take.
    """

    tensors_bytes: Count | None = None
    reserved_bytes: Count | None = None
    peak_bytes: Count | None = None


class Sample(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="sample"):
    """What was seen in the `seconds` before `at`, which counts seconds from the start. None is not told.

    `steps` are optimizer steps that took `step_seconds`, the longest `longest_s`; `aside` has the seconds of steps in
    which a validation, a checkpoint or the start of an epoch lay, and `done` counts all of them so far.
    `resident_bytes` is what the command and its descendants take. `swapped_bytes` went in and out. `others_percent` is
    what other programs took of the processors, `programs` which. Power, heat and programs are read every ten seconds
    and stand until they are read again.
    """

    at: Seconds
    seconds: Seconds
    done: Count = 0
    steps: Count = 0
    step_seconds: Seconds = 0.0
    longest_s: Seconds = 0.0
    aside: dict[str, Seconds] = {}
    devices: dict[str, DeviceMemory] = {}
    resident_bytes: Count | None = None
    pressure: str | None = None
    available_bytes: Count | None = None
    swap_used_bytes: Count | None = None
    swapped_bytes: Count | None = None
    cpu_percent: Percent | None = None
    others_percent: Percent | None = None
    programs: tuple[str, ...] = ()
    thermal_state: str | None = None
    low_power: bool | None = None
    on_battery: bool | None = None


class End(msgspec.Struct, frozen=True, tag_field="kind", tag="end"):
    """The last line: how the command ended; a negative status is the signal that ended it."""

    at: Seconds
    status: Annotated[int, msgspec.Meta(ge=-1 << 31, le=1 << 31)]


Line = Begin | Sample | End
