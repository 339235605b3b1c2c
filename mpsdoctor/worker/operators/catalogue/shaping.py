"""Joining, splitting, turning and making tensors, and moving them between dtypes."""

from __future__ import annotations

from typing import Any

from .entry import ANY, COMMON, CORE, FLOATS, NUMBERS, SHAPES, SINGLE, TAIL, Entry, Traits, constants, entry, same, w, x

DEEP = ("5d",)

# operator, function, arguments, rank, shape variants
MOVES: tuple[tuple[str, str, tuple[Any, ...], int, tuple[str, ...]], ...] = (
    ("transpose", "torch.transpose", (-1, -2), CORE, DEEP),
    ("permute", "torch.permute", ((1, 0),), CORE, ()),
    ("reshape", "torch.reshape", ((3, -1),), CORE, ()),
    ("flatten", "torch.flatten", (), CORE, DEEP),
    ("unsqueeze", "torch.unsqueeze", (-1,), CORE, SHAPES),
    ("squeeze", "torch.squeeze", (), COMMON, DEEP),
    ("expand", "Tensor.expand", (3, 4, 6), CORE, ()),
    ("repeat", "Tensor.repeat", (2, 3), COMMON, ()),
    ("tile", "torch.tile", ((2, 2),), TAIL, ()),
    ("flip", "torch.flip", ((-1,),), COMMON, DEEP),
    ("roll", "torch.roll", (2, -1), COMMON, DEEP),
    ("rot90", "torch.rot90", (), TAIL, ()),
    ("movedim", "torch.movedim", (0, -1), COMMON, DEEP),
    ("split", "torch.split", (2, -1), CORE, DEEP),
    ("split_with_sizes", "torch.split", ([1, 3, 2], -1), COMMON, DEEP),
    ("chunk", "torch.chunk", (3, -1), CORE, DEEP),
    ("tensor_split", "torch.tensor_split", (4, -1), TAIL, DEEP),
    ("unbind", "torch.unbind", (-1,), COMMON, DEEP),
    ("unflatten", "torch.unflatten", (-1, (2, 3)), TAIL, DEEP),
    ("swapaxes", "torch.swapaxes", (0, 1), TAIL, ()),
    ("clone", "torch.clone", (), CORE, SHAPES),
    ("contiguous", "Tensor.contiguous", (), CORE, SHAPES),
    ("as_strided", "calls.as_strided", ((2, 3), (3, 1), 2), TAIL, ()),
    ("repeat_interleave", "torch.repeat_interleave", (2, -1), COMMON, DEEP),
    ("fliplr", "torch.fliplr", (), TAIL, ()),
    ("ravel", "torch.ravel", (), TAIL, DEEP),
    ("view_as_complex", "calls.pairs_as_complex", (), TAIL, ()),
)
# operator, function, inputs, arguments, rank
JOINS: tuple[tuple[str, tuple[Any, ...], tuple[Any, ...], int], ...] = (
    ("cat", (x(4, 3), x(4, 2), x(4, 1)), (-1,), CORE),
    ("stack", (x(4, 3), x(4, 3)), (0,), CORE),
    ("hstack", (x(4, 3), x(4, 2)), (), TAIL),
    ("vstack", (x(4, 3), x(2, 3)), (), TAIL),
    ("dstack", (x(4, 3), x(4, 3)), (), TAIL),
    ("column_stack", (x(4, 3), x(4, 2)), (), TAIL),
)
# operator, arguments; made on the device
MAKERS: tuple[tuple[str, str, tuple[Any, ...], int], ...] = (
    ("arange", "calls.arange", (0, 20, 3), CORE),
    ("linspace", "calls.linspace", (-1.0, 1.0, 9), COMMON),
    ("logspace", "calls.logspace", (0.0, 1.0, 5), TAIL),
    ("eye", "calls.eye", (4, 5), COMMON),
    ("full", "calls.full", ((2, 3), 2), CORE),
    ("zeros", "calls.zeros", ((2, 3),), CORE),
    ("ones", "calls.ones", ((2, 3),), CORE),
)


def move(op: str, call: str, args: tuple[Any, ...], rank: int, shapes: tuple[str, ...]) -> Entry:
    dtypes = SINGLE if op == "view_as_complex" else ANY
    return entry(op, call, x(4, 6), *args, rank=rank, dtypes=dtypes, shapes=shapes)


def join(op: str, parts: tuple[Any, ...], args: tuple[Any, ...], rank: int) -> Entry:
    return entry(op, f"torch.{op}", list(parts), *args, rank=rank, dtypes=ANY)


def maker(op: str, call: str, args: tuple[Any, ...], rank: int) -> Entry:
    """The input says only which device and dtype the new tensor has."""
    traits: Traits = {"rank": rank, "without": ("transposed", "offset", "strided")}
    if op in ("linspace", "logspace"):
        traits.update({"slack": 4.0, "because": "steps are rounded"})
    return constants(op, call, x(1), *args, **traits)


def cast(name: str, rank: int) -> Entry:
    dtypes = tuple(dtype for dtype in ANY if dtype != name)
    backward = name in FLOATS
    return entry("_to_copy", f"calls.to_{name}", x(4, 6), case=name, rank=rank, dtypes=dtypes, backward=backward,
                 shapes=SHAPES)._replace(op="aten::to")  # fmt: skip


ENTRIES: list[Entry] = [
    *(move(*row) for row in MOVES),
    *(join(*row) for row in JOINS),
    *(maker(*row) for row in MAKERS),
    *(cast(name, rank) for name, rank in (("float32", CORE), ("float16", CORE), ("bfloat16", CORE), ("int64", COMMON),
                                          ("bool", COMMON))),
    entry("cat", "torch.cat", [x(2, 3, 4, 5), x(2, 2, 4, 5)], 1, case="channels", rank=CORE, dtypes=NUMBERS),
    constants("zeros_like", "torch.zeros_like", x(4, 6), rank=CORE, dtypes=ANY, shapes=SHAPES),
    constants("ones_like", "torch.ones_like", x(4, 6), rank=CORE, dtypes=ANY, shapes=SHAPES),
    constants("full_like", "torch.full_like", x(4, 6), 2, rank=COMMON, dtypes=NUMBERS, shapes=SHAPES),
    constants("new_zeros", "Tensor.new_zeros", x(4, 6), (2, 3), rank=COMMON, dtypes=ANY),
    constants("fill_", "calls.fill", x(4, 6), 3, rank=COMMON, dtypes=NUMBERS, shapes=SHAPES, inplace="Tensor.fill_"),
    constants("zero_", "calls.zero", x(4, 6), rank=CORE, dtypes=ANY, shapes=SHAPES, inplace="Tensor.zero_"),
    entry("copy_", "calls.copy_into", x(4, 6), x(4, 6), rank=CORE, dtypes=ANY, shapes=SHAPES, inplace="Tensor.copy_"),
    same("meshgrid", "torch", x(3), w(4), rank=TAIL, kw={"indexing": "ij"}),
    same("cartesian_prod", "torch", x(3), w(4)),
    same("combinations", "torch", x(4)),
    same("broadcast_tensors", "torch", x(4, 6), w(6), dtypes=NUMBERS),
    entry("linalg_vander", "calls.vander", x(4), 3, dtypes=SINGLE),
    constants("item", "Tensor.item", x(1), rank=CORE, dtypes=ANY),
    constants("tril_indices", "calls.triangle", x(1), 4, 5, dtypes=SINGLE, without=("offset", "strided")),
]  # fmt: skip
