"""Whether two runs of a script train alike: losses, and what explains that they differ."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.race import alike
from mpsdoctor.race.runs import Run
from mpsdoctor.race.scripts import Script
from mpsdoctor.worker.race_shapes import Learnt

LEARNT: Learnt = {
    "step_seconds": 0.01,
    "optimizers": 1,
    "round": 1,
    "batches_per_step": 1.0,
    "draws": False,
    "autocast": "",
    "epoch_batches": None,
    "weights": [0.5, -2.0],
    "batches": [1.0],
    "inputs": [],
    "gradients": {},
    "dtypes": ["float32"],
    "files": [],
    "moves": {},
    "place": None,
}


def run(device: str, losses: list[float], **learnt: Any) -> Run:
    script = cast(Script, SimpleNamespace(device=device, ran_on=(device,)))
    return Run(script, learnt=cast(Learnt, {**LEARNT, **learnt}), losses=dict(enumerate(losses, 1)))


FALLING = [2.0 * 0.95**step for step in range(40)]


def test_the_same_losses_are_alike() -> None:
    """Rounding that grows from step to step is no difference."""
    near = [loss * (1 + 1e-6 * 1.2**step) for step, loss in enumerate(FALLING[:12])]
    found = alike.likeness_of(run("cpu", FALLING[:12]), run("mps", near))
    assert found.alike is True
    assert alike.fault_of(run("cpu", FALLING[:12]), run("mps", near)) is None


def test_losses_that_part_are_a_fault() -> None:
    """From the same weights, with the same data and no random numbers of the device nothing explains it."""
    fault = alike.fault_of(run("cpu", FALLING), run("mps", [2.0, 1.7, 1.6]))
    assert fault is not None
    assert (fault.outcome, fault.step) == ("diverged", 2)
    assert "on cpu" in str(fault.detail)


@pytest.mark.parametrize(
    ("learnt", "words"),
    [
        ({"weights": [0.5, -1.0]}, "other weights"),
        ({"batches": [3.0]}, "another order"),
        ({"inputs": [3.0]}, "other data"),
        ({"draws": True}, "drawn on mps itself"),
    ],
)
def test_another_start_explains_other_losses(learnt: dict[str, Any], words: str) -> None:
    """Then no device is accused, and nobody is told that both train alike."""
    cpu, mps = run("cpu", FALLING, inputs=[1.0]), run("mps", [loss * 1.1 for loss in FALLING], **learnt)
    assert alike.fault_of(cpu, mps) is None
    found = alike.likeness_of(cpu, mps)
    assert found.alike is None
    assert words in str(found.wording)
    assert "level is the same" in str(found.wording)


def test_a_wrong_gradient_is_a_fault_that_losses_hide() -> None:
    """AdamW takes steps of one length whatever a gradient's scale."""
    cpu, mps = run("cpu", FALLING, gradients={"0": [1.0, 2.0]}), run("mps", FALLING, gradients={"0": [2.0, 4.0]})
    fault = alike.fault_of(cpu, mps)
    assert fault is not None
    assert (fault.outcome, fault.step) == ("diverged", 1)


def test_half_precision_may_differ_more() -> None:
    """0.8 % at the first step is bfloat16's rounding, and a fault in float32."""
    cpu, other = [1.0, 0.9], [1.008, 0.905]
    assert alike.fault_of(run("cpu", cpu), run("mps", other)) is not None
    assert alike.fault_of(run("cpu", cpu), run("mps", other, autocast="bfloat16")) is None


def test_a_level_that_stays_apart_is_a_fault() -> None:
    """Losses that are equal at first and three times as high at the end."""
    stuck = [*FALLING[:10], *[FALLING[10]] * 90]
    falling = [2.0 * 0.95**step for step in range(100)]
    fault = alike.fault_of(run("cpu", falling[:60]), run("mps", stuck[:60]))
    assert fault is not None
    assert fault.outcome == "diverged"


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=60), st.integers(0, 59))
def test_what_is_not_finite_is_told_with_its_step(losses: list[float], place: int) -> None:
    """NaN and infinity, also of the baseline itself."""
    place %= len(losses)
    for bad in (math.nan, math.inf):
        broken = run("mps", [*losses[:place], bad, *losses[place + 1 :]])
        for reference in (run("cpu", losses), broken):
            fault = alike.fault_of(reference, broken)
            assert fault is not None
            assert (fault.outcome, fault.step) == ("nan", place + 1)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=60))
def test_a_run_is_like_itself(losses: list[float]) -> None:
    """Whatever its losses."""
    assert alike.likeness_of(run("cpu", losses), run("mps", losses)).alike is True


def test_without_losses_nothing_is_said() -> None:
    """A script whose loss is no single number."""
    found = alike.likeness_of(run("cpu", []), run("mps", []))
    assert found.alike is None
