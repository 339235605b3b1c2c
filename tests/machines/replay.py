"""Replays a Mac at its edge: stub programs on PATH, and what the kernel tells Python. `data/` names the machines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
DATA = HERE / "data"
PROGRAMS = ("sysctl", "sw_vers", "ioreg", "pmset", "notifyutil", "vm_stat", "memory_pressure", "system_profiler")
MACHINES = tuple(sorted(folder.name for folder in DATA.iterdir() if folder.is_dir()))
ASK = "import json; from mpsdoctor import machine as m; print(json.dumps([m.facts(), m.memory(), m.conditions()]))"


def environment(machine: str, tmp_path: Path) -> dict[str, str]:
    """The environment of a process on that machine. PATH holds the stubs of `tmp_path`/bin and nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    for program in PROGRAMS:
        if not (folder / program).exists():
            (folder / program).symlink_to(HERE / "replay")
    paths = [str(HERE / "site"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        "PATH": str(folder),
        "PYTHONPATH": os.pathsep.join(paths),
        "MPSDOCTOR_TEST_MACHINE": str(DATA / machine),
        "MPSDOCTOR_TEST_WITHOUT": "",
    }


def answer(env: Mapping[str, str], program: str = ASK) -> Any:
    """The JSON that a Python program prints in that environment; by default facts, memory and conditions."""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)
