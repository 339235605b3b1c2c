"""Compiles a back end for torch from C++ once, and keeps it in the user's cache folder."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import filelock
import platformdirs

# Python's functions are found in the process that loads the library, not in a library it names.
LINK = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []
# Without optimisation an operator costs three times as much; with -O2 the build takes a third longer.
# NDEBUG as torch is built with: some of its classes have other members without.
FLAGS = ["-std=c++20", "-O1", "-DNDEBUG", "-fPIC", "-shared", "-Wall", *LINK]


def build_once(name: str, inputs: Iterable[Path], salt: str, fill: Callable[[Path], None]) -> Path:
    """The folder that `fill` filled for these files, this torch and `salt`; a second process waits for the first."""
    cache = platformdirs.user_cache_path(f"mpsdoctor-{name}", ensure_exists=True)
    folder = cache / digest(inputs, salt)
    with filelock.FileLock(cache / "build.lock", timeout=600):
        if not folder.exists():
            # A name of its own until it is complete: a build that was killed leaves nothing that looks built.
            with tempfile.TemporaryDirectory(dir=cache) as unfinished:
                fill(Path(unfinished) / "built")
                (Path(unfinished) / "built").rename(folder)
    return folder


def digest(inputs: Iterable[Path], salt: str) -> str:
    """What a build depends on: our files, how they are compiled, and torch's version."""
    found = hashlib.sha256(importlib.metadata.version("torch").encode())
    found.update(repr((FLAGS, salt)).encode())
    for path in sorted(inputs):
        found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()[:16]


def register_with_torch(folder: Path, distribution: str, entry: str) -> None:
    """Let torch load what lies in `folder` where that is on PYTHONPATH; `entry` is `NAME = MODULE:FUNCTION`."""
    information = folder / f"{distribution.replace('-', '_')}-0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 0\n")
    (information / "entry_points.txt").write_text(f"[torch.backends]\n{entry}\n")


def compile_library(source: Path, library: Path, *definitions: str) -> None:
    """RuntimeError with the compiler's words if it fails."""
    spec = importlib.util.find_spec("torch")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("a back end for torch needs torch")
    torch = Path(spec.submodule_search_locations[0])
    include = [f"-I{torch / 'include'}", f"-I{torch / 'include/torch/csrc/api/include'}"]
    link = [f"-L{torch / 'lib'}", "-ltorch", "-ltorch_cpu", "-lc10", f"-Wl,-rpath,{torch / 'lib'}"]
    compiler = os.environ.get("CXX", "c++")
    command = [compiler, *FLAGS, *definitions, *include, str(source), "-o", str(library), *link]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{compiler} could not build {source.name}:\n{result.stderr[-4000:]}")
