"""Listening to functions of torch: a call is told of, and answered as ever; and what counts as a step or no step."""

from __future__ import annotations

import functools
from typing import Any, Callable

VALIDATION, CHECKPOINT, EPOCH = "validation", "checkpoint", "epoch"  # what interrupts a training
USUAL = 0.2  # of the steps: what comes more often is part of a training step and no interruption
WITHOUT_OPTIMIZER = 3  # backward passes, after which they count as the steps where no optimizer was made


def opaque(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that torch.compile leaves alone."""
    function._torchdynamo_disable = True  # type: ignore[attr-defined]
    return function


def wrap(owner: Any, name: str, before: Callable[..., object]) -> None:
    """Call `before` with the arguments of each call; what a torch does not have is left alone."""
    original = getattr(owner, name, None)
    if original is None:
        return

    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        before(*args, **kwargs)
        return original(*args, **kwargs)

    setattr(owner, name, opaque(wrapper) if name in ("backward", "save") else wrapper)


def wrap_after(owner: Any, name: str, after: Callable[..., object]) -> None:
    """Call `after` with what each call answers, and its arguments; what a torch does not have is left alone."""
    original = getattr(owner, name, None)
    if original is None:
        return

    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        answer = original(*args, **kwargs)
        after(answer, *args)
        return answer

    setattr(owner, name, wrapper)
