"""Which batch sizes are measured, and where the curves cross; over planted prices, without a clock."""

from __future__ import annotations

import pytest

from mpsdoctor_checks.training.advice import crossover
from mpsdoctor_checks.training.advice.crossover import Point, find, next_batch


def planted(batch: int, launch: float, speed: float = 4.0) -> float:
    """The speed-up of a device that pays `launch` seconds a step more, and a sample costs 1 ms on the CPU."""
    return batch * 1e-3 / (launch + batch * 1e-3 / speed)


def point(batch: int, speedup: float, wide: float = 0.01) -> Point:
    return Point(batch, speedup, (speedup * (1 - wide), speedup * (1 + wide)))


def swept(launch: float, base: int = 32, most: int = 10**9) -> list[Point]:
    """The points of a whole sweep in which batches above `most` cannot be measured."""
    points: list[Point] = []
    closed: dict[int, str] = {}
    while (batch := next_batch(points, base, closed)) is not None:
        assert batch not in [each.batch for each in points]
        if batch > most:
            closed[batch] = "no memory"
        else:
            points.append(point(batch, planted(batch, launch)))
    return sorted(points)


@pytest.mark.parametrize("launch", [0.003, 0.02, 0.05, 0.2])
def test_the_crossover_is_the_planted_one(launch: float) -> None:
    """Straight lines on log axes between doubled batches find it within 3 %, with its interval around."""
    truth = launch / (1e-3 * (1 - 1 / 4))
    found = find(swept(launch))
    assert found.batch == pytest.approx(truth, rel=0.03, abs=0.5)
    low, high = found.ci95
    assert low is not None
    assert high is not None
    assert low <= truth * 1.02
    assert high >= truth * 0.98


def test_the_curve_goes_on_beyond_the_crossover() -> None:
    """Both sides are measured to four times the crossover and the declared batch, for others to read off."""
    assert [each.batch for each in swept(0.02)] == [8, 16, 32, 64, 128]


@pytest.mark.parametrize(("launch", "told"), [(1e-6, "the device is faster"), (0.9, "the CPU is faster")])
def test_no_crossover_is_an_answer(launch: float, told: str) -> None:
    """Where one side wins throughout, no batch is made up; the range that was measured is told."""
    points = swept(launch)
    found = find(points)
    assert found.batch is None
    assert str(found.why_not) == f"{told} with every batch from {points[0].batch} to {points[-1].batch}"
    assert points[0].batch == 1 if launch < 0.5 else points[-1].batch == 32 * crossover.UP


def test_ties_alone_are_told_as_such() -> None:
    """Where intervals leave the answer open, nobody is called faster."""
    assert str(find([point(8, 1.0), point(16, 1.0)]).why_not) == "neither is clearly faster with any batch from 8 to 16"
    assert str(find([point(8, 1.0), point(16, 1.5)]).why_not) == "the CPU is clearly faster with no batch from 8 to 16"


def test_a_hopeless_sweep_is_not_made() -> None:
    """A device at a hundredth of the CPU's speed needs more than 16 times the batch, so none is tried."""
    points = [point(32, 0.01)]
    assert next_batch(points, 32, {}) is None
    assert str(find(points).why_not) == "the CPU is faster with every batch measured, which is 32 alone"


def test_what_cannot_be_measured_ends_the_sweep() -> None:
    """Without memory for larger batches the sweep goes on below, and ends."""
    points = swept(0.2, most=64)
    assert points[-1].batch == 64
    assert find(points).batch is None
    assert next_batch([], 32, {32: "no memory"}) is None


def test_ties_lie_between() -> None:
    """A batch that is too close to call wins for nobody, and the line goes through it."""
    found = find([point(16, 0.8), point(32, 0.98, wide=0.04), point(64, 1.5)])
    assert found.batch is not None
    assert 32 < found.batch < 36


def test_wins_that_alternate_are_no_crossover() -> None:
    """A device that wins at a smaller batch than one at which it loses has no single crossover."""
    found = find([point(8, 1.5), point(16, 0.5), point(32, 2.0)])
    assert found.batch is None
    assert "no single crossover" in str(found.why_not)


def test_an_interval_that_does_not_cross_is_unknown() -> None:
    """Where the lower ends never pass 1, how late the crossover may be is not known."""
    found = find([point(8, 0.5), Point(16, 1.3, (1.06, 1.6))])
    assert found.batch is not None
    assert found.ci95[1] is not None
    assert find([Point(8, 0.7, (0.4, 0.9)), point(16, 1.3)]).ci95[0] is not None
