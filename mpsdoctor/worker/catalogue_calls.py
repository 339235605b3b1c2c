"""Lists what the catalogue's operators call on the CPU, forward and backward, for a prediction without a model."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from . import operators
from .calltree import record
from .catalogue import CATALOGUE
from .catalogue.entry import CONTIGUOUS, Entry, Input
from .catalogue.inputs import values
from .catalogue.resolve import available
from .operator_messages import readable


def calls(names: list[str] | None = None) -> dict[str, Any]:
    """The calls of catalogue entries in float32, by entry; None for all that this torch has.

    An entry is `{"op", "calls"}`, or `{"op", "failed"}` with what it raised.
    """
    wanted = CATALOGUE if names is None else {name: CATALOGUE[name] for name in names}
    return {name: of_entry(item) for name, item in wanted.items() if available(item) and "float32" in item.dtypes}


def of_entry(item: Entry) -> dict[str, Any]:
    try:
        return {"op": item.op, "calls": record(step(item))}
    except Exception as error:
        return {"op": item.op, "failed": readable(f"{type(error).__name__}: {error}")}


def step(item: Entry) -> Any:
    """The entry's call and its gradient, inputs already made."""
    direction = operators.BACKWARD if item.backward else operators.FORWARD
    case = operators.Case(item, torch.float32, CONTIGUOUS, direction)

    def make(one: Input, seed: str) -> Tensor:
        return values(one, CONTIGUOUS, torch.float32, seed).clone()

    args, kwargs, leaves = operators.arguments(case, make)

    def run() -> None:
        outputs = operators.flatten(case.function(*args, **kwargs), torch.float32)
        outputs = [one for one in outputs if one.requires_grad]
        if outputs and leaves:
            torch.autograd.grad(outputs, leaves, [torch.ones_like(one) for one in outputs], allow_unused=True)

    return run
