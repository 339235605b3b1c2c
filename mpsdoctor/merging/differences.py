"""Versions and parts that are not the same on all machines. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from mpsdoctor.compare import obstacles, versions
from mpsdoctor.merging.shapes import Difference, FleetMachine, Held, Step
from mpsdoctor.report import Report

Reported = Sequence[tuple[FleetMachine, Report]]
# Of these a step tells of other kernels or another wire format; a Linux kernel's numbers tell neither.
RISKY = ("torch", "macOS", "python")
BREAKING = ("major", "minor")


def list_differences(reported: Reported) -> Iterator[Difference]:
    """By name, in the order of risk; what is unknown on a machine is no other value."""
    tables = [(machine.rank, versions.list_versions(report)) for machine, report in reported]
    for name in dict.fromkeys(name for _, table in tables for name in table):
        groups: dict[str | float, list[int]] = {}
        for rank, table in tables:
            value = table.get(name)
            if value is not None:
                groups.setdefault(alike(value, groups) if name == "memory" else value, []).append(rank)
        if len(groups) > 1:
            ordered = sorted(groups, key=lambda value: (-len(groups[value]), str(value)))
            held = tuple(Held(value, tuple(groups[value])) for value in ordered)
            yield Difference(name, None if name in versions.WITHOUT else first_step(map(str, ordered)), held)


def alike(size: str | float, known: Iterable[str | float]) -> str | float:
    """The size of memory that this one counts as: what a system keeps for itself differs from start to start."""
    if isinstance(size, str):
        return size
    near = (other for other in known if not isinstance(other, str))
    return next((other for other in near if abs(other - size) <= obstacles.ALIKE * max(other, size)), size)


def first_step(values: Iterable[str]) -> Step | None:
    """The gravest step from the commonest value to another one."""
    first, *others = values
    parts = (versions.explain(first, other) for other in others)
    steps = [part.name.removeprefix("step_") for part in parts if part]
    return cast(Step, min(steps, key=versions.RISKS.index)) if steps else None


def is_risky(difference: Difference) -> bool:
    return difference.what in RISKY and difference.step in BREAKING
