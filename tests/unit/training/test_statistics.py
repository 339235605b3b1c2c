"""Medians and their intervals: what holds for any figures."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor_checks.training.statistics import at_least, enough, interval, lower_rank, median, ratios, spread

positive = st.floats(min_value=1e-6, max_value=1e6)
figures = st.lists(positive, min_size=1, max_size=40)
levels = st.sampled_from([0.9, 0.95, 0.99])


@given(figures, levels)
def test_interval_contains_the_median(values: list[float], level: float) -> None:
    """The figure lies inside its interval."""
    low, high = interval(values, level)
    assert low <= median(values) <= high


@given(figures, st.randoms(use_true_random=False), levels)
def test_order_does_not_matter(values: list[float], shuffler: random.Random, level: float) -> None:
    """The same figures in another order give the same median and interval."""
    shuffled = values.copy()
    shuffler.shuffle(shuffled)
    assert median(shuffled) == median(values)
    assert interval(shuffled, level) == interval(values, level)


@given(figures, st.sampled_from([0.25, 8.0, 1024.0]), levels)
def test_unit_does_not_matter(values: list[float], unit: float, level: float) -> None:
    """Figures in another unit give the interval in that unit."""
    scaled = interval([value * unit for value in values], level)
    assert scaled == pytest.approx([end * unit for end in interval(values, level)])


@given(st.lists(st.tuples(positive, positive), min_size=1, max_size=40), levels)
def test_ratio_inverts(pairs: list[tuple[float, float]], level: float) -> None:
    """A against B is one over B against A, the interval too."""
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    forward, backward = ratios(first, second), ratios(second, first)
    assert median(forward) == pytest.approx(1 / median(backward))
    low, high = interval(forward, level)
    assert [1 / high, 1 / low] == pytest.approx(interval(backward, level))


@given(figures)
def test_more_confidence_is_wider(values: list[float]) -> None:
    """A 99 % interval holds the 95 % one."""
    (low, high), (inner_low, inner_high) = interval(values, 0.99), interval(values, 0.95)
    assert low <= inner_low
    assert inner_high <= high


@pytest.mark.parametrize("count", [6, 7, 8, 12, 20, 40])
def test_interval_holds_the_true_median_as_often_as_it_says(count: int) -> None:
    """Over 1,500 draws of skewed figures the true median is inside in at least 94 % of the intervals."""
    draw = random.Random(count)
    hits = 0
    for _ in range(1500):
        low, high = interval([draw.lognormvariate(0, 0.5) for _ in range(count)])
        hits += low <= 1.0 <= high
    assert hits / 1500 >= 0.94


def test_few_figures_widen_the_interval() -> None:
    """Three figures may agree by chance, so their interval reaches beyond them by their own range."""
    low, high = interval([2.0, 4.0, 8.0])
    assert (low, high) == (0.5, 32.0)


def test_rank_is_the_binomial_one() -> None:
    """For twenty figures the distribution-free 95 % interval runs from the sixth to the fifteenth."""
    assert lower_rank(20, 0.95) == 5
    assert at_least(20 - 5, 20, 0.5) <= 0.025 < at_least(20 - 6, 20, 0.5)


@given(st.integers(min_value=1, max_value=40), levels)
def test_enough_is_when_the_range_holds_the_median(count: int, level: float) -> None:
    """The range of the values misses the true median only if all lie on one side of it, as in tossing a coin."""
    one_sided = 2 * 0.5**count
    assert enough(count, level) == (one_sided <= 1 - level)
    assert (enough(5), enough(6), enough(7, 0.99), enough(8, 0.99)) == (False, True, False, True)


def test_nothing_has_no_interval() -> None:
    """An empty list is an error, not a number."""
    with pytest.raises(ValueError, match="at least one value"):
        interval([])


def test_spread_is_half_the_interval() -> None:
    """Figures between 9 and 11 around 10 print as ± 10 %."""
    assert spread([9.0, 9.5, 10.0, 10.5, 11.0]) == pytest.approx(0.1)


def test_unpaired_blocks_are_left_out() -> None:
    """A device that dropped out early is compared over the blocks that have a partner."""
    assert ratios([2.0, 4.0, 6.0], [1.0, 1.0]) == [2.0, 4.0]
    assert math.isclose(median([2.0, 4.0]), math.sqrt(8))
