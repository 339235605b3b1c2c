"""How many times as fast something is as in another run, told from the blocks of both, which are not paired. Pure.

The interval of the quotient is that of Mann and Whitney: it is read off the sorted quotients of every old block and
every new one, and holds under any distribution of the blocks. It knows nothing of what differs from one run to the
next, the same for all blocks of a run, so it is widened by that: by what quiet machines were seen to differ, and by how
far the blocks of these two runs drift.
"""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

Interval = tuple[float, float]

MOST = 40  # blocks of a run: a check-up times no more
FEWEST = 3  # blocks, in each run: a race looks at three pairs before it ends
# Standard deviation of a run's median beyond its blocks. Medians of 20 processes in a row on a Mac that is kept for
# benchmarks scatter by 0.11 %; what other days and warmth do comes on top. docs/compare.md has the source.
RUN_TO_RUN = 0.005
MOST_SCATTER = 0.015  # of ratios, that is taken for noise; more of it may be changes, which an update makes unevenly
MAD = 0.6745  # the median of absolute values, of a normal distribution with standard deviation 1
OF_MEDIAN = 1.2533  # how far the median of normal values scatters, against their mean


@dataclass(frozen=True)
class Blocks:
    """Milliseconds a step in the blocks of one training, of the old run and of the new one, in the order of time."""

    old: tuple[float, ...]
    new: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """How many times as fast the new run is: the median of the quotients."""
        return math.exp(statistics.median(quotients(self)))


@functools.lru_cache(maxsize=512)
def quotients(blocks: Blocks) -> tuple[float, ...]:
    """Logarithms of old / new for every pair, sorted; above 0 the new run is faster."""
    old, new = (list(map(math.log, series)) for series in (blocks.old, blocks.new))
    return tuple(sorted(before - after for before in old for after in new))


def interval(blocks: Blocks, error: float, between: float) -> Interval:
    """The interval that misses the true ratio with this probability, `between` being the deviation from run to run."""
    low, high = exact(blocks, error)
    middle = statistics.median(quotients(blocks))
    more = statistics.NormalDist().inv_cdf(1 - error / 2) * between
    return math.exp(middle - math.hypot(middle - low, more)), math.exp(middle + math.hypot(high - middle, more))


def exact(blocks: Blocks, error: float) -> Interval:
    """The interval by the blocks alone, as logarithms.

    Of too few blocks for this error it is the range of all quotients, as much again on either side.
    """
    ordered, rank = quotients(blocks), lower_rank(len(blocks.old), len(blocks.new), error)
    if rank:
        return ordered[rank - 1], ordered[-rank]
    width = ordered[-1] - ordered[0]
    return ordered[0] - width, ordered[-1] + width


@functools.lru_cache(maxsize=512)
def lower_rank(old: int, new: int, error: float) -> int:
    """Which of the sorted quotients, from 1, is the lower end; 0 where even the whole range misses too often."""
    ways = arrangements(old, new)
    limit, below = error / 2 * sum(ways), 0
    for rank, count in enumerate(ways):
        below += count
        if below > limit:
            return rank
    return 0


@functools.cache
def arrangements(old: int, new: int) -> tuple[int, ...]:
    """By number of pairs in which the old one is smaller: how many orders of so many old and new values have it."""
    ways = [1] + [0] * (old * new)
    for step in range(1, old + 1):
        for place in range(len(ways) - 1, new + step - 1, -1):
            ways[place] -= ways[place - new - step]
        for place in range(step, len(ways)):
            ways[place] += ways[place - step]
    return tuple(ways)


def drift(series: Sequence[float]) -> float:
    """How far the second half of the blocks lies from the first, as a logarithm."""
    half = len(series) // 2
    first, second = (statistics.median(map(math.log, part)) for part in (series[:half], series[-half:]))
    return second - first


def drifting(runs: Sequence[Blocks]) -> float:
    """The standard deviation of the drift. Of few trainings it is known badly: that of a single one counts twice."""
    drifts = [abs(drift(series)) for blocks in runs for series in (blocks.old, blocks.new)]
    return (1 + 2 / len(drifts)) * statistics.median(drifts) / MAD if drifts else 0.0


def scatter(runs: Sequence[Blocks]) -> float:
    """The standard deviation of the ratios of several trainings, few of which have changed."""
    ratios = [statistics.median(quotients(blocks)) for blocks in runs]
    middle = statistics.median(ratios) if ratios else 0.0
    return statistics.median(abs(ratio - middle) for ratio in ratios) / MAD if ratios else 0.0


def from_run_to_run(runs: Sequence[Blocks]) -> float:
    """The standard deviation of a ratio by what differs between two runs, judged by the blocks of all trainings.

    How far they drift tells it, and how far the ratios scatter; but that may be because each has changed.
    """
    return math.hypot(math.sqrt(2) * RUN_TO_RUN, max(drifting(runs), min(scatter(runs), MOST_SCATTER)))


def together(runs: Sequence[Blocks], error: float) -> tuple[float, Interval]:
    """The ratio that many trainings have in common, their median, and its interval.

    Drift and scatter of each average out. What all of them drift by does not, nor what differs from run to run, nor
    scatter that drift does not explain.
    """
    middle = statistics.median(statistics.median(quotients(blocks)) for blocks in runs)
    own, apart = drifting(runs), scatter(runs)
    sides = zip(*((drift(blocks.old), drift(blocks.new)) for blocks in runs), strict=True)
    deviation = math.hypot(
        math.sqrt(2) * RUN_TO_RUN,
        OF_MEDIAN * max(own, apart) / math.sqrt(len(runs)),
        math.sqrt(max(0.0, apart**2 - own**2)),
        *map(statistics.median, sides),
    )
    width = statistics.NormalDist().inv_cdf(1 - error / 2) * deviation
    return math.exp(middle), (math.exp(middle - width), math.exp(middle + width))
