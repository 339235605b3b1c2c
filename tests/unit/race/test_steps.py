"""What runs inside a script: rounds of optimizers, and a stopwatch that leaves interruptions out."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.worker.injected.course import find_round
from mpsdoctor.worker.injected.stopwatch import Stopwatch


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 5))
def test_a_round_is_found(judging: int, making: int, odd: int) -> None:
    """Some steps of one optimizer, then some of another, after a beginning of its own."""
    wanted = [1] * judging + [2] * making
    order = [3] * odd + wanted * (4 + odd)
    assert find_round(order) == len(wanted)


@pytest.mark.parametrize(("order", "length"), [([7] * 10, 1), ([7], 1), ([], 1), ([1, 2, 2, 1, 1, 1, 2, 1, 2, 2], 1)])
def test_without_an_order_a_step_is_a_step(order: list[int], length: int) -> None:
    """One optimizer, hardly any steps, or no pattern."""
    assert find_round(order) == length


def test_an_interruption_is_set_aside() -> None:
    """From its beginning to the end of the step that it met."""
    watch = Stopwatch(lambda: None)
    watch.begin()
    time.sleep(0.02)
    watch.interrupt("validation")
    watch.interrupt("checkpoint")
    time.sleep(0.1)
    watch.resume(7)
    time.sleep(0.02)
    seconds = watch.end()
    assert 0.04 <= seconds < 0.1
    assert [(kind, step) for kind, step, _ in watch.aside] == [("validation", 7)]
    assert watch.aside[0][2] >= 0.1


def test_the_device_is_waited_for_at_both_ends() -> None:
    """And at both ends of an interruption."""
    waits: list[float] = []
    watch = Stopwatch(lambda: waits.append(time.perf_counter()))
    watch.begin()
    watch.interrupt("validation")
    watch.resume(1)
    watch.end()
    assert len(waits) == 4
