"""What only a real Apple GPU can show. Skipped elsewhere; on a Mac run `pytest -m mps`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from helpers.support import check, mpsdoctor, report
from mpsdoctor import get_optimal_device

pytestmark = [
    pytest.mark.mps,
    pytest.mark.skipif(not torch.backends.mps.is_available(), reason="there is no Apple GPU here"),
]


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """The report of a quick check-up of this Mac, and the profile that it wrote."""
    path = tmp_path_factory.mktemp("profile") / "profile.json"
    return report("--budget", "quick", "--profile", str(path)), path


def test_mps_is_usable_and_trains(examined: tuple[dict[str, Any], Path]) -> None:
    """The smallest computation is right on it, and at least one workload was timed on both devices."""
    document = examined[0]
    assert next(device for device in document["devices"] if device["device"] == "mps")["usable"]
    rows = check(document, "training")["facts"]["results"]
    assert {"cpu", "mps"} <= {row["device"] for row in rows if row["outcome"] == "ok"}


def test_no_memory_call_and_no_compiling_takes_training_down(examined: tuple[dict[str, Any], Path]) -> None:
    """No workload ends in an error, a crash or a time-out."""
    rows = check(examined[0], "training")["facts"]["results"]
    assert {row["outcome"] for row in rows} <= {"ok", "skipped"}


def test_the_core_operators_are_right(examined: tuple[dict[str, Any], Path]) -> None:
    """A physical Mac with a current torch computes them as the CPU does."""
    assert check(examined[0], "operators")["facts"]["core_failures"]["mps"] == []


def test_the_profile_answers_here(examined: tuple[dict[str, Any], Path]) -> None:
    """Made on this machine with this torch, it is valid."""
    device, info = get_optimal_device(profile=examined[1])
    assert (info.source, info.stale) == ("profile", ())
    assert device.type == examined[0]["verdict"]["device"]


def test_mps_can_be_forced(examined: tuple[dict[str, Any], Path]) -> None:
    """By the argument, whatever was measured."""
    assert get_optimal_device(force_mps=True, profile=examined[1])[0].type == "mps"


def test_a_missing_operator_is_told(examined: tuple[dict[str, Any], Path]) -> None:
    """One that no torch up to 2.15 has a kernel for on MPS raises, or runs on the CPU with the variable."""
    done = mpsdoctor("ops", "--op", "channel_shuffle", "--json")
    facts = check(json.loads(done.stdout), "operators")["facts"]
    assert {row["outcome"] for row in facts["results"] if row["device"] == "mps"} <= {"fallback", "unimplemented"}
