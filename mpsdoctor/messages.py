"""What a worker says, as types: decoded once, where it is read, and never taken for more than it is.

A line of the pipe is a JSON object with one of the keys of `KINDS`. Numbers that JSON lacks (NaN) are Python's own
spelling, both ends being Python.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

# Bytes of an answer or of progress, line ends included; worker/channel.py sends none that is longer. The operator calls
# of a large model's training step have some MiB, and so have the rows of a thorough check-up where much fails.
LARGEST_ANSWER = 16 << 20
LARGEST = 1 << 20  # of anything else


class Ready(msgspec.Struct, frozen=True):
    """The worker can take jobs."""

    ready: int


class Start(msgspec.Struct, frozen=True):
    """The job of this number begins."""

    start: int


class Group(msgspec.Struct, frozen=True):
    """The worker has started a process that leads a group of its own, or that one has ended."""

    group: int
    alive: bool


class Progress(msgspec.Struct, frozen=True):
    """Something about the job that runs, before its answer."""

    id: int
    progress: Any


class Value(msgspec.Struct, frozen=True):
    """What a job returned."""

    id: int
    value: Any


class Raised(msgspec.Struct, frozen=True):
    """An exception: its type, the first characters of its text, its innermost frames."""

    type: str
    message: str
    traceback: str


class Failure(msgspec.Struct, frozen=True):
    """A job raised."""

    id: int
    error: Raised


class Unfit(msgspec.Struct, frozen=True):
    """A line that is no message, and why; `noise` where it is nothing of this protocol at all."""

    problem: str
    noise: bool = True


Message = Ready | Start | Group | Progress | Value | Failure
KINDS: dict[str, type[Message]] = {
    "start": Start,
    "value": Value,
    "progress": Progress,
    "error": Failure,
    "group": Group,
    "ready": Ready,
}


def read(line: bytes) -> Message | Unfit:
    """The message of one line; never raises."""
    if len(line) >= LARGEST_ANSWER:
        return Unfit(f"a message of more than {LARGEST_ANSWER >> 20} MiB")
    try:
        content = json.loads(line)
        kind = next((kind for key, kind in KINDS.items() if key in content), None)
    except (RecursionError, TypeError, ValueError) as error:
        return Unfit(f"a line that is no message: {error}")
    if not kind:
        return Unfit("a line that is no message: it has none of the fields of one")
    if kind not in (Value, Progress) and len(line) >= LARGEST:
        return Unfit(f"a message of more than {LARGEST >> 20} MiB", noise=False)
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        return Unfit(f"a message that is not as it should be: {error}", noise=False)
