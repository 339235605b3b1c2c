"""Optimizers and the gradient scaler."""

from __future__ import annotations

from typing import Any, Dict, List

import torch
from torch import Tensor

from .gradients import leaf, send_back
from .place import Place


class Descent:
    """As much of an optimizer as the scaler asks for: one of torch's imports its compiler, which takes a second."""

    def __init__(self, parameter: Tensor, rate: float) -> None:
        self.parameter, self.rate = parameter, rate
        self.param_groups: List[Dict[str, Any]] = [{"params": [parameter]}]

    def step(self) -> None:
        assert self.parameter.grad is not None
        with torch.no_grad():
            self.parameter -= self.rate * self.parameter.grad


def step_in_spite_of_overflow(on: Place) -> Tensor:
    """A fused step that the scaler's finding forbids: the parameter stays."""
    parameter = on.put(torch.ones(4))
    gradient, mean, square = on.put(torch.ones(4)), on.put(torch.zeros(4)), on.put(torch.zeros(4))
    step, overflow = (torch.tensor(value, device=on.device) for value in (0.0, 1.0))
    torch.ops.aten._fused_adam_(
        *([parameter], [gradient], [mean], [square], [], [step]),
        **{"lr": 0.1, "beta1": 0.9, "beta2": 0.999, "weight_decay": 0.0, "eps": 1e-8},
        **{"amsgrad": False, "maximize": False, "found_inf": overflow},
    )
    return parameter


def unscale_half(on: Place) -> Tensor:
    """The gradient of a bfloat16 parameter after the scaler has taken its scale off."""
    parameter = leaf(on.numbers([1.0, -2.0, 3.0], torch.bfloat16))
    scaler = torch.amp.GradScaler(on.kind, init_scale=4.0)
    send_back(scaler.scale((parameter.float() * on.numbers([1.0, 2.0, -0.5]).float()).sum()))
    scaler.unscale_(Descent(parameter, 0.1))  # type: ignore[arg-type]
    assert parameter.grad is not None
    return parameter.grad.float()


def step_scaled(on: Place) -> Tensor:
    """Half a step down a parabola ends at its bottom."""
    parameter = leaf(on.numbers([1.0, 2.0]))
    scaler = torch.amp.GradScaler(on.kind, init_scale=8.0)
    send_back(scaler.scale(parameter.square().sum()))
    scaler.step(Descent(parameter, 0.5))  # type: ignore[arg-type]
    scaler.update()
    return parameter.detach()
