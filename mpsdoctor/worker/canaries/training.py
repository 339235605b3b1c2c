"""Optimizers and the gradient scaler."""

from __future__ import annotations

import torch
from torch import Tensor

from .gradients import leaf, send_back
from .place import Place


def step_in_spite_of_overflow(on: Place) -> Tensor:
    """A fused step that the scaler's finding forbids: the parameter stays."""
    parameter = on.put(torch.ones(4))
    parameter.grad = on.put(torch.ones(4))
    optimizer = torch.optim.Adam([parameter], fused=True)
    optimizer.found_inf = torch.ones((), device=on.device)  # type: ignore[attr-defined]  # as GradScaler sets it
    optimizer.step()
    return parameter


def unscale_half(on: Place) -> Tensor:
    """The gradient of a bfloat16 parameter after the scaler has taken its scale off."""
    parameter = leaf(on.numbers([1.0, -2.0, 3.0], torch.bfloat16))
    scaler = torch.amp.GradScaler(on.kind, init_scale=4.0)
    optimizer = torch.optim.SGD([parameter], lr=0.1)
    send_back(scaler.scale((parameter.float() * on.numbers([1.0, 2.0, -0.5]).float()).sum()))
    scaler.unscale_(optimizer)
    assert parameter.grad is not None
    return parameter.grad.float()


def step_scaled(on: Place) -> Tensor:
    """Half a step down a parabola ends at its bottom."""
    parameter = leaf(on.numbers([1.0, 2.0]))
    scaler = torch.amp.GradScaler(on.kind, init_scale=8.0)
    optimizer = torch.optim.SGD([parameter], lr=0.5)
    send_back(scaler.scale(parameter.square().sum()))
    scaler.step(optimizer)
    scaler.update()
    return parameter.detach()
