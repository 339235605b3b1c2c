"""A device's loss curve and gradients against the CPU's."""

from __future__ import annotations

import math

import pytest

from mpsdoctor.worker.shapes import Losses
from mpsdoctor_checks.training.correctness import compare, own_fault, tolerance

LOSSES = [2.1, 2.0, 1.9, 1.85, 1.8, 1.7, 1.65, 1.6, 1.5, 1.4]
GRADIENTS = {"0.weight": [1.0, -2.0, 0.5, 1.5], "attention.bias": [1e-9, 2e-9, -1e-9, 0.0]}
REFERENCE: Losses = {"losses": LOSSES, "seconds": [], "gradients": GRADIENTS}


def seen(losses: list[float] = LOSSES, **gradients: list[float]) -> Losses:
    return {"losses": losses, "seconds": [], "gradients": {**GRADIENTS, **gradients}}


def test_rounding_is_forgiven() -> None:
    """Losses that differ in the fifth digit are the same training."""
    assert compare(REFERENCE, seen([loss * (1 + 1e-5) for loss in LOSSES]), "float32") is None


@pytest.mark.parametrize("step", [1, 7, 10])
def test_nan_names_its_step(step: int) -> None:
    """A loss that is NaN at step 7 is found and named."""
    losses = [math.nan if at >= step else loss for at, loss in enumerate(LOSSES, 1)]
    fault = compare(REFERENCE, seen(losses), "float32")
    assert fault is not None
    assert (fault.outcome, fault.step) == ("nan", step)
    assert f"step {step}" in str(fault.detail)


@pytest.mark.parametrize("step", [1, 4, 10])
def test_divergence_names_its_step(step: int) -> None:
    """The first loss beyond the tolerance of its step is the one that is named."""
    losses = [loss * (1 + (1.1 * tolerance(step, "float32") if at == step else 0)) for at, loss in enumerate(LOSSES, 1)]
    fault = compare(REFERENCE, seen(losses), "float32")
    assert fault is not None
    assert (fault.outcome, fault.step) == ("diverged", step)


def test_tolerance_grows_by_step_and_dtype() -> None:
    """Later steps and shorter dtypes may be further off."""
    assert tolerance(1, "float32") < tolerance(5, "float32") < tolerance(10, "float32")
    assert tolerance(3, "float32") < tolerance(3, "float16") < tolerance(3, "bfloat16")


@pytest.mark.parametrize(
    "wrong", [[-1.0, 2.0, -0.5, -1.5], [0.0, 0.0, 0.0, 0.0], [2.0, -4.0, 1.0, 3.0], [-2.0, 1.0, 1.5, 0.5]]
)
def test_wrong_gradient_is_named(wrong: list[float]) -> None:
    """A gradient with another sign, scale or order, or none at all, is found although the losses agree."""
    fault = compare(REFERENCE, seen(**{"0.weight": wrong}), "float32")
    assert fault is not None
    assert fault.outcome == "diverged"
    assert "0.weight" in str(fault.detail)


def test_infinite_gradient_is_nan() -> None:
    """A gradient that is not finite is reported as such."""
    fault = compare(REFERENCE, seen(**{"0.weight": [math.inf, 0.0, 0.0, 0.0]}), "float32")
    assert fault is not None
    assert fault.outcome == "nan"


def test_gradients_that_are_zero_but_for_rounding_are_ignored() -> None:
    """A softmax does not depend on the bias of its keys, so that gradient is noise on every device."""
    assert compare(REFERENCE, seen(**{"attention.bias": [-3e-9, 1e-9, 2e-9, 5e-9]}), "float32") is None


def test_a_shorter_curve_is_compared_as_far_as_it_goes() -> None:
    """A slow device that was stopped after three steps is not wrong."""
    assert compare(REFERENCE, seen(LOSSES[:3]), "float32") is None


def test_without_a_reference_only_nan_shows() -> None:
    """The CPU itself is wrong only where its loss is not finite."""
    assert own_fault(LOSSES) is None
    fault = own_fault([2.0, math.inf])
    assert fault is not None
    assert (fault.outcome, fault.step) == ("nan", 2)
