"""The start-up file of scripts, in real interpreters: it chains, waits, and stays out of the way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from mpsdoctor.runtime.running import injection

TORCH = """
import types
class Flag:
    def __init__(self, type): self.type = type
device = Flag
cuda = types.SimpleNamespace(is_available=lambda: True, device_count=lambda: 2)
mps = types.SimpleNamespace(is_available=lambda: True, device_count=lambda: 1)
backends = types.SimpleNamespace(mps=types.SimpleNamespace(is_available=lambda: True, is_built=lambda: True))
accelerator = types.SimpleNamespace(is_available=lambda: True, current_accelerator=lambda: Flag("cuda"))
_C = types.SimpleNamespace()
"""
ASK = (
    "import torch; print(torch.cuda.is_available(), torch.backends.mps.is_available(), torch.backends.mps.is_built(), "
    "getattr(torch.accelerator.current_accelerator(), 'type', None), torch.accelerator.is_available())"
)


def python(code: str, device: str, *path: Path) -> str:
    env = {**os.environ, **injection(device, os.pathsep.join(map(str, path)))}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.strip()


def test_another_start_up_file_runs_too(tmp_path: Path) -> None:
    """And stands in its place in sys.modules; our folder is gone from the path."""
    (tmp_path / "sitecustomize.py").write_text("THEIRS = 1\nprint('theirs')\n")
    code = "import sys; print(sys.modules['sitecustomize'].THEIRS, [p for p in sys.path if 'injected' in p])"
    assert python(code, "cpu", tmp_path) == "theirs\n1 []"


def test_without_torch_nothing_is_imported() -> None:
    """A program that is no training pays for one small module."""
    code = "import sys; print(sorted(m for m in sys.modules if 'mpsdoctor' in m), 'importlib.util' in sys.modules)"
    assert python(code, "cpu").startswith("['mpsdoctor_start']")


def test_torch_shows_one_device(tmp_path: Path) -> None:
    """Every way of asking gets the same answer, in processes that a script starts too."""
    (tmp_path / "torch.py").write_text(TORCH)
    assert python(ASK, "cpu", tmp_path) == "False False False None False"
    assert python(ASK, "mps", tmp_path) == "False True True mps True"
    assert python(ASK, "cuda", tmp_path) == "True False False cuda True"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {ASK!r}], check=True)"
    assert python(child, "cpu", tmp_path) == "False False False None False"


def test_a_module_keeps_its_own_loader(tmp_path: Path) -> None:
    """Who looks for resources or sources of torch finds them."""
    (tmp_path / "torch.py").write_text(TORCH)
    code = (
        "import torch, inspect; print(type(torch.__spec__.loader).__name__, 'class Flag' in inspect.getsource(torch))"
    )
    assert python(code, "cpu", tmp_path) == "SourceFileLoader True"


def test_a_torch_that_cannot_be_steered_is_told_and_used(tmp_path: Path) -> None:
    """The script runs on as if nothing were here."""
    (tmp_path / "torch.py").write_text("x = 1\n")
    env = {**os.environ, **injection("cpu", str(tmp_path))}
    code = [sys.executable, "-c", "import torch; print(torch.x)"]
    done = subprocess.run(code, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
    assert "mpsdoctor: torch is not steered" in done.stderr
