"""Operators that are made of others, by the dispatcher's own tables, and whether a device takes them apart otherwise.

What the CPU takes apart before autograd is seen by its parts. Another device may have a kernel for the whole, may lack
one for a part, so that it takes another way or none, and computes in float32 what the CPU does in float64. Then the
parts of the CPU say nothing about it.
"""

from __future__ import annotations

import functools
from typing import Collection, Iterable, NamedTuple

import torch

EXPLICIT = "CompositeExplicitAutograd"
NON_FUNCTIONAL = "CompositeExplicitAutogradNonFunctional"
IMPLICIT = "CompositeImplicitAutograd"
WIDE = frozenset({torch.float64, torch.complex128})
PROBE = "aten::add.Tensor"  # a back end without a kernel for it takes all operators through its fallback


class PartCall(NamedTuple):
    """An operator that a call is made of, as in `aten::add.Tensor`, and the dtypes of what it takes and gives."""

    op: str
    dtypes: frozenset[torch.dtype]


def has_kernel(op: str, key: str) -> bool:
    """Whether an operator has a kernel of its own under a dispatch key."""
    return bool(torch._C._dispatch_has_kernel_for_dispatch_key(op, key))


def composite_key(op: str) -> str | None:
    """The dispatch key under which an operator is declared as made of others; None where it is not."""
    if has_kernel(op, EXPLICIT):
        return EXPLICIT
    others = () if has_kernel(op, "CPU") else (NON_FUNCTIONAL, IMPLICIT)
    return next((key for key in others if has_kernel(op, key)), None)


def overloads(name: str) -> list[str]:
    """The overloads of an operator of torch's, as `aten::svd` and `aten::svd.U`; none where there is no such."""
    packet = getattr(torch.ops.aten, name, None)
    names: list[str] = packet.overloads() if isinstance(packet, torch._ops.OpOverloadPacket) else []  # type: ignore[no-untyped-call]
    full = ["aten::" + (name if overload == "default" else f"{name}.{overload}") for overload in names]
    return [op for op in full if torch._C._dispatch_has_kernel(op)]  # torch.ops shows TorchScript's own as well


@functools.lru_cache(maxsize=None)
def is_implicit(name: str) -> bool:
    """Whether every overload of an operator, and there is one, is taken apart before autograd."""
    known = overloads(name)
    return bool(known) and all(has_kernel(op, IMPLICIT) for op in known)


def is_whole_on(name: str, keys: Collection[str]) -> bool:
    """Whether a device has a kernel for what other devices take apart before autograd."""
    return any(has_kernel(op, IMPLICIT) and any(has_kernel(op, key) for key in keys) for op in overloads(name))


def keys_of(devices: Iterable[str]) -> list[str]:
    """The dispatch keys of devices; of those alone that register kernels by operator."""
    name = getattr(torch._C, "_dispatch_key_for_device", str.upper)
    keys = []
    for kind in {device.partition(":")[0] for device in devices} - {"cpu"}:
        try:
            keys += [key for key in [name(kind)] if has_kernel(PROBE, key)]
        except RuntimeError:  # no such device, or no such key
            continue
    return keys


def takes_another_way(
    name: str, inputs: Collection[torch.dtype], parts: Collection[PartCall], keys: Collection[str]
) -> bool:
    """Whether a device of one of these keys may not call what the CPU called for this operator."""
    if is_whole_on(name, keys):
        return True
    if WIDE.isdisjoint(inputs) and any(not WIDE.isdisjoint(part.dtypes) for part in parts):
        return True
    return any(not has_kernel(part.op, key) and composite_key(part.op) is None for part in parts for key in keys)
