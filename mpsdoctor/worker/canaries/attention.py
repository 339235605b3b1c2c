"""Scaled dot-product attention: masks, head sizes, grouped heads, NaN."""

from __future__ import annotations

from typing import List, Sequence, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .place import Place

Results = Tuple[Tensor, ...]


def attend_causally(on: Place, kinds: Sequence[Tuple[str, int]]) -> Results:
    """Each kind is a half type and a head size."""
    results: List[Tensor] = []
    for name, width in kinds:
        shape, dtype = (1, 2, 64, width), getattr(torch, name)
        query, key, value = (on.draw(*shape, seed=seed, dtype=dtype) for seed in (0, 1, 2))
        with torch.no_grad():
            results.append(F.scaled_dot_product_attention(query, key, value, is_causal=True))
    return tuple(results)


def attend_with_nan(on: Place) -> Tensor:
    query = torch.randn(1, 1, 4, 64, generator=torch.Generator().manual_seed(4))
    query[0, 0, 0, 0] = float("nan")
    key, value = on.draw(1, 1, 16, 64, seed=1), on.draw(1, 1, 16, 64, seed=2)
    with torch.no_grad():
        return F.scaled_dot_product_attention(on.put(query), key, value)


def attend_with_mask_of_all_heads(on: Place) -> Tensor:
    """A mask for each entry of the batch, the same for its heads."""
    query, mask = on.draw(2, 4, 8, 64), torch.zeros(2, 1, 8, 8)
    mask[0, 0, 4:, :4] = float("-inf")
    mask[1, 0, :, 7] = float("-inf")
    with torch.no_grad():
        return F.scaled_dot_product_attention(query, query, query, attn_mask=on.put(mask))


def attend_with_grouped_heads(on: Place) -> Results:
    """One query and many keys, three times."""
    query = on.draw(1, 8, 1, 128, dtype=torch.bfloat16)
    key, value = (on.draw(1, 2, 1024, 128, seed=seed, dtype=torch.bfloat16) for seed in (1, 2))
    with torch.no_grad():
        return tuple(F.scaled_dot_product_attention(query, key, value, enable_gqa=True) for _ in range(3))


def attend_with_mask_and_grouped_heads(on: Place) -> Tensor:
    query, mask = on.draw(2, 4, 3, 8), on.draw(3, 3, seed=3)
    key, value = (on.draw(2, 2, 3, 8, seed=seed) for seed in (1, 2))
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask, enable_gqa=True)


def attend_to_narrow_values(on: Place) -> Tensor:
    """Values of another size than queries and keys."""
    query, key = (on.draw(1, 2, 16, 32, seed=seed) for seed in (0, 1))
    return F.scaled_dot_product_attention(query, key, on.draw(1, 2, 16, 24, seed=2))


def need_safe_softmax() -> None:
    """NotImplementedError before torch 2.5, where a query that sees no key is NaN by design, on the CPU too."""
    if not hasattr(torch, "_safe_softmax"):
        raise NotImplementedError("before torch 2.5 a query that sees no key is NaN on every device")


def attend_to_nothing(on: Place) -> Tensor:
    """The mask hides every key from one query."""
    need_safe_softmax()
    query, key, value = (on.draw(1, 1, 2, 16, seed=seed).requires_grad_() for seed in (0, 1, 2))
    mask = on.numbers([[[[False, False], [True, True]]]])
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask).detach()


def attend_to_nothing_without_gradient(on: Place) -> Tensor:
    need_safe_softmax()
    query, key, value = (on.draw(2, 2, 4, 64, seed=seed) for seed in (0, 1, 2))
    mask = torch.ones(2, 1, 4, 4, dtype=torch.bool).tril()
    mask[0, 0, 2:] = False
    with torch.no_grad():
        return F.scaled_dot_product_attention(query, key, value, attn_mask=on.put(mask))
