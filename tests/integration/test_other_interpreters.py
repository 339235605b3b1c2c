"""`--python`: other interpreters, with torch but without mpsdoctor, without torch, or none at all."""

from __future__ import annotations

import ast
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import mpsdoctor as package
from helpers.support import check, mpsdoctor, report

OURS = ("mpsdoctor", "_mpsdoctor", "__editable__")


def environment_without_us(folder: Path, *, torch: bool) -> str:
    """A virtual environment with everything that is installed here but mpsdoctor, and torch if wanted."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    site = next((folder / "lib").glob("python*/site-packages"))
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        mine = entry.name.startswith(OURS) or entry.suffix == ".pth"
        if not mine and (torch or not entry.name.startswith("torch")):
            (site / entry.name).symlink_to(entry)
    return str(folder / "bin" / "python")


def test_an_interpreter_with_torch_but_without_us_is_examined(tmp_path: Path) -> None:
    """Everything that touches torch runs there: facts, probes, training, and the fingerprint of the profile."""
    python = environment_without_us(tmp_path / "venv", torch=True)
    missing = subprocess.run(
        [python, "-c", "import mpsdoctor"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "ModuleNotFoundError" in missing.stderr
    path = tmp_path / "profile.json"
    document = report("--python", python, "--budget", "quick", "--profile", str(path))
    assert document["exit"] == 0
    assert document["python"]["executable"] == python
    assert {result["status"] for result in document["checks"]} <= {"pass", "warn"}
    assert check(document, "training")["facts"]["results"]
    assert document["profile"]["written"] is True


def test_an_interpreter_without_torch_is_a_finding(tmp_path: Path) -> None:
    """No torch: the build check says so, what needs torch is skipped with the reason, the rest runs."""
    python = environment_without_us(tmp_path / "venv", torch=False)
    document = report("--python", python)
    assert document["exit"] == 1
    assert document["torch"] is None
    assert [finding["code"] for finding in check(document, "build")["findings"]] == ["MPS201"]
    assert check(document, "training")["status"] == "skip"
    assert "torch is not installed" in check(document, "training")["reason"]
    assert check(document, "memory")["status"] != "skip"
    assert document["verdict"] is None
    assert document["profile"]["written"] is False


BROKEN = {
    "raises": ("raise ImportError('libtorch is damaged')", "libtorch is damaged"),
    "aborts": ("import os; os.abort()", "SIGABRT"),
    "exits": ("raise SystemExit('no torch for you')", "SystemExit"),
    "has no devices": ("__version__ = '2.13.0'", "AttributeError"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_torch_that_cannot_be_used_is_a_finding(tmp_path: Path, how: str) -> None:
    """A damaged torch costs the checks that need it, and its error is shown."""
    source, told = BROKEN[how]
    (tmp_path / "torch.py").write_text(source)
    document = report(env={"PYTHONPATH": str(tmp_path)})
    finding = check(document, "build")["findings"][0]
    assert (document["exit"], finding["code"]) == (1, "MPS202")
    assert told in finding["detail"]
    assert document["torch"]["error"]
    assert check(document, "operators")["status"] == "skip"


# Stands before torch on the path and dies as torch 2.0 to 2.7 do on a Mac, or as every torch does; then it steps aside.
DYING_TORCH = """
import os, sys
if os.environ.get("PYTORCH_ENABLE_MPS_FALLBACK", "0") not in ("0", "1"): os.abort()
if os.environ.get("PYTORCH_JIT", "1") not in ("0", "1"): raise ValueError("Unknown setting of PYTORCH_JIT")
sys.path.remove(os.path.dirname(__file__)); del sys.modules["torch"]; import torch
"""


@pytest.mark.parametrize(
    ("name", "others"), [("PYTORCH_ENABLE_MPS_FALLBACK", {}), ("PYTORCH_JIT", {"PYTORCH_ENABLE_MPS_FALLBACK": "1"})]
)
def test_a_variable_that_ends_the_import_is_named_and_the_check_up_goes_on(
    tmp_path: Path, name: str, others: dict[str, str]
) -> None:
    """MPS202 names it and the remedy is to unset it; a training would die, so the exit code is 1."""
    (tmp_path / "torch.py").write_text(DYING_TORCH)
    env = {"PYTHONPATH": str(tmp_path), name: "true", **others}
    document = report("--budget", "quick", "--skip", "operators", "--no-profile", env=env)
    (build,) = [found for found in check(document, "build")["findings"] if found["code"] == "MPS202"]
    assert name in build["title"]
    assert build["remedy"]["commands"] == [f"unset {name}"]
    assert document["torch"]["error"] is None
    assert check(document, "training")["facts"]["results"]
    (grave,) = [found for found in check(document, "environment")["findings"] if found["severity"] == "error"]
    assert (grave["code"], document["exit"]) == ("MPS609", 1)
    assert name in grave["title"]


def test_a_torch_that_dies_of_something_else_is_not_blamed_on_a_variable(tmp_path: Path) -> None:
    """It dies without the variables too; its version is that of the installed package."""
    (tmp_path / "torch.py").write_text("import os; os.abort()")
    env = {"PYTHONPATH": str(tmp_path), "PYTORCH_ENABLE_MPS_FALLBACK": "true"}
    document = report("--only", "build,environment", env=env)
    (finding,) = check(document, "build")["findings"]
    assert (finding["code"], finding["severity"]) == ("MPS202", "error")
    assert "PYTORCH" not in finding["title"]
    assert document["torch"]["version"].startswith("2.")


def test_a_program_that_is_no_python_is_a_finding() -> None:
    """It is named, with what it said."""
    document = report("--python", "/bin/false")
    finding = check(document, "build")["findings"][0]
    assert (document["exit"], finding["code"]) == (1, "MPS209")
    assert "/bin/false" in finding["detail"]


def test_what_runs_in_a_worker_is_python_3_9() -> None:
    """Every module of the worker, and the fingerprint, parse as Python 3.9."""
    folder = Path(package.__file__).parent
    sources = [*folder.glob("worker/**/*.py"), folder / "runtime" / "fingerprint.py"]
    assert len(sources) > 5
    for source in sources:
        ast.parse(source.read_text(encoding="utf-8"), feature_version=(3, 9))


def test_progress_of_another_interpreter_is_told(tmp_path: Path) -> None:
    """stderr says that torch is being imported, which may take long from a cold disk."""
    assert "importing torch" in mpsdoctor("--only", "build").stderr
