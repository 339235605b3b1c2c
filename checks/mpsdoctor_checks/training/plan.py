"""What is timed in which budget, the most telling first, and how the time is shared out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mpsdoctor.facts.training import Result, WorkloadRow, timed_results

# What compiles least comes first: one step of each at its small size has 66, 88, 162 and 175 operators that differ in
# name, dtype or sizes, and MPS compiles each of them.
FAMILIES = ("mlp", "lstm", "transformer", "cnn")
# The verdict is taken at medium size; the small one tells beforehand whether that fits into the time.
SIZES: dict[str, tuple[str, ...]] = {
    "quick": ("small",),
    "standard": ("small", "medium"),
    "thorough": ("small", "medium", "large"),
}
SMALLER = {"large": "medium", "medium": "small"}
GROWTH = 5  # times the step of the next smaller size on a CPU, at least; others may take as long for both
WEIGHTS = {"small": 1.0, "medium": 2.0, "large": 4.0}  # steps take 1, 10 and 100 times as long, blocks less so
ALONE = 0.4  # of the time is aimed at where there is nothing to compare with; a slow machine may use all of it


class Workload(NamedTuple):
    """A training task of a family, or a person's own step under its name, in a size."""

    family: str
    size: str


def workload_of(row: WorkloadRow) -> Workload:
    """The workload that a row of the report is about."""
    return Workload(row["workload"], row["size"])


def workloads(budget: str) -> list[Workload]:
    return [Workload(family, size) for size in SIZES[budget] for family in FAMILIES]


def least_step(workload: Workload, results: Iterable[Result]) -> float:
    """Seconds that a step takes on all devices together at least, by the next smaller size; 0 if that is not known.

    A step that is too slow for the budget would be taken for one that hangs.
    """
    smaller = (workload.family, SMALLER.get(workload.size))
    rows = [row for row in timed_results(results) if workload_of(row) == smaller]
    return sum(row["step_ms"] / 1e3 * (GROWTH if row["device"] == "cpu" else 1) for row in rows)


def share_done(left: Sequence[Workload], budget: str) -> float:
    """How much of the workloads of a budget is done, of 1."""
    return 1 - sum(WEIGHTS[workload.size] for workload in left) / sum(WEIGHTS[size] for _, size in workloads(budget))


def share(left: Sequence[Workload], seconds: float) -> float:
    """Seconds for the first of the workloads left; what it does not use goes to the others."""
    return max(seconds, 0.0) * WEIGHTS[left[0].size] / sum(WEIGHTS[workload.size] for workload in left)
