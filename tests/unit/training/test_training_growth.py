"""Growth of memory from step to step, from bytes in use after blocks."""

from __future__ import annotations

import random
from typing import Any

import pytest

from mpsdoctor.facts.advice import Advice
from mpsdoctor_checks.training.advice import growth

MIB = 1 << 20
STEPS = range(10, 210, 10)


def row(points: list[tuple[int, int]], device: str = "mps") -> Advice:
    run: Any = {"workload": "cnn", "size": "small", "memory": {device: points}, "stopped": "decided"}
    found = growth.rows([run], {("cnn", "small", device): 7})
    assert len(found) == 1
    return found[0]


def leaking(per_step: int, first: int = 50 * MIB) -> list[tuple[int, int]]:
    return [(step, first + per_step * step) for step in STEPS]


def test_a_leak_is_measured_in_bytes_a_step() -> None:
    """Memory that grows by the same bytes at every step has that slope and no width around it."""
    found = row(leaking(MIB))
    assert found["bytes_per_step"] == MIB
    assert found["ci95"] == [MIB, MIB]
    assert (found["steps"], found["blocks"], found["peak_bytes"]) == (190, 20, 7)
    assert growth.grows(found)


def test_a_third_of_odd_points_does_not_hide_a_leak() -> None:
    """Blocks that end while something else is held do not move the slope far."""
    draw = random.Random(1)
    points = [(step, used + (300 * MIB if draw.random() < 0.25 else 0)) for step, used in leaking(MIB)]
    found = row(points)
    assert found["bytes_per_step"] == pytest.approx(MIB, rel=0.2)


@pytest.mark.parametrize(
    "points",
    [
        [(step, 50 * MIB) for step in STEPS],
        [(step, 50 * MIB + (step > 100) * 400 * MIB) for step in STEPS],
        [(step, 50 * MIB + (step // 10 % 2) * 90 * MIB) for step in STEPS],
        leaking(-MIB),
        leaking(4096),
        leaking(20_000, first=64 << 30),
    ],
    ids=["level", "one jump", "up and down", "shrinking", "less than 1 GiB in a training", "little beside the model"],
)
def test_what_does_no_harm_is_no_leak(points: list[tuple[int, int]]) -> None:
    """Growth counts if it is steady and adds up in a training, by itself and beside what is in use."""
    assert not growth.grows(row(points))


def test_few_points_say_nothing() -> None:
    """Three blocks are no line; what a process takes of the system needs ten, for it settles late."""

    def run_with(device: str, points: int) -> Any:
        memory = {device: leaking(MIB)[:points]}
        return {"workload": "cnn", "size": "small", "stopped": "decided", "memory": memory}

    assert growth.rows([run_with("mps", 3)], {}) == []
    assert growth.rows([run_with("cpu", 9)], {}) == []
    assert len(growth.rows([run_with("mps", 4)], {})) == 1
