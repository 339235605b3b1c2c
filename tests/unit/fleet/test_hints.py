"""What rank 0 says of all ranks, in each machine's profile."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from helpers.machines_of import machine
from helpers.trainer import sample
from mpsdoctor.fleet import hints
from mpsdoctor.merging import merge
from mpsdoctor.merging.shapes import FleetMachine
from mpsdoctor.report import ProfileNote
from mpsdoctor.runtime import profile


def written(rank: int) -> FleetMachine:
    """A machine whose check-up wrote a profile."""
    made = machine(rank)
    assert made.report
    return replace(made, report=replace(made.report, profile=ProfileNote("~/profile.json", True)))


def test_kinds_of_device_are_counted_by_rank() -> None:
    """Indices are of no matter, and a machine counts as often as it has ranks."""
    machines = [replace(machine(0, device="mps"), ranks=(0, 1)), machine(2), FleetMachine(3, "killed")]
    assert hints.summarize(merge(machines)) == b'{"cpu":1,"mps":2}'


def test_the_profile_of_this_check_up_keeps_it(tmp_path: Path) -> None:
    """The rest of it stays."""
    path = tmp_path / "profile.json"
    profile.write(sample(), path)
    before = profile.read(path)
    own = written(0)
    hints.keep(b'{"cpu":1,"mps":2}', own, str(path))
    assert own.report
    kept = {"created": own.report.generated_at, "devices": {"cpu": 1, "mps": 2}}
    assert profile.read(path) == {**before, "fleet": kept}


@pytest.mark.parametrize("told", [b"", b"\x80\x04", b"[]", b'{"mps": -1}', b'{"no device": 1}', b'{"mps": 1e99}'])
def test_what_is_no_such_count_is_not_kept(told: bytes, tmp_path: Path) -> None:
    """Whoever is in the store may write it."""
    path = tmp_path / "profile.json"
    profile.write(sample(), path)
    hints.keep(told, written(0), str(path))
    assert profile.read(path)["fleet"] is None


def test_a_profile_that_this_check_up_did_not_write_is_left_alone(tmp_path: Path) -> None:
    """A partial check-up says nothing of the device."""
    path = tmp_path / "profile.json"
    profile.write(sample(), path)
    hints.keep(b'{"cpu":1,"mps":2}', machine(0), str(path))
    hints.keep(b'{"cpu":1,"mps":2}', FleetMachine(0, "killed"), str(path))
    assert profile.read(path)["fleet"] is None
