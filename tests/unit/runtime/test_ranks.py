"""What a training on several machines is warned of: ranks that would get another kind of device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helpers.trainer import Trainer, sample
from mpsdoctor.runtime import profile
from mpsdoctor.runtime.profile import ProfileError

MPS = {"device": "mps", "confidence": "high", "reason": "3.4 times faster"}
SEVERAL: dict[str, Any] = {"WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "1", "LOCAL_RANK": "0"}
MIXED = {"created": "2026-11-27T00:00:00Z", "devices": {"mps": 7, "cpu": 1}}
WARNING = (
    "ranks of other machines may train on another kind of device than {}: the last report of this fleet "
    "recommends cpu on 1, mps on 7 ranks; set MPSDOCTOR_DEVICE to one for all"
)


@pytest.mark.parametrize(("recommended", "device"), [({}, "cpu"), ({"recommended": MPS}, "mps")])
def test_ranks_of_other_kinds_are_a_warning(recommended: dict[str, Any], device: str, tmp_path: Path) -> None:
    """On either side; the device stays what this machine's profile says."""
    answer = Trainer(tmp_path, "mps=1").learns(fleet=MIXED, **recommended).asks(**SEVERAL)
    assert (answer["device"], answer["warnings"]) == (device, [WARNING.format(device)])


@pytest.mark.parametrize("fleet", [{**MIXED, "devices": {"cpu": 8}}, None])
def test_alike_ranks_are_not(fleet: Any, tmp_path: Path) -> None:
    """Nor is anything said where no fleet was gathered."""
    assert Trainer(tmp_path, "mps=1").learns(fleet=fleet).asks(**SEVERAL)["warnings"] == []


@pytest.mark.parametrize(
    "world", [{}, {"WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "4"}, {"WORLD_SIZE": "many", "LOCAL_WORLD_SIZE": "1"}]
)
def test_ranks_of_one_machine_cannot_differ(world: dict[str, Any], tmp_path: Path) -> None:
    """They read the same profile."""
    assert Trainer(tmp_path, "mps=1").learns(fleet=MIXED).asks(**world)["warnings"] == []


def test_what_a_person_asked_for_is_meant_so(tmp_path: Path) -> None:
    """MPSDOCTOR_DEVICE for all ranks is what the warning advises."""
    answer = Trainer(tmp_path, "mps=1").learns(fleet=MIXED).asks(MPSDOCTOR_DEVICE="mps", **SEVERAL)
    assert (answer["device"], answer["warnings"]) == ("mps", [])


@pytest.mark.parametrize(
    "fleet",
    [
        7,
        {"created": None, "devices": {}},
        {"created": "x", "devices": []},
        {"created": "x", "devices": {"../x": 1}},
        {"created": "x", "devices": {"mps": 0}},
        {"created": "x", "devices": {"mps": True}},
    ],
)
def test_a_profile_with_another_thing_in_that_place_is_no_profile(fleet: Any, tmp_path: Path) -> None:
    """The first wrong place is named, as everywhere."""
    with pytest.raises(ProfileError, match="fleet"):
        profile.write(sample(fleet=fleet), tmp_path / "profile.json")
