"""Takes what the processes of a watched training tell: datagrams, summed up by process between two samples."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from mpsdoctor.watch.shapes import DeviceMemory
from mpsdoctor.worker.watch_shapes import Told

LARGEST = 65536  # bytes
QUEUED = 1 << 18  # bytes that may wait: hundreds of processes between two samples
MOST_PROCESSES = 4096  # whose last word is remembered
DECODER = msgspec.json.Decoder(Told)


@dataclass
class Steps:
    """What the process that is timed has done since it was last asked for."""

    steps: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    aside: dict[str, float] = field(default_factory=dict)

    def add(self, told: Told) -> None:
        self.steps += told["steps"]
        self.seconds += told["seconds"]
        self.longest = max(self.longest, told["longest"])
        for kind, seconds in told["aside"].items():
            self.aside[kind] = self.aside.get(kind, 0.0) + seconds


class Inbox:
    """A socket in a folder of its own, which only this user can reach."""

    def __init__(self) -> None:
        """OSError."""
        self._folder = tempfile.mkdtemp(prefix="mpsdoctor-watch-")
        self.path = str(Path(self._folder) / "s")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.bind(self.path)
        except OSError:
            self.close()
            raise
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, QUEUED)
        self._timed: int | None = None
        self._done: dict[int, int] = {}
        self._last: dict[int, Told] = {}
        self._new = Steps()

    def close(self) -> None:
        self._socket.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def read(self) -> None:
        """Take what has come."""
        with contextlib.suppress(OSError):
            while True:
                datagram = self._socket.recv(LARGEST)
                with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):  # from somebody else of this user
                    self._take(DECODER.decode(datagram))

    def _take(self, told: Told) -> None:
        pid = told["pid"]
        if pid not in self._last and len(self._last) >= MOST_PROCESSES:
            return
        self._last[pid] = told
        if self._timed is None or not _lives(self._timed):
            self._timed = pid
        if pid == self._timed:
            self._new.add(told)
            self._done[pid] = told["done"]

    def take_steps(self) -> Steps:
        """Of the first process that steps, and once that has ended of the next: they count the same steps."""
        new, self._new = self._new, Steps()
        return new

    @property
    def done(self) -> int:
        """Steps in all."""
        return sum(self._done.values())

    def living(self) -> list[int]:
        """Processes that step."""
        for pid in [pid for pid in self._last if not _lives(pid)]:
            del self._last[pid]
        return list(self._last)

    def devices(self) -> dict[str, DeviceMemory]:
        """What all of them have on each device."""
        by_device: dict[str, list[DeviceMemory]] = {}
        for told in self._last.values():
            for device, memory in told["memory"].items():
                figures = DeviceMemory(memory["tensors"], memory["reserved"], memory["peak"])
                by_device.setdefault(device, []).append(figures)
        return {device: _sum(rows) for device, rows in by_device.items()}


def _sum(rows: list[DeviceMemory]) -> DeviceMemory:
    names = DeviceMemory.__struct_fields__
    known = {name: [value for row in rows if (value := getattr(row, name)) is not None] for name in names}
    return DeviceMemory(**{name: sum(values) if values else None for name, values in known.items()})


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's
        return True
    return True
