"""Calls of the catalogue that are more than one function of torch: modules, assignments, optimizers.

The first tensor says device and dtype. Where a library may choose signs or order freely, what is returned does
not depend on them.
"""

from __future__ import annotations

from typing import Any, TypedDict

import torch
import torch.nn.functional as F
from torch import Tensor

from .entry import Kwargs


def qr_product(x: Tensor) -> Any:
    q, r = torch.linalg.qr(x)
    return q @ r, q.mT @ q, r.abs()


def svd_product(x: Tensor) -> Any:
    u, s, vh = torch.linalg.svd(x, full_matrices=False)
    return (u * s.unsqueeze(-2)) @ vh, s


def eigh_product(x: Tensor) -> Any:
    values, vectors = torch.linalg.eigh(x)
    return (vectors * values.unsqueeze(-2)) @ vectors.mT, values


def lu_product(x: Tensor) -> Any:
    p, lower, upper = torch.linalg.lu(x)
    return p @ lower @ upper


def stft(x: Tensor, window: Tensor) -> Any:
    return torch.view_as_real(torch.stft(x, 16, 8, 16, window, center=True, return_complex=True))


def pool_and_unpool(x: Tensor) -> Any:
    pooled, places = F.max_pool2d(x, 2, return_indices=True)
    return F.max_unpool2d(pooled, places, (2, 2))


def batch_norm_train(x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, var: Tensor) -> Any:
    """The running statistics are part of the answer."""
    out = F.batch_norm(x, mean, var, weight, bias, training=True, momentum=0.2)
    return out, mean, var


def multi_head_attention(x: Tensor, w_in: Tensor, b_in: Tensor, w_out: Tensor, b_out: Tensor) -> Any:
    x = x.transpose(0, 1)
    attend = F.multi_head_attention_forward
    return attend(x, x, x, 8, 2, w_in, b_in, None, None, False, 0.0, w_out, b_out, need_weights=False)[0]


def embedding_max_norm(places: Tensor, weight: Tensor) -> Any:
    return F.embedding(places, weight, max_norm=1.0), weight


def ctc_loss(x: Tensor) -> Any:
    targets = torch.tensor([[1, 2, 3], [2, 2, 4]], device=x.device)
    return F.ctc_loss(x.log_softmax(-1), targets, torch.tensor([7, 6]), torch.tensor([3, 2]))


def advanced_index(x: Tensor, rows: Tensor, columns: Tensor) -> Any:
    return x[rows, columns]


def index_by(x: Tensor, where: Tensor) -> Any:
    return x[where]


def index_put(x: Tensor, rows: Tensor, values: Tensor) -> Any:
    return x.index_put((rows,), values)


def index_put_(x: Tensor, rows: Tensor, values: Tensor) -> Any:
    return x.index_put_((rows,), values)


def index_accumulate_(x: Tensor, rows: Tensor, values: Tensor) -> Any:
    return x.index_put_((rows,), values, accumulate=True)


def index_accumulate(x: Tensor, rows: Tensor, values: Tensor) -> Any:
    return x.index_put((rows,), values, accumulate=True)


def assign_mask(x: Tensor, where: Tensor, value: float) -> Any:
    x = x.clone()
    x[where] = value
    return x


def assign_mask_(x: Tensor, where: Tensor, value: float) -> Any:
    x[where] = value
    return x


def assign_slice_(x: Tensor, values: Tensor) -> Any:
    x[1:3, ::2] = values
    return x


def assign_slice(x: Tensor, values: Tensor) -> Any:
    x = x.clone()
    x[1:3, ::2] = values
    return x


def slice_step(x: Tensor) -> Any:
    return x[..., 1::2]


def as_strided(x: Tensor, size: tuple[int, ...], stride: tuple[int, ...], offset: int) -> Any:
    return torch.as_strided(x.clone(memory_format=torch.contiguous_format), size, stride, offset)


def pairs_as_complex(x: Tensor) -> Any:
    return torch.view_as_complex(x.reshape(-1, 2).contiguous())


def vander(x: Tensor, columns: int) -> Any:
    return torch.linalg.vander(x, N=columns)


def copy_into(x: Tensor, values: Tensor) -> Any:
    return torch.zeros_like(x).copy_(values), x.clone().copy_(values)


def fill(x: Tensor, value: float) -> Any:
    return x.clone().fill_(value)


def zero(x: Tensor) -> Any:
    return x.clone().zero_()


def to_float32(x: Tensor) -> Any:
    return x.to(torch.float32)


def to_float16(x: Tensor) -> Any:
    return x.to(torch.float16)


def to_bfloat16(x: Tensor) -> Any:
    return x.to(torch.bfloat16)


def to_int64(x: Tensor) -> Any:
    return x.to(torch.int64)


def to_bool(x: Tensor) -> Any:
    return x.to(torch.bool)


class Like(TypedDict):
    """Where a new tensor is made, and in which dtype."""

    device: torch.device
    dtype: torch.dtype


def like(x: Tensor) -> Like:
    return {"device": x.device, "dtype": x.dtype}


def arange(x: Tensor, *args: Any) -> Any:
    return torch.arange(*args, **like(x))


def linspace(x: Tensor, *args: Any) -> Any:
    return torch.linspace(*args, **like(x))


def logspace(x: Tensor, *args: Any) -> Any:
    return torch.logspace(*args, **like(x))


def eye(x: Tensor, *args: Any) -> Any:
    return torch.eye(*args, **like(x))


def full(x: Tensor, *args: Any) -> Any:
    return torch.full(*args, **like(x))


def zeros(x: Tensor, *args: Any) -> Any:
    return torch.zeros(*args, **like(x))


def ones(x: Tensor, *args: Any) -> Any:
    return torch.ones(*args, **like(x))


def triangle(x: Tensor, *args: Any) -> Any:
    return torch.tril_indices(*args, device=x.device), torch.triu_indices(*args, device=x.device)


def multinomial(weights: Tensor, count: int) -> Any:
    return torch.multinomial(weights, count, replacement=True)


def randperm(x: Tensor, count: int) -> Any:
    return torch.randperm(count, device=x.device)


def mutate_list(name: str, left: list[Tensor], right: list[Tensor], options: Kwargs) -> Any:
    left = [tensor.clone() for tensor in left]
    getattr(torch, name)(left, right, **options)
    return left


def zero_list(left: list[Tensor]) -> Any:
    left = [tensor.clone() for tensor in left]
    torch._foreach_zero_(left)
    return left


def clip_gradients(parameters: list[Tensor], gradients: list[Tensor]) -> Any:
    for parameter, gradient in zip(parameters, gradients):
        parameter.grad = gradient
    total = torch.nn.utils.clip_grad_norm_(parameters, 0.5)
    return [total, *(parameter.grad for parameter in parameters)]


def optimizer_steps(name: str, parameters: list[Tensor], gradients: list[Tensor], options: Kwargs) -> Any:
    """Three steps with one gradient, smaller each time."""
    parameters = [parameter.detach().requires_grad_() for parameter in parameters]
    optimizer = getattr(torch.optim, name)(parameters, **options)
    for step in range(3):
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = gradient / (step + 1)
        optimizer.step()
    return [parameter.detach() for parameter in parameters]
