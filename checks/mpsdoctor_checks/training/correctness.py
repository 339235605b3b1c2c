"""Right before fast: a device's loss curve and first gradients against the CPU's in float32. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from mpsdoctor.worker.shapes import Losses

# Relative to the CPU's loss. Measured over the workloads in float32 (other thread counts) 1e-7 to 6e-6, under
# autocast 1e-3 in float16 and 2e-3 in bfloat16; TF32, which CUDA convolutions use, keeps as many bits as float16.
FIRST_STEP: dict[str, float] = {"float32": 1e-3, "float16": 5e-3, "bfloat16": 1e-2}
GROWTH = 1.5  # a step; errors feed on themselves through the weights
GRADIENTS_APART = 0.5  # of the gradient's length; TF32 through batch norm reaches 0.2, a wrong sign 2
NEGLIGIBLE = 1e-3  # of all gradients together; below are those that are zero but for rounding


class Fault(NamedTuple):
    """What is wrong with a device's numbers, from which step on (1 is the first)."""

    outcome: Literal["nan", "diverged"]
    step: int
    detail: str


def tolerance(step: int, dtype: str) -> float:
    """How far a loss may be from the CPU's, relative to it."""
    return FIRST_STEP.get(dtype, FIRST_STEP["bfloat16"]) * GROWTH ** (step - 1)


def compare(reference: Losses, curve: Losses, dtype: str, against: str = "on the CPU") -> Fault | None:
    """The first fault of a run against the reference; `against` tells where that comes from."""
    losses = compare_losses(reference["losses"], curve["losses"], dtype, against)
    if losses and losses.step == 1:
        return losses
    exact = dtype == "float32"
    gradients = compare_gradients(reference["gradients"], curve["gradients"], against) if exact else None
    return gradients or losses


def compare_losses(
    reference: Sequence[float], losses: Sequence[float], dtype: str, against: str = "on the CPU"
) -> Fault | None:
    """The first step whose loss is not finite or too far from the reference; a curve that ends early is fine."""
    for step, (wanted, got) in enumerate(zip(reference, losses, strict=False), 1):
        if not math.isfinite(got):
            return Fault("nan", step, f"loss {got} at step {step}, {wanted:.4g} {against}")
        allowed = tolerance(step, dtype) * abs(wanted)
        if abs(got - wanted) > allowed:
            apart = f"loss {got:.5g} at step {step}, {wanted:.5g} {against}"
            return Fault("diverged", step, f"{apart}, ± {allowed:.2g} allowed")
    return None


def compare_gradients(
    reference: Mapping[str, Sequence[float]], gradients: Mapping[str, Sequence[float]], against: str = "on the CPU"
) -> Fault | None:
    """The parameter whose first gradient is furthest from the reference, if it is too far."""
    floor = NEGLIGIBLE * math.hypot(*(number for sketch in reference.values() for number in sketch))
    worst, name = 0.0, ""
    for parameter, wanted in reference.items():
        got = gradients.get(parameter, [0.0] * len(wanted))
        if not all(map(math.isfinite, got)):
            return Fault("nan", 1, f"gradient of {parameter} is not finite at step 1")
        apart = math.dist(wanted, got) / max(math.hypot(*wanted), floor, 1e-300)
        if apart > worst:
            worst, name = apart, parameter
    if worst <= GRADIENTS_APART:
        return None
    return Fault(
        "diverged", 1, f"gradient of {name} at step 1 is {worst:.2g} times its length away from that {against}"
    )


def own_fault(losses: Sequence[float]) -> Fault | None:
    """What can be said of a run without a reference: whether its losses are finite."""
    for step, got in enumerate(losses, 1):
        if not math.isfinite(got):
            return Fault("nan", step, f"loss {got} at step {step}")
    return None
