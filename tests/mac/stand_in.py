"""A Mac on Linux: a replayed machine whose torch has `mps` as a working device, built once.

    subprocess.run([sys.executable, "-m", "mpsdoctor", "--json"],
                   env=environment("m3-max", tmp_path, torch="2.11.0", compile_ms=10))

From a shell: `python tests/mac/stand_in.py m3-max --torch 2.11.0 -- mpsdoctor --format text`. README.md says what is
real and what is not.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":  # what pytest's pythonpath does for tests
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from machines import replay
from mpsdoctor.support import history
from simulator import simulator
from simulator.building import build_once, compile_library, register_with_torch

HERE = Path(__file__).resolve().parent
SOURCES = [path for path in (HERE / "source").iterdir() if path.is_file()]
ENTRY = "mps = mps_on_linux:load"
MAC = frozenset({"torch", "compile_ms", "first_ms", "available", "allocations_fail"})
SHORTHANDS = {"sandboxed": {"available": 0}, "rosetta": {"available": 0}, "rosetta-m3-max": {"available": 0}}


def environment(machine: str, tmp_path: Path, faults: str = "", **settings: float | str) -> dict[str, str]:
    """The environment of a process on that Mac; `tmp_path` gets its home folder and the stubs of its programs.

    `torch` is the version to pretend, X.Y.Z; `compile_ms` what a new operator, dtype and shape costs, `first_ms` the
    first of a process; `available=0` a GPU that is hidden, as by a sandbox, `allocations_fail=1` one that gives out no
    memory, as on hosted virtual Macs. All others, and `faults`, are the simulator's. TypeError for what does not exist.
    """
    unknown = sorted(set(settings) - MAC - simulator.SETTINGS)
    if unknown:
        raise TypeError(f"a Mac has no {', '.join(unknown)}; it has {', '.join(sorted(MAC | simulator.SETTINGS))}")
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    env = replay.environment(machine, tmp_path)
    env["PYTHONPATH"] = os.pathsep.join([str(build()), env["PYTHONPATH"]])
    # A Python, a shell, an editor: behind the stubs.
    env["PATH"] = os.pathsep.join([env["PATH"], str(Path(sys.executable).parent), "/usr/bin", "/bin"])
    env |= {"HOME": str(home), "SIM_FAULTS": faults, **of_the_chip(replay.DATA / machine)}
    for name, value in {**SHORTHANDS.get(machine, {}), **settings}.items():
        env[f"{'MAC' if name in MAC else 'SIM'}_{name.upper()}"] = str(value)
    return env


def of_the_chip(folder: Path) -> dict[str, str]:
    """What torch is told of the machine by Metal: the GPU's name and cores, and the macOS."""
    lines = (line.partition(": ") for line in (folder / "sysctl.txt").read_text().splitlines())
    keys = {key: value for key, _, value in lines}
    macos = json.loads((folder / "kernel.json").read_text())["mac_ver"]
    return {"MAC_CHIP": keys.get("machdep.cpu.brand_string", "Apple GPU"), "MAC_MACOS": macos, "MAC_GPU_CORES": "8"}


def build() -> Path:
    """The folder that holds the built stand-in (15 s the first time)."""
    return build_once("mac", [*SOURCES, *simulator.SOURCES, history.DATA], ENTRY, fill)


def fill(folder: Path) -> None:
    register_with_torch(folder, "mpsdoctor-mac", ENTRY)
    shutil.copy(HERE / "source" / "mps_on_linux.py", folder)
    known = history.load_history()
    rows = [f"aten::{overload} {letters}" for overload, letters in known.letters.items()]
    (folder / "support.txt").write_text("\n".join([" ".join(known.versions), *rows]) + "\n", encoding="ascii")
    compile_library(HERE / "source/mps.cpp", folder / "libmps.so", "-DSTAND_IN_FOR_MPS")


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs a command on a replayed Mac whose torch has MPS.")
    parser.add_argument("machine", choices=replay.MACHINES)
    parser.add_argument("--torch", help="the version to pretend, X.Y.Z")
    parser.add_argument("--faults", default="", help="as of the simulator: aten::softmax=wrong")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="compile_ms=10, speed=2, …")
    parser.add_argument("--home", type=Path, help="a folder that lasts; else a new one")
    parser.add_argument("command", nargs="+", help="after --, as in: mpsdoctor --budget quick")
    given = parser.parse_args()
    settings: dict[str, float | str] = dict(entry.split("=", 1) for entry in given.set)
    if given.torch:
        settings["torch"] = given.torch
    home = given.home or Path(tempfile.mkdtemp(prefix="mac-"))
    home.mkdir(exist_ok=True)
    env = environment(given.machine, home, given.faults, **settings)
    os.execvpe(given.command[0], given.command, env)


if __name__ == "__main__":
    main()
