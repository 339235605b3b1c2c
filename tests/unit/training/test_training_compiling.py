"""Compiling is paid from an allowance of its own, and never taken for a hang."""

from __future__ import annotations

import pytest

from mpsdoctor_checks.training import plan
from mpsdoctor_checks.training.compiling import ALLOWED, Allowance, compile_seconds
from mpsdoctor_checks.training.plan import Workload
from mpsdoctor_checks.training.stages import FIRST_STEP


@pytest.mark.parametrize(
    ("steps", "seconds"),
    [([17.5, 0.01, 0.011], 17.49), ([0.02, 0.01, 0.01], 0.0), ([5.0], 0.0), ([], 0.0), ([1.0, 0.9, 1.1], 0.0)],
)
def test_what_a_first_step_takes_beyond_the_others(steps: list[float], seconds: float) -> None:
    """A single step tells nothing, and a small difference is no compiling."""
    assert compile_seconds(steps) == pytest.approx(seconds, abs=0.01)


def refused(allowance: Allowance, costs: dict[str, float], sizes: tuple[str, ...]) -> list[Workload]:
    """Which workloads are not begun where each family costs so many seconds."""
    left = []
    for workload in (Workload(family, size) for size in sizes for family in plan.FAMILIES):
        if allowance.refuse(workload):
            left.append(workload)
        else:
            allowance.add(workload, {"cpu": 0.0, "mps": costs[workload.family]})
    return left


COLD = {"mlp": 6.6, "lstm": 8.8, "transformer": 16.2, "cnn": 17.5}  # 100 ms for each operator, dtype and size


def test_the_quick_budget_stops_compiling_before_a_minute_is_over() -> None:
    """At 100 ms a graph three of four families are begun; the fourth is left out and told why."""
    allowance = Allowance(ALLOWED["quick"])
    assert refused(allowance, COLD, plan.SIZES["quick"]) == [Workload("cnn", "small")]
    assert allowance.total() < 35
    assert "compiling for it takes about 16 s or more" in str(allowance.refuse(Workload("cnn", "small")))


def test_the_standard_budget_compiles_every_family_once() -> None:
    """At 100 ms a graph all four are timed at their small size, and medium ones while the allowance lasts."""
    left = refused(Allowance(ALLOWED["standard"]), COLD, plan.SIZES["standard"])
    assert {workload.size for workload in left} == {"medium"}


def test_what_compiles_fast_is_never_refused() -> None:
    """With 10 ms a graph every workload of every budget is begun."""
    for budget, sizes in plan.SIZES.items():
        assert not refused(Allowance(ALLOWED[budget]), {key: each / 10 for key, each in COLD.items()}, sizes)


def test_a_size_costs_what_its_smaller_one_did() -> None:
    """Medium has the operators of small, with other sizes."""
    allowance = Allowance(100.0)
    allowance.add(Workload("mlp", "small"), {"mps": 1.0})
    allowance.add(Workload("cnn", "small"), {"mps": 9.0})
    assert (allowance.expect(Workload("mlp", "medium")), allowance.expect(Workload("lstm", "small"))) == (1.0, 9.0)


def test_no_compiling_explains_the_patience_with_a_first_step() -> None:
    """175 graphs of a cnn at half a second each are less."""
    assert FIRST_STEP > 175 * 0.5
