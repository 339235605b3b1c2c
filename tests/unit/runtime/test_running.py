"""`mpsdoctor run`: what is typed, and the environment that a trainer gets."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.trainer import VARIABLES, VERSION, Trainer, sample
from mpsdoctor.runtime import running
from mpsdoctor.support import FALLBACK


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, "KERAS_TORCH_DEVICE", "MPSDOCTOR_STEER", "MPSDOCTOR_EXPLAIN", FALLBACK):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("typed", "parsed"),
    [
        (["python", "train.py", "--device", "mps"], (None, None, ["python", "train.py", "--device", "mps"])),
        (["--", "python", "-u", "x.py"], (None, None, ["python", "-u", "x.py"])),
        (["--device", "mps", "--profile=p.json", "--", "x"], ("mps", "p.json", ["x"])),
        (["--device", "cuda:1", "x"], ("cuda:1", None, ["x"])),
        (["--help"], None),
        (["--device", "m p s", "--", "x"], None),
        (["--device", "mps"], None),
        (["--watch", "--", "x"], None),
        ([], None),
    ],
)
def test_options_end_where_the_command_begins(
    typed: list[str], parsed: tuple[str | None, str | None, list[str]] | None
) -> None:
    """What is not understood here is left to the whole command line."""
    assert running.parse(typed) == parsed


def test_the_profiles_device_is_shown_to_the_trainer() -> None:
    """By the start-up file and what Keras reads; what asks mpsdoctor itself is left to answer by workload."""
    variables = running.environment(sample(environment={FALLBACK: "1"}), None)
    assert variables["MPSDOCTOR_STEER"] == "cpu"
    assert variables["KERAS_TORCH_DEVICE"] == "cpu"
    assert variables[FALLBACK] == "1"
    assert (Path(variables["PYTHONPATH"].split(os.pathsep)[0]) / "sitecustomize.py").is_file()
    assert "MPSDOCTOR_DEVICE" not in variables


def test_a_device_that_is_named_outranks_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what variables and the profile force, and in scripts that ask mpsdoctor."""
    monkeypatch.setenv("MPSDOCTOR_FORCE_MPS", "1")
    monkeypatch.setenv("KERAS_TORCH_DEVICE", "mps")
    variables = running.environment(sample(force_mps=True), "cpu")
    chosen = {name: variables[name] for name in ("MPSDOCTOR_STEER", "MPSDOCTOR_DEVICE", "KERAS_TORCH_DEVICE")}
    assert set(chosen.values()) == {"cpu"}
    assert variables["MPSDOCTOR_FORCE_MPS"] == "0"


def test_variables_outrank_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in get_optimal_device; what is set already keeps its value."""
    monkeypatch.setenv("MPSDOCTOR_DEVICE", "xpu")
    monkeypatch.setenv("KERAS_TORCH_DEVICE", "cpu")
    variables = running.environment(sample(), None)
    assert (variables["MPSDOCTOR_STEER"], variables["KERAS_TORCH_DEVICE"]) == ("xpu", "cpu")
    monkeypatch.setenv("MPSDOCTOR_FORCE_MPS", "1")
    assert running.environment(None, None)["MPSDOCTOR_STEER"] == "mps"


def test_a_profile_that_forces_mps_steers_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless a variable says no."""
    content = sample(force_mps=True)
    assert running.environment(content, None)["MPSDOCTOR_STEER"] == "mps"
    monkeypatch.setenv("MPSDOCTOR_FORCE_MPS", "0")
    assert running.environment(content, None)["MPSDOCTOR_STEER"] == "cpu"


def test_without_a_profile_nothing_is_steered() -> None:
    """The trainer starts as it would without us, but for an explanation of the error that ends it."""
    added = {name: value for name, value in running.environment(None, None).items() if os.environ.get(name) != value}
    assert added.keys() == {"PYTHONPATH", "MPSDOCTOR_EXPLAIN"}


def run(trainer: Trainer, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mpsdoctor", "run", *words]
    return subprocess.run(command, env={**trainer.env, **env}, capture_output=True, text=True, check=False)


def test_a_workload_of_its_own_device_is_answered_under_run(tmp_path: Path) -> None:
    """What is hidden from torch's callers is not hidden from get_optimal_device, whose answer is measured."""
    winners = {"lstm": {"small": {"device": "mps", "speedup": 3.0, "ci95": [2.5, 3.5]}}}
    trainer = Trainer(tmp_path, "mps=1").learns(workloads=winners)
    (tmp_path / "stand-in" / "torch" / "version.py").write_text(f"__version__ = '{VERSION}'\n")
    code = "\n".join(
        (
            "import torch",
            "from mpsdoctor import get_optimal_device",
            "print(torch.backends.mps.is_available(), *(get_optimal_device(workload=w)[0] for w in (None, 'lstm')))",
        )
    )
    done = run(trainer, "--", sys.executable, "-c", code)
    assert done.stdout.split() == ["False", "cpu", "mps"]
    done = run(trainer, "--device", "mps", "--", sys.executable, "-c", code)
    assert done.stdout.split() == ["True", "mps", "mps"]


def test_the_command_is_this_process(tmp_path: Path) -> None:
    """Its exit code, and the signal that ends it, are passed on; nothing of ours is on stdout."""
    trainer = Trainer(tmp_path, "mps=1").learns()
    assert run(trainer, "--", sys.executable, "-c", "raise SystemExit(7)").returncode == 7
    killed = run(trainer, "--", sys.executable, "-c", "import os; os.kill(os.getpid(), 15)")
    assert (killed.returncode, killed.stdout) == (-15, "")
    assert run(trainer, "--device", "m p s", "--", "true").returncode == 2
    missing = run(trainer, "--", "/no/such/program")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "cannot be started" in missing.stderr


MISSING = "The operator 'aten::_linalg_eigh.eigenvalues' is not currently implemented for the MPS device."


@pytest.mark.parametrize(
    ("code", "explained"),
    [
        (f'raise NotImplementedError("{MISSING}")', True),
        ('raise ValueError("too many values to unpack (expected 2)")', False),
        ("raise KeyboardInterrupt", False),
        ("import sys; sys.exit('no data')", False),
    ],
)
def test_an_error_that_ends_a_trainer_is_explained_where_its_cause_is_known(code: str, explained: bool) -> None:
    """On stderr, after what Python shows of it; stdout and the exit code are those of the trainer."""
    command = [sys.executable, "-m", "mpsdoctor", "run", "--device", "cpu", "--", sys.executable, "-c", code]
    alone = subprocess.run(command[-3:], capture_output=True, text=True, timeout=60, check=False)
    steered = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (steered.returncode, steered.stdout) == (alone.returncode, alone.stdout)
    told = steered.stderr.partition(alone.stderr)[2]
    assert alone.stderr in steered.stderr
    assert ("mpsdoctor explain op_not_implemented" in told) == explained
    assert explained or told == ""


def test_the_explanation_is_in_the_persons_language() -> None:
    """It was asked for by nobody, so it has to be read at once."""
    command = [sys.executable, "-m", "mpsdoctor", "run", "--device", "cpu", "--", sys.executable, "-c"]
    env = {**os.environ, "MPSDOCTOR_LANG": "zh", "PYTHONUTF8": "1"}
    raising = [*command, f'raise NotImplementedError("{MISSING}")']
    done = subprocess.run(raising, capture_output=True, encoding="utf-8", timeout=60, check=False, env=env)
    assert "\n-> 升级 torch。" in done.stderr
    assert "更多\uff1ampsdoctor explain op_not_implemented\n" in done.stderr
