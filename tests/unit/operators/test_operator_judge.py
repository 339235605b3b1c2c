"""The judge: what counts as right, wrong and not finite."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.judgements import in_words
from mpsdoctor.worker.operators.catalogue.entry import Law
from mpsdoctor.worker.operators.comparison import (
    ACCELERATOR,
    OK,
    TOLERANCES,
    compare,
    compare_all,
    compare_distribution,
)
from mpsdoctor.worker.shapes import Judgement

OUTCOMES = {"ok", "wrong", "nan"}
DTYPES = [torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.bool, torch.complex64]


def judge(actual: torch.Tensor, expected: torch.Tensor, device: str = "cpu", slack: float = 1.0) -> Judgement:
    return in_words(compare(actual, expected, actual.dtype, device, slack))


def test_equal_values_are_right() -> None:
    """A float32 result that equals the float64 reference is ok."""
    assert judge(torch.tensor([1.0, -2.0]), torch.tensor([1.0, -2.0], dtype=torch.float64)) == OK


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize(("times", "outcome"), [(0.5, "ok"), (2.5, "wrong")])
def test_tolerance_follows_dtype(dtype: torch.dtype, times: float, outcome: str) -> None:
    """An error of half the relative tolerance passes and one of two and a half does not, in every dtype."""
    relative = TOLERANCES[dtype][0]
    actual = torch.full((4,), 64.0).to(dtype)
    expected = torch.full((4,), 64.0, dtype=torch.float64)
    expected[2] /= 1 + times * relative + 1e-5 / 64
    assert judge(actual, expected)["outcome"] == outcome


def test_accelerators_get_more_room() -> None:
    """An error that fails the self-test may pass on an accelerator, up to its own factor."""
    expected = torch.full((3,), 100.0, dtype=torch.float64)
    relative = TOLERANCES[torch.float32][0]
    near = torch.full((3,), 100.0 * (1 + 0.5 * relative * ACCELERATOR[torch.float32]))
    far = torch.full((3,), 100.0 * (1 + 1.5 * relative * ACCELERATOR[torch.float32]))
    assert judge(near, expected, "cpu")["outcome"] == "wrong"
    assert judge(near, expected, "mps")["outcome"] == "ok"
    assert judge(far, expected, "mps")["outcome"] == "wrong"


def test_slack_widens() -> None:
    """An entry's slack multiplies the tolerance."""
    actual, expected = torch.tensor([1.0001]), torch.tensor([1.0], dtype=torch.float64)
    assert judge(actual, expected)["outcome"] == "wrong"
    assert judge(actual, expected, slack=100.0)["outcome"] == "ok"


def test_cancelling_sums_are_judged_by_their_neighbours() -> None:
    """An element near zero among large ones carries the rounding of the large ones."""
    expected = torch.tensor([1e-6, 100.0, -100.0], dtype=torch.float64)
    assert judge(torch.tensor([6e-5, 100.0, -100.0]), expected) == OK
    assert judge(torch.tensor([6e-3, 100.0, -100.0]), expected)["outcome"] == "wrong"


def test_wrong_numbers_say_where_and_how_much() -> None:
    """The detail and the figures name the worst element."""
    expected = torch.zeros(2, 3, dtype=torch.float64) + 2
    actual = expected.to(torch.float32)
    actual[1, 2] = 3.0
    actual[0, 1] = 2.5
    judgement = judge(actual, expected)
    assert judgement["index"] == [1, 2]
    assert judgement["max_abs"] == pytest.approx(1.0)
    assert judgement["max_rel"] == pytest.approx(0.5)
    assert judgement["detail"].startswith("2 of 6 elements differ")


def test_not_finite_is_told_apart_from_wrong() -> None:
    """NaN or infinity where the reference has a number is `nan`, at its first place."""
    expected = torch.ones(2, 2, dtype=torch.float64)
    for bad in (math.nan, math.inf, -math.inf):
        judgement = judge(torch.tensor([[5.0, 1.0], [bad, 1.0]]), expected)
        assert (judgement["outcome"], judgement["index"]) == ("nan", [1, 0])


def test_the_same_infinities_and_nan_are_right() -> None:
    """What the reference has too is no fault, and the finite elements are still judged."""
    expected = torch.tensor([math.nan, math.inf, -math.inf, 1.0], dtype=torch.float64)
    assert judge(expected.float(), expected) == OK
    wrong = expected.float()
    wrong[3] = 2.0
    assert judge(wrong, expected)["index"] == [3]


def test_a_number_where_the_reference_has_none_is_wrong() -> None:
    """A finite number instead of NaN, or the other infinity, is wrong."""
    for reference, value in ((math.nan, 0.0), (math.inf, -math.inf), (math.inf, 1.0)):
        expected = torch.tensor([1.0, reference], dtype=torch.float64)
        assert judge(torch.tensor([1.0, value]), expected)["outcome"] in ("wrong", "nan")
        assert judge(torch.tensor([1.0, value]), expected)["index"] == [1]


def test_shape_and_dtype_must_agree() -> None:
    """Another shape or dtype is wrong, and the detail names both."""
    expected = torch.ones(2, 3, dtype=torch.float64)
    assert judge(torch.ones(3, 2), expected)["detail"] == "shape [3, 2], reference [2, 3]"
    other = in_words(compare(torch.ones(2, 3), expected, torch.float16, "cpu", 1.0))
    assert other["detail"] == "dtype torch.float32, reference torch.float16"
    assert compare(torch.ones(2), torch.ones(2, dtype=torch.int64), torch.float32, "cpu", 1.0)["outcome"] == "wrong"


def test_integers_must_be_exact() -> None:
    """Integers and booleans have no tolerance, beyond 2^53 either."""
    expected = torch.tensor([2**60, 5])
    assert judge(torch.tensor([2**60, 5]), expected) == OK
    assert judge(torch.tensor([2**60 + 1, 5]), expected)["index"] == [0]
    assert judge(torch.tensor([True]), torch.tensor([False]))["outcome"] == "wrong"


def test_complex_numbers_are_judged_by_part() -> None:
    """An error in the imaginary part alone is found."""
    expected = torch.tensor([1 + 2j, 3 - 1j], dtype=torch.complex128)
    assert judge(expected.to(torch.complex64), expected) == OK
    assert judge(torch.tensor([1 + 2j, 3 + 1j]), expected)["outcome"] == "wrong"


def test_empty_results_are_right() -> None:
    """There is nothing wrong with no elements."""
    assert judge(torch.ones(0, 3), torch.ones(0, 3, dtype=torch.float64)) == OK


def test_the_number_of_results_must_agree() -> None:
    """A call that returns one result too few is wrong; of several, the bad one is named."""
    one = torch.ones(2)
    assert compare_all([one], [one.double(), one.double()], torch.float32, "cpu", 1.0)["outcome"] == "wrong"
    judgement = in_words(compare_all([one, one * 2], [one.double(), one.double()], torch.float32, "cpu", 1.0))
    assert judgement["detail"].startswith("result 2 of 2: ")


def numbers() -> st.SearchStrategy[float]:
    return st.floats(width=32) | st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 1e30, 1e-40])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(numbers(), numbers()), max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_elements_does_not_matter(pairs: list[tuple[float, float]], random: Any) -> None:
    """Any permutation of the elements gets the same outcome."""
    shuffled = list(pairs)
    random.shuffle(shuffled)
    outcomes = []
    for rows in (pairs, shuffled):
        actual = torch.tensor([row[0] for row in rows], dtype=torch.float32)
        expected = torch.tensor([row[1] for row in rows], dtype=torch.float64)
        outcomes.append(judge(actual, expected)["outcome"])
    assert outcomes[0] == outcomes[1]


shapes = st.lists(st.integers(0, 3), max_size=4).map(tuple)


@settings(deadline=None, max_examples=150)
@given(shapes, shapes, st.sampled_from(DTYPES), st.sampled_from([*DTYPES, torch.float64]), numbers(), st.booleans())
def test_the_judge_never_raises(
    shape: tuple[int, ...], other: tuple[int, ...], actual: torch.dtype, expected: torch.dtype, fill: float, same: bool
) -> None:
    """Whatever comes back from a device gets an outcome in words: odd shapes, dtypes, infinities, other memory."""
    exact = actual in (torch.int64, torch.bool) or expected in (torch.int64, torch.bool)
    value = int(fill) if exact and math.isfinite(fill) and abs(fill) < 2**31 else (1 if exact else fill)
    left = torch.full(shape, value, dtype=torch.float64).to(actual)
    right = torch.full(shape if same else other, 1.0, dtype=torch.float64).to(expected)
    judgement = in_words(compare(left.permute(tuple(range(left.dim()))[::-1]), right, actual, "mps", 1.0))
    assert judgement["outcome"] in OUTCOMES
    assert bool(judgement["detail"]) == (judgement["outcome"] != "ok")


LAW = Law(0.5, 0.288675, 0.0, 1.0)


def test_a_distribution_is_accepted() -> None:
    """Uniform random numbers follow the law of uniform random numbers."""
    torch.manual_seed(1)
    assert compare_distribution(torch.rand(8192), LAW) == OK


@pytest.mark.parametrize(
    ("drawn", "word"),
    [
        (torch.rand(8192) * 0.5, "mean"),
        (torch.rand(8192) * 2 - 0.5, "smallest"),
        (torch.rand(8192) + 0.1, "largest"),
        (torch.full((8192,), 0.5), "standard deviation"),
        (torch.full((8192,), math.nan), "not finite"),
    ],
)
def test_another_distribution_is_not(drawn: torch.Tensor, word: str) -> None:
    """A wrong mean, spread or bound of random numbers is named."""
    judgement = in_words(compare_distribution(drawn, LAW))
    assert judgement["outcome"] in ("wrong", "nan")
    assert word in judgement["detail"]
