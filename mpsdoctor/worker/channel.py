"""The worker's end of the protocol: one JSON object a line, on a descriptor nothing else can print to."""

from __future__ import annotations

import json
import os
import threading
from typing import Any, Callable

# Run when the other end is gone, before this process ends itself.
at_hangup: list[Callable[[], object]] = []

LARGEST_ANSWER = 16 << 20  # bytes, of progress too; mpsdoctor/messages.py reads no more
LARGEST = 1 << 20  # of anything else

_out = -1
_owner = -1
_current: Any = None
_lock = threading.Lock()
_held = b""


def claim_standard_streams() -> int:
    """Keep stdin and stdout for the protocol, and give user code an empty stdin and stderr for its prints.

    Returns the descriptor jobs are read from.
    """
    global _out, _owner
    jobs, _out, _owner = os.dup(0), os.dup(1), os.getpid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return jobs


class TooLongError(ValueError):
    """A message is larger than the doctor reads; the text tells its size."""


def is_owner() -> bool:
    """Whether this is the worker and not a process that its job forked."""
    return os.getpid() == _owner


def send(message: dict[str, Any]) -> None:
    """Write one message; numbers that JSON lacks (NaN) are Python's own spelling. TooLongError."""
    send_line(bounded(json.dumps(message), LARGEST))


def bounded(line: str, limit: int) -> str:
    """The line, which is ASCII. TooLongError."""
    if len(line) + 1 >= limit:
        raise TooLongError(f"{len(line):,} bytes in one message, and no more than {limit:,} are read")
    return line


def send_line(line: str, more: bool = False) -> None:
    """Write one line, or with `more` hold it until the next one, which follows at once: a write costs a wake-up."""
    global _held
    encoded = line.encode() + b"\n"
    if not is_owner():
        return
    with _lock:
        lines = _held + encoded
        _held = lines if more else b""
        while lines and not more:
            lines = lines[os.write(_out, lines) :]


def begin(job: Any) -> None:
    """Announce a job before it runs, so that a death during it is counted against it."""
    global _current
    _current = job
    send({"start": job})


def progress(value: Any) -> None:
    """Report something about the running job before its answer: a figure so far, a finding. TooLongError."""
    send_line(bounded(json.dumps({"id": _current, "progress": value}), LARGEST_ANSWER))


def group(number: int, alive: bool) -> None:
    """Report a process that leads a group of its own and was started (or ended): it may outlive this one."""
    send({"group": number, "alive": alive})


def hang_up() -> None:
    """Run the actions that are due at the end, and end this process, as the doctor is gone."""
    try:
        for action in at_hangup:
            action()
    finally:  # an action that reports meets a broken pipe
        os._exit(0)
