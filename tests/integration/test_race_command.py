"""`mpsdoctor race -- CMD` on the simulated accelerator, and with commands that are no training."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import psutil
import pytest

from helpers.support import mpsdoctor
from helpers.trainer import sample
from mpsdoctor.formats import schemas
from mpsdoctor.runtime import profile
from simulator import simulator

SCRIPTS = Path(__file__).parents[1] / "helpers" / "scripts"
PYTHON = sys.executable


def simulated(**settings: Any) -> dict[str, str]:
    return {"OMP_NUM_THREADS": "1", **simulator.environment(step_ms=20, speed=4, **settings)}


def raced(*args: str, env: dict[str, str] | None = None) -> dict[str, Any]:
    done = mpsdoctor("race", "--json", "-q", *args, env=env)
    assert done.returncode in (0, 1), done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    jsonschema.validate(document, schemas.schema("race"))
    return document


def marked(word: str) -> list[int]:
    """Processes with that word among their arguments."""
    return [process.pid for process in psutil.process_iter(["cmdline"]) if word in (process.info["cmdline"] or ())]


def wait_until_none(word: str, seconds: float = 5.0) -> list[int]:
    until = time.monotonic() + seconds
    while (left := marked(word)) and time.monotonic() < until:
        time.sleep(0.05)
    return left


def test_a_package_is_raced_unchanged_and_the_winner_kept(tmp_path: Path) -> None:
    """torch is imported late; the answer, the losses, where parameters were, and what a script is answered later."""
    kept = tmp_path / "profile.json"
    env = {**simulated(), "MPSDOCTOR_PROFILE": str(kept), "PYTHONPATH": ""}
    env["PYTHONPATH"] = os.pathsep.join([simulated()["PYTHONPATH"], str(SCRIPTS)])
    report = raced("--seconds", "2", "--store", "mine", "--", PYTHON, "-m", "package", "mark-package", env=env)
    cpu, sim = report["devices"]
    assert (cpu["device"], sim["device"]) == ("cpu", "sim")
    assert (cpu["outcome"], sim["outcome"]) == ("ok", "ok"), report
    assert (cpu["ran_on"], sim["ran_on"]) == (["cpu"], ["sim"])
    assert sim["alike"] is True
    assert len(sim["losses"]) >= 24
    row = report["comparisons"][0]
    assert row["winner"] == report["verdict"]["device"] == "sim"
    assert row["speedup"] > 2
    assert report["stored"] == "mine"
    assert profile.read(kept)["workloads"]["mine"]["step"]["device"] == "sim"
    assert wait_until_none("mark-package") == []


def test_a_script_that_names_a_device_is_told_where(tmp_path: Path) -> None:
    """With the line and what to write; nothing is recommended."""
    script = tmp_path / "train.py"
    source = (SCRIPTS / "short.py").read_text()
    script.write_text(source.replace("torch.accelerator.current_accelerator() or ", ""))
    report = raced("--seconds", "1", "--", PYTHON, str(script), env=simulated())
    assert [row["outcome"] for row in report["devices"]] == ["ok", "not-followed"]
    assert "train.py:6" in report["devices"][1]["detail"]
    assert "get_optimal_device" in report["devices"][1]["detail"]
    assert report["verdict"]["device"] is None


def test_wrong_numbers_put_a_device_out() -> None:
    """However fast it is."""
    env = simulated(faults="aten::gelu_backward=wrong")
    report = raced("--seconds", "1", "--", PYTHON, str(SCRIPTS / "loop.py"), env=env)
    assert report["devices"][1]["outcome"] == "diverged"
    assert report["verdict"]["device"] == "cpu"


@pytest.mark.parametrize(
    ("code", "outcome", "words"),
    [
        ("print('no training')", "no-steps", "without importing torch"),
        ("input('which model? ')", "error", "reads from a terminal"),
        ("raise ValueError('no \\x1b[31m data')", "error", "ValueError: no \\x1b[31m data"),
        ("import os, sys; os.fork() or os.setsid() or __import__('time').sleep(60)", "no-steps", "without"),
        ("import os; os.kill(os.getpid(), 11)", "crash", "SIGSEGV"),
    ],
)
def test_a_command_that_never_trains_has_a_clear_outcome(code: str, outcome: str, words: str) -> None:
    """And nothing of it is left."""
    mark = f"mark-{abs(hash(code))}"
    report = raced("--device", "cpu", "--", PYTHON, "-c", code, mark)
    row = report["devices"][0]
    assert (row["outcome"], words in row["detail"]) == (outcome, True), row["detail"]
    assert report["verdict"]["device"] is None
    assert wait_until_none(mark) == []


def test_a_script_that_waits_for_ever_is_ended() -> None:
    """After the time that it was given for its first step."""
    report = raced("--timeout", "1", "--", PYTHON, "-c", "import time; time.sleep(60)", "mark-waits")
    assert {row["outcome"] for row in report["devices"]} == {"timeout"}
    assert wait_until_none("mark-waits") == []


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--", "/no/such/program"), "cannot be started"),
        (("--", "python", "-I", "train.py"), "python -I lets nothing in"),
        (("--store", "cnn", "--", "true"), "--store cnn"),
        (("--seconds", "0", "--", "true"), "--seconds"),
        ((), "COMMAND"),
    ],
)
def test_what_cannot_be_raced_is_wrong_use(args: tuple[str, ...], words: str) -> None:
    """Exit code 2, told in a line."""
    done = mpsdoctor("race", *args)
    assert done.returncode == 2
    assert words in done.stderr


def started(mark: str) -> subprocess.Popen[bytes]:
    """A race whose scripts wait in processes of their own, once they are there."""
    code = "import subprocess, sys; subprocess.call([sys.executable, '-c', 'import time; time.sleep(60)', sys.argv[1]])"
    command = [PYTHON, "-m", "mpsdoctor", "race", "--json", "-q", "--", PYTHON, "-c", code, mark]
    doctor = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    until = time.monotonic() + 20
    while len(marked(mark)) < 6 and time.monotonic() < until:  # the doctor, two keepers, two scripts, their children
        time.sleep(0.05)
    return doctor


def test_a_killed_doctor_leaves_no_script() -> None:
    """Not even what the scripts have started."""
    doctor = started("mark-killed")
    doctor.kill()
    doctor.communicate()
    assert wait_until_none("mark-killed") == []


def test_ctrl_c_tells_what_is_known_so_far() -> None:
    """A whole document, exit code 130, and nothing left."""
    doctor = started("mark-interrupted")
    doctor.send_signal(signal.SIGINT)
    output, _ = doctor.communicate(timeout=30)
    assert doctor.returncode == 130
    report = json.loads(output)
    assert report["interrupted"] is True
    assert [row["outcome"] for row in report["devices"]] == ["no-steps", "no-steps"]
    assert wait_until_none("mark-interrupted") == []


def test_a_stale_profile_takes_no_answer(tmp_path: Path) -> None:
    """That is told before anything is timed."""
    kept = tmp_path / "profile.json"
    kept.write_text(json.dumps(sample(fingerprint={"torch": "1.0.0", "os": "Plan 9", "chip": "?"})))
    env = {**simulated(), "MPSDOCTOR_PROFILE": str(kept)}
    done = mpsdoctor("race", "--seconds", "1", "-q", "--store", "mine", "--", PYTHON, str(SCRIPTS / "loop.py"), env=env)
    assert done.returncode == 2
    assert "stale" in done.stderr
    assert done.stdout == ""
