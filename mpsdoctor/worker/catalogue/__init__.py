"""The operators that are probed, most of what training uses: data alone, an entry a line or three."""

from __future__ import annotations

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
