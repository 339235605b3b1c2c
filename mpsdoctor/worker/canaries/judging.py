"""Judges what a canary returned: against the reference, or by a limit."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

import torch
from torch import Tensor

from ..operators.comparison import OK, compare_numbers, first_failure, make_judgement, wrong
from ..shapes import Judgement

Rule = Dict[str, Any]  # of an entry: how, and the limits of that
COMPARED = ("close", "equal")
LIMITED = {"memory-growth": ("leak", "canary_grew"), "at-most": ("slow", "canary_slower")}


def tensors_of(returned: Any) -> List[Tensor]:
    """What a canary returned, on the CPU in double precision; complex numbers as pairs."""
    parts: Sequence[Any] = returned if isinstance(returned, (tuple, list)) else (returned,)
    return [_plain(part.detach().to("cpu")) for part in parts]


def _plain(value: Tensor) -> Tensor:
    return (torch.view_as_real(value.resolve_conj()) if value.is_complex() else value).double()


def judge(rule: Rule, actual: List[Tensor], expected: Optional[List[Tensor]]) -> Judgement:
    """Outcome and detail of what a canary returned."""
    how = rule["how"]
    if how == "raises":
        return wrong("canary_did_not_raise")
    if how in LIMITED:
        outcome, part = LIMITED[how]
        figure, limit = float(actual[0]), float(rule["limit"])
        return OK if figure <= limit else make_judgement(outcome, part, figure=figure, limit=limit)
    if how not in COMPARED or expected is None:
        return OK
    if len(actual) != len(expected):
        return wrong("other_number_of_results", actual=len(actual), expected=len(expected))
    judgements = (compare(result, right, *tolerance(rule)) for result, right in zip(actual, expected))
    return first_failure(judgements, len(actual))


def tolerance(rule: Rule) -> Tuple[float, float]:
    """Relative and absolute."""
    return float(rule.get("rtol", 0.0)), float(rule.get("atol", 0.0))


def compare(actual: Tensor, expected: Tensor, relative: float, absolute: float) -> Judgement:
    """Judge one result."""
    if actual.shape != expected.shape:
        return wrong("other_shape", actual=list(actual.shape), expected=list(expected.shape))
    return compare_numbers(actual, expected, relative, absolute)


def are_alike(first: List[Tensor], second: List[Tensor]) -> bool:
    """Whether two runs returned the same numbers, NaN in the same places."""
    return len(first) == len(second) and all(_is_same(a, b) for a, b in zip(first, second))


def _is_same(first: Tensor, second: Tensor) -> bool:
    return first.shape == second.shape and bool(((first == second) | (first.isnan() & second.isnan())).all())
