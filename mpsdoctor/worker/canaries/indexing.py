"""Embeddings, indices and unique numbers."""

from __future__ import annotations

from typing import Tuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .gradients import leaf
from .place import Place, one_mismatch

Results = Tuple[Tensor, ...]


def train_padded_embedding(on: Place) -> Tensor:
    table, index = leaf(on.draw(5, 3)), on.numbers([[0, 1, 1, 2]])
    return torch.autograd.grad(F.embedding(index, table, padding_idx=0).sum(), table)[0]


def look_up_outside(on: Place) -> Tensor:
    return F.embedding(on.numbers([0, 2, 3]), on.draw(3, 5)).cpu()


def add_up_row_after_table(on: Place) -> Tensor:
    """The index is the number of rows; what lies behind the table is a row of its storage."""
    table = on.put(torch.arange(18.0).reshape(6, 3))[:5]
    return F.embedding_bag(on.numbers([5]), table, on.numbers([0]), mode="sum").cpu()


def add_up_before_last_offset(on: Place) -> Tensor:
    """The last offset ends the last bag, and what comes after it belongs to none."""
    table = on.put(torch.arange(12.0).reshape(4, 3))
    index, offsets = on.numbers([0, 1, 2, 3]), on.numbers([0, 2, 3])
    return F.embedding_bag(index, table, offsets, mode="sum", include_last_offset=True)


def fill_outside_view(on: Place) -> Tensor:
    base = on.put(torch.zeros(64))
    base[:32].index_fill_(0, on.numbers([40]), 7.0)
    return base.cpu()


def write_to_one_place_often(on: Place) -> Tensor:
    """Whether six runs of the same write, in deterministic mode, leave the same numbers."""
    index, values = on.put(torch.arange(4096) * 7919 % 3), on.put(torch.arange(4096))
    before = torch.are_deterministic_algorithms_enabled()
    set_mode = torch._C._set_deterministic_algorithms  # the public one imports torch's compiler, which takes a second
    set_mode(True, warn_only=False)
    try:
        runs = [on.put(torch.zeros(3, dtype=torch.long)) for _ in range(6)]
        for run in runs:
            run[index] = values
    finally:
        set_mode(before, warn_only=False)
    return one_mismatch(torch.stack(runs) - runs[0])


def take_same_number(on: Place) -> Tensor:
    """Whether a mask takes as many elements every time."""
    size = on.size(11_842_339, 50_000)
    x, mask = torch.zeros(size, device=on.device), torch.arange(size, device=on.device) % 13 < 6
    wanted = int(mask.sum())
    return one_mismatch(torch.tensor([x[mask].numel() - wanted for _ in on.repeat(200)]))


def count_unique(on: Place) -> Results:
    size = on.size(1_200_000, 60_000)
    values, counts = torch.unique(on.put(torch.arange(size) * 7919 % 3), return_counts=True)
    return values, counts * 3 - size


def find_keys_again(on: Place) -> Results:
    """How many of large keys are not found again by their index, and how many are out of order."""
    generator = torch.Generator().manual_seed(0)
    keys = on.put(torch.randint(0, 450_000_000, (on.size(400_000, 20_000),), generator=generator))
    values, inverse = torch.unique(keys, return_inverse=True)
    return (values[inverse] != keys).sum(), (values[1:] <= values[:-1]).sum()


def ignore_targets(on: Place) -> Results:
    """Targets of -100, which is what cross_entropy ignores unless it is told otherwise."""
    x, targets = leaf(on.draw(5, 3)), on.numbers([1, -100, 0, 2, -100])
    loss = F.cross_entropy(x, targets)
    return loss.detach(), torch.autograd.grad(loss, x)[0], F.cross_entropy(x, targets, reduction="none").detach()
