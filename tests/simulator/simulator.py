"""Builds the simulated accelerator once and tells a subprocess of it through environment variables.

    subprocess.run([python, "-c", "import torch; print(torch.accelerator.current_accelerator())"],
                   env={**os.environ, **environment(faults="aten::cumsum=wrong", speed=4, step_ms=40)})

prints `sim`. README.md says what can be set.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from simulator.building import build_once, compile_library, register_with_torch

HERE = Path(__file__).parent
SOURCES = sorted(path for path in (HERE / "source").iterdir() if path.is_file())
ENTRY = "sim = mpsdoctor_sim:load"

SETTINGS = frozenset(
    {
        "speed",
        "launch_us",
        "step_ms",
        "step_ends_with",
        "gflops",
        "synchronize_us",
        "prices_us",
        "warmup_steps",
        "warmup_ms",
        "leak_bytes",
        "memory_bytes",
        "no_float64",
        "plain_allocator",
        "nnpack_times",
    }
)


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
    """The folder that holds the built accelerator."""
    return build_once("simulator", SOURCES, ENTRY, fill)


def fill(folder: Path) -> None:
    register_with_torch(folder, "mpsdoctor-sim", ENTRY)
    shutil.copy(HERE / "source" / "mpsdoctor_sim.py", folder)
    compile_library(HERE / "source/simulator.cpp", folder / "simulator.so")
