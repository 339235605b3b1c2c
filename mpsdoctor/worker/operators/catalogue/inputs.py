"""From an entry's inputs to tensors: seeded values, shape variants, memory layouts."""

from __future__ import annotations

import functools
import zlib
from typing import Any, Callable, NamedTuple

import torch
from torch import Generator, Tensor

from .entry import Input

PREFIX = (2, 1, 2, 1, 1)  # extra leading dimensions of the "5d" variant


def spread(shape: tuple[int, ...], g: Generator) -> Tensor:
    """Different numbers in random order, an eighth apart, so that few of them stay apart in bfloat16."""
    count = _count(shape)
    return ((torch.randperm(count, generator=g) - count // 2) / 8.0).reshape(shape)


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def _uniform(low: float, high: float) -> Callable[[tuple[int, ...], Generator], Tensor]:
    return lambda shape, g: torch.rand(shape, generator=g) * (high - low) + low


def _with_nan(shape: tuple[int, ...], g: Generator) -> Tensor:
    values = torch.randn(shape, generator=g)
    return values.masked_fill_(torch.rand(shape, generator=g) < 0.2, float("nan"))


def _definite(shape: tuple[int, ...], g: Generator) -> Tensor:
    values = torch.randn(shape, generator=g)
    return values @ values.mT + torch.eye(shape[-1]) * torch.arange(1.0, shape[-1] + 1)


def _invertible(shape: tuple[int, ...], g: Generator) -> Tensor:
    return torch.randn(shape, generator=g) * 0.3 + torch.eye(shape[-1]) * 2


def _triangular(shape: tuple[int, ...], g: Generator) -> Tensor:
    return _invertible(shape, g).tril()


def _digits(shape: tuple[int, ...], g: Generator) -> Tensor:
    return torch.randint(-2, 3, shape, generator=g).float()


# Values of inputs that take the probe's dtype.
FILLS: dict[str, Callable[[tuple[int, ...], Generator], Tensor]] = {
    "normal": lambda shape, g: torch.randn(shape, generator=g),
    "positive": _uniform(0.5, 1.5),
    "below": _uniform(-1.5, -0.5),
    "above_one": _uniform(1.1, 3.0),
    "unit": _uniform(-0.9, 0.9),
    "probability": _uniform(0.1, 0.9),
    "distinct": spread,
    "digits": _digits,  # few different values, so that ties occur
    "signs": lambda shape, g: torch.randint(0, 2, shape, generator=g) * 2.0 - 1.0,
    "ascending": lambda shape, g: torch.arange(_count(shape)) / 2.0 - 2.0,
    "with_nan": _with_nan,
    "ones": lambda shape, g: torch.ones(shape),
    "third": lambda shape, g: torch.full(shape, 1 / 3),
    "definite": _definite,
    "invertible": _invertible,
    "triangular": _triangular,
}
# The same for int64 and bool probes, where the values above make no sense.
WHOLE: dict[str, Callable[[tuple[int, ...], Generator], Tensor]] = {
    "normal": lambda shape, g: torch.randint(-5, 6, shape, generator=g),
    "positive": lambda shape, g: torch.randint(1, 6, shape, generator=g),
    "distinct": lambda shape, g: torch.randperm(_count(shape), generator=g).reshape(shape),
    "digits": lambda shape, g: torch.randint(-1, 2, shape, generator=g),
    "ascending": lambda shape, g: torch.arange(_count(shape)) - 3,
}


def _permutation(shape: tuple[int, ...], g: Generator, high: int) -> Tensor:
    rows = [torch.randperm(high, generator=g)[: shape[-1]] for _ in range(_count(shape[:-1]))]
    return torch.stack(rows).reshape(shape)


def _mask(shape: tuple[int, ...], g: Generator, high: int) -> Tensor:
    return torch.rand(shape, generator=g) < 0.5


def _diagonal(shape: tuple[int, ...], g: Generator, high: int) -> Tensor:
    return _mask(shape, g, high) | torch.eye(shape[-1], dtype=torch.bool)  # no row is masked entirely


# Values of inputs whose dtype is their own: places, masks, lengths.
FIXED: dict[str, Callable[[tuple[int, ...], Generator, int], Tensor]] = {
    "index": lambda shape, g, high: torch.randint(0, high, shape, generator=g),
    "permutation": _permutation,
    "mask": _mask,
    "lengths": lambda shape, g, high: torch.arange(1, _count(shape) + 1),
}


def shape_of(spec: Input, variant: str) -> tuple[int, ...]:
    """The shape of an input in a variant; parameters keep theirs."""
    if spec.role != "data" or not spec.shape:
        return spec.shape
    if variant == "zero-dim":
        return ()
    if variant == "empty":
        return (0, *spec.shape[1:])
    if variant == "5d":
        return (*PREFIX[: 5 - len(spec.shape)], *spec.shape)
    return spec.shape


def draw(spec: Input, shape: tuple[int, ...], dtype: torch.dtype, seed: str) -> Tensor:
    """The values of one input on the CPU; the same for the same seed."""
    g = Generator().manual_seed(zlib.crc32(seed.encode()))
    if spec.role == "diagonal":
        return _diagonal(shape, g, spec.high)
    if spec.fill in FIXED:
        return FIXED[spec.fill](shape, g, spec.high)
    if dtype.is_floating_point:
        return FILLS[spec.fill](shape, g).to(dtype)
    return WHOLE.get(spec.fill, WHOLE["normal"])(shape, g).to(dtype)


@functools.lru_cache(maxsize=8192)
def values(spec: Input, variant: str, dtype: torch.dtype, seed: str) -> Tensor:
    """What an input holds, contiguous on the CPU and never to be written to.

    Layouts other than "expanded" hold the values of the plain variant, so that one reference serves them all.
    """
    if variant == "expanded" and spec.role == "data" and len(spec.shape) >= 2:
        return draw(spec, spec.shape, dtype, seed)[:1].expand(spec.shape).contiguous()
    return draw(spec, shape_of(spec, variant), dtype, seed)


class Layout(NamedTuple):
    """`pack` puts values into the memory that is allocated, `view` finds them there again."""

    least: int  # dimensions a tensor must have
    pack: Callable[[Tensor], Tensor]
    view: Callable[[Tensor, tuple[int, ...]], Tensor]


def _offset(value: Tensor) -> Tensor:
    return torch.cat([torch.ones_like(value[:1]), value])


def _strided(value: Tensor) -> Tensor:
    return torch.stack([value, torch.ones_like(value)], -1).flatten(-2)


LAYOUTS: dict[str, Layout] = {
    "transposed": Layout(2, lambda v: v.mT.contiguous(), lambda base, shape: base.mT),
    "offset": Layout(1, _offset, lambda base, shape: base[1:]),
    "strided": Layout(1, _strided, lambda base, shape: base[..., ::2]),
    "expanded": Layout(2, lambda v: v[:1].contiguous(), lambda base, shape: base.expand(shape)),
    "channels_last": Layout(
        4, lambda v: v.movedim(1, -1).contiguous(), lambda base, shape: base.movedim(-1, 1)
    ),
    "inplace-view": Layout(1, lambda v: _strided(_offset(v)), lambda base, shape: base[1:, ..., ::2]
                           if base.dim() > 1 else base[2::2]),
}  # fmt: skip


def layout_of(spec: Input, value: Tensor, variant: str) -> Layout | None:
    """The layout an input takes in a variant; None means contiguous."""
    layout = LAYOUTS.get(variant)
    if layout is None or value.dim() < layout.least:
        return None
    if variant == "expanded" and spec.role != "data":
        return None
    return layout


@functools.lru_cache(maxsize=8192)
def memory_of(spec: Input, variant: str, dtype: torch.dtype, seed: str) -> Tensor:
    """The memory of an input in a variant, on the CPU and never to be written to."""
    value = values(spec, variant, dtype, seed)
    layout = layout_of(spec, value, variant)
    return layout.pack(value) if layout else value


def place(spec: Input, variant: str, dtype: torch.dtype, seed: str, device: str) -> tuple[Tensor, Tensor]:
    """An input on a device, laid out as the variant says, and the memory it is a view of."""
    value = values(spec, variant, dtype, seed)
    base = memory_of(spec, variant, dtype, seed).to(device, copy=True)
    layout = layout_of(spec, value, variant)
    return (layout.view(base, tuple(value.shape)) if layout else base), base


def walk(value: Any, build: Callable[[Input], Any]) -> Any:
    """An argument with every input in it replaced by what `build` makes of it."""
    if isinstance(value, Input):
        return build(value)
    if isinstance(value, list):
        return [walk(part, build) for part in value]
    if isinstance(value, dict):
        return {name: walk(part, build) for name, part in value.items()}
    if type(value) is tuple:
        return tuple(walk(part, build) for part in value)
    return value
