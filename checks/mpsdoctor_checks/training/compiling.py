"""Seconds that devices took to compile what a first step needs, and whether there is time for more of that. Pure.

MPS compiles a graph for each operator with new dtypes and sizes, which takes 10 ms usually and hundreds where Metal's
cache is cold. It is no part of what is measured, so it is paid from an allowance of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from mpsdoctor.texts import Part
from mpsdoctor_checks.training.plan import SMALLER, Workload

# Seconds for all workloads and devices together. What has begun is not interrupted, so more may be spent.
ALLOWED = {"quick": 25.0, "standard": 60.0, "thorough": 300.0}
NOTHING = 0.05  # seconds, below which a first step was only not warm yet


def compile_seconds(steps: Sequence[float]) -> float:
    """Seconds that the first of some steps takes beyond the others."""
    if len(steps) < 2:
        return 0.0
    beyond = steps[0] - median(steps[1:])
    return beyond if beyond > NOTHING else 0.0


@dataclass
class Allowance:
    """Seconds allowed and spent, by workload, over all devices."""

    allowed: float
    spent: dict[Workload, float] = field(default_factory=dict)

    def add(self, workload: Workload, seconds: Mapping[str, float]) -> None:
        """Note the seconds by device."""
        self.spent[workload] = sum(seconds.values())

    def total(self) -> float:
        return sum(self.spent.values())

    def expect(self, workload: Workload) -> float:
        """Seconds that a workload takes at least: as its smaller size, else as the last one, which has fewer."""
        smaller = Workload(workload.family, SMALLER.get(workload.size, ""))
        last = next(reversed(self.spent.values()), 0.0)
        return self.spent.get(smaller, last)

    def refuse(self, workload: Workload) -> Part | None:
        """Why a workload is not begun; None where there is time for it."""
        expected = self.expect(workload)
        if not expected or self.total() + expected <= self.allowed:
            return None
        figures = {"expected": expected, "spent": self.total(), "allowed": self.allowed}
        return Part("compiling_too_long", figures)
