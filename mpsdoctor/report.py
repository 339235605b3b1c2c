"""The typed report: one declaration for the JSON document, its schema and every reader of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

Severity = Literal["info", "warning", "error"]
ORDER = {"error": 0, "warning": 1, "info": 2}  # of severities, the gravest first
Status = Literal["pass", "warn", "fail", "skip", "error"]
Confidence = Literal["high", "medium", "low"]
Code = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2,8}[1-9][0-9]{2}$")]
# Free by contract: each check chooses its own keys. Those of our own checks are in `mpsdoctor.facts`.
Facts = dict[str, Any]
# Free by contract: the figures and names that go with a finding's code.
Evidence = dict[str, Any]
# What templates are filled with: the names in their braces.
Values = dict[str, Any]
Moment = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]


class Remedy(msgspec.Struct, frozen=True):
    """What to do about a finding: words, and commands that can be copied."""

    text: str
    commands: tuple[str, ...] = ()


class Finding(msgspec.Struct, frozen=True):
    """What was seen, what it means for training, what to do. A code never changes its meaning.

    `values` are what the texts were filled with, None where whoever found it wrote them.
    """

    code: Code
    severity: Severity
    title: str
    detail: str = ""
    evidence: Evidence = {}
    remedy: Remedy | None = None
    links: tuple[str, ...] = ()
    values: Values | None = None


class CoreLevel(msgspec.Struct, frozen=True):
    """Cores of one kind, by the system's name for it: Performance, Efficiency, Super."""

    name: str
    count: int


class Machine(msgspec.Struct, frozen=True):
    """Facts about the machine; what could not be read is None, never a guess."""

    os: str | None = None
    os_version: str | None = None
    arch: str | None = None
    chip: str | None = None
    model: str | None = None
    performance_cores: int | None = None
    efficiency_cores: int | None = None
    core_levels: tuple[CoreLevel, ...] | None = None
    gpu_cores: int | None = None
    memory_bytes: int | None = None
    translated: bool | None = None
    virtual_machine: bool | None = None
    low_power: bool | None = None
    thermal_state: str | None = None


class Python(msgspec.Struct, frozen=True):
    """The interpreter under examination."""

    version: str | None = None
    executable: str | None = None
    arch: str | None = None


class Torch(msgspec.Struct, frozen=True):
    """What torch says of itself; `error` where it could not be imported."""

    version: str | None = None
    mps_built: bool | None = None
    mps_available: bool | None = None
    cuda_available: bool | None = None
    error: str | None = None


class Device(msgspec.Struct, frozen=True):
    """A device that torch offers, and whether allocating, computing and comparing worked on it."""

    device: str
    name: str | None
    usable: bool
    reason: str | None


class CheckResult(msgspec.Struct, frozen=True):
    """What one check found; `reason` tells why it was skipped or failed, `values` what that was filled with."""

    id: str
    title: str
    source: str
    status: Status
    reason: str | None = None
    duration_s: float = 0.0
    findings: tuple[Finding, ...] = ()
    facts: Facts = {}
    values: Values | None = None


class Verdict(msgspec.Struct, frozen=True):
    """The recommended device, how sure that is, and why.

    `by_workload` maps a family to its device; `speedup` is how many times as fast as the CPU an accelerator is that
    was recommended for its speed, `values` what each reason was filled with.
    """

    device: str
    confidence: Confidence
    reasons: tuple[str, ...]
    by_workload: dict[str, str] = {}
    speedup: float | None = None
    values: tuple[Values, ...] = ()


class Forced(msgspec.Struct, frozen=True):
    """MPS, which the profile forces on trainers, and what was measured.

    `until_torch` is the torch that it holds for, None where it holds for every one; `recommended` the device of the
    verdict, `speedup` how many times as fast as the CPU mps trains, `ci95` its 95 % interval, `wrong` what was found
    wrong on it, as in `softmax` or `lstm (crash)`, the gravest first.
    """

    until_torch: str | None
    recommended: str
    speedup: float | None = None
    ci95: tuple[float, float] | None = None
    wrong: tuple[str, ...] = ()


class ProfileNote(msgspec.Struct, frozen=True):
    """Where the profile is, whether this check-up wrote it, and what it forces on trainers, if anything."""

    path: str | None
    written: bool
    forced: Forced | None = None


class Tool(msgspec.Struct, frozen=True):
    """The program that made the report."""

    name: str
    version: str


class Report(msgspec.Struct, frozen=True):
    """One check-up. The fields and their meaning are fixed by `schema_version`."""

    tool: Tool
    generated_at: Moment
    duration_s: float
    budget: Literal["quick", "standard", "thorough"]
    machine: Machine
    python: Python
    torch: Torch | None
    devices: tuple[Device, ...]
    checks: tuple[CheckResult, ...]
    verdict: Verdict | None
    profile: ProfileNote
    schema_version: Literal[1] = 1


def known_fields(struct: type[msgspec.Struct], facts: Mapping[str, object]) -> dict[str, object]:
    """Those facts that a struct has a field for."""
    return {name: facts[name] for name in struct.__struct_fields__ if name in facts}
