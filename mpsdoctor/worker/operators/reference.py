"""Judges a call that somebody else made up: the same call on the CPU in float64 is right, unless it is random."""

from __future__ import annotations

import contextlib
import re
from typing import Any, Callable, Iterator, Sequence

import torch
from torch import Tensor

from .comparison import OK, compare, compare_all, expected_dtype, wrong
from .messages import readable

Run = Callable[[], "list[Tensor]"]
SEED = 20

# What these return is whatever the memory held.
UNINITIALISED = re.compile(r"(^|\.|_)empty(_|\.|$)|^resize_|^set_")


def promoted(value: Tensor) -> Tensor:
    """A copy in the precision of the reference."""
    if value.is_floating_point():
        return value.detach().to(torch.float64, copy=True)
    return value.detach().to(torch.complex128) if value.is_complex() else value.detach().clone()


def precise(dtype: torch.dtype) -> torch.dtype:
    """The dtype the reference has instead of this one."""
    return torch.float64 if dtype.is_floating_point else torch.complex128 if dtype.is_complex else dtype


def fetched(values: Sequence[Tensor]) -> list[Tensor]:
    """Results on the CPU, as plain numbers in their places; bringing back waits for the device."""
    return [_plain(one.detach()).to("cpu") for one in values]


def _plain(value: Tensor) -> Tensor:
    if value.layout != torch.strided:
        value = value.to_dense()
    if value.is_quantized:
        value = value.dequantize()
    return value.resolve_conj().resolve_neg() if value.is_complex() or value.is_neg() else value


def compare_each(
    actual: list[Tensor], expected: list[Tensor], dtypes: Sequence[torch.dtype], device: str, slack: float
) -> dict[str, Any]:
    """Judge every result by its own dtype; the first that is not right decides."""
    if len(actual) != len(expected):
        return wrong(f"{len(actual)} results, reference {len(expected)}")
    for place, (one, reference, dtype) in enumerate(zip(actual, expected, dtypes)):
        # the judge expects the reference alone to have so many bits
        halved = one.to(torch.complex64) if dtype == one.dtype == torch.complex128 else one
        verdict = compare(halved, reference, dtype, device, slack)
        if verdict["outcome"] != "ok":
            where = f"result {place + 1} of {len(actual)}: " if len(actual) > 1 else ""
            return {**verdict, "detail": where + verdict["detail"]}
    return OK


def attempted(way: Run) -> list[Tensor]:
    """What the CPU makes of a call; empty where it cannot."""
    try:
        seed(SEED)
        return way()
    except Exception:
        return []


def owed(plain: list[Tensor], expected: list[Tensor], dtype: torch.dtype) -> list[torch.dtype]:
    """The dtypes the results must have: the CPU's own, or those that follow from the reference."""
    if len(plain) == len(expected):
        return [one.dtype for one in plain]
    return [expected_dtype(one.dtype, dtype) for one in expected]


def alike(actual: list[Tensor], expected: list[Tensor], *, finite: bool = True) -> dict[str, Any]:
    """Judge results whose values are not determined: by number, shape, and that they are finite where they must be."""
    if [one.shape for one in actual] != [one.shape for one in expected]:
        shapes = [list(one.shape) for one in actual]
        return wrong(f"shapes {shapes}, reference {[list(one.shape) for one in expected]}")
    for one, reference in zip(actual, expected) if finite else ():
        if one.is_floating_point() and bool(reference.isfinite().all()) and not bool(one.isfinite().all()):
            return {"outcome": "nan", "detail": f"{int((~one.isfinite()).sum())} random numbers are not finite"}
    return OK


def seed(number: int) -> None:
    """Seed the CPU alone: `torch.manual_seed` takes a millisecond to note a stack for each back end not yet used."""
    torch.default_generator.manual_seed(number)


@contextlib.contextmanager
def manual_seed_is(other: Callable[[int], torch.Generator]) -> Iterator[None]:
    """Put another function in the place of `torch.manual_seed`, which samples of random operators call themselves."""
    original = torch.manual_seed
    torch.manual_seed = other  # type: ignore[assignment]  # its argument may have another name
    try:
        yield
    finally:
        torch.manual_seed = original


def differs(run: Run) -> bool:
    """Whether two runs with other seeds, which a call may not set back, differ: then values cannot be compared."""
    found = []
    with manual_seed_is(lambda number: torch.default_generator):
        for number in range(4):  # a few numbers drawn may be the same twice
            seed(number)
            found.append(run())
    first = found[0]
    return any(len(first) != len(again) or not all(map(_same, first, again)) for again in found[1:])


def _same(one: Tensor, other: Tensor) -> bool:
    if one.shape != other.shape:
        return False
    return torch.equal(one, other) or bool(((one == other) | ((one != one) & (other != other))).all())


def judge(
    compute: Run,
    refer: Sequence[Run],
    dtype: torch.dtype,
    device: str,
    *,
    slack: float = 1.0,
    touchy: bool = False,
    told: str = "values",
) -> dict[str, Any]:
    """Outcome and detail of a call.

    `refer` are ways to the reference, the most exact first, the last one in the dtypes of the call. `dtype` is that
    of most results; where they seem wrong, the last reference tells the dtype of each. `touchy`: what the CPU makes
    of it in those dtypes is right too. `told` is what the results tell: "values", "shapes" alone where memory is
    handed out as it is, "random" numbers.
    """
    try:
        if touchy and device == "cpu":
            compute()  # what it makes of it is right
            return OK
        expected, found = refer_to(refer)
    except Exception as error:
        return {"outcome": "skipped", "detail": readable(f"no reference on the CPU: {error}")}
    seed(SEED)
    actual = compute()
    if told != "values":
        return alike(actual, expected, finite=told == "random")
    verdict = compare_all(actual, expected, dtype, device, slack)
    if verdict["outcome"] == "ok":
        return verdict
    plain = attempted(refer[-1])
    dtypes = owed(plain, expected, dtype)
    verdict = compare_each(actual, expected, dtypes, device, slack)
    if verdict["outcome"] == "ok" or (touchy and plain and compare_each(actual, plain, dtypes, device, slack) == OK):
        return OK
    if differs(found):
        return alike(actual, expected)
    return {**verdict, "detail": verdict["detail"] + ("; differs from run to run" if differs(compute) else "")}


def refer_to(ways: Sequence[Run]) -> tuple[list[Tensor], Run]:
    """The first reference that the CPU can make, and the way to it; raises what the last one raises."""
    for way in ways[:-1]:
        if found := attempted(way):  # many kernels lack float64; the last way tells
            return found, way
    seed(SEED)
    return ways[-1](), ways[-1]
