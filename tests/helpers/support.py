"""What several tests use: the command as a process, and checks of strangers installed for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import psutil

COMMAND = [sys.executable, "-m", "mpsdoctor"]
PROCESS_MARK = "mpsdoctor/worker"
# Inherited by every process that these tests start, which tells them from those of another run beside it.
MARK = ("MPSDOCTOR_TEST_RUN", str(os.getpid()))
os.environ[MARK[0]] = MARK[1]


def mpsdoctor(*args: str, env: dict[str, str] | None = None, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, with stdout and stderr apart."""
    return subprocess.run(
        [*COMMAND, *args],
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def report(*args: str, env: dict[str, str] | None = None) -> dict[str, Any]:
    """The document that `mpsdoctor --json` prints."""
    done = mpsdoctor("--json", *args, env=env)
    try:
        document: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise AssertionError(f"exit status {done.returncode}, no JSON:\n{done.stdout}\n{done.stderr}") from None
    return {**document, "exit": done.returncode}


def check(document: dict[str, Any], check_id: str) -> dict[str, Any]:
    """One check of a report."""
    return next(result for result in document["checks"] if result["id"] == check_id)


def install(folder: Path, **checks: str) -> dict[str, str]:
    """Install checks given by their source, each as a module and entry point; the environment that sees them."""
    info = folder / "strangers-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: strangers\nVersion: 1.0\n")
    entries = "".join(f"{name.replace('_', '-')} = stranger_{name}\n" for name in checks)
    (info / "entry_points.txt").write_text(f"[mpsdoctor.checks]\n{entries}")
    for name, source in checks.items():
        (folder / f"stranger_{name}.py").write_text(textwrap.dedent(source))
    return {"PYTHONPATH": str(folder)}


def processes_left(seconds: float = 5.0) -> list[str]:
    """Worker processes still there after at most so many seconds; empty as soon as there is none."""
    deadline = time.monotonic() + seconds
    while (left := _workers()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _workers() -> list[str]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if line.endswith(PROCESS_MARK) and _is_ours(process):
            found.append(f"{process.pid}: {line}")
    return found


def _is_ours(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK[0]) == MARK[1]
    except psutil.Error:  # it has ended meanwhile
        return False
