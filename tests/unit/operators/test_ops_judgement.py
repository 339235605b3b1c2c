"""The judge of calls that are not in the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from helpers.judgements import in_words
from mpsdoctor.worker.operators import probes, reference
from mpsdoctor.worker.shapes import Judgement

EXACT = torch.linspace(1, 2, 50, dtype=torch.float64)


def judge(compute: Callable[[], Tensor], *ways: Callable[[], Tensor], **more: Any) -> Judgement:
    ways = ways or (lambda: EXACT, EXACT.float)
    references = [lambda way=way: [way()] for way in ways]
    return in_words(reference.judge(lambda: [compute()], references, torch.float32, "sim", **more))


def fails() -> Tensor:
    raise RuntimeError("not implemented for 'Double'")


def test_right_numbers_are_ok() -> None:
    """Numbers within the tolerance of the float64 reference are right."""
    assert judge(EXACT.float)["outcome"] == "ok"


def test_wrong_numbers_are_wrong() -> None:
    """Numbers further off are wrong, and the same in a second run."""
    judgement = judge(lambda: EXACT.float() * 1.01)
    assert judgement["outcome"] == "wrong"
    assert "run to run" not in judgement["detail"]


def test_numbers_that_change_are_told() -> None:
    """Wrong numbers that differ from run to run are said to."""
    assert "differs from run to run" in judge(lambda: EXACT.float() + torch.rand(50))["detail"]


def test_random_results_are_not_compared() -> None:
    """Where the reference itself is random, shape and finiteness decide."""
    draw = lambda: torch.rand(50)  # noqa: E731
    assert judge(lambda: torch.rand(50) + 1, draw)["outcome"] == "ok"
    assert judge(lambda: torch.full((50,), torch.nan), draw)["outcome"] == "nan"
    assert judge(lambda: torch.rand(49), draw)["outcome"] == "wrong"


def test_a_random_call_that_seeds_torch_itself_is_found_out() -> None:
    """Samples of PyTorch's database seed torch in the call; that does not make them determined."""

    def draw() -> Tensor:
        torch.manual_seed(42)
        return torch.rand(50)

    assert judge(lambda: torch.rand(50), draw)["outcome"] == "ok"


def test_the_next_reference_serves_where_float64_is_missing() -> None:
    """An operator without a float64 kernel is compared with the CPU's own dtype."""
    assert judge(EXACT.float, fails, EXACT.float)["outcome"] == "ok"
    assert judge(lambda: EXACT.float() * 2, fails, EXACT.float)["outcome"] == "wrong"


def test_without_a_reference_nothing_is_said() -> None:
    """A call that the CPU cannot make at all is skipped, with the reason."""
    judgement = judge(EXACT.float, fails)
    assert judgement["outcome"] == "skipped"
    assert "Double" in judgement["detail"]


def test_a_dtype_that_the_cpu_gives_too_is_right() -> None:
    """The last reference tells which dtype each result owes."""
    assert judge(EXACT.half, lambda: EXACT, EXACT.half)["outcome"] == "ok"
    assert judge(EXACT.half, lambda: EXACT, EXACT.float)["outcome"] == "wrong"


def test_touchy_calls_may_agree_with_the_cpu() -> None:
    """Where float32 is far from float64 already on the CPU, a device that agrees with the CPU is right."""
    off = lambda: EXACT.float() + 0.1  # noqa: E731
    assert judge(off, lambda: EXACT, off)["outcome"] == "wrong"
    assert judge(off, lambda: EXACT, off, touchy=True)["outcome"] == "ok"
    assert judge(off, lambda: EXACT, EXACT.float, touchy=True)["outcome"] == "wrong"


def test_touchy_calls_on_the_cpu_are_only_run() -> None:
    """What the CPU makes of such a call is right; what it cannot make is skipped, as for any device."""
    cases: tuple[tuple[Callable[[], Tensor], str], ...] = ((lambda: EXACT.float() + 0.1, "ok"), (fails, "skipped"))
    for compute, outcome in cases:
        judgement = reference.judge(lambda: [compute()], [lambda: [EXACT]], torch.float32, "cpu", touchy=True)  # noqa: B023  # called at once
        assert judgement["outcome"] == outcome


def test_what_a_call_raises_is_its_outcome() -> None:
    """A missing kernel is told from an error, and a warning of the fallback from a right result."""

    def raises() -> Judgement:
        raise NotImplementedError("The operator 'aten::x' is not currently implemented for the MPS device.")

    def warns() -> Judgement:
        import warnings

        warnings.warn("The operator 'aten::x' will fall back to run on the CPU", stacklevel=1)
        return {"outcome": "ok", "detail": ""}

    assert probes.judge_safely("mps", raises)["outcome"] == "unimplemented"
    assert probes.judge_safely("mps", warns)["outcome"] == "fallback"
    assert probes.judge_safely("cpu", warns)["outcome"] == "ok"
