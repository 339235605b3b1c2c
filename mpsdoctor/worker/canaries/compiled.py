"""What torch.compile makes of a call; on the CPU, where no compiler may be, the call itself."""

from __future__ import annotations

from typing import Callable, Dict

import torch
import torch.nn.functional as F
from torch import Tensor

from .place import Place


def add_up_differences(on: Place, compiled: Callable[..., Callable[..., Tensor]]) -> Tensor:
    return compiled(lambda a, b: (a[:, None] - b[None, :]).sum())(on.draw(32), on.draw(64, seed=1))


def normalize(on: Place, compiled: Callable[..., Callable[..., Tensor]]) -> Tensor:
    w, b = on.draw(512, seed=1), on.draw(512, seed=2)
    return compiled(lambda x: F.layer_norm(x, (512,), w, b))(on.draw(4, 512))


def normalize_by_root(on: Place, compiled: Callable[..., Callable[..., Tensor]]) -> Tensor:
    w = on.draw(1024, seed=1, positive=True)
    return compiled(lambda x: F.rms_norm(x, (1024,), w, 1e-6))(on.draw(1024))


def pool(on: Place, compiled: Callable[..., Callable[..., Tensor]]) -> Tensor:
    return compiled(lambda x: F.adaptive_max_pool1d(x, 3))(on.draw(2, 5, 8))


CALLS: Dict[str, Callable[..., Tensor]] = {
    "sum": add_up_differences,
    "layer_norm": normalize,
    "rms_norm": normalize_by_root,
    "adaptive_max_pool": pool,
}


def run_compiled(on: Place, call: str) -> Tensor:
    """NotImplementedError where torch has no compiler for the device: that is another matter than wrong numbers."""
    with torch.no_grad():
        if on.is_cpu:
            return CALLS[call](on, lambda function: function)
        try:
            return CALLS[call](on, torch.compile)
        except Exception as error:
            raise NotImplementedError(f"torch.compile: {type(error).__name__}") from error
