"""How many times longer a call takes in a way that should make little difference."""

from __future__ import annotations

import time
from typing import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from .gradients import leaf
from .place import Place


def best_of(times: int, measure: Callable[[], float]) -> float:
    return min(measure() for _ in range(times))


def train_in_channels_last(on: Place) -> Tensor:
    """The backward pass of a convolution against that in the plain layout."""
    batch, side = on.size(32, 2), on.size(32, 8)

    def seconds(layout: torch.memory_format) -> float:
        x = leaf(torch.ones(batch, 24, side, side, device=on.device).contiguous(memory_format=layout))
        w = leaf(torch.ones(24, 24, 3, 3, device=on.device))
        y = F.conv2d(x, w, padding=1)
        upstream = torch.ones_like(y)
        y.sum().item()
        began = time.perf_counter()
        for gradient in torch.autograd.grad(y, (x, w), upstream):
            gradient[0, 0, 0, 0].item()
        return time.perf_counter() - began

    slow = best_of(3, lambda: seconds(torch.channels_last))
    return torch.tensor(slow / best_of(3, lambda: seconds(torch.contiguous_format)))


def convolve_with_nnpack(on: Place) -> Tensor:
    """A convolution with NNPACK against one without, on the CPU."""
    x, w = torch.ones(16, 16, 24, 24), torch.ones(16, 16, 3, 3)

    def seconds(enabled: bool) -> float:
        with torch.backends.nnpack.flags(enabled=enabled), torch.no_grad():
            began = time.perf_counter()
            F.conv2d(x, w, padding=1)
            return time.perf_counter() - began

    return torch.tensor(best_of(4, lambda: seconds(True)) / best_of(4, lambda: seconds(False)))
