"""The profile by field, for type checkers: what runs for a training script never imports this.

A reader fills optional parts in and keeps keys that it does not know.
"""

from __future__ import annotations

from typing import Any, TypedDict


class Fingerprint(TypedDict, total=False):
    """What a measurement depends on; unknown is None. A file may lack any of it."""

    os: str | None
    os_version: str | None
    arch: str | None
    chip: str | None
    memory_bytes: int | None
    python: str | None
    torch: str | None


class Recommended(TypedDict):
    """The device for everything that was not measured by itself; a file may hold null in place of words."""

    device: str
    confidence: str
    reason: str


class _Measured(TypedDict):
    device: str
    speedup: float | None
    ci95: list[float] | None


class Measured(_Measured, total=False):
    """The winner of one workload at one size, how many times faster than the CPU, and the 95 % interval.

    Of a raced script `alike` is whether all devices train it alike, None where that is not known.
    """

    alike: bool | None


class AtBatch(TypedDict):
    """How many times faster than the CPU an accelerator trains at a batch size, and the 95 % interval."""

    batch: int
    device: str
    speedup: float
    ci95: list[float]


class BatchSizes(TypedDict):
    """The largest batch size of a person's own step that fits on a device, and the fastest one.

    `settled` is whether larger ones are known not to fit.
    """

    largest: int
    settled: bool
    fastest: int
    samples_per_s: float


class CpuSettings(TypedDict, total=False):
    """Settings of torch on the CPU that a script applies itself."""

    num_threads: int | None
    nnpack: bool | None


class Speed(TypedDict):
    """How many times as fast as the CPU an accelerator trains, over all families, and the 95 % interval."""

    speedup: float
    ci95: list[float]


class _KnownWrong(TypedDict):
    id: str
    device: str


class KnownWrong(_KnownWrong, total=False):
    """What this machine was measured to have wrong on a device.

    `id` is that of a known issue, an operator's aten name, or a training; `what` as in "wrong" or "nan in float16".
    """

    what: str | None


class Fleet(TypedDict):
    """What the last report of many machines said: on how many ranks which kind of device is recommended."""

    created: str
    devices: dict[str, int]


Workloads = dict[str, dict[str, Measured]]  # by name and size


class Profile(TypedDict):
    """What a check-up learnt about this machine."""

    schema: int
    created: str
    tool: str
    fingerprint: Fingerprint
    recommended: Recommended
    workloads: Workloads
    batches: dict[str, list[AtBatch]]
    batch_sizes: dict[str, dict[str, BatchSizes]]  # by name of a person's own step, and device
    speeds: dict[str, Speed]
    force_mps: bool
    force_mps_torch: str | None  # the torch that it holds for; None: every one
    environment: dict[str, str]
    settings: CpuSettings
    known_wrong: list[KnownWrong]
    hints: list[str]
    fleet: Fleet | None


class CallTrigger(TypedDict, total=False):
    """How a recorded call looks that triggers an issue; all that is told must hold for one of its tensors.

    `ops` are aten names. `tensor` is the place of the tensor among those of the call, any where it is missing; `layout`
    a name of triggers.LAYOUTS; `least` and `most` are sizes by dimension,
    `one_of` are the sizes that a dimension may have, `says` is a word in the arguments or on the person's line.
    """

    ops: list[str]
    tensor: int
    layout: str
    dtypes: list[str]
    least_rank: int
    least: dict[str, int]
    most: dict[str, int]
    one_of: dict[str, list[int]]
    least_elements: int
    says: str


class Issue(TypedDict):
    """An entry of data/known_issues.jsonl.

    `torch_first_bad` is None where nobody knows how old it is, `torch_fixed` where it is open or closed without a
    version. `canary` names a function of the worker, `core` is whether every training depends on what is wrong,
    `memory_mib` what the canary takes, where that is much.
    """

    id: str
    kind: str
    op: str
    what: str
    torch_first_bad: str | None
    first_bad_basis: str | None
    torch_fixed: str | None
    fixed_basis: str | None
    status: str
    macos: str | None
    chip: str | None
    condition: str | None
    direction: str | None
    dtype: list[str]
    trigger: str
    canary: str
    arguments: dict[str, Any]
    judge: dict[str, Any]
    core: bool
    call: CallTrigger | None
    memory_mib: float | None
    chance: str | None
    dangerous: str | None
    workaround: str | None
    source: list[str]
    certainty: str
    doubt: str | None
