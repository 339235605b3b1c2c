"""Which batch size is tried next, and what a device may take: without a clock, a device or a process."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.machine.shapes import MemoryFacts
from mpsdoctor.worker.shapes import MemoryLimits
from mpsdoctor_checks.training import batch_limits, batch_plan
from mpsdoctor_checks.training.batch_plan import MOST, START, Tried

GIB = 1 << 30
NOTHING: MemoryLimits = {"recommended_bytes": None, "free_bytes": None}


def find(base: int, each: int, limit: int, *, told: bool = True, dies_at: int = MOST + 1) -> list[Tried]:
    """All sizes that are tried where a batch takes `base + each * batch` bytes; a device that does not tell dies."""
    tries: list[Tried] = []
    while (batch := batch_plan.choose(tries, limit if told else None).batch) is not None:
        taken = base + each * batch
        died = batch >= dies_at or (not told and taken > limit)
        tries.append(Tried(batch, not died and taken <= limit, None if died else taken))
        assert len(tries) < 60
    return tries


@given(
    base=st.integers(0, 4 * GIB), each=st.integers(1 << 10, 64 << 20), room=st.integers(0, 64 * GIB), told=st.booleans()
)
def test_the_largest_size_is_found_within_an_eighth(base: int, each: int, room: int, told: bool) -> None:
    """Whether the limit is known or met by dying, the answer fits and the true largest one is at most 1/8 larger."""
    limit = base + room
    answer, true = batch_plan.largest(find(base, each, limit, told=told)), min(room // each, MOST)
    assert answer <= true <= answer + max(1, answer // batch_plan.CLOSE)


@given(base=st.integers(0, 4 * GIB), each=st.integers(1 << 10, 64 << 20), room=st.integers(0, 64 * GIB))
def test_what_would_swap_is_not_tried(base: int, each: int, room: int) -> None:
    """Once two sizes are measured, growth that is even rules out each size that takes more than the limit."""
    tries = find(base, each, base + room)
    assert all(tried.fits for tried in tries[2:] if tried.batch > START)


@given(dies_at=st.integers(1, MOST))
def test_a_size_that_dies_bounds_the_answer(dies_at: int) -> None:
    """What kills the worker whatever the memory is closed in upon from below."""
    answer = batch_plan.largest(find(0, 1, 64 * GIB, dies_at=dies_at))
    assert answer < dies_at <= answer + max(1, answer // batch_plan.CLOSE) + 1


def test_a_jump_between_small_sizes_rules_nothing_out_for_good() -> None:
    """A workspace that is taken once looks like steep growth; the next measured size corrects it."""
    tries: list[Tried] = []
    limit = 300 << 20
    while (batch := batch_plan.choose(tries, limit).batch) is not None:
        taken = (batch << 10) + ((200 << 20) if batch > START else 0)
        tries.append(Tried(batch, taken <= limit, taken))
    answer = batch_plan.largest(tries)
    assert answer >= (100 << 10) * 8 // 9


def test_the_size_that_growth_rules_out_is_told() -> None:
    """With the bytes that it would take, for the report."""
    tries = [Tried(8, True, 8 << 20), Tried(16, True, 16 << 20)]
    assert batch_plan.choose(tries, 17 << 20) == (None, (18, 18 << 20))


@pytest.mark.parametrize(
    ("device", "told", "memory", "limit"),
    [
        ("mps", {"recommended_bytes": 10 * GIB}, {"available_bytes": 20 * GIB}, (10 * GIB, "recommended")),
        (
            "mps",
            {"recommended_bytes": 10 * GIB},
            {"available_bytes": 20 * GIB, "wired_limit_bytes": 8 * GIB},
            (8 * GIB, "wired"),
        ),
        ("mps", {"recommended_bytes": 10 * GIB}, {"wired_limit_bytes": 0}, (10 * GIB, "recommended")),
        ("mps", {"recommended_bytes": 10 * GIB}, {"available_bytes": 4 * GIB}, (int(3.8 * GIB), "available")),
        ("cpu", {}, {"available_bytes": 20 * GIB, "limit_bytes": 2 * GIB}, (2 * GIB, "container")),
        ("cuda:0", {"free_bytes": 7 * GIB}, {"available_bytes": GIB}, (7 * GIB, "device")),
        ("xpu", {}, {"available_bytes": GIB}, (None, None)),
    ],
)
def test_the_least_limit_counts(
    device: str, told: dict[str, int], memory: MemoryFacts, limit: tuple[int | None, str | None]
) -> None:
    """On a Mac the recommended maximum, the wired limit and what is available; elsewhere what the device has free."""
    assert batch_limits.of_device(device, {**NOTHING, **told}, memory) == limit  # type: ignore[typeddict-item]


def test_what_a_person_gives_counts_too() -> None:
    """A smaller limit of one's own wins."""
    assert batch_limits.of_device("cpu", NOTHING, {"available_bytes": GIB}, 1 << 20) == (1 << 20, "given")


def test_a_little_swapping_is_no_sign() -> None:
    """Any system moves a few MiB out now and then; where nothing is counted nothing is said."""
    assert batch_limits.swapped_bytes({"swap_out_bytes": 0}, {"swap_out_bytes": 32 << 20}) == 0
    assert batch_limits.swapped_bytes({"swap_out_bytes": 0}, {"swap_out_bytes": 2 * GIB}) == 2 * GIB
    assert batch_limits.swapped_bytes({"swap_out_bytes": None}, {"swap_out_bytes": 2 * GIB}) == 0
