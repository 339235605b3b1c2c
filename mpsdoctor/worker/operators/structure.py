"""The arguments of a sample: tensors in lists, tuples and dicts of any depth."""

from __future__ import annotations

from typing import Any, Callable

from torch import Tensor

PLAIN = frozenset({int, float, bool, str, type(None)})


def copy_tensor(value: Any) -> Any:
    return value.detach().clone() if isinstance(value, Tensor) else value


def convert_once(memo: dict[int, Tensor], convert: Callable[[Any], Any], value: Any) -> Any:
    """Convert an argument; one tensor in two places stays one."""
    if not isinstance(value, Tensor):
        return convert(value)
    if id(value) not in memo:
        memo[id(value)] = convert(value).requires_grad_(value.requires_grad)
    return memo[id(value)]


def find_leaves(value: Any) -> list[Tensor]:
    """The tensors in a structure that need a gradient, without repetitions."""
    leaves: dict[int, Tensor] = {}

    def visit(part: Any) -> Any:
        if isinstance(part, Tensor) and part.requires_grad:
            leaves[id(part)] = part
        return part

    walk(value, visit)
    return list(leaves.values())


def walk(value: Any, visit: Callable[[Any], Any]) -> Any:
    """The same structure, all but lists, tuples, dicts and plain values replaced by what `visit` makes of them."""
    kind = type(value)
    if kind is Tensor:
        return visit(value)
    if kind in PLAIN:
        return value
    if kind is tuple or kind is list:
        return kind([part if type(part) in PLAIN else walk(part, visit) for part in value])
    if kind is dict:
        return {key: walk(part, visit) for key, part in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return kind(*[walk(part, visit) for part in value])
    return visit(value)
