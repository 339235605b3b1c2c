"""Copies between devices, and assignments."""

from __future__ import annotations

from typing import Tuple

import torch
from torch import Tensor

from .place import Place

Results = Tuple[Tensor, ...]


def fetch_gappy_view(on: Place) -> Tensor:
    """A strided view into a view of the CPU's with the same strides; what lies between must stay."""
    base = on.refine(torch.zeros(20))
    base[::2].copy_(on.put(torch.arange(20.0))[::2])
    return base


def fetch_into_view(on: Place) -> Tensor:
    """Other dtypes into the middle of a tensor of the CPU's."""
    base = torch.zeros(6)
    base[2:4] = on.numbers([7, 8])
    base[4:] = on.numbers([1.5, 2.5], torch.float16)
    return base


def assign_one_by_one(on: Place) -> Tensor:
    x = on.put(torch.zeros(4))
    x[1] = 1
    x[2] = 3
    x[3] = 5
    return x


def send_temporaries(on: Place) -> Tensor:
    """Tensors that are freed while they may still be on their way."""
    sent = [on.refine(temporary(seed)).to(on.device, non_blocking=True) for seed in range(64)]
    return torch.cat(sent)


def temporary(seed: int) -> Tensor:
    return torch.randn(3, generator=torch.Generator().manual_seed(seed))


def allocate(on: Place) -> Results:
    return on.put(torch.ones(64)).sum(), on.put(torch.zeros(1 << 18)).sum()
