"""The store through which machines hand over their reports: torch's TCPStore, and values in chunks.

No collective: that would need a mesh of connections, which is what is to be found out.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from mpsdoctor.fleet.world import World
from mpsdoctor.merging.reading import LARGEST

if TYPE_CHECKING:
    from torch.distributed import PrefixStore  # type: ignore[attr-defined]

CHUNK = 1 << 20  # bytes of a value; the server refuses 8 MiB and closes the connection
OPERATION = 10.0  # seconds that one operation may take
RETRY = 0.2  # seconds between two tries of a port that nobody listens on yet
T = TypeVar("T")


class NoStoreError(RuntimeError):
    """There is no store, or it has gone; the text tells why."""


class Delivery(msgspec.Struct, frozen=True):
    """The last key that a machine writes: what came before it. Readers trust no figure of it."""

    size: int
    chunks: int


class Store:
    """What this process and the others write and read. Each method may raise NoStoreError; none waits for a key."""

    def __init__(self, world: World, limit: float) -> None:
        """Open or reach the store within so many seconds."""
        # Its warnings of lost connections are pages of C++ frames; what happened is told by us.
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "FATAL")
        until = time.monotonic() + limit
        if not world.hosts:
            wait_for_port(world, until)
        self._store: Any = in_time(lambda: connect(world, limit), max(until - time.monotonic(), 1.0))

    def set(self, key: str, value: bytes) -> None:
        self._do(lambda: self._store.set(key, value))  # bytes as they are, though its stub says text

    def get(self, key: str) -> bytes | None:
        """None where nobody has written it yet."""
        found: bytes | None = self._do(lambda: self._store.get(key) if self._store.check([key]) else None)
        return found

    def hand_over(self, name: str, value: bytes) -> None:
        """A value of any size, its last part last."""
        parts = [value[start : start + CHUNK] for start in range(0, len(value), CHUNK)]
        for number, part in enumerate(parts):
            self.set(f"{name}/{number}", part)
        self.set(name, msgspec.json.encode(Delivery(len(value), len(parts))))

    def take(self, name: str) -> bytes | None:
        """What was handed over, None before that. ValueError for what cannot be."""
        raw = self.get(name)
        if raw is None:
            return None
        delivery = msgspec.json.decode(raw, type=Delivery)
        if not (0 <= delivery.size <= LARGEST and 0 <= delivery.chunks <= LARGEST // CHUNK):
            raise ValueError(f"{delivery.size:,} bytes in {delivery.chunks:,} parts")
        value = b"".join(self.get(f"{name}/{number}") or b"" for number in range(delivery.chunks))
        if len(value) != delivery.size:
            raise ValueError(f"{len(value):,} bytes in place of {delivery.size:,}")
        return value

    def _do(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except (RuntimeError, OSError) as error:
            raise NoStoreError(first_line(error)) from None


def connect(world: World, limit: float) -> PrefixStore:
    try:
        from torch.distributed import PrefixStore, TCPStore  # type: ignore[attr-defined]
    except (ImportError, OSError) as error:
        raise NoStoreError(f"torch without torch.distributed ({first_line(error)})") from None
    wait = timedelta(seconds=max(limit, 1.0))
    try:
        store = TCPStore(world.address, world.port, None, world.hosts, wait, wait_for_workers=False)
        store.set_timeout(timedelta(seconds=OPERATION))
    except (RuntimeError, OSError, ValueError) as error:
        raise NoStoreError(first_line(error)) from None
    return PrefixStore(f"mpsdoctor/{world.run}", store)


def wait_for_port(world: World, until: float) -> None:
    """Until somebody listens there; torch itself would tell of each try. NoStoreError."""
    while True:
        try:
            socket.create_connection((world.address, world.port), max(0.1, until - time.monotonic())).close()
            return
        except (OSError, UnicodeError) as error:
            if time.monotonic() + RETRY >= until:
                raise NoStoreError(f"port {world.port}: {first_line(error)}") from None
        time.sleep(RETRY)


def in_time(act: Callable[[], T], limit: float) -> T:
    """What it returns; NoStoreError where it takes longer, in a thread that nobody waits for then."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append((act(), None))
        except Exception as error:
            results.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit)
    if not results:
        raise NoStoreError(f"no answer within {limit:.0f} s")
    value, error = results[0]
    if error:
        raise error
    answer: T = value
    return answer


def first_line(error: BaseException) -> str:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(reason).splitlines()[0][:300]
