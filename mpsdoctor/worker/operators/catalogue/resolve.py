"""From an entry's dotted call to the function in this torch, or None where this torch has none."""

from __future__ import annotations

import functools
import re
from typing import Any, Callable

import torch

from . import calls
from .entry import Entry

ROOTS: dict[str, object] = {
    "torch": torch,
    "F": torch.nn.functional,
    "Tensor": torch.Tensor,
    "aten": torch.ops.aten,
    "calls": calls,
}


@functools.lru_cache(maxsize=None)
def resolve(call: str) -> Callable[..., Any] | None:
    """The function below `ROOTS` that a dotted path names."""
    first, *rest = call.split(".")
    target: Any = ROOTS[first]
    for name in rest:
        target = getattr(target, name, None)
        if target is None:
            return None
    function: Callable[..., Any] = target
    return function


def torch_version() -> tuple[int, int]:
    """Major and minor version of this torch; (0, 0) if its version says neither."""
    numbers = re.match(r"(\d+)\.(\d+)", str(torch.__version__))
    return (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)


def available(item: Entry) -> bool:
    """Whether this torch has an entry's call, as far as can be told without calling it."""
    return torch_version() >= item.since and resolve(item.call) is not None
