"""Builds the simulated accelerator once and tells a subprocess of it through environment variables.

    subprocess.run([python, "-c", "import torch; print(torch.accelerator.current_accelerator())"],
                   env={**os.environ, **environment(faults="aten::cumsum=wrong", speed=4, step_ms=40)})

prints `sim`. README.md says what can be set.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import filelock
import platformdirs

HERE = Path(__file__).parent
SOURCES = sorted(path for path in (HERE / "source").iterdir() if path.is_file())
METADATA = "Metadata-Version: 2.1\nName: mpsdoctor-sim\nVersion: 0\n"
ENTRY_POINTS = "[torch.backends]\nsim = mpsdoctor_sim:load\n"

SETTINGS = frozenset(
    {
        "speed",
        "launch_us",
        "step_ms",
        "gflops",
        "synchronize_us",
        "prices_us",
        "warmup_steps",
        "warmup_ms",
        "leak_bytes",
        "memory_bytes",
        "no_float64",
    }
)
# Python's functions are found in the process that loads the library, not in a library it names.
LINK = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []
# Without optimisation an operator costs three times as much; with -O2 the build takes a third longer.
FLAGS = ["-std=c++20", "-O1", "-fPIC", "-shared", "-Wall", *LINK]


def environment(faults: str = "", **settings: float | str) -> dict[str, str]:
    """Variables for a subprocess in which torch has the accelerator `sim`; builds it if need be (about 20 s).

    Raises TypeError for a setting that does not exist, RuntimeError if the build fails.
    """
    unknown = sorted(set(settings) - SETTINGS)
    if unknown:
        raise TypeError(f"the simulator has no {', '.join(unknown)}; it has {', '.join(sorted(SETTINGS))}")
    path = [str(build()), *filter(None, [os.environ.get("PYTHONPATH")])]
    values = {f"SIM_{name.upper()}": str(value) for name, value in settings.items()}
    return {"PYTHONPATH": os.pathsep.join(path), "SIM_FAULTS": faults, **values}


def build() -> Path:
    """The folder that holds the built accelerator; a second process waits for the first to build it."""
    cache = platformdirs.user_cache_path("mpsdoctor-simulator", ensure_exists=True)
    folder = cache / key()
    with filelock.FileLock(cache / "build.lock", timeout=600):
        if not folder.exists():
            # A name of its own until it is complete: a build that was killed leaves nothing that looks built.
            with tempfile.TemporaryDirectory(dir=cache) as unfinished:
                fill(Path(unfinished) / "built")
                (Path(unfinished) / "built").rename(folder)
    return folder


def key() -> str:
    """What the build depends on: our files, how they are compiled, and torch's version."""
    digest = hashlib.sha256(importlib.metadata.version("torch").encode())
    digest.update(repr((FLAGS, METADATA, ENTRY_POINTS)).encode())
    for path in SOURCES:
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def fill(folder: Path) -> None:
    information = folder / "mpsdoctor_sim-0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(METADATA)
    (information / "entry_points.txt").write_text(ENTRY_POINTS)
    shutil.copy(HERE / "source" / "mpsdoctor_sim.py", folder)
    compile_library(folder / "simulator.so")


def compile_library(library: Path) -> None:
    spec = importlib.util.find_spec("torch")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the simulator needs torch")
    torch = Path(spec.submodule_search_locations[0])
    include = [f"-I{torch / 'include'}", f"-I{torch / 'include/torch/csrc/api/include'}"]
    link = [f"-L{torch / 'lib'}", "-ltorch", "-ltorch_cpu", "-lc10", f"-Wl,-rpath,{torch / 'lib'}"]
    compiler = os.environ.get("CXX", "c++")
    command = [compiler, *FLAGS, *include, str(HERE / "source/simulator.cpp"), "-o", str(library), *link]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{compiler} could not build the simulator:\n{result.stderr[-4000:]}")
