"""The arguments of a recorded call as JSON, and back: tensors by shape, strides, offset and range, not by value."""

from __future__ import annotations

import math
from typing import Any, Callable, Iterator

import torch
from torch import Tensor

from ..shapes import TensorNumbers, TensorSpec
from .placement import DEVICE, HOST, Placements

FLOATS_BY_VALUE = 32  # up to so many floating point numbers are kept as they are
INTEGERS_BY_VALUE = 1024  # and integers, which may be offsets that rise, or indices without repetition
BITS_BY_VALUE = 1 << 17  # and masks
LARGEST = 1 << 26  # elements of storage a view may lie in; beyond, its offset is not kept
SAMPLE = 1 << 16  # numbers of which mean and spread are taken
DIGITS = bytes.maketrans(bytes((0, 1)), b"01")

Spec = Any  # JSON of any depth: lists, numbers, and objects with one key that says what they stand for
NAMED: dict[str, type] = {"dtype": torch.dtype, "layout": torch.layout, "memory_format": torch.memory_format}


class Encoder:
    """Writes the arguments of one call as JSON; a tensor that was written before is only referred to.

    Without `full`, only what makes two calls the same: everything but the numbers in their tensors.
    """

    def __init__(self, places: Placements | None = None, *, full: bool = True) -> None:
        self.places, self.full = places, full
        self.seen: dict[int, int] = {}

    def encode(self, value: Any) -> Spec:
        """An argument as JSON. TypeError for what has no spec."""
        if isinstance(value, Tensor):
            if id(value) in self.seen:
                return {"same": self.seen[id(value)]}
            self.seen[id(value)] = len(self.seen)
            return {"tensor": self.describe(value)}
        if isinstance(value, (list, tuple)):
            return [self.encode(part) for part in value]
        if isinstance(value, torch.device):
            return {"device": True}
        for name, kind in NAMED.items():
            if isinstance(value, kind):
                return {name: str(value).rpartition(".")[2]}
        if isinstance(value, complex):
            return {"complex": [value.real, value.imag]}
        if value is None or isinstance(value, torch.Generator):
            return None
        if isinstance(value, (bool, int, float, str)):
            return value
        raise TypeError(f"an argument of type {type(value).__name__} cannot be kept")

    def describe(self, tensor: Tensor) -> TensorSpec:
        """As `describe`, and where the tensor is if that is not on the device."""
        spec = describe(tensor, self.full)
        place = self.places.of(tensor) if self.places else None
        if place is not None and place.kind != DEVICE:
            spec["lives"] = "host" if place.kind == HOST else "loose"
        return spec


def specs_in(spec: Spec) -> Iterator[TensorSpec]:
    """The tensors of arguments."""
    if isinstance(spec, list):
        for part in spec:
            yield from specs_in(part)
    elif isinstance(spec, dict) and "tensor" in spec:
        yield spec["tensor"]


def describe(tensor: Tensor, full: bool) -> TensorSpec:
    """Shape, strides in elements, storage offset, dtype; the range of its numbers, or the numbers of a small one."""
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
        raise TypeError(f"a tensor of layout {tensor.layout} cannot be kept")
    layout: TensorSpec = {
        "shape": list(tensor.shape),
        "stride": list(tensor.stride()),
        "offset": int(tensor.storage_offset()),
        "dtype": str(tensor.dtype).rpartition(".")[2],
    }
    return {**layout, "grad": tensor.requires_grad, **_content(tensor.detach())} if full else layout


def _content(tensor: Tensor) -> TensorNumbers:
    if not tensor.numel() or tensor.is_complex():
        return {}
    floating = tensor.is_floating_point()
    if tensor.numel() <= (FLOATS_BY_VALUE if floating else INTEGERS_BY_VALUE):
        return {"values": tensor.flatten().tolist()}
    if tensor.dtype == torch.bool:  # as an index it decides the sizes of others
        kept = tensor.numel() <= BITS_BY_VALUE
        return {"bits": _bits(tensor)} if kept else {"trues": int(tensor.sum())}
    if floating:
        return _statistics(tensor)
    return {"low": int(tensor.min()), "high": int(tensor.max())}


def _statistics(tensor: Tensor) -> TensorNumbers:
    """Range, mean and spread of floating point numbers, the last two of some of them where they are many."""
    some = tensor.flatten()[:: max(1, tensor.numel() // SAMPLE)].to(torch.float64)
    low, high = map(float, torch.aminmax(tensor.to(torch.float32) if tensor.element_size() < 4 else tensor))
    if not (math.isfinite(low) and math.isfinite(high)):
        finite = tensor[tensor.isfinite()].to(torch.float64)
        some = some[some.isfinite()]
        if not some.numel():
            return {}
        low, high = float(finite.min()), float(finite.max())
    return {"low": low, "high": high, "mean": float(some.mean()), "std": float(some.std(unbiased=False))}


def build(spec: Spec, make: Callable[[TensorSpec], Tensor], device: str, tensors: list[Tensor] | None = None) -> Any:
    """An argument from its JSON; `make` gives the tensors, in their order, which are added to `tensors`."""
    tensors = [] if tensors is None else tensors
    if isinstance(spec, list):
        return [build(part, make, device, tensors) for part in spec]
    if not isinstance(spec, dict):
        return spec
    key, value = next(iter(spec.items()))
    if key == "tensor":
        tensors.append(make(value))
        return tensors[-1]
    if key == "same":
        return tensors[value]
    if key == "device":
        return torch.device(device)
    return complex(*value) if key == "complex" else getattr(torch, value)


def extent(spec: TensorSpec) -> int:
    """Elements of storage from the first to the last of a view."""
    if 0 in spec["shape"]:
        return 0
    return 1 + sum((int(size) - 1) * int(stride) for size, stride in zip(spec["shape"], spec["stride"]))


def fill_tensor(spec: TensorSpec, generator: torch.Generator) -> Tensor:
    """A contiguous tensor of the recorded shape on the CPU, with numbers like the recorded ones."""
    dtype: torch.dtype = getattr(torch, spec["dtype"])
    shape: list[int] = spec["shape"]
    if "values" in spec:
        return torch.tensor(spec["values"], dtype=dtype).reshape(shape)
    if dtype.is_complex:
        pairs: Tensor = torch.view_as_complex(torch.randn([*shape, 2], dtype=torch.float64, generator=generator))
        return pairs.to(dtype)
    if dtype == torch.bool:
        return _fill_mask(spec, shape, generator)
    if not dtype.is_floating_point:
        return _fill_integers(spec, shape, generator).to(dtype)
    drawn = torch.randn(shape, dtype=torch.float64, generator=generator)
    drawn = drawn.mul_(spec.get("std", 1.0)).add_(spec.get("mean", 0.0))
    # numbers beyond the recorded range may lie where an operator has no answer: a logarithm's below zero
    return drawn.clamp_(spec.get("low", -math.inf), spec.get("high", math.inf)).to(dtype)


def _bits(mask: Tensor) -> str:
    """A mask in hexadecimal, its first element first."""
    bytes_of = bytes(mask.flatten().to(torch.uint8).tolist())
    return f"{int(bytes_of.translate(DIGITS) or b'0', 2):x}"


def _fill_mask(spec: TensorSpec, shape: list[int], generator: torch.Generator) -> Tensor:
    """The recorded mask, or another with as many that are true."""
    count = math.prod(shape)
    if "bits" in spec:
        digits = f"{int(spec['bits'], 16):0{count}b}".encode()
        return torch.frombuffer(bytearray(digits), dtype=torch.uint8).eq(ord("1")).reshape(shape)
    mask = torch.zeros(count, dtype=torch.bool)
    mask[torch.randperm(count, generator=generator)[: spec.get("trues", count // 2)]] = True
    return mask.reshape(shape)


def _fill_integers(spec: TensorSpec, shape: list[int], generator: torch.Generator) -> Tensor:
    low, high = int(spec.get("low", 0)), int(spec.get("high", 0))
    drawn = torch.randint(low, high + 1, shape, generator=generator, dtype=torch.int64)
    if drawn.numel() > 1:
        drawn.view(-1)[0], drawn.view(-1)[-1] = low, high
    return drawn


def place_tensor(spec: TensorSpec, value: Tensor, device: str) -> Tensor:
    """A tensor with the recorded strides and offset on the device; numbers go where the view's elements lie."""
    offset = spec["offset"] if spec["offset"] + extent(spec) <= LARGEST else spec["offset"] % 64
    if not value.numel():
        return torch.empty_strided(spec["shape"], spec["stride"], dtype=value.dtype, device=device)
    # filled in on the CPU, so that the device has no other work than to receive it
    storage = torch.zeros(offset + extent(spec), dtype=value.dtype)
    view = storage.as_strided(spec["shape"], spec["stride"], offset)
    _write(view, value)
    return storage.to(device, copy=True).as_strided(spec["shape"], spec["stride"], offset)


def _write(view: Tensor, value: Tensor) -> None:
    """Copy; where a view has one element in several places, the last number stays."""
    for axis, stride in enumerate(view.stride()):
        if stride == 0 and view.shape[axis] > 1:
            view, value = view.narrow(axis, 0, 1), value.narrow(axis, 0, 1)
    try:
        view.copy_(value)
    except RuntimeError:  # elements that overlap otherwise, as the windows of unfold do
        index = torch.zeros(view.shape, dtype=torch.int64)
        for axis, (size, stride) in enumerate(zip(view.shape, view.stride())):
            index += (torch.arange(size) * stride).reshape([-1 if other == axis else 1 for other in range(view.dim())])
        base = view.as_strided([int(index.max()) + 1], [1], view.storage_offset())
        base[index.flatten()] = value.flatten()
