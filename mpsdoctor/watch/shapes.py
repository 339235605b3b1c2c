"""The lines of a watched training's file, as types: one JSON object a line, by its `kind`."""

from __future__ import annotations

from typing import Literal

import msgspec

SCHEMA = 1


class Begin(msgspec.Struct, frozen=True, tag_field="kind", tag="begin"):
    """The first line: what was started, when and where."""

    schema: Literal[1]
    tool: str
    started: str
    command: tuple[str, ...]
    os: str | None = None
    os_version: str | None = None
    chip: str | None = None
    memory_bytes: int | None = None


class DeviceMemory(msgspec.Struct, frozen=True, omit_defaults=True):
    """Bytes of a device in all processes that train: of tensors after a step, of the driver or pool, the most so far.

    The most is of the tensors. Of `cpu` it is all of what the processes that train take.
    """

    tensors_bytes: int | None = None
    reserved_bytes: int | None = None
    peak_bytes: int | None = None


class Sample(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="sample"):
    """What was seen in the `seconds` before `at`, which counts seconds from the start. None is not told.

    `steps` are optimizer steps that took `step_seconds`, the longest `longest_s`; `aside` has the seconds of steps in
    which a validation, a checkpoint or the start of an epoch lay, and `done` counts all of them so far. `resident_bytes`
    is what the command and its descendants take. `swapped_bytes` went in and out. `others_percent` is what other
    programs took of the processors, `programs` which. Power, heat and programs are read every ten seconds and stand
    until they are read again.
    """

    at: float
    seconds: float
    done: int = 0
    steps: int = 0
    step_seconds: float = 0.0
    longest_s: float = 0.0
    aside: dict[str, float] = {}
    devices: dict[str, DeviceMemory] = {}
    resident_bytes: int | None = None
    pressure: str | None = None
    available_bytes: int | None = None
    swap_used_bytes: int | None = None
    swapped_bytes: int | None = None
    cpu_percent: float | None = None
    others_percent: float | None = None
    programs: tuple[str, ...] = ()
    thermal_state: str | None = None
    low_power: bool | None = None
    on_battery: bool | None = None


class End(msgspec.Struct, frozen=True, tag_field="kind", tag="end"):
    """The last line: how the command ended; a negative status is the signal that ended it."""

    at: float
    status: int


Line = Begin | Sample | End
