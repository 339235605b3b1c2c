"""Judges any call: the same call on the CPU in float64 is right, unless it is random."""

from __future__ import annotations

import contextlib
import re
from typing import Callable, Iterator, Literal, Sequence

import torch
from torch import Tensor

from ..shapes import Judgement
from .comparison import OK, compare, compare_all, expected_dtype, first_failure, make_judgement, say_more, wrong
from .messages import readable

Run = Callable[[], "list[Tensor]"]
# What of the results is determined: their values; their shapes alone where memory is handed out as it is; of random
# numbers that they are finite, too.
Aspect = Literal["values", "shapes", "random"]
SEED = 20

# What these return is whatever the memory held.
UNINITIALISED = re.compile(r"(^|\.|_)empty(_|\.|$)|^resize_|^set_")


def promote(value: Tensor) -> Tensor:
    """A copy in the precision of the reference."""
    if value.is_floating_point():
        return value.detach().to(torch.float64, copy=True)
    return value.detach().to(torch.complex128) if value.is_complex() else value.detach().clone()


def precise_dtype(dtype: torch.dtype) -> torch.dtype:
    """The dtype the reference has instead of this one."""
    return torch.float64 if dtype.is_floating_point else torch.complex128 if dtype.is_complex else dtype


def fetch(values: Sequence[Tensor]) -> list[Tensor]:
    """Results on the CPU, as plain numbers in their places; bringing back waits for the device."""
    return [_make_plain(value.detach()).to("cpu") for value in values]


def _make_plain(value: Tensor) -> Tensor:
    if value.layout != torch.strided:
        value = value.to_dense()
    if value.is_quantized:
        value = value.dequantize()
    return value.resolve_conj().resolve_neg() if value.is_complex() or value.is_neg() else value


def compare_by_dtype(
    actual: list[Tensor], expected: list[Tensor], dtypes: Sequence[torch.dtype], device: str, slack: float
) -> Judgement:
    """Judge every result by its own dtype; the first that is not right decides."""
    if len(actual) != len(expected):
        return wrong("other_number_of_results", actual=len(actual), expected=len(expected))
    triples = zip(actual, expected, dtypes)
    judgements = (compare(_halve(result, dtype), right, dtype, device, slack) for result, right, dtype in triples)
    return first_failure(judgements, len(actual))


def _halve(result: Tensor, dtype: torch.dtype) -> Tensor:
    """complex64 for complex128, since `compare` expects the reference alone to have so many bits."""
    return result.to(torch.complex64) if dtype == result.dtype == torch.complex128 else result


def attempt(way: Run) -> list[Tensor]:
    """The CPU's results of a call; empty where it fails."""
    try:
        seed(SEED)
        return way()
    except Exception:
        return []


def required_dtypes(plain: list[Tensor], expected: list[Tensor], dtype: torch.dtype) -> list[torch.dtype]:
    """The dtypes the results must have: the CPU's own, or those that follow from the reference."""
    if len(plain) == len(expected):
        return [result.dtype for result in plain]
    return [expected_dtype(result.dtype, dtype) for result in expected]


def compare_shapes(actual: list[Tensor], expected: list[Tensor], *, finite: bool = True) -> Judgement:
    """Judge results whose values are not determined: by number, shape, and that they are finite where they must be."""
    shapes, required = [list(result.shape) for result in actual], [list(result.shape) for result in expected]
    if shapes != required:
        return wrong("other_shapes", actual=shapes, expected=required)
    for result, reference in zip(actual, expected) if finite else ():
        if result.is_floating_point() and bool(reference.isfinite().all()) and not bool(result.isfinite().all()):
            return make_judgement("nan", "random_not_finite", count=int((~result.isfinite()).sum()))
    return OK


def seed(number: int) -> None:
    """Seed the CPU alone: `torch.manual_seed` takes a millisecond to note a stack for each back end not yet used."""
    torch.default_generator.manual_seed(number)


@contextlib.contextmanager
def replace_manual_seed(other: Callable[[int], torch.Generator]) -> Iterator[None]:
    """Put another function in the place of `torch.manual_seed`, which samples of random operators call themselves."""
    original = torch.manual_seed
    torch.manual_seed = other  # type: ignore[assignment]  # its argument may have another name
    try:
        yield
    finally:
        torch.manual_seed = original


def differs(run: Run) -> bool:
    """Whether two runs with other seeds, which a call may not set back, differ: then values cannot be compared."""
    draws = []
    with replace_manual_seed(lambda number: torch.default_generator):
        for number in range(4):  # a few numbers drawn may be the same twice
            seed(number)
            draws.append(run())
    first = draws[0]
    return any(len(first) != len(again) or not all(map(_is_same, first, again)) for again in draws[1:])


def _is_same(first: Tensor, second: Tensor) -> bool:
    if first.shape != second.shape:
        return False
    return torch.equal(first, second) or bool(((first == second) | ((first != first) & (second != second))).all())


def judge(
    compute: Run,
    references: Sequence[Run],
    dtype: torch.dtype,
    device: str,
    *,
    slack: float = 1.0,
    touchy: bool = False,
    aspect: Aspect = "values",
) -> Judgement:
    """Outcome and detail of a call.

    `references` are ways to the reference, the most exact first, the last one in the dtypes of the call. `dtype` is
    that of most results; where they seem wrong, each is judged in the dtype that the last reference has. `touchy`: what
    the CPU computes in those dtypes is right too.
    """
    try:
        if touchy and device == "cpu":
            compute()  # the result of the CPU is right
            return OK
        expected, way = make_reference(references)
    except Exception as error:
        return make_judgement("skipped", "no_reference", error=readable(str(error)))
    seed(SEED)
    actual = compute()
    if aspect != "values":
        return compare_shapes(actual, expected, finite=aspect == "random")
    judgement = compare_all(actual, expected, dtype, device, slack)
    if judgement["outcome"] == "ok":
        return judgement
    plain = attempt(references[-1])
    dtypes = required_dtypes(plain, expected, dtype)
    judgement = compare_by_dtype(actual, expected, dtypes, device, slack)
    if judgement["outcome"] == "ok":
        return OK
    if touchy and plain and compare_by_dtype(actual, plain, dtypes, device, slack) == OK:
        return OK
    if differs(way):
        return compare_shapes(actual, expected)
    return say_more(judgement, "from_run_to_run") if differs(compute) else judgement


def make_reference(ways: Sequence[Run]) -> tuple[list[Tensor], Run]:
    """The first reference that the CPU can make, and the way to it; raises what the last one raises."""
    for way in ways[:-1]:
        if results := attempt(way):  # many kernels lack float64
            return results, way
    seed(SEED)
    return ways[-1](), ways[-1]
