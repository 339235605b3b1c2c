"""What is timed in which budget, the most telling first, and how the time is shared out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

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


class Item(NamedTuple):
    """A workload in a size."""

    workload: str
    size: str


def item_of(row: Mapping[str, Any]) -> Item:
    """The item that a row of the report is about."""
    return Item(row["workload"], row["size"])


def items(budget: str) -> list[Item]:
    return [Item(family, size) for size in SIZES[budget] for family in FAMILIES]


def least_step(item: Item, timed: Iterable[Mapping[str, Any]]) -> float:
    """Seconds that a step takes on all devices together at least, by the next smaller size; 0 if that is not known.

    `timed` are rows of results. A step that is too slow for the budget would be taken for one that hangs.
    """
    smaller = (item.workload, SMALLER.get(item.size), "ok")
    rows = [row for row in timed if (row["workload"], row["size"], row["outcome"]) == smaller]
    return sum(float(row["step_ms"]) / 1e3 * (GROWTH if row["device"] == "cpu" else 1) for row in rows)


def share(left: Sequence[Item], seconds: float) -> float:
    """Seconds for the first of the items left; what it does not use goes to the others."""
    return max(seconds, 0.0) * WEIGHTS[left[0].size] / sum(WEIGHTS[item.size] for item in left)
