"""`mpsdoctor run --watch` and `mpsdoctor watch`: real trainings, their signals and ends, and the file that is kept."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import psutil
import pytest

from helpers.support import mpsdoctor
from machines import replay
from mpsdoctor.watch.log import DECODER
from mpsdoctor.watch.shapes import Begin, End, Line, Sample
from simulator import simulator

PYTHON = sys.executable
# Trains until there are samples enough in the file that is its last argument, and leaves as it was asked to.
TRAIN = """
import sys, time
from pathlib import Path
import torch

model = torch.nn.Linear(8, 8).to(sys.argv[1])
optimizer = torch.optim.AdamW(model.parameters())
data = torch.utils.data.TensorDataset(torch.randn(4000, 8))
until = time.monotonic() + 120
while Path(sys.argv[3]).read_bytes().count(b'"steps"') < 2 and time.monotonic() < until:
    for (inputs,) in torch.utils.data.DataLoader(data, batch_size=40):
        optimizer.zero_grad()
        model(inputs.to(sys.argv[1])).pow(2).mean().backward()
        optimizer.step()
print("trained", flush=True)
sys.exit(int(sys.argv[2]))
"""
# Says what it gets; a dot for a while, so that no signal comes before it listens.
LISTEN = """
import signal, sys, time
def note(number, frame):
    print("got", signal.Signals(number).name, flush=True)
    if number == signal.SIGUSR2:
        sys.exit(7)
for name in sys.argv[1:]:
    signal.signal(getattr(signal, name), note)
print("ready", flush=True)
while True:
    time.sleep(0.05)
"""


def lines_of(path: Path) -> list[Line]:
    return [DECODER.decode(line) for line in path.read_bytes().splitlines()]


def wait_for(test: Callable[[], Any], seconds: float = 60.0) -> Any:
    until = time.monotonic() + seconds
    while not (found := test()) and time.monotonic() < until:
        time.sleep(0.05)
    return found


@contextmanager
def watched(*command: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """`run --watch` of a command; nothing of it is left afterwards."""
    words = [PYTHON, "-m", "mpsdoctor", "run", "--watch", *command]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True, start_new_session=True, **options) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def read(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline().strip()


def test_a_training_is_told_with_its_steps_and_memory(tmp_path: Path) -> None:
    """Its stdout and exit code are its own, nothing is written beside it, and what was sampled stands in the file."""
    script, kept, work = tmp_path / "train.py", tmp_path / "kept" / "w.jsonl", tmp_path / "work"
    script.write_text(TRAIN)
    kept.parent.mkdir()
    work.mkdir()
    env = {**os.environ, "OMP_NUM_THREADS": "1", **simulator.environment(step_ms=5, speed=2)}
    options = ("--watch-output", str(kept), "--device", "sim", "--")
    with watched(*options, PYTHON, str(script), "sim", "3", str(kept), cwd=work, env=env) as process:
        out, err = process.communicate(timeout=170)
    assert (out, process.returncode) == ("trained\n", 3), err
    assert list(work.iterdir()) == []
    begin, *samples, end = lines_of(kept)
    assert isinstance(begin, Begin)
    assert isinstance(end, End)
    assert begin.command[-1] == str(kept)
    assert end.status == 3
    stepping = [sample for sample in samples if isinstance(sample, Sample) and sample.steps]
    assert len(stepping) >= 2
    assert stepping[-1].done >= sum(sample.steps for sample in stepping) > 0
    assert {device for sample in stepping for device in sample.devices} == {"sim"}
    assert all(sample.resident_bytes for sample in stepping)
    assert "ended with exit code 3" in err
    assert "a step as a rule" in err
    assert "starts of epochs" in err


def test_the_file_is_told_in_words(tmp_path: Path) -> None:
    """Where stdout is no terminal: while it is written, after its end, and after a kill that left half a line."""
    kept = tmp_path / "w.jsonl"
    sample = {"kind": "sample", "at": 1.0, "seconds": 1.0, "done": 40, "steps": 40, "step_seconds": 0.9}
    begin = {"kind": "begin", "schema": 1, "tool": "x", "started": "2026-01-01T00:00:00Z", "command": ["\x1b[2J"]}
    kept.write_text("\n".join([json.dumps(begin), json.dumps(sample), '{"kind":"sam']))
    done = mpsdoctor("watch", str(kept))
    assert done.returncode == 0
    assert "40 steps, 22.5 ms a step as a rule" in done.stdout
    assert "1 s so far" in done.stdout
    assert "\x1b" not in done.stdout
    os.utime(kept, (1, 1))
    assert "then nothing more was written" in mpsdoctor("watch", str(kept)).stdout
    chinese = mpsdoctor("watch", str(kept), env={"MPSDOCTOR_LANG": "zh"})
    assert "通常每步 22.5 ms" in chinese.stdout


@pytest.mark.parametrize("content", [None, "", "no json\n", "{}\n"])
def test_a_file_without_samples_is_a_usage_error(tmp_path: Path, content: str | None) -> None:
    """One that is missing, empty, or something else; the reason is told in a line."""
    file = tmp_path / "w.jsonl"
    if content is not None:
        file.write_text(content)
    done = mpsdoctor("watch", str(file))
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)


def test_a_command_that_never_steps_is_sampled(tmp_path: Path) -> None:
    """It need not be a Python; its end is told all the same."""
    kept = tmp_path / "w.jsonl"
    done = mpsdoctor("run", "--watch", "--watch-output", str(kept), "--", "sh", "-c", "echo out; exit 9")
    assert (done.returncode, done.stdout) == (9, "out\n")
    assert "no step was seen" in done.stderr
    assert [type(line) for line in lines_of(kept)][-2:] == [Sample, End]


def test_signals_go_to_the_training() -> None:
    """Those that end it and those that it takes for itself; its exit code is passed on."""
    with watched("--", PYTHON, "-c", LISTEN, "SIGUSR1", "SIGUSR2", "SIGINT", "SIGTERM", "SIGHUP") as process:
        assert read(process.stdout) == "ready"
        for name in ("SIGUSR1", "SIGINT", "SIGTERM", "SIGHUP", "SIGUSR2"):
            process.send_signal(getattr(signal, name))
            assert read(process.stdout) == f"got {name}"
        assert process.wait(60) == 7
        assert "ended with exit code 7" in process.communicate()[1]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGSEGV"])
def test_the_signal_that_ends_the_training_ends_this_too(name: str, tmp_path: Path) -> None:
    """As if the training had been started by itself; the summary comes first, and the file tells the signal."""
    kept = tmp_path / "w.jsonl"
    code = f"import os, signal; print(flush=True); os.kill(os.getpid(), signal.{name})"
    with watched("--watch-output", str(kept), "--", PYTHON, "-c", code) as process:
        _, err = process.communicate(timeout=60)
    number = getattr(signal, name)
    assert process.returncode == -number
    assert f"ended by {name}" in err
    end = lines_of(kept)[-1]
    assert isinstance(end, End)
    assert end.status == -number


def test_a_training_outlives_a_watcher_that_is_killed(tmp_path: Path) -> None:
    """It goes on and keeps its stdout; the file holds whole lines up to the last second."""
    kept = tmp_path / "w.jsonl"
    with watched("--watch-output", str(kept), "--", PYTHON, "-c", LISTEN, "SIGUSR2") as process:
        assert read(process.stdout) == "ready"
        (training,) = psutil.Process(process.pid).children()
        assert wait_for(lambda: kept.read_bytes().count(b"sample") >= 2)
        process.kill()
        assert process.wait(60) == -signal.SIGKILL
        assert len([line for line in lines_of(kept) if isinstance(line, Sample)]) >= 2
        training.send_signal(signal.SIGUSR2)
        assert read(process.stdout) == "got SIGUSR2"
        assert wait_for(lambda: not training.is_running())


STEP_ON = """
import os, sys, time, torch
model = torch.nn.Linear(8, 8)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
while True:
    model(torch.randn(4, 8)).sum().backward()
    optimizer.step()
    print(flush=True)
    time.sleep(0.1)
"""


def test_a_training_that_steps_outlives_a_watcher_too(tmp_path: Path) -> None:
    """What it tells goes nowhere then; that stops neither it nor its steps."""
    kept = tmp_path / "w.jsonl"
    with watched("--watch-output", str(kept), "--", PYTHON, "-c", STEP_ON) as process:
        assert wait_for(lambda: kept.exists() and b'"steps"' in kept.read_bytes(), 120)
        process.kill()
        process.wait(60)
        for _ in range(60):
            assert process.stdout is not None
            assert process.stdout.readline() == "\n"


def test_a_file_that_cannot_be_written_is_told_before_the_training_starts(tmp_path: Path) -> None:
    """An exit code of 2, and nothing has run."""
    trace = tmp_path / "ran"
    output = str(tmp_path / "none" / "w.jsonl")
    done = mpsdoctor("run", "--watch", "--watch-output", output, "--", "touch", str(trace))
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot be written" in done.stderr
    assert not trace.exists()
    assert mpsdoctor("run", "--watch-output", output, "--", "true").returncode == 2
    missing = mpsdoctor("run", "--watch", "--", "/no/such/program")
    assert missing.returncode == 2
    assert "cannot be started" in missing.stderr


def test_a_full_disk_costs_the_file_and_not_the_training() -> None:
    """The summary is told from memory."""
    done = mpsdoctor("run", "--watch", "--watch-output", "/dev/full", "--", "sh", "-c", "exit 4")
    assert done.returncode == 4
    assert done.stderr.count("takes no more") == 1
    assert "ended with exit code 4" in done.stderr


def test_ctrl_c_at_a_terminal_reaches_the_training_once(tmp_path: Path) -> None:
    """The terminal sends it to both; a second one would keep a trainer from saving its checkpoint."""
    code = LISTEN.replace("time.sleep(0.05)", "time.sleep(0.05); print('.', end='', flush=True)")
    pid, terminal = pty.fork()
    if not pid:
        words = [PYTHON, "-m", "mpsdoctor", "run", "--watch", "--", PYTHON, "-c", code, "SIGINT", "SIGUSR2"]
        os.execve(PYTHON, words, {**os.environ, "MPSDOCTOR_LANG": "en"})
    shown = ""

    def shows(test: Callable[[], bool]) -> bool:
        nonlocal shown
        until = time.monotonic() + 100
        while not test() and time.monotonic() < until:
            if select.select([terminal], [], [], 1.0)[0]:
                try:
                    shown += os.read(terminal, 4096).decode()
                except OSError:  # all that had it open have ended
                    break
        return test()

    try:
        assert shows(lambda: "ready" in shown)
        os.write(terminal, b"\x03")
        assert shows(lambda: shown.partition("got SIGINT")[2].count(".") > 20), shown
        os.kill(pid, signal.SIGUSR2)
        assert shows(lambda: "ended with exit code 7" in shown), shown
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
        assert shown.count("got SIGINT") == 1
    finally:
        os.close(terminal)


def test_a_mac_is_sampled_by_its_own_programs(tmp_path: Path) -> None:
    """Pressure, swap, heat and power of a replayed one; a program that is missing leaves its figures unknown."""
    ask = "\n".join(
        (
            "import json, msgspec, os, time",
            "from mpsdoctor.watch.sampling import Sampler",
            "sampler = Sampler(os.getpid(), None, time.monotonic())",
            "print(json.dumps([msgspec.to_builtins(sampler.take()) for _ in range(2)]))",
        )
    )
    env = replay.environment("m1-pressure", tmp_path)
    first, second = replay.answer(env, ask)
    assert first["pressure"] in ("warning", "critical")
    assert first["swap_used_bytes"] > 0
    assert "swapped_bytes" not in first
    assert second["swapped_bytes"] > 0
    assert second["thermal_state"] == first["thermal_state"]
    assert second["resident_bytes"] > 0
    (tmp_path / "bin" / "vm_stat").unlink()
    (tmp_path / "bin" / "pmset").unlink()
    without = replay.answer({**env, "MPSDOCTOR_TEST_WITHOUT": "vm_stat"}, ask)
    assert "swapped_bytes" not in without[1]
    assert "on_battery" not in without[1]
    assert without[1]["pressure"] == first["pressure"]
