"""Medians of positive figures and their intervals, taken on a log scale, so that a ratio and its inverse agree.

The bootstrap distribution of a median is known exactly (a binomial tail), so nothing is drawn at random: the same
figures give the same interval, whatever their order or unit.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

Interval = tuple[float, float]

ENOUGH = 5  # fewer figures say little about their spread: the interval is widened by the range they cover


def median(values: Sequence[float]) -> float:
    """The middle one of positive values; of an even number the geometric mean of the middle two."""
    ordered = sorted(values)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return low if low == high or len(ordered) % 2 else min(max(math.sqrt(low) * math.sqrt(high), low), high)


def interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """Bootstrap interval of the median of positive values; ValueError where there is none to take."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("an interval needs at least one value")
    rank = lower_rank(len(ordered), level)
    low, high = ordered[rank], ordered[-1 - rank]
    if len(ordered) < ENOUGH:
        return low * (low / high), high * (high / low)
    return low, high


def enough(count: int, level: float = 0.95) -> bool:
    """Whether the range of so many values holds the true median with this probability: 6 for 95 %, 8 for 99 %."""
    return halves(count, 0) <= (1 - level) / 2


@functools.lru_cache(maxsize=512)
def lower_rank(count: int, level: float) -> int:
    """Index, among `count` sorted values, of the lower end of the interval; the upper end mirrors it.

    The bootstrap is too narrow for few values, so it never goes inside the order statistics that hold the median
    with this probability under any distribution.
    """
    tail = (1 - level) / 2
    rank = 0
    while rank + 1 < (count + 1) // 2 and max(resampled(count, rank + 1), halves(count, rank + 1)) <= tail:
        rank += 1
    return rank


def resampled(count: int, below: int) -> float:
    """Probability that the median of a resample is among the `below` smallest values."""
    return at_least((count + 1) // 2, count, below / count)


def halves(count: int, below: int) -> float:
    """Probability that no more than `below` of the values lie under the true median."""
    return at_least(count - below, count, 0.5)


def at_least(successes: int, trials: int, chance: float) -> float:
    """Upper tail of the binomial distribution."""
    terms = range(successes, trials + 1)
    return sum(math.comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in terms)


def ratios(baseline: Sequence[float], device: Sequence[float]) -> list[float]:
    """Speed-ups of paired blocks: above 1 the device is faster. What has no partner is left out."""
    return [slow / fast for slow, fast in zip(baseline, device, strict=False)]


def spread(values: Sequence[float]) -> float:
    """Half the width of the interval, relative to the median: 0.04 prints as ± 4 %."""
    low, high = interval(values)
    return (high - low) / (2 * median(values))
