"""What starts a training for people, under `mpsdoctor race`: the process that steps is the one that is timed."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from recipes.stage import ROOT, Stage

pytestmark = pytest.mark.recipes
LOOP = ROOT / "tests" / "helpers" / "scripts" / "loop.py"
# The package that starts it, and its command; NOTEBOOK holds the loop.
LAUNCHERS = {
    "torchrun": ("torch", ["torchrun", "--nproc-per-node", "1", str(LOOP)]),
    "accelerate": ("accelerate", ["accelerate", "launch", str(LOOP)]),
    "papermill": ("papermill", ["papermill", "NOTEBOOK", "out.ipynb"]),
    "nbconvert": (
        "nbconvert",
        ["jupyter", "nbconvert", "--execute", "--to", "notebook", "--output", "out", "NOTEBOOK"],
    ),
}


def notebook(folder: Path) -> Path:
    """The loop as the only cell of a notebook."""
    cell = {"cell_type": "code", "id": "a", "source": LOOP.read_text(), "metadata": {}, "outputs": []}
    content = {
        "cells": [{**cell, "execution_count": None}],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path = folder / "loop.ipynb"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", LAUNCHERS)
def test_a_launcher_is_raced_as_the_script_is(tmp_path: Path, name: str) -> None:
    """Unchanged, on both devices, and the one that is planted as twice as fast is told as such."""
    package, command = LAUNCHERS[name]
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    stage = Stage(tmp_path)
    program = str(Path(sys.executable).with_name(command[0]))
    arguments = [str(notebook(tmp_path)) if word == "NOTEBOOK" else word for word in command[1:]]
    race = [sys.executable, "-m", "mpsdoctor", "race", "--json", "-q", "--seconds", "6"]
    devices = ["--device", "cpu", "--device", "mps"]
    done = stage.start([*race, *devices, "--", program, *arguments], SIM_STEP_MS="100", SIM_SPEED="2")
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads(done.stdout)
    assert {row["device"]: row["ran_on"] for row in report["devices"]} == {"cpu": ["cpu"], "mps": ["mps"]}
    assert report["comparisons"][0]["winner"] == "mps"
