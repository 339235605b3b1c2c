"""Right before fast: a device's loss curve and first gradients against the CPU's in float32. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from mpsdoctor.texts import Part
from mpsdoctor.worker.shapes import Losses

# Relative to the CPU's loss. Measured over the workloads in float32 (other thread counts) 1e-7 to 6e-6, under
# autocast 1e-3 in float16 and 2e-3 in bfloat16; TF32, which CUDA convolutions use, keeps as many bits as float16.
FIRST_STEP: dict[str, float] = {"float32": 1e-3, "float16": 5e-3, "bfloat16": 1e-2}
GROWTH = 1.5  # a step; errors feed on themselves through the weights
GRADIENTS_APART = 0.5  # of the gradient's length; TF32 through batch norm reaches 0.2, a wrong sign 2
NEGLIGIBLE = 1e-3  # of all gradients together; below are those that are zero but for rounding


ON_THE_CPU = Part("against_cpu")


class Fault(NamedTuple):
    """What is wrong with a device's numbers, from which step on (1 is the first)."""

    outcome: Literal["nan", "diverged"]
    step: int
    detail: Part


def tolerance(step: int, dtype: str) -> float:
    """How far a loss may be from the CPU's, relative to it."""
    return FIRST_STEP.get(dtype, FIRST_STEP["bfloat16"]) * GROWTH ** (step - 1)


def compare(reference: Losses, curve: Losses, dtype: str, against: Part = ON_THE_CPU) -> Fault | None:
    """The first fault of a run against the reference; `against` tells where that comes from."""
    losses = compare_losses(reference["losses"], curve["losses"], dtype, against)
    if losses and losses.step == 1:
        return losses
    exact = dtype == "float32"
    gradients = compare_gradients(reference["gradients"], curve["gradients"], against) if exact else None
    return gradients or losses


def compare_losses(
    reference: Sequence[float], losses: Sequence[float], dtype: str, against: Part = ON_THE_CPU
) -> Fault | None:
    """The first step whose loss is not finite or too far from the reference; a curve that ends early is fine."""
    for step, (wanted, got) in enumerate(zip(reference, losses, strict=False), 1):
        if not math.isfinite(got):
            figures = {"loss": str(got), "step": step, "wanted": wanted, "against": against}
            return Fault("nan", step, Part("loss_not_finite_against", figures))
        allowed = tolerance(step, dtype) * abs(wanted)
        if abs(got - wanted) > allowed:
            figures = {"loss": got, "step": step, "wanted": wanted, "against": against, "allowed": allowed}
            return Fault("diverged", step, Part("loss_apart", figures))
    return None


def compare_gradients(
    reference: Mapping[str, Sequence[float]], gradients: Mapping[str, Sequence[float]], against: Part = ON_THE_CPU
) -> Fault | None:
    """The parameter whose first gradient is furthest from the reference, if it is too far."""
    floor = NEGLIGIBLE * math.hypot(*(number for sketch in reference.values() for number in sketch))
    worst, name = 0.0, ""
    for parameter, wanted in reference.items():
        got = gradients.get(parameter, [0.0] * len(wanted))
        if not all(map(math.isfinite, got)):
            return Fault("nan", 1, Part("gradient_not_finite", {"parameter": parameter}))
        apart = math.dist(wanted, got) / max(math.hypot(*wanted), floor, 1e-300)
        if apart > worst:
            worst, name = apart, parameter
    if worst <= GRADIENTS_APART:
        return None
    figures = {"parameter": name, "apart": worst, "against": against}
    return Fault("diverged", 1, Part("gradient_apart", figures))


def own_fault(losses: Sequence[float]) -> Fault | None:
    """What can be said of a run without a reference: whether its losses are finite."""
    for step, got in enumerate(losses, 1):
        if not math.isfinite(got):
            return Fault("nan", step, Part("loss_not_finite", {"loss": str(got), "step": step}))
    return None
