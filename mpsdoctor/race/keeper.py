"""Holds one script of a race: `python -I keeper.py COMMAND …`, started by the doctor, the script's only parent.

It reads from stdin `stop` (end the script as Ctrl+C does, then by force) and the end of the stream, which means that
the doctor is gone, however: then nothing may be left of the script. On stdout it tells `started` or `failed`, `ended`.
The script writes to this process' stderr and reads from nothing. Standard library alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

GRACE = 5.0  # seconds for a script to put its things in order after Ctrl+C
PR_SET_CHILD_SUBREAPER = 36


def tell(**what: object) -> None:
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(what).encode() + b"\n")


def adopt() -> None:
    """Become the parent of what the script leaves behind, where the kernel offers that."""
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def parents() -> dict[int, int]:
    """The parent of every process that can be seen."""
    if Path("/proc/self/stat").exists():
        return {int(entry.name): parent for entry in Path("/proc").iterdir() if (parent := parent_in_proc(entry))}
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=False).stdout
    return {int(child): int(parent) for child, parent in map(str.split, listing.splitlines())}


def parent_in_proc(entry: Path) -> int | None:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1]) if entry.name.isdigit() else None
    except (OSError, ValueError, IndexError):
        return None


def descendants() -> list[int]:
    """All that descends from this process."""
    known, frontier = parents(), {os.getpid()}
    family: list[int] = []
    while frontier:
        frontier = {child for child, parent in known.items() if parent in frontier} - {*family, os.getpid()}
        family += sorted(frontier)
    return family


def kill_all(group: int) -> None:
    """End the script's group and whatever else descends from it, until nothing does."""
    for _ in range(5):
        family = descendants()
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)
        for process in family:
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        reap()
        if not descendants():
            return
        time.sleep(0.05)


def reap() -> None:
    """Wait for the dead that became ours; the script itself is waited for elsewhere."""
    with contextlib.suppress(OSError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def hold(command: list[str]) -> None:
    """Run the command until it ends, or has to."""
    adopt()
    try:
        script = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=2, stderr=2, start_new_session=True)
    except (OSError, ValueError) as error:
        tell(failed=getattr(error, "strerror", None) or str(error))
        return
    tell(started=script.pid)
    ended, notice = os.pipe()
    threading.Thread(target=lambda: (script.wait(), os.write(notice, b".")), daemon=True).start()
    watched, until = [0, ended], None
    while True:
        left = None if until is None else max(0.0, until - time.monotonic())
        ready = select.select(watched, [], [], left)[0]
        if ended in ready:
            break
        order = os.read(0, 4096) if 0 in ready else b""
        if not order:  # the doctor is gone, or the time is over
            kill_all(script.pid)
            break
        with contextlib.suppress(OSError):
            os.killpg(script.pid, signal.SIGINT)
        until = until or time.monotonic() + GRACE
    status = script.wait()
    kill_all(script.pid)
    tell(ended=status)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hold(sys.argv[1:])
