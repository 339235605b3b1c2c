"""Whether machines reach each other: each listens on a port of its own, tells it, and tries those of others."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import msgspec

from mpsdoctor.fleet.world import World
from mpsdoctor.merging.shapes import Rank, Ranks, Reach

PATIENCE = 2.0  # seconds for a connection within a cluster; all are tried at once
REFUSAL = 0.3  # seconds for a closed port to say so; what takes longer is not known to be closed
MOST_PEERS = 32  # machines that one tries, so that the whole grows with their number and not with its square
WAITING = 1024  # connections that the kernel keeps, also for a process that is stopped


class Port(msgspec.Struct, frozen=True):
    """Where a machine listens; the address stays in the store."""

    rank: Rank
    ranks: Ranks
    address: str
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]


class Listener:
    """This machine's port. Who connects learns no more than that somebody listens."""

    def __init__(self, world: World) -> None:
        """OSError."""
        family, address = own_address(world)
        self._socket = socket.create_server(("", 0), family=family, backlog=WAITING)
        self.interface = interface_of(address)
        self.port = Port(world.rank, world.ranks, address, self._socket.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._socket.accept()[0].close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()


def own_address(world: World) -> tuple[socket.AddressFamily, str]:
    """That of the interface towards the store; nothing is sent. OSError."""
    family, kind, _, _, place = socket.getaddrinfo(world.address, world.port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind) as towards:
        towards.connect(place)
        return family, str(towards.getsockname()[0])


def interface_of(address: str) -> str | None:
    """The name of the interface with this address, as in `en0`."""
    import psutil

    with contextlib.suppress(OSError, psutil.Error):
        for name, addresses in psutil.net_if_addrs().items():
            if any(entry.address.partition("%")[0] == address for entry in addresses):
                return name
    return None


def read_port(raw: bytes) -> Port:
    """ValueError; an address that is a name would be looked up, and is none of ours."""
    port = msgspec.json.decode(raw, type=Port)
    ipaddress.ip_address(port.address)
    return port


def try_port(port: Port) -> Reach:
    began = time.monotonic()
    try:
        socket.create_connection((port.address, port.port), PATIENCE).close()
    except OSError as error:
        return Reach(port.rank, False, None, error.strerror or str(error))
    return Reach(port.rank, True, round(1000 * (time.monotonic() - began), 3))


def try_all(ports: Sequence[Port]) -> tuple[Reach, ...]:
    if not ports:
        return ()
    with ThreadPoolExecutor(len(ports)) as pool:
        return tuple(pool.map(try_port, ports))


def peers_of(machine: int, machines: int) -> list[int]:
    """The next ones in a ring, which for few machines are all others."""
    return [(machine + step) % machines for step in range(1, min(machines - 1, MOST_PEERS) + 1)]


def is_closed(port: Port) -> bool:
    """Whether its process has gone: the system answers that nobody listens. Of a stopped process it keeps the port."""
    try:
        socket.create_connection((port.address, port.port), REFUSAL).close()
    except OSError as error:
        return isinstance(error, ConnectionRefusedError)
    return False
