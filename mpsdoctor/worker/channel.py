"""The worker's end of the protocol: one JSON object a line, on a descriptor nothing else can print to."""

from __future__ import annotations

import json
import os
import threading
from typing import Any, Callable

# Run when the other end is gone, before this process ends itself.
at_hangup: list[Callable[[], object]] = []

_out = -1
_current: Any = None
_lock = threading.Lock()
_held = b""


def claim_standard_streams() -> int:
    """Keep stdin and stdout for the protocol, and give user code an empty stdin and stderr for its prints.

    Returns the descriptor jobs are read from.
    """
    global _out
    jobs, _out = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return jobs


def send(message: dict[str, Any]) -> None:
    """Write one message; numbers that JSON lacks (NaN) are Python's own spelling, both ends being Python."""
    send_line(json.dumps(message))


def send_line(line: str, more: bool = False) -> None:
    """Write one line, or with `more` hold it until the next one, which follows at once: a write costs a wake-up."""
    global _held
    with _lock:
        lines = _held + line.encode() + b"\n"
        _held = lines if more else b""
        while lines and not more:
            lines = lines[os.write(_out, lines) :]


def begin(job: Any) -> None:
    """Announce a job before it runs, so that a death during it is counted against it."""
    global _current
    _current = job
    send({"start": job})


def progress(value: Any) -> None:
    """Report something about the running job before its answer: a figure so far, a process it started."""
    send({"id": _current, "progress": value})


def hang_up() -> None:
    """The doctor is gone: nobody waits for an answer, so leave nothing running."""
    try:
        for action in at_hangup:
            action()
    finally:  # an action that reports meets a broken pipe
        os._exit(0)
