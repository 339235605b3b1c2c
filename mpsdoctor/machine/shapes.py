"""What the machine tells, by field. A system's own module leaves out what it cannot know; None is "not told"."""

from __future__ import annotations

from typing import NamedTuple, TypedDict


class CoreLevel(TypedDict):
    """Cores of one kind, by the system's name for it: Performance, Efficiency, Super."""

    name: str
    count: int


class MachineFacts(TypedDict, total=False):
    """What the machine is: exactly the keys of the report's `machine`, in its order.

    `os` is `platform.system()`; `translated` means an x86_64 Python under Rosetta; `low_power` and
    `thermal_state` ("nominal", "fair", "serious", "critical") are of this moment. `core_levels` are the kinds of
    cores, fastest first; `performance_cores` are all that are not efficiency cores.
    """

    os: str | None
    os_version: str | None
    arch: str | None
    chip: str | None
    model: str | None
    performance_cores: int | None
    efficiency_cores: int | None
    core_levels: list[CoreLevel] | None
    gpu_cores: int | None
    memory_bytes: int | None
    translated: bool | None
    virtual_machine: bool | None
    low_power: bool | None
    thermal_state: str | None


class MemoryFacts(TypedDict, total=False):
    """Memory and swap, in bytes.

    `pressure` is "normal", "warning" or "critical", as the system judges it; `free_percent` is macOS's own
    figure; `limit_bytes` is what a container may use; `wired_limit_bytes` is what the GPU may wire, 0 for
    macOS's default; the swap counters only grow.
    """

    total_bytes: int | None
    available_bytes: int | None
    free_percent: int | None
    limit_bytes: int | None
    swap_total_bytes: int | None
    swap_used_bytes: int | None
    swap_in_bytes: int | None
    swap_out_bytes: int | None
    pressure: str | None
    wired_limit_bytes: int | None
    compressed_bytes: int | None


class Conditions(TypedDict, total=False):
    """What may spoil a timing. The swap counters, in bytes, only grow; `cpu_percent` is the whole machine's."""

    load_1m: float | None
    cpu_percent: float | None
    pressure: str | None
    swap_used_bytes: int | None
    swap_in_bytes: int | None
    swap_out_bytes: int | None
    thermal_state: str | None
    low_power: bool | None
    on_battery: bool | None


class GpuMemory(TypedDict):
    """Memory of a graphics processor; the total is None where it is the machine's own memory."""

    name: str
    used_bytes: int
    total_bytes: int | None


class MemorySample(MemoryFacts, total=False):
    """Memory and swap at a moment, `at` on a clock in seconds, and what the system reports of graphics processors."""

    gpus: list[GpuMemory]
    at: float


class ProcessorTimes(NamedTuple):
    """Seconds that all processors together were busy, and that they had."""

    busy: float
    total: float


class Process(NamedTuple):
    """A process: who started it, seconds of processors that it took, and its name or path, as the system tells it."""

    parent: int
    seconds: float
    name: str


class Program(TypedDict):
    """A program and the percent of one processor that it takes, all its processes together."""

    name: str
    percent: float


class Load(TypedDict):
    """What others take: percent of all processors, and the programs that explain it, none where they are hidden."""

    percent: float | None
    programs: list[Program]
