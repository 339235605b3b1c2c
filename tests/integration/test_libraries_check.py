"""The check of training libraries, on a Mac whose torch has MPS."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from helpers.support import check, report
from helpers.trainer import program, sample
from mac import stand_in

PRESENT = """
import json, torch
from mpsdoctor.runtime.profile import fingerprint
print(json.dumps(fingerprint(torch.__version__)))
"""
INSTALLED = {"transformers": "5.24.0", "skorch": "1.4.0"}


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A report of the check where two libraries are installed, by their metadata alone, and a profile says CPU."""
    folder = tmp_path_factory.mktemp("mac")
    env = stand_in.environment("m3-max", folder)
    for name, version in INSTALLED.items():
        information = folder / "site" / f"{name}-{version}.dist-info"
        information.mkdir(parents=True)
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    env["PYTHONPATH"] = os.pathsep.join([env["PYTHONPATH"], str(folder / "site")])
    path = folder / "profile.json"
    path.write_text(json.dumps(sample(fingerprint=program(PRESENT, env=env))))
    return report("--only", "libraries", "--profile", str(path), env=env)


def test_each_library_has_a_row_with_its_line(examined: dict[str, Any]) -> None:
    """What it takes here by itself, and how it is told."""
    rows = {row["name"]: row for row in check(examined, "libraries")["facts"]["libraries"]}
    assert rows["transformers"] == {
        "name": "transformers",
        "version": "5.24.0",
        "picks": "mps",
        "follows_run": True,
        "how": 'TrainingArguments(..., use_cpu=device.type == "cpu")',
    }
    assert rows["skorch"]["picks"] == "cpu"


def test_the_one_that_would_train_elsewhere_than_the_profile_says_is_found(examined: dict[str, Any]) -> None:
    """The profile that is named on the command line counts, and its CPU is not what Trainer takes."""
    facts = check(examined, "libraries")["facts"]
    assert facts["recommended"] == {"device": "cpu", "source": "profile"}
    (finding,) = check(examined, "libraries")["findings"]
    assert (finding["code"], finding["evidence"]["names"]) == ("MPS801", ["transformers"])
    assert finding["remedy"]["commands"] == ["mpsdoctor run -- python train.py"]
