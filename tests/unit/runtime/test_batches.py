"""The device at a batch size, from the batches that were measured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.runtime.batches import Estimate, judge_batch
from mpsdoctor.runtime.shapes import AtBatch


def row(batch: int, speedup: float, spread: float = 0.02, device: str = "mps") -> AtBatch:
    ends = [speedup / (1 + spread), speedup * (1 + spread)]
    return {"batch": batch, "device": device, "speedup": speedup, "ci95": ends}


SWEEP = [row(256, 4.0), row(16, 0.25), row(64, 1.0)]


@pytest.mark.parametrize(
    ("batch", "device", "speedup", "told"),
    [
        (16, "cpu", 0.25, "at batch 16 mps trains cnn at 0.25 times the CPU's speed (0.245 to 0.255), not clearly"),
        (32, "cpu", 0.5, "at batch 32, between the measured 16 and 64, mps trains cnn at 0.5 times"),
        (64, "cpu", 1.0, "at batch 64 mps trains cnn at 1 times"),
        (68, "cpu", 68 / 64, "(1.04 to 1.08), not clearly faster"),
        (70, "mps", 70 / 64, "(1.07 to 1.12)"),
        (128, "mps", 2.0, "at batch 128, between the measured 64 and 256, mps trains cnn at 2 times"),
        (256, "mps", 4.0, "at batch 256 mps"),
    ],
)
def test_between_two_batches_the_speed_is_on_a_line(batch: int, device: str, speedup: float, told: str) -> None:
    """On log axes; the device wins where the lower end read off is above 1.05, and the reason states the figures."""
    won, reason, warning = judge_batch(batch, "cnn", SWEEP)
    assert (won, warning) == (device, None)
    assert told in reason
    assert Estimate(batch, SWEEP).speedup == pytest.approx(speedup)


@pytest.mark.parametrize(
    ("batch", "device", "end"), [(1, "cpu", 16), (15, "cpu", 16), (257, "mps", 256), (10**6, "mps", 256)]
)
def test_beyond_the_range_the_nearest_end_answers(batch: int, device: str, end: int) -> None:
    """Nothing is extrapolated: the answer is that of the nearest batch, and the warning tells the range."""
    won, reason, warning = judge_batch(batch, "cnn", SWEEP)
    assert won == device
    assert f"at batch {end}, the nearest measured to {batch}, mps" in reason
    assert warning == (
        f"batch_size={batch} is beyond the batches of 'cnn' that were measured on mps (16 to 256), "
        f"so the answer is that of {end}"
    )


def test_one_batch_alone() -> None:
    """A single measured batch answers for itself without, and for all others with a warning."""
    assert judge_batch(8, "cnn", [row(8, 2.0)])[::2] == ("mps", None)
    assert "(8 alone)" in str(judge_batch(9, "cnn", [row(8, 2.0)])[2])


def test_the_more_reliable_accelerator_is_taken() -> None:
    """Of several accelerators the one whose lower end is highest, each by its own batches."""
    rows = [row(8, 3.0, spread=1.5), row(8, 2.0, device="cuda"), row(64, 9.0, device="mps")]
    assert judge_batch(8, "cnn", rows)[0] == "cuda"
    assert judge_batch(64, "cnn", rows)[0] == "mps"


POSITIVE = st.floats(min_value=0, exclude_min=True, allow_infinity=False) | st.integers(1, 10**20)
BATCHES = st.integers(1, 10**9)


@given(
    st.dictionaries(BATCHES, st.tuples(POSITIVE, st.lists(POSITIVE, min_size=2, max_size=2)), min_size=1, max_size=6),
    st.integers(1, 2**63 - 1),
)
def test_an_estimate_never_leaves_what_was_measured(sweep: dict[int, tuple[float, list[float]]], batch: int) -> None:
    """Whatever a profile may hold, nothing raises, and every figure lies between those of its two neighbours."""
    rows: list[AtBatch] = [
        {"batch": b, "device": "mps", "speedup": s, "ci95": sorted(ends)} for b, (s, ends) in sweep.items()
    ]
    found = Estimate(batch, rows)
    left, right = sorted(float(sweep[b][0]) for b in (found.left, found.right))
    assert left <= found.speedup <= right
    assert found.low <= found.high * (1 + 1e-12)
    won, _, warning = judge_batch(batch, "cnn", rows)
    assert won == ("mps" if found.low > 1.05 else "cpu")
    assert (warning is None) == (min(sweep) <= batch <= max(sweep))
