"""Gradients of a call, for canaries whose backward pass is the point."""

from __future__ import annotations

from typing import Callable, Sequence, Tuple

import torch
from torch import Tensor


def pull_back(call: Callable[[], Tensor], leaves: Sequence[Tensor], upstream: Tensor) -> Tuple[Tensor, ...]:
    """The gradients of leaves, given the gradient of what the call returns."""
    return torch.autograd.grad(call(), list(leaves), upstream)


def send_back(value: Tensor) -> None:
    """Leave the gradients of a number at its leaves."""
    value.backward()  # type: ignore[no-untyped-call]


def leaf(value: Tensor) -> Tensor:
    """The tensor as one whose gradient is wanted."""
    return value.detach().requires_grad_()
