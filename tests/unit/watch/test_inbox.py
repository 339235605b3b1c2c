"""What processes of a training tell, summed up."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mpsdoctor.watch.inbox import Inbox
from mpsdoctor.watch.shapes import DeviceMemory


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    opened = Inbox()
    yield opened
    opened.close()


def tell(inbox: Inbox, message: bytes | dict[str, Any]) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
        sending.sendto(message if isinstance(message, bytes) else json.dumps(message).encode(), inbox.path)


def message(pid: int, done: int, steps: int, tensors: int = 1000, **more: Any) -> dict[str, Any]:
    memory = {"mps": {"tensors": tensors, "reserved": 4000, "peak": None}}
    base = {"pid": pid, "torch": "2.13.0", "done": done, "steps": steps, "seconds": 0.1 * steps, "longest": 0.1}
    return {**base, "aside": {}, "memory": memory, **more}


def test_the_first_process_that_steps_is_timed(inbox: Inbox) -> None:
    """The others make the same steps; what all of them hold on a device is added up."""
    other = os.getppid()
    tell(inbox, message(os.getpid(), 5, 5, aside={"epoch": 0.5}))
    tell(inbox, message(other, 7, 7))
    tell(inbox, message(os.getpid(), 9, 4, longest=0.4))
    inbox.read()
    steps = inbox.take_steps()
    assert (steps.steps, steps.longest, steps.aside) == (9, 0.4, {"epoch": 0.5})
    assert steps.seconds == pytest.approx(0.9)
    assert inbox.take_steps().steps == 0
    assert inbox.done == 9
    assert inbox.devices() == {"mps": DeviceMemory(2000, 8000, None)}
    assert set(inbox.living()) == {os.getpid(), other}


def test_once_it_has_ended_the_next_one_is_timed(inbox: Inbox) -> None:
    """As in a script that starts one training after the other; their steps count together."""
    with subprocess.Popen([sys.executable, "-c", ""]) as short:
        pass
    tell(inbox, message(short.pid, 5, 5))
    tell(inbox, message(os.getpid(), 3, 3))
    inbox.read()
    assert inbox.take_steps().steps == 8
    assert inbox.done == 8
    assert inbox.living() == [os.getpid()]
    assert inbox.devices()["mps"].tensors_bytes == 1000


def test_what_is_no_message_is_left_out(inbox: Inbox) -> None:
    """Any program of this user can write to the socket."""
    for strange in (b"", b"\xff", b"{}", b"[]", json.dumps({**message(1, 1, 1), "steps": "many"}).encode()):
        tell(inbox, strange)
    tell(inbox, message(os.getpid(), 1, 1))
    inbox.read()
    assert inbox.take_steps().steps == 1


def test_nothing_is_left_behind() -> None:
    """The socket and its folder, which nobody else can enter, go with it."""
    inbox = Inbox()
    folder = Path(inbox.path).parent
    assert folder.stat().st_mode & 0o077 == 0
    inbox.close()
    assert not folder.exists()
