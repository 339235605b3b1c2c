"""Calls on views: transposed, strided, sliced with an offset, channels_last, expanded."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Sequence, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .place import Place

Results = Tuple[Tensor, ...]
Call = Callable[[Place, Tensor], Any]

# A base and what is taken of it. Bases differ in shape, so that no call sees more than it can take.
VIEWS: Dict[str, Callable[[Tensor], Tensor]] = {
    "plain": lambda base: base,
    "transposed": lambda base: base.transpose(-2, -1),
    "moved": lambda base: base.moveaxis(0, 1),
    "rows": lambda base: base[1:3],
    "last rows": lambda base: base[3:],
    "even columns": lambda base: base[..., ::2],
    "every second": lambda base: base[::2, ::2],
    "first channels": lambda base: base[:, : base.shape[1] // 2],
    "last channels": lambda base: base[:, base.shape[1] // 2 :],
    "channels last": lambda base: base.contiguous(memory_format=torch.channels_last),
    "first channels of channels last": lambda base: VIEWS["first channels"](VIEWS["channels last"](base)),
    "last channels of channels last": lambda base: VIEWS["last channels"](VIEWS["channels last"](base)),
    "last axis second": lambda base: base.movedim(-1, 1),
    "expanded": lambda base: base.expand(5, *base.shape[1:]),
    "heads": lambda base: base.transpose(1, 2),
}


def weight(on: Place, *shape: int) -> Tensor:
    """A weight that every place has alike."""
    return on.draw(*shape, seed=11, scale=0.3)


def normalize_rows(on: Place, x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], weight(on, x.shape[-1]), on.draw(x.shape[-1], seed=12), 1e-5)


def sample_at_identity(on: Place, x: Tensor) -> Tensor:
    side = (torch.arange(x.shape[-1]) + 0.5) / x.shape[-1] * 2 - 1
    grid = torch.stack((side.expand(len(side), -1), side.unsqueeze(1).expand(-1, len(side))), -1)
    return F.grid_sample(x, on.put(grid)[None], align_corners=False)


def attend(on: Place, query: Tensor) -> Tensor:
    batch, heads, _, width = query.shape
    key, value = (on.draw(batch, heads, 5, width, seed=seed) for seed in (1, 2))
    with torch.no_grad():
        return F.scaled_dot_product_attention(query, key, value)


def multiply_by_views(on: Place, x: Tensor) -> Results:
    base, bias = on.draw(x.shape[-1], 6, seed=1), on.draw(6, seed=2)
    return F.linear(x, base.t(), bias), F.linear(x, base.t())


CALLS: Dict[str, Call] = {
    "digamma": lambda on, x: torch.digamma(x),
    "lgamma": lambda on, x: torch.lgamma(x),
    "polygamma": lambda on, x: torch.polygamma(1, x),
    "softplus": lambda on, x: F.softplus(x),
    "selu": lambda on, x: F.selu(x),
    "threshold": lambda on, x: F.threshold(x, 0.1, 20.0),
    "gelu": lambda on, x: F.gelu(x),
    "tanh gelu": lambda on, x: F.gelu(x, approximate="tanh"),
    "elu": lambda on, x: F.elu(x),
    "mse_loss": lambda on, x: F.mse_loss(x, x.flip(0), reduction="none"),
    "mse_loss of views": lambda on, x: F.mse_loss(x, on.draw(*x.shape[::-1], seed=1).t(), reduction="none"),
    "sort": lambda on, x: tuple(torch.sort(x, dim=0)),
    "argsort": lambda on, x: torch.argsort(x, dim=1),
    "argmax": lambda on, x: (torch.argmax(x), torch.argmin(x), torch.argmax(x, dim=1)),
    "layer_norm": normalize_rows,
    "batch_norm": lambda on, x: F.batch_norm(x, None, None, training=True),
    "linear": lambda on, x: F.linear(x, weight(on, 7, x.shape[-1]), on.draw(7, seed=2)),
    "linear of views": multiply_by_views,
    "conv2d": lambda on, x: F.conv2d(x, weight(on, 3, x.shape[1], 1, 1)),
    "grid_sample": sample_at_identity,
    "attention": attend,
}


def call_on_views(
    on: Place, calls: Sequence[str], views: Sequence[str], shape: Sequence[int], positive: bool = False
) -> Results:
    """The results of calls on views of one tensor."""
    results: List[Tensor] = []
    for view in views:
        for name in calls:
            x = VIEWS[view](on.draw(*shape, seed=len(shape), positive=positive))
            result = CALLS[name](on, x)
            results += result if isinstance(result, tuple) else [result]
    return tuple(results)


def clamp_columns(on: Place) -> Tensor:
    """Each half of the columns clamped in place to bounds of its own."""
    boxes = on.draw(4, 6, scale=10.0)
    boxes[..., 0::2].clamp_(min=0, max=3)
    boxes[..., 1::2].clamp_(min=-1, max=2)
    return boxes


def choose_by_transposed(on: Place) -> Tensor:
    chosen = on.numbers([[True, False, True], [False, False, True]]).t()
    return torch.where(chosen, on.put(torch.arange(1, 7).reshape(3, 2)), 0)


def fill_bool_views(on: Place) -> Results:
    """One after another, views of bools that begin anywhere."""
    filled = []
    for start, stop in ((1, 16), (3, 14), (2, 3)):
        base = on.put(torch.zeros(16, dtype=torch.bool))
        base[start:stop].fill_(True)
        filled.append(base)
    return tuple(filled)


def combine_with_element(on: Place) -> Results:
    """Bools with a 0-d view that does not begin its storage."""
    base, bits = on.numbers([True, False, True]), on.numbers([True, False, True])
    return bits & base[1], bits | base[2], bits ^ base[2]


def compute_with_host_element(on: Place) -> Results:
    """Arithmetic with a 0-d view of a table that stays on the CPU."""
    x = on.numbers([4.0, 1.0])
    table = on.refine(torch.tensor([9.0, 2.0, 7.0]))
    return x * table[1], x + table[2], table[2] - x, x / table[1]


def accumulate_into_bool_view(on: Place) -> Results:
    """Bools added up in views that do not begin at a multiple of four bytes."""
    index, ones = on.numbers([0, 2]), on.numbers([True, True])
    bases = [on.put(torch.zeros(8, dtype=torch.bool)) for _ in range(3)]
    bases[0].narrow(0, 3, 4).scatter_add_(0, index, ones)
    bases[1].narrow(0, 3, 4).index_add_(0, index, ones)
    bases[2].narrow(0, 1, 4).index_put_((index,), ones, accumulate=True)
    return tuple(bases)


def multiply_into_columns(on: Place) -> Tensor:
    """A product written to a block of columns of a larger tensor."""
    block = on.put(torch.zeros(8, 24))
    torch.matmul(on.draw(8, 8), on.draw(8, 8, seed=1), out=block[:, 8:16])
    return block


def compute_on_reshaped_row(on: Place) -> Results:
    """Arithmetic on parts that begin inside their storage."""
    row = on.put(torch.arange(12.0).reshape(2, 6))[1]
    box = on.draw(2, 3, 3)[:1]
    return row.reshape(2, 3) + 1, box[:, 0:1, 0:1] * box[:, 1:2, 1:2]


def repeat_by_slice(on: Place) -> Tensor:
    counts = on.numbers([0, 2, 1])
    return on.numbers([10, 11]).repeat_interleave(counts[1:3], dim=0)


def pack_far_views(on: Place) -> Tensor:
    """A copy into rows of which the last lie beyond 2**32 elements."""
    step = on.size(2**31, 2**10)
    flat = torch.zeros(2 * step + 64, dtype=torch.uint8, device=on.device)
    flat.as_strided((3, 4), (step, 1)).copy_(on.put(torch.arange(1, 13, dtype=torch.uint8).reshape(3, 4)))
    return torch.stack([flat[row * step : row * step + 5] for row in range(3)])
