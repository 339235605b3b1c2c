"""The operators that are probed, most of what training uses: data alone, an entry a line or three."""

from __future__ import annotations

from collections import Counter

from . import (
    activations,
    images,
    indexing,
    losses,
    matrices,
    networks,
    optimizers,
    pointwise,
    reductions,
    sampling,
    shaping,
)  # fmt: skip
from .entry import Entry

FAMILIES = (
    pointwise, activations, matrices, reductions, images, networks, losses, indexing, shaping, optimizers, sampling,
)  # fmt: skip

CATALOGUE: dict[str, Entry] = {item.name: item for family in FAMILIES for item in family.ENTRIES}

# Operators by how many training steps call them: products and layers, what lies between them, what indexes, losses,
# and what optimizers do. Others of their rank follow in the catalogue's order.
USED = """
    linear add mul addmm mm softmax relu layer_norm bmm conv2d batch_norm gelu div sub sum mean cat where embedding
    exp log sqrt addcmul addcdiv lerp masked_fill gather scatter index_select index_put_ max_pool2d matmul
    scaled_dot_product_attention log_softmax cross_entropy_loss nll_loss mse_loss silu sigmoid tanh pow clamp
    scatter_add index copy_ clone contiguous transpose permute reshape slice select split stack
    adaptive_avg_pool2d avg_pool2d group_norm rms_norm dropout lstm zero_ fill_
"""
USAGE: dict[str, int] = {f"aten::{op}": place for place, op in enumerate(USED.split())}


def number_cases() -> dict[str, int]:
    """The number of each entry among those of its operator and rank, from 0."""
    counts: Counter[tuple[str, int]] = Counter()
    numbers = {}
    for name, item in CATALOGUE.items():
        numbers[name] = counts[item.op, item.rank]
        counts[item.op, item.rank] += 1
    return numbers


CASES = number_cases()
