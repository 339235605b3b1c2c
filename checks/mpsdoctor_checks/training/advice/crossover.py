"""Batch sizes from which on a device overtakes the CPU: which to measure next, and where the curves cross. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from mpsdoctor import thresholds
from mpsdoctor.facts.training import Comparison
from mpsdoctor.texts import Part, Wording
from mpsdoctor_checks.training.statistics import Interval

SMALLEST = 1
UP = 16  # times the declared batch at most; memory, and the patience of who waits, end before that
BEYOND = 4  # times the crossover and the declared batch, to either side: the curve that others read off


class Point(NamedTuple):
    """How many times faster than the CPU a device trains with batches of this size."""

    batch: int
    speedup: float
    ci95: Interval

    @property
    def standing(self) -> Literal["faster", "slower", "tie"]:
        standing = thresholds.standing(*self.ci95)
        return standing if standing in ("faster", "slower") else "tie"


class Crossover(NamedTuple):
    """The batch from which on the device is faster, None where it was not met; `why_not` in words.

    `ci95` are the batches at which the ends of the speed-ups' intervals cross, None where they do not.
    """

    batch: int | None
    ci95: tuple[float | None, float | None]
    why_not: Wording


def next_batch(points: Sequence[Point], base: int, closed: Mapping[int, object]) -> int | None:
    """The batch to measure next, None when there is enough; `closed` are those that cannot be measured.

    From the declared batch towards the crossover, doubling or halving; then further, for the curve on both sides.
    """
    if not points:
        return None if base in closed else base
    ordered = sorted(points)
    if hopeless(ordered[-1], base):
        return None
    smaller, larger = ordered[0].batch // 2, ordered[-1].batch * 2
    can_shrink = smaller >= SMALLEST and smaller not in closed
    can_grow = larger <= UP * base and larger not in closed
    if can_shrink and ordered[0].standing != "slower":
        return smaller
    if can_grow and ordered[-1].standing != "faster":
        return larger
    middle = find(ordered).batch or base
    if can_grow and larger <= max(middle, base) * BEYOND:
        return larger
    return smaller if can_shrink and smaller * BEYOND >= min(middle, base) else None


def hopeless(largest: Point, base: int) -> bool:
    """Whether the CPU stays faster up to the largest batch: a speed-up grows no faster than the batch, or hardly."""
    return 2 * largest.speedup * UP * base < largest.batch


def find(points: Sequence[Point]) -> Crossover:
    """Where the speed-up passes 1, between the last batch the CPU wins and the first the device wins."""
    ordered = sorted(points)
    slower = [point.batch for point in ordered if point.standing == "slower"]
    faster = [point.batch for point in ordered if point.standing == "faster"]
    if not (slower and faster):
        return Crossover(None, (None, None), one_sided(ordered))
    if slower[-1] > faster[0]:
        batches = {"slower": slower[-1], "faster": faster[0]}
        return Crossover(None, (None, None), Part("several_crossovers", batches))
    between = [point for point in ordered if slower[-1] <= point.batch <= faster[0]]
    ends = tuple(crossing([(point.batch, point.ci95[end]) for point in ordered]) for end in (1, 0))
    at = crossing([(point.batch, point.speedup) for point in between])
    return Crossover(round(at) if at else None, (ends[0], ends[1]), "")


def one_sided(ordered: Sequence[Point]) -> Part:
    """What can be said where only one of the two, or none, is clearly faster at any batch."""
    first, last = ordered[0].batch, ordered[-1].batch
    alone = "" if first < last else "_alone"
    span = {"first": first, "last": last}
    standings = {point.standing for point in ordered}
    if "tie" not in standings:
        return Part(f"{'device' if 'faster' in standings else 'cpu'}_faster{alone}", span)
    if standings == {"tie"}:
        return Part(f"neither_faster{alone}", span)
    return Part(f"{'cpu' if 'faster' in standings else 'device'}_never_faster{alone}", span)


def crossing(curve: Sequence[tuple[int, float]]) -> float | None:
    """The first batch where a speed-up passes 1 upwards, on straight lines between points on log axes."""
    for (left, slow), (right, fast) in pairwise(curve):
        if slow <= 1 < fast:
            return float(left * (right / left) ** (math.log(slow) / (math.log(slow) - math.log(fast))))
    return None


def point_of(comparison: Comparison, batch: int) -> Point:
    low, high = comparison["ci95"]
    return Point(batch, comparison["speedup"], (low, high))
