"""How many times as fast: the interval from unpaired blocks, and what it may not miss."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.compare import quotients
from mpsdoctor.compare.quotients import Blocks

times = st.lists(st.floats(0.01, 1e4), min_size=3, max_size=12).map(tuple)
errors = st.sampled_from((0.05, 0.01, 0.001))


@pytest.mark.parametrize(("old", "new"), [(1, 1), (2, 3), (3, 3), (4, 2)])
def test_arrangements_are_those_of_all_orders(old: int, new: int) -> None:
    """Counted one by one: in how many orders of so many values so many pairs have the old one below the new one."""
    counts = [0] * (old * new + 1)
    for places in itertools.combinations(range(old + new), old):
        others = [place for place in range(old + new) if place not in places]
        counts[sum(place < other for place in places for other in others)] += 1
    assert quotients.arrangements(old, new) == tuple(counts)


@pytest.mark.parametrize(
    ("old", "new", "error", "rank"), [(10, 10, 0.05, 24), (8, 8, 0.05, 14), (6, 6, 0.01, 3), (3, 3, 0.05, 0)]
)
def test_ranks_are_those_of_the_tables(old: int, new: int, error: float, rank: int) -> None:
    """Critical values of Mann and Whitney's test, as they are printed, plus 1."""
    assert quotients.lower_rank(old, new, error) == rank


@given(times, times, errors)
def test_the_other_way_round_is_the_inverse(old: tuple[float, ...], new: tuple[float, ...], error: float) -> None:
    """Faster and slower are told alike."""
    low, high = quotients.interval(Blocks(old, new), error, 0.01)
    back = quotients.interval(Blocks(new, old), error, 0.01)
    assert back == pytest.approx((1 / high, 1 / low))
    assert Blocks(old, new).ratio == pytest.approx(1 / Blocks(new, old).ratio)


@given(times, times, errors, st.floats(0.1, 10))
def test_the_unit_does_not_matter(old: tuple[float, ...], new: tuple[float, ...], error: float, unit: float) -> None:
    """Nor does the order of the blocks."""
    expected = quotients.interval(Blocks(old, new), error, 0.01)
    scaled = Blocks(tuple(unit * time for time in reversed(old)), tuple(unit * time for time in new))
    assert quotients.interval(scaled, error, 0.01) == pytest.approx(expected)


@given(times, errors)
def test_a_run_beside_itself_shows_nothing(series: tuple[float, ...], error: float) -> None:
    """Whatever its blocks are."""
    low, high = quotients.interval(Blocks(series, series), error, 0.0)
    assert low <= 1 <= high


@given(times, times, errors)
def test_a_smaller_error_gives_a_wider_interval(old: tuple[float, ...], new: tuple[float, ...], error: float) -> None:
    """And the ratio lies inside."""
    blocks = Blocks(old, new)
    low, high = quotients.interval(blocks, error, 0.01)
    wider = quotients.interval(blocks, error / 3, 0.01)
    assert wider[0] <= low * (1 + 1e-12)
    assert wider[1] >= high * (1 - 1e-12)
    assert low * (1 - 1e-12) <= blocks.ratio <= high * (1 + 1e-12)


@pytest.mark.parametrize("draw", ["gauss", "expovariate", "cauchy"])
@pytest.mark.parametrize("counts", [(8, 8), (10, 6), (12, 20)])
def test_the_interval_misses_as_rarely_as_it_says(draw: str, counts: tuple[int, int]) -> None:
    """Under any distribution of independent blocks: 5 % of 1,000 are 50, and 75 would be four deviations more."""
    chance = random.Random(f"{draw} {counts}")

    def block() -> float:
        value = {"gauss": chance.gauss(0, 0.1), "expovariate": chance.expovariate(5)}.get(draw)
        return math.exp(0.05 * math.tan(math.pi * (chance.random() - 0.5)) % 5 if value is None else value)

    missed = 0
    for _ in range(1000):
        old, new = (tuple(block() for _ in range(count)) for count in counts)
        low, high = quotients.interval(Blocks(old, new), 0.05, 0.0)
        missed += not low <= 1 <= high
    assert missed <= 75


@pytest.mark.parametrize("counts", [(3, 3), (3, 4), (4, 5)])
def test_few_blocks_do_not_agree_by_chance(counts: tuple[int, int]) -> None:
    """Where no order of so few is rare enough, the interval is far wider than their range: below 1 % are missed."""
    chance = random.Random(str(counts))
    missed = 0
    for _ in range(2000):
        old, new = (tuple(math.exp(chance.gauss(0, 0.02)) for _ in range(count)) for count in counts)
        low, high = quotients.interval(Blocks(old, new), 0.001, 0.0)
        missed += not low <= 1 <= high
    assert missed <= 20


def test_drift_widens_what_all_blocks_of_a_run_share() -> None:
    """Two runs whose blocks rise from first to last may differ by that much without any change."""
    steady, rising = (10.0,) * 8, tuple(10.0 + number / 10 for number in range(8))
    still = quotients.from_run_to_run([Blocks(steady, steady)])
    assert still == pytest.approx(math.sqrt(2) * quotients.RUN_TO_RUN)
    assert quotients.from_run_to_run([Blocks(rising, rising)]) > 0.04
