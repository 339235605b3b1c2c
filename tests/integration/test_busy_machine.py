"""A check-up beside programs that take the processors."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.support import COMMAND, check, install, mpsdoctor

TIMED = """
id = "timed"
title = "A check that times"
timed = True
def run(context):
    yield {"waited_s": context.waited_s}
"""


@pytest.fixture
def spinners() -> Iterator[None]:
    """More of them than there are processors."""
    spin = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * (os.cpu_count() or 1))]
    yield
    for process in spin:
        process.kill()
        process.wait()


def test_a_busy_machine_is_told_first_and_waited_for_a_little(tmp_path: Path, spinners: None) -> None:
    """Before the first check, on stderr and as an event; the check is told how long the wait was."""
    env = install(tmp_path, timed=TIMED)
    done = mpsdoctor("--format", "jsonl", "--only", "timed", "--budget", "quick", env=env)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["event"] for line in lines][:2] == ["listed", "busy"]
    assert lines[1]["percent"] > 25
    assert lines[1]["text"].startswith("the machine is busy: ")
    assert lines[1]["text"].endswith("waiting up to 3 s")
    assert lines[1]["text"] in done.stderr
    assert 2.5 <= check(lines[-1]["report"], "timed")["facts"]["waited_s"] <= 10


def test_where_nothing_is_timed_nobody_is_waited_for(tmp_path: Path, spinners: None) -> None:
    """A check that says nothing of time runs at once."""
    env = install(tmp_path, timed=TIMED.replace("timed = True", ""))
    done = mpsdoctor("--format", "jsonl", "--only", "timed", env=env)
    assert [json.loads(line)["event"] for line in done.stdout.splitlines()][:2] == ["listed", "started"]


def test_a_wait_can_be_cancelled(tmp_path: Path, spinners: None) -> None:
    """Ctrl+C while other programs are waited for ends the check-up as at any other time."""
    env = {**os.environ, **install(tmp_path, timed=TIMED)}
    command = [*COMMAND, "--only", "timed", "--budget", "thorough"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as doctor:
        assert doctor.stderr is not None
        assert "the machine is busy" in doctor.stderr.readline()
        begun = time.monotonic()
        doctor.send_signal(signal.SIGINT)
        assert doctor.wait(15) == 130
    assert time.monotonic() - begun < 10
