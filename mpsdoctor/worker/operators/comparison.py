"""Compares what a device computed with the reference: values, not-finite numbers, shapes, dtypes, distributions."""

from __future__ import annotations

import math
from typing import Any, Iterable

import torch
from torch import Tensor

from ..shapes import Judgement
from .catalogue.entry import Law

# Relative and absolute tolerance by dtype, those of torch.testing.assert_close.
TOLERANCES: dict[torch.dtype, tuple[float, float]] = {
    torch.float64: (1e-7, 1e-7),
    torch.float32: (1.3e-6, 1e-5),
    torch.float16: (1e-3, 1e-5),
    torch.bfloat16: (1.6e-2, 1e-5),
}
# An accelerator adds in another order, multiplies in blocks and approximates exp, tanh and their like; PyTorch's
# own tests allow MPS 23 times the relative tolerance in float32 (3e-5) and 10 in float16 (1e-2), and no known
# bug stays within these.
ACCELERATOR: dict[torch.dtype, float] = {torch.float32: 20.0, torch.float16: 8.0, torch.bfloat16: 2.0}
# The formula of a gradient has several steps, and half types round each.
GRADIENT: dict[torch.dtype, float] = {torch.float16: 4.0, torch.bfloat16: 4.0}
DRAWN = 6.0  # standard errors a mean of random numbers may be off: one in a thousand million
SPREAD = 0.1  # how far a standard deviation of 8,192 numbers may be off; its own error is about a hundredth

OK: Judgement = {"outcome": "ok", "detail": ""}


def make_judgement(outcome: str, part: str, **values: Any) -> Judgement:
    """A judgement whose detail is a sentence of the doctor's, by its name and with what it is filled with."""
    return {"outcome": outcome, "detail": "", "detail_values": {"part": part, "values": values}}


def wrong(part: str, **values: Any) -> Judgement:
    """The judgement of a result that differs from the reference; see `make_judgement`."""
    return make_judgement("wrong", part, **values)


def say_more(judgement: Judgement, part: str, **values: Any) -> Judgement:
    """The same with another sentence, in which that of the judgement is the value `what`."""
    sentence = {"part": part, "values": {**values, "what": judgement["detail_values"]}}
    return {**judgement, "detail_values": sentence}


def expected_dtype(reference: torch.dtype, dtype: torch.dtype) -> torch.dtype:
    """The dtype a probe's result must have where the float64 reference has this one."""
    if reference == torch.float64 and dtype.is_floating_point:
        return dtype
    if reference == torch.complex128:
        return torch.complex64
    return reference


def tolerance(dtype: torch.dtype, device: str, slack: float) -> tuple[float, float]:
    """Relative and absolute tolerance of a result of this dtype."""
    relative, absolute = TOLERANCES.get(dtype, TOLERANCES[torch.float32])
    factor = slack * (1.0 if device == "cpu" else ACCELERATOR.get(dtype, 1.0))
    return relative * factor, absolute * factor


def position(flat: int, shape: torch.Size) -> list[int]:
    """The index of an element from its place in the flattened tensor."""
    index = []
    for size in reversed(shape):
        flat, place = divmod(flat, size)
        index.append(place)
    return index[::-1]


def _compare_not_finite(actual: Tensor, expected: Tensor) -> Judgement | None:
    """The judgement of infinities and NaN that only one of both has; None if they have the same."""
    lost = expected.isfinite() & ~actual.isfinite()
    if bool(lost.any()):
        first = position(int(lost.flatten().to(torch.uint8).argmax()), lost.shape)
        values = {"count": int(lost.sum()), "total": lost.numel(), "place": first}
        return {**make_judgement("nan", "elements_not_finite", **values), "index": first}
    same = (actual == expected) | (actual.isnan() & expected.isnan()) | expected.isfinite()
    if bool(same.all()):
        return None
    first = position(int((~same).flatten().to(torch.uint8).argmax()), same.shape)
    # As text, for one of both is a number that JSON lacks.
    both = {"actual": str(_at(actual, first)), "expected": str(_at(expected, first))}
    return {**wrong("element_not_finite", place=first, **both), "index": first}


def _at(values: Tensor, place: list[int]) -> float:
    return float(values[tuple(place)])


def _describe_worst(actual: Tensor, expected: Tensor, difference: Tensor, excess: Tensor) -> Judgement:
    first = position(int(excess.flatten().argmax()), excess.shape)
    largest, relative = float(difference.max()), float((difference / expected.abs().clamp_min(1e-30)).max())
    judgement = wrong(
        "elements_differ",
        count=int((excess > 0).sum()),
        total=excess.numel(),
        largest=largest,
        relative=relative,
        place=first,
        actual=_at(actual, first),
        expected=_at(expected, first),
    )
    return {**judgement, "max_abs": largest, "max_rel": relative, "index": first}


def compare_numbers(actual: Tensor, expected: Tensor, relative: float, absolute: float) -> Judgement:
    """Judge real numbers of one shape; both float64.

    Relative tolerance is taken of the element or of the mean size of all, whichever is larger: a sum that cancels
    carries the rounding of its terms.
    """
    if not expected.numel():
        return OK
    # Most are within what even the smallest element may be off, and this costs a fifth of looking at each.
    largest = float((actual - expected).abs_().max())
    if largest <= absolute:
        return OK
    mean = float(torch.linalg.vector_norm(expected, 1)) / expected.numel()
    if largest <= relative * mean + absolute < math.inf:
        return OK
    judgement = _compare_not_finite(actual, expected)
    if judgement:
        return judgement
    finite = expected.isfinite()
    zero = torch.zeros_like(expected)
    actual, expected = torch.where(finite, actual, zero), torch.where(finite, expected, zero)
    mean = float(expected.abs().sum() / finite.sum().clamp_min(1))
    difference = (actual - expected).abs()
    excess = difference - (expected.abs().clamp(min=mean) * relative + absolute)
    return OK if bool((excess <= 0).all()) else _describe_worst(actual, expected, difference, excess)


def compare(actual: Tensor, expected: Tensor, dtype: torch.dtype, device: str, slack: float) -> Judgement:
    """Judge one result against its reference; both on the CPU, `dtype` is the probe's."""
    if actual.shape != expected.shape:
        return wrong("other_shape", actual=list(actual.shape), expected=list(expected.shape))
    required = expected_dtype(expected.dtype, dtype)
    if actual.dtype != required:
        return wrong("other_dtype", actual=str(actual.dtype), expected=str(required))
    if required.is_complex:
        actual, expected = torch.view_as_real(actual.resolve_conj()), torch.view_as_real(expected.resolve_conj())
        required = torch.float32
    if required.is_floating_point:
        relative, absolute = tolerance(required, device, slack)
        return compare_numbers(actual.double(), expected.double(), relative, absolute)
    if torch.equal(actual, expected):
        return OK
    different = actual != expected
    first = position(int(different.flatten().to(torch.uint8).argmax()), different.shape)
    counts = {"count": int(different.sum()), "total": different.numel()}
    both = {"actual": _at(actual, first), "expected": _at(expected, first)}
    return {**wrong("exact_elements_differ", place=first, **counts, **both), "index": first}


def compare_all(
    actual: list[Tensor], expected: list[Tensor], dtype: torch.dtype, device: str, slack: float
) -> Judgement:
    """Judge every result of a call; the first that is not right decides."""
    if len(actual) != len(expected):
        return wrong("other_number_of_results", actual=len(actual), expected=len(expected))
    judgements = (compare(result, reference, dtype, device, slack) for result, reference in zip(actual, expected))
    return first_failure(judgements, len(actual))


def first_failure(judgements: Iterable[Judgement], count: int) -> Judgement:
    """The first judgement of `count` results that is not ok, with the number of the result."""
    for place, judgement in enumerate(judgements):
        if judgement["outcome"] != "ok":
            return say_more(judgement, "result_of_several", number=place + 1, results=count) if count > 1 else judgement
    return OK


def compare_distribution(drawn: Tensor, law: Law) -> Judgement:
    """Judge random numbers by mean, standard deviation and bounds."""
    numbers = drawn.to(torch.float64).flatten()
    if not bool(numbers.isfinite().all()):
        return make_judgement("nan", "random_not_finite", count=int((~numbers.isfinite()).sum()))
    low, high, mean, std = map(float, (numbers.min(), numbers.max(), numbers.mean(), numbers.std()))
    coarse = torch.finfo(drawn.dtype).eps if drawn.dtype.is_floating_point else 0.0
    if law.low is not None and low < law.low - coarse * abs(law.low):
        return wrong("random_too_small", smallest=low, bound=law.low)
    if law.high is not None and high > law.high + coarse * abs(law.high):
        return wrong("random_too_large", largest=high, bound=law.high)
    if abs(mean - law.mean) > DRAWN * law.std / math.sqrt(numbers.numel()) + coarse * (abs(law.mean) + law.std):
        return wrong("random_mean", mean=mean, expected=law.mean)
    if abs(std - law.std) > SPREAD * law.std:
        return wrong("random_deviation", deviation=std, expected=law.std)
    return OK
