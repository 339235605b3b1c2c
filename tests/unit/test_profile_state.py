"""The lines in which the screen tells what writing a profile would change."""

from __future__ import annotations

import pytest

from helpers.trainer import sample
from mpsdoctor.runtime.shapes import Measured, Profile
from mpsdoctor.tui.profile_state import difference


@pytest.fixture
def before() -> Profile:
    return sample()


def test_nothing_changes_but_the_moment(before: Profile) -> None:
    """The moment of writing always differs, which tells nothing."""
    assert difference(before, {**before, "created": "2026-02-02T00:00:00Z"}) == []


def test_the_recommended_device_comes_first(before: Profile) -> None:
    """What trainers are answered stands above what explains it, old above new."""
    after: Profile = {**before, "settings": {"num_threads": 4}, "tool": "mpsdoctor 9"}
    after["recommended"] = {**before["recommended"], "device": "mps"}
    assert difference(before, after)[:2] == ["- recommended.device: cpu", "+ recommended.device: mps"]
    assert "+ settings.num_threads: 4" in difference(before, after)


def test_a_workload_is_one_line(before: Profile) -> None:
    """Device, speed-up and interval of a workload in a size are told together, without digits that mean nothing."""
    entry: Measured = {"device": "mps", "speedup": 3.6612345, "ci95": [3.0812, 4.0698]}
    after: Profile = {**before, "workloads": {**before["workloads"], "mlp": {"large": entry}}}
    assert difference(before, after) == ["+ workloads.mlp.large: device mps, speedup 3.66, ci95 3.08 to 4.07"]
    turned: Measured = {"ci95": entry["ci95"], "speedup": entry["speedup"], "device": "mps"}
    assert difference(after, {**after, "workloads": {**after["workloads"], "mlp": {"large": turned}}}) == []


def test_without_a_profile_all_is_new(before: Profile) -> None:
    """Where there is no profile yet every line is one that comes."""
    lines = difference(None, before)
    assert lines
    assert {line[0] for line in lines} == {"+"}
