"""Reading and writing by index: gather and scatter, masks, slices, advanced indexing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .entry import (
    ANY,
    COMMON,
    CORE,
    NUMBERS,
    SINGLE,
    TAIL,
    Entry,
    Options,
    Tolerance,
    constants,
    entry,
    index,
    mask,
    w,
    x,
)  # fmt: skip

if TYPE_CHECKING:
    from typing_extensions import Unpack

UNIQUE = "permutation"  # writing one place twice has no defined winner
ADDED: Tolerance = {"slack": 4, "because": "several values are added to one place, in any order"}


def method(op: str, *args: Any, **options: Unpack[Options]) -> Entry:
    """An operator reached as a method of its first tensor."""
    return entry(op, f"Tensor.{op}", *args, **options)


def writing_method(op: str, *args: Any, **options: Unpack[Options]) -> Entry:
    """A method that has an in-place form."""
    options["inplace"] = f"Tensor.{op}_"
    return method(op, *args, **options)


ENTRIES: list[Entry] = [
    method("gather", x(4, 6), 1, index(6, 4, 3), rank=CORE, dtypes=ANY),
    entry("gather", "Tensor.gather", x(4, 6), 0, index(4, 3, 6), case="rows", rank=COMMON, dtypes=NUMBERS),
    writing_method("scatter", x(4, 6), 1, index(6, 4, 6, fill=UNIQUE), x(4, 6), rank=CORE, dtypes=ANY),
    entry("scatter", "Tensor.scatter", x(4, 6), 1, index(6, 4, 1), 1.5, case="value", rank=COMMON,
          inplace="Tensor.scatter_"),
    writing_method("scatter_add", x(4, 6), 1, index(6, 4, 6), x(4, 6), rank=CORE, dtypes=NUMBERS, **ADDED),
    entry("scatter_reduce", "Tensor.scatter_reduce", x(4, 6), 1, index(6, 4, 6), x(4, 6), "sum", case="sum",
          rank=COMMON, **ADDED),
    entry("scatter_reduce", "Tensor.scatter_reduce", x(4, 6), 1, index(6, 4, 6), x(4, 6), "mean", case="mean", **ADDED),
    entry("scatter_reduce", "Tensor.scatter_reduce", x(4, 6, fill="distinct"), 1, index(6, 4, 6),
          x(4, 6, fill="distinct"), "amax", case="amax", without=("expanded",)),
    method("index_select", x(4, 6), 1, index(6, 3), rank=CORE, dtypes=ANY),
    writing_method("index_add", x(4, 6), 0, index(4, 3), w(3, 6), rank=COMMON, dtypes=NUMBERS, **ADDED),
    writing_method("index_copy", x(4, 6), 0, index(4, 3, fill=UNIQUE), w(3, 6), dtypes=ANY),
    writing_method("index_fill", x(4, 6), 1, index(6, 2), 2, dtypes=NUMBERS),
    entry("index_reduce", "Tensor.index_reduce", x(4, 6, fill="positive"), 0, index(4, 3),
          w(3, 6, fill="positive"), "prod", dtypes=SINGLE, **ADDED),
    entry("index", "calls.advanced_index", x(4, 6), index(4, 3), index(6, 3), rank=CORE, dtypes=ANY),
    entry("index", "calls.advanced_index", x(4, 6, 2), index(4, 3, 1), index(6, 1, 2), case="broadcast", rank=COMMON),
    entry("index", "calls.index_by", x(4, 6), mask(4, 6, role="parameter"), case="mask", rank=CORE, dtypes=ANY),
    entry("index_put", "calls.index_put", x(4, 6), index(4, 3, fill=UNIQUE), w(3, 6), rank=CORE, dtypes=NUMBERS,
          inplace="calls.index_put_"),
    entry("index_put", "calls.index_accumulate", x(4, 6), index(4, 5), w(5, 6), case="accumulate", rank=COMMON,
          inplace="calls.index_accumulate_", **ADDED),
    entry("index_put_", "calls.assign_mask", x(4, 6), mask(4, 6, role="parameter"), -1.0, case="mask", rank=CORE,
          inplace="calls.assign_mask_"),
    entry("copy_", "calls.assign_slice", x(4, 6), w(2, 3), case="slice", rank=CORE, dtypes=ANY,
          inplace="calls.assign_slice_"),
    entry("take", "torch.take", x(4, 6), index(24, 5), dtypes=NUMBERS),
    entry("take_along_dim", "torch.take_along_dim", x(4, 6), index(6, 4, 3), 1, dtypes=NUMBERS),
    writing_method("put", x(4, 6), index(24, 5, fill=UNIQUE), w(5), dtypes=NUMBERS),
    entry("masked_select", "torch.masked_select", x(4, 6), mask(4, 6, role="parameter"), rank=COMMON, dtypes=ANY),
    writing_method("masked_scatter", x(4, 6), mask(4, 6, role="parameter"), w(24), rank=COMMON, dtypes=NUMBERS),
    constants("nonzero", "torch.nonzero", x(4, 6, fill="digits"), rank=COMMON, dtypes=ANY),
    constants("argwhere", "torch.argwhere", x(4, 6, fill="digits"), dtypes=ANY),
    entry("select", "torch.select", x(4, 6), -1, 2, rank=CORE, dtypes=ANY, shapes=("5d",)),
    entry("narrow", "torch.narrow", x(4, 6), -1, 1, 3, rank=COMMON, dtypes=ANY, shapes=("5d",)),
    entry("slice", "calls.slice_step", x(4, 9), rank=CORE, dtypes=ANY, shapes=("5d",)),
    entry("select_scatter", "torch.select_scatter", x(4, 6), w(4), 1, 2, dtypes=NUMBERS),
    entry("slice_scatter", "torch.slice_scatter", x(4, 6), w(4, 2), 1, 1, 5, 2, dtypes=NUMBERS),
    entry("diagonal_scatter", "torch.diagonal_scatter", x(4, 6), w(4), dtypes=NUMBERS),
    entry("unfold", "Tensor.unfold", x(4, 9), 1, 3, 2, rank=TAIL, dtypes=NUMBERS, **ADDED),
    writing_method("index_fill", x(4, 6), 0, index(4, 2), 0, case="zero"),
    entry("segment_reduce", "torch.segment_reduce", x(6, 3), "sum", kw={"lengths": w(3, fill="lengths", grad=False)},
          dtypes=SINGLE, **ADDED),
]  # fmt: skip
