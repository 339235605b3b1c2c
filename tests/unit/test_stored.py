"""What the screen says of scripts and steps that the profile holds."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.trainer import sample
from mpsdoctor.runtime import profile
from mpsdoctor.tui import stored

WON = {"device": "mps", "speedup": 1.97, "ci95": [1.9, 2.04]}
SIZES = {"largest": 448, "settled": False, "fastest": 128, "samples_per_s": 5100.0}


def content(entry: dict[str, Any] | None = None, **more: Any) -> Any:
    return profile.validate(sample(workloads={"mine": {"step": entry}} if entry else {}, **more))


def described(found: stored.Stored, *stale: str) -> list[str]:
    return [piece if isinstance(piece, str) else str(piece) for piece in stored.describe(found, stale)]


@pytest.mark.parametrize(("alike", "told"), [(True, "alike"), (False, "do not train it alike"), (None, "is not known")])
def test_a_raced_script_tells_whether_it_trains_alike(alike: bool | None, told: str) -> None:
    """Beside the winner with its interval; a step that was timed by itself has no such line."""
    (found,) = stored.of_profile(content({**WON, "alike": alike})).values()
    assert found.kind == "script"
    assert stored.winner(found) == ("mps 1.97× (1.90 to 2.04)", "pass")
    assert any(told in line for line in described(found))
    (step,) = stored.of_profile(content(WON)).values()
    assert step.kind == "step"
    assert not any("alike" in line for line in described(step))


def test_batch_sizes_alone_have_a_row() -> None:
    """`bench --find-batch --store` needs no winner."""
    (found,) = stored.of_profile(content(batch_sizes={"mine": {"mps": SIZES}})).values()
    assert found.winner is None
    assert any("mps: largest batch 448 or more, fastest 128" in line for line in described(found))


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"device": "cpu", "speedup": 0.5, "ci95": [0.4, 0.6]}, "cpu (an accelerator 0.500×, 0.400 to 0.600)"),
        ({"device": "tie", "speedup": 1.0, "ci95": [0.9, 1.1]}, "not settled"),
        ({"device": "cpu", "speedup": None, "ci95": None}, "cpu"),
    ],
)
def test_who_won(entry: dict[str, Any], told: str) -> None:
    """Where the CPU won, the speed is that of the best accelerator; what is not settled is nobody's."""
    (found,) = stored.of_profile(content(entry)).values()
    assert stored.winner(found)[0] == told


def test_a_row_fits_the_columns() -> None:
    """Whatever devices were timed: as many cells as columns, and as many places to sort by."""
    (found,) = stored.of_profile(content(WON)).values()
    for devices, columns in (([], 3), (["cpu", "mps"], 5), (["cpu", "mps", "xpu"], 7)):
        row = stored.row("key", found, devices, columns)
        assert len(row.cells) == columns == len(row.ranks)


def test_what_no_check_up_measures_is_not_listed_twice() -> None:
    """The workloads of the check-up have rows of their own."""
    assert stored.of_profile(profile.validate(sample())) == {}
    assert stored.of_profile(None) == {}
