"""What measured advice puts into a profile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from helpers.trainer import sample
from mpsdoctor import prescription
from mpsdoctor.report import Report
from mpsdoctor.runtime import profile
from mpsdoctor.runtime.shapes import Profile

BATCHES = [{"batch": 64, "device": "sim", "speedup": 2.0, "ci95": [1.9, 2.1]}]


def report(**training: Any) -> Report:
    """The recorded report in which the accelerator wins, with other facts of training."""
    told = json.loads((Path(__file__).parent / "recorded" / "accelerator-wins.json").read_text(encoding="utf-8"))
    for check in told["checks"]:
        if check["id"] == "training":
            check["facts"] |= training
    return msgspec.convert(told, Report)


def prescribed(**training: Any) -> Profile:
    return prescription.prescribe(report(**training), sample()["fingerprint"])


@pytest.mark.parametrize(
    ("best", "kept"),
    [
        ({"num_threads": 6}, {"num_threads": 6}),
        ({}, {"num_threads": 1}),
        ({"nnpack": False}, {"num_threads": 1, "nnpack": False}),
    ],
)
def test_settings_of_the_cpu(best: dict[str, Any], kept: dict[str, Any]) -> None:
    """What was measured to be better is kept, and torch's own number of threads, which is 1 in this report."""
    assert prescribed(settings=best)["settings"] == kept


def test_batches_of_a_disturbed_run_are_not_kept() -> None:
    """Nothing measured in a disturbance becomes advice."""
    assert prescribed(batches={"cnn": BATCHES}, doubtful=True)["batches"] == {}


def test_a_check_up_that_timed_nothing_carries_no_profile() -> None:
    """A training check that ran and failed everywhere says nothing that trainers could use."""
    failed = [{**row, "outcome": "error"} for row in report().checks[-1].facts["results"]]
    assert prescription.carries_a_profile(report())
    assert not prescription.carries_a_profile(report(results=failed))


def test_batches_and_hints_are_kept(tmp_path: Path) -> None:
    """Speeds by batch size and hints come back from the file as they were measured."""
    written = prescribed(batches={"cnn": BATCHES}, hints=["sim overtakes the CPU at batch 40 of cnn medium (38 to 43)"])
    profile.write(written, tmp_path / "profile.json")
    read = profile.read(tmp_path / "profile.json")
    assert read["batches"] == {"cnn": BATCHES}
    assert read["hints"] == written["hints"]


def test_batches_of_a_device_that_is_out_are_not_kept() -> None:
    """A device whose numbers are wrong is not recommended for any batch."""
    wrong = {**report().checks[-1].facts["results"][0], "device": "sim", "outcome": "diverged", "detail": "loss 3"}
    assert prescribed(batches={"cnn": BATCHES}, results=[wrong])["batches"] == {}
