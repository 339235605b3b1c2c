"""Single operators, timed as the table of Apple chips was: float32, no gradients, the device waited for in each call.

Named as in `data/apple_operators.txt`, whose source calls each twice and times the second call. Its matrix products of
4 GFLOP are left out: their inputs have 0.4 GB.
"""

from __future__ import annotations

import time
from typing import Callable, Dict, List, Tuple

import torch
from torch import Tensor

from .sessions import synchroniser

CALLS = 5
Shape = Tuple[int, ...]


def convolve(images: Tensor, weights: Tensor) -> Tensor:
    """Both with the channels last, as MLX has them, of which the source takes a view."""
    return torch.nn.functional.conv2d(images.permute(0, 3, 1, 2), weights.permute(0, 3, 1, 2))


OPERATORS: Dict[str, Tuple[Callable[..., Tensor], List[Shape]]] = {
    "sum of a million numbers": (torch.sum, [(1_000_000,)]),
    "ReLU of 2.1 million": (torch.relu, [(128, 16, 1024)]),
    "matrix product of 1 GFLOP": (torch.matmul, [(1000, 64, 256), (256, 32)]),
    "convolution of 100 small images": (convolve, [(100, 28, 28, 3), (8, 3, 3, 3)]),
}


def time_operators(device: str) -> Dict[str, List[float]]:
    """By operator the milliseconds of each call, after one that is not timed."""
    with torch.no_grad():
        return {
            name: time_calls(call, [numbers(shape, device) for shape in shapes], synchroniser(device))
            for name, (call, shapes) in OPERATORS.items()
        }


def time_calls(call: Callable[..., Tensor], inputs: List[Tensor], wait: Callable[[Tensor], object]) -> List[float]:
    times = []
    for _ in range(1 + CALLS):
        began = time.perf_counter()
        wait(call(*inputs))
        times.append(1e3 * (time.perf_counter() - began))
    return times[1:]


def numbers(shape: Shape, device: str) -> Tensor:
    """Numbers from -1 to 1, made on the CPU: 16 million that are drawn would take longer than all calls."""
    return torch.linspace(-1, 1, torch.Size(shape).numel()).reshape(shape).to(device)
