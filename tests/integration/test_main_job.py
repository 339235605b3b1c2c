"""The main job, end to end: a real check-up of this machine, its profile, and a trainer that reads it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from helpers.support import check, mpsdoctor, processes_left, report
from mpsdoctor import prescription
from mpsdoctor.events import Settings
from mpsdoctor.report import Report

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], Path]]:
    """The report of one check-up as the README starts it, and the profile that it wrote."""
    path = tmp_path_factory.mktemp("profile") / "folder" / "profile.json"
    yield report("--profile", str(path)), path
    assert not processes_left()


def test_every_check_ran_and_the_report_follows_its_schema(examined: tuple[dict[str, Any], Path]) -> None:
    """Machine, torch, devices, operators, memory, training and verdict are measured, none of them empty."""
    document, _ = examined
    jsonschema.validate(
        {key: value for key, value in document.items() if key != "exit"},
        json.loads(mpsdoctor("schema", "report").stdout),
    )
    assert [result["id"] for result in document["checks"]] == [
        "chip", "build", "environment", "operators", "known-issues", "memory", "training", "libraries"
    ]  # fmt: skip
    assert {result["status"] for result in document["checks"]} <= {"pass", "warn"}
    assert document["verdict"]["device"] in {device["device"] for device in document["devices"]}
    assert document["machine"]["memory_bytes"] > 0


def test_operators_were_probed_forward_and_backward_in_three_dtypes(examined: tuple[dict[str, Any], Path]) -> None:
    """The CPU's self-test is all ok, over the dtypes that training uses."""
    rows = check(examined[0], "operators")["facts"]["results"]
    on_cpu = [row for row in rows if row["device"] == "cpu"]
    assert {row["outcome"] for row in on_cpu} == {"ok"}
    assert {row["direction"] for row in on_cpu} == {"forward", "backward"}
    assert {"float32", "float16", "bfloat16"} <= {row["dtype"] for row in on_cpu}
    assert len({row["op"] for row in on_cpu}) >= 60


def test_four_families_were_trained_and_timed(examined: tuple[dict[str, Any], Path]) -> None:
    """Each has a step time inside its interval."""
    rows = check(examined[0], "training")["facts"]["results"]
    timed = [row for row in rows if row["outcome"] == "ok" and row["device"] == "cpu"]
    assert {row["workload"] for row in timed} == {"mlp", "cnn", "lstm", "transformer"}
    for row in timed:
        low, high = row["ci95_ms"]
        assert 0 < low <= row["step_ms"] <= high
        assert row["steps"] > 0


def test_the_profile_is_private_and_follows_its_schema(examined: tuple[dict[str, Any], Path]) -> None:
    """Mode 0600 in a folder 0700, and valid by schema and by reader."""
    document, path = examined
    assert document["profile"]["written"] is True
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    jsonschema.validate(json.loads(path.read_text()), json.loads(mpsdoctor("schema", "profile").stdout))
    assert mpsdoctor("profile", "validate", str(path)).returncode == 0


def test_the_script_of_the_readme_trains_on_the_recommended_device(
    examined: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    """It runs as it stands there, and its log names the device and the profile as the reason."""
    document, path = examined
    script = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert script
    (tmp_path / "train.py").write_text(script[1] + "\nprint(device, info.source, loss.item())\n")
    done = subprocess.run(
        [sys.executable, str(tmp_path / "train.py")],
        env={**os.environ, "MPSDOCTOR_PROFILE": str(path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[:2] == [document["verdict"]["device"], "profile"]
    assert "INFO:mpsdoctor:" in done.stderr
    assert document["verdict"]["device"] in done.stderr


def profile(path: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return mpsdoctor("profile", *args, env={"MPSDOCTOR_PROFILE": str(path), **env})


def copy(examined: tuple[dict[str, Any], Path], tmp_path: Path, **changed: Any) -> Path:
    path = tmp_path / "profile.json"
    path.write_text(json.dumps({**json.loads(examined[1].read_text()), **changed}))
    return path


def test_a_check_up_without_numpy(tmp_path: Path) -> None:
    """torch works without it, and says so on import; what is trained and probed needs it nowhere."""
    (tmp_path / "numpy.py").write_text("raise ModuleNotFoundError('no numpy', name='numpy')\n")
    document = report("--budget", "quick", "--no-profile", env={"PYTHONPATH": str(tmp_path)})
    assert {result["status"] for result in document["checks"]} <= {"pass", "warn"}
    assert "ok" in {row["outcome"] for row in check(document, "training")["facts"]["results"]}


def test_the_profile_commands_show_override_and_clear_it(examined: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    """show, path, env, force-mps and clear act on the file that MPSDOCTOR_PROFILE names."""
    path = copy(examined, tmp_path, environment={"PYTORCH_ENABLE_MPS_FALLBACK": "1", "PYTORCH_X": "a b"})
    assert profile(path, "path").stdout.strip() == str(path)
    shown = profile(path, "show").stdout
    assert "up to date" in shown
    assert "force MPS: off" in shown
    assert profile(path, "env").stdout == "export PYTORCH_ENABLE_MPS_FALLBACK=1\nexport PYTORCH_X='a b'\n"
    forced = profile(path, "force-mps", "on").stdout
    told = json.loads(path.read_text())
    assert (told["force_mps"], told["force_mps_torch"]) == (True, told["fingerprint"]["torch"])
    assert f"force MPS: on, until torch {told['force_mps_torch']} changes\n  forced to mps, measured: cpu" in forced
    assert "forced to mps, measured: cpu" in profile(path, "show").stdout
    assert "on, always" in profile(path, "force-mps", "on", "--always").stdout
    assert json.loads(path.read_text())["force_mps_torch"] is None
    assert profile(path, "force-mps", "off").returncode == 0
    assert json.loads(path.read_text())["force_mps"] is False
    assert profile(path, "clear").returncode == 0
    assert not path.exists()
    assert profile(path, "show").returncode == 2


def test_a_check_up_keeps_the_override(examined: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    """What the person forced survives a new profile."""
    path = copy(examined, tmp_path, force_mps=True)
    done = mpsdoctor("--budget", "quick", "--skip", "operators", "--profile", str(path))
    assert done.returncode == 0, done.stderr
    assert json.loads(path.read_text())["force_mps"] is True


def test_a_partial_check_up_leaves_the_profile_alone(examined: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    """Without timed training there is nothing to recommend, so nothing is overwritten."""
    path = copy(examined, tmp_path)
    before = path.read_bytes()
    assert report("--only", "build,memory", "--profile", str(path))["profile"]["written"] is False
    assert path.read_bytes() == before


def test_run_sets_the_variables_of_the_profile_before_the_trainer_starts(
    examined: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    """A variable that is set already keeps its value; a stale or missing profile sets nothing and says so."""
    program = (sys.executable, "-c", "import os; print(os.environ.get('PYTORCH_ENABLE_MPS_FALLBACK'))")
    path = copy(examined, tmp_path, environment={"PYTORCH_ENABLE_MPS_FALLBACK": "1"})
    here = {"MPSDOCTOR_PROFILE": str(path)}
    assert mpsdoctor("run", "--", *program, env=here).stdout == "1\n"
    assert mpsdoctor("run", "--", *program, env={**here, "PYTORCH_ENABLE_MPS_FALLBACK": "0"}).stdout == "0\n"
    changed = json.loads(path.read_text())
    changed["fingerprint"]["torch"] = "1.0.0"
    path.write_text(json.dumps(changed))
    done = mpsdoctor("run", "--", *program, env=here)
    assert done.stdout == "None\n"
    assert "stale" in done.stderr
    missing = mpsdoctor("run", "--", *program, env={"MPSDOCTOR_PROFILE": str(tmp_path / "none.json")})
    assert (missing.stdout, "there is no profile" in missing.stderr) == ("None\n", True)
    assert mpsdoctor("run", "--", "/no/such/program").returncode == 2


def linked_to_a_device(folder: Path) -> Path:
    """A link, not the device itself: root could replace that."""
    (folder / "zero").symlink_to("/dev/zero")
    return folder / "zero"


UNWRITABLE = {
    "a directory": lambda folder: folder,
    "below a file": lambda folder: Path(__file__) / "profile.json",
    "a folder that cannot be written": lambda folder: Path("/proc/no/profile.json"),
    "a link to a device": linked_to_a_device,
}


@pytest.mark.parametrize("kind", UNWRITABLE)
def test_a_profile_that_cannot_be_written_is_told(
    examined: tuple[dict[str, Any], Path], tmp_path: Path, kind: str
) -> None:
    """What stands in the way is named, the report says that nothing was written, and nothing is left behind."""
    given = {key: value for key, value in examined[0].items() if key != "exit"}
    path = UNWRITABLE[kind](tmp_path)
    told, trouble = prescription.record(msgspec.convert(given, Report), Settings(profile_path=str(path)))
    assert trouble
    assert str(path) in trouble
    assert told.profile.written is False
    assert [entry.name for entry in tmp_path.iterdir()] in ([], ["zero"])


def test_a_profile_that_cannot_be_written_costs_nothing_else(tmp_path: Path) -> None:
    """The report is printed whole, the reason on stderr, and the exit code is 2."""
    done = mpsdoctor("--json", "--budget", "quick", "--skip", "operators", "--profile", str(tmp_path))
    told = json.loads(done.stdout)
    assert done.returncode == 2
    assert told["verdict"]["device"]
    assert told["profile"]["written"] is False
    assert "the profile was not written" in done.stderr
