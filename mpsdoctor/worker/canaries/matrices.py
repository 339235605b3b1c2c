"""Products, linear layers and decompositions."""

from __future__ import annotations

from typing import Tuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .gradients import leaf, pull_back
from .place import Place

Results = Tuple[Tensor, ...]
LONG = 32_801  # beyond the 32,767 that a blocked product reaches
HALVES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def multiply_long(on: Place) -> Results:
    """Products over a long inner dimension, beside memory that holds something else."""
    on.leave_dirt()
    a, b = on.draw(16, LONG, scale=0.01), on.draw(LONG, 16, seed=1, scale=0.01)
    return a @ b, F.linear(a, b.t().contiguous())


def multiply_long_batches(on: Place) -> Results:
    on.leave_dirt()
    a, b = on.draw(2, 16, LONG, scale=0.01), on.draw(2, LONG, 16, seed=1, scale=0.01)
    return torch.bmm(a, b), torch.einsum("bij,bjk->bik", a, b)


def train_on_many_rows(on: Place) -> Tensor:
    """The weight gradient of a linear layer that many rows reach."""
    on.leave_dirt()
    x, w = on.draw(LONG, 16, scale=0.01), leaf(on.draw(16, 16, seed=1))
    return pull_back(lambda: F.linear(x, w), [w], on.draw(LONG, 16, seed=2, scale=0.01))[0]


def train_below_vocabulary(on: Place) -> Tensor:
    """The gradient that an output layer of many words sends back."""
    words = 50_257
    on.leave_dirt()
    x, w = leaf(on.draw(16, 16, scale=0.1)), on.draw(words, 16, seed=1, scale=0.01)
    return pull_back(lambda: F.linear(x, w), [x], on.draw(16, words, seed=2, scale=0.01))[0]


def multiply_beyond_counting(on: Place) -> Results:
    """A batch whose results are more than 2**32: the first and the last product of constant matrices."""
    batch = on.size(65_552, 3)
    ordinal = torch.arange(batch)
    left, right = ((ordinal % period + 1.0).half().view(batch, 1, 1).expand(batch, 256, 2) for period in (5, 3))
    product = torch.bmm(left.to(on.device).contiguous(), right.to(on.device).contiguous().transpose(1, 2))
    last = batch - 1
    return product[0, :2, :2], product[last, :2, :2] - 2 * (last % 5 + 1) * (last % 3 + 1)


def train_heads(on: Place) -> Results:
    """The weights of several heads in one einsum."""
    x, w = on.draw(6, 3, 4), leaf(on.draw(3, 4, 5, seed=1))
    y = torch.einsum("bij,ijk->bik", torch.relu(x), w)
    return torch.autograd.grad(y.tanh().sum(), w)[0], y.detach()


def differentiate_sum(on: Place) -> Tensor:
    """The gradient of a sum, an expanded one, through a network with one output."""
    x = leaf(on.draw(64, 3))
    w1, w2 = on.draw(16, 3, seed=1), on.draw(1, 16, seed=2)
    y = (torch.sin(x @ w1.T) @ w2.T).squeeze(-1)
    return torch.autograd.grad(y.sum(), x)[0]


def apply_half_in_3d(on: Place) -> Results:
    """Equal calls of linear in bfloat16; some columns tell for all."""
    x = on.draw(2, 13, 1024, dtype=torch.bfloat16)
    w = on.draw(1024, 1024, seed=1, scale=1 / 32, dtype=torch.bfloat16)
    return F.linear(x, w)[..., ::64], F.linear(x, w)[..., ::64], F.linear(x, w.t())[..., ::64]


def apply_half_transposed(on: Place) -> Tensor:
    w = on.draw(32, 24, seed=1, scale=1 / 6, dtype=torch.bfloat16)
    return F.linear(on.draw(2, 16, 32, dtype=torch.bfloat16), w.T)


def train_in_five_dimensions(on: Place) -> Results:
    x, w = leaf(on.draw(2, 1, 3, 2, 8)), leaf(on.draw(5, 8, seed=1))
    return torch.autograd.grad(F.linear(x, w).square().sum(), (x, w))


def solve_for_batch(on: Place) -> Results:
    """One right-hand side for three matrices."""
    a = on.draw(3, 3, 3) + on.put(4 * torch.eye(3))
    return torch.linalg.solve(a, on.draw(3, 1, seed=1)), torch.linalg.solve(a, on.draw(3, seed=2))


def invert_large(on: Place) -> Results:
    """A diagonal matrix, whose inverse is known."""
    diagonal = 2.0 + torch.arange(1_025) % 3
    inverse = torch.linalg.inv(on.put(torch.diag(diagonal)))
    return inverse.diagonal() * on.put(diagonal), inverse[0, 1:5]


def factor_singular(on: Place) -> Tensor:
    factors: Tensor = torch.linalg.lu_factor(on.numbers([[1.0, 2.0], [2.0, 4.0]]))[0]
    return factors.cpu()


def decompose_many(on: Place) -> Tensor:
    values: Tensor = torch.linalg.svdvals(on.draw(911, 3, 3))
    return values[::91]


def factor_positive(on: Place) -> Tensor:
    a = torch.randn(96, 96, generator=torch.Generator().manual_seed(0)).double()
    factor: Tensor = torch.linalg.cholesky_ex(on.put((a @ a.T / 96 + torch.eye(96, dtype=torch.float64)).float())).L
    return factor
