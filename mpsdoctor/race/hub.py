"""Where the scripts of a race call in: a socket in a private folder, and one queue of all that happens."""

from __future__ import annotations

import contextlib
import json
import queue
import secrets
import socket
import threading
from pathlib import Path
from typing import Any, NamedTuple

Message = dict[str, Any]  # JSON from a script, checked where it is used
LONGEST = 1 << 20  # bytes of a line; an answer holds hundreds of losses at most


class Connection:
    """A process of a script that has imported torch."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link

    def send(self, message: Message) -> None:
        with contextlib.suppress(OSError):  # the end of its stream tells of its end
            self.link.sendall(json.dumps(message).encode() + b"\n")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.link.shutdown(socket.SHUT_RDWR)
        self.link.close()


class Event(NamedTuple):
    """What happened to the script of that token: a message, the end of a connection (None), or what its keeper told."""

    token: str
    connection: Connection | None
    message: Message | None


class Hub:
    """Takes calls until it is closed."""

    def __init__(self, folder: Path) -> None:
        """Listen. OSError."""
        self.path = folder / "s"
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.tokens: set[str] = set()
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(self.path))
        self._server.listen()
        self._connections: list[Connection] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def new_token(self) -> str:
        """What a script has to say to be heard."""
        token = secrets.token_hex(8)
        self.tokens.add(token)
        return token

    def address(self, token: str) -> str:
        return f"{token}@{self.path}"

    def close(self) -> None:
        for connection in [*self._connections]:
            connection.close()
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._server.accept()
            except OSError:
                return
            connection = Connection(link)
            self._connections.append(connection)
            threading.Thread(target=self._listen, args=(connection,), daemon=True).start()

    def _listen(self, connection: Connection) -> None:
        token = ""
        with contextlib.suppress(OSError, ValueError), connection.link.makefile("rb") as lines:
            while (line := lines.readline(LONGEST)).endswith(b"\n"):
                message = json.loads(line)
                if not isinstance(message, dict):
                    break
                token = token or str(message.get("hello"))
                if token not in self.tokens:
                    break
                self.events.put(Event(token, connection, message))
        connection.close()
        if token in self.tokens:
            self.events.put(Event(token, connection, None))
