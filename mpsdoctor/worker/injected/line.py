"""The connection of a script to the doctor of a race: one JSON object a line, both ways, over a local socket."""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import Any, Dict, Optional


class Line:
    """A connection; `where` is `TOKEN@PATH`. Once the doctor is gone it answers None, and the script runs on alone."""

    def __init__(self, where: str) -> None:
        self.token, _, self.path = where.partition("@")
        self.owner = os.getpid()
        self.socket: Optional[socket.socket] = None
        self.waiting = b""

    def hello(self, device: str, offered: Any, torch: str) -> None:
        """Tell who is there."""
        try:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.connect(self.path)
        except OSError:
            self.close()
        who = {"pid": os.getpid(), "executable": sys.executable, "python": sys.version.partition(" ")[0]}
        self.send({"hello": self.token, "device": device, "offered": offered, "torch": torch, **who})

    def send(self, message: Dict[str, Any]) -> None:
        try:
            if self.socket:
                self.socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            self.close()

    def receive(self) -> Optional[Dict[str, Any]]:
        """The next order; None when there will be no more. Ctrl+C ends the wait as it would end the script."""
        try:
            while self.socket and b"\n" not in self.waiting:
                more = self.socket.recv(65536)
                self.waiting += more
                if not more:
                    self.close()
        except OSError:
            self.close()
        order, separator, self.waiting = self.waiting.partition(b"\n")
        if not separator:
            return None
        message: Dict[str, Any] = json.loads(order)
        return message

    def close(self) -> None:
        if self.socket:
            self.socket.close()
        self.socket = None
