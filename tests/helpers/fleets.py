"""Fleets on one machine: real processes, a real store on loopback, real signals; check-ups are recorded reports."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from mpsdoctor.fleet.world import OF_TORCHRUN

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
RECORDED = ROOT / "tests" / "unit" / "recorded" / "cpu-only.json"
MARK = "MPSDOCTOR_TEST_FLEET"  # in the environment of all that a fleet starts


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@dataclass
class Member:
    """A process of a fleet. `status` and `seconds` of processor time are there once it has ended."""

    number: int
    folder: Path
    pid: int = 0
    status: int | None = None
    seconds: float = 0.0
    begun: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    begun_at: float = 0.0

    def send(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.kill(self.pid, number)

    def wait(self, seconds: float) -> bool:
        return self.ended.wait(seconds)

    def said(self) -> str:
        return (self.folder / "stderr").read_text() if (self.folder / "stderr").exists() else ""

    def printed(self) -> str:
        return (self.folder / "stdout").read_text() if (self.folder / "stdout").exists() else ""


class Nursery:
    """Forks processes of fleets; a `with` statement ends it, and them."""

    def __init__(self) -> None:
        env = {name: value for name, value in os.environ.items() if name not in OF_TORCHRUN}
        env |= {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "checks"))), "MPSDOCTOR_LANG": "en"}
        env |= {"TORCH_CPP_LOG_LEVEL": "FATAL"}
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "fleet_nursery.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env
        )
        self._members: dict[int, Member] = {}
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()
        self._thread.join()

    def start(self, folder: Path, env: Mapping[str, str], args: Sequence[str], rogue: str = "") -> Member:
        """Begin one, whose working folder is made."""
        folder.mkdir(parents=True)
        with self._lock:
            member = Member(len(self._members), folder)
            self._members[member.number] = member
            order = {"number": member.number, "folder": str(folder), "env": dict(env), "args": [*args], "rogue": rogue}
            assert self._process.stdin
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
        return member

    def _listen(self) -> None:
        assert self._process.stdout
        with self._process.stdout as stream:
            for line in stream:
                told = json.loads(line)
                member = self._members[told["number"]]
                if "pid" in told:
                    member.pid, member.begun_at = told["pid"], time.monotonic()
                    member.begun.set()
                else:
                    member.status, member.seconds = told["status"], told["seconds"]
                    member.ended.set()


@dataclass
class Fleet:
    """Several processes, each its own machine, that share a store which rank 0 opens."""

    nursery: Nursery
    folder: Path
    size: int
    timeout: float
    port: int = field(default_factory=free_port)
    members: dict[int, Member] = field(default_factory=dict)

    def environment(self, rank: int, plan: Mapping[str, Any]) -> dict[str, str]:
        begun = self.folder / f"begun-{rank}"
        whole = {"report": str(self.report()), "seconds": 0.0, "fault": "", "begun": str(begun), **plan}
        return {
            "RANK": str(rank),
            "WORLD_SIZE": str(self.size),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(self.port),
            "PYTHONPATH": str(HERE / "fleet_stub"),
            "FLEET_STUB": json.dumps(whole),
            "TMPDIR": str(self.folder),
            MARK: self.folder.name,
        }

    def report(self) -> Path:
        """What every check-up hands out: of no device, so that no backend is tried on one."""
        file = self.folder / "recorded.json"
        if not file.exists():
            file.write_text(json.dumps({**json.loads(RECORDED.read_text(encoding="utf-8")), "devices": []}))
        return file

    @property
    def kept(self) -> Path:
        return self.folder / "kept"

    def start(self, rank: int, plan: Mapping[str, Any] | None = None, *args: str, **env: str) -> Member:
        """One rank, whose check-up goes by the plan; see fleet_stub."""
        variables = {**self.environment(rank, plan or {}), **env}
        options = ("--timeout", str(self.timeout), "--keep", str(self.kept), "--json", *args)
        self.members[rank] = self.nursery.start(self.folder / str(rank), variables, options)
        return self.members[rank]

    def start_rogue(self, rank: int, rogue: str) -> Member:
        """In place of a rank: Python that does what it likes with the store."""
        self.members[rank] = self.nursery.start(self.folder / str(rank), self.environment(rank, {}), (), rogue)
        return self.members[rank]

    def begun_check_ups(self) -> int:
        """Stubs that have begun."""
        return len(list(self.folder.glob("begun-*")))

    def left(self) -> list[int]:
        """Processes of this fleet that still live."""
        mark, alive = f"{MARK}={self.folder.name}".encode(), []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    status = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                    if status != "Z" and mark in (entry / "environ").read_bytes().split(b"\0"):
                        alive.append(int(entry.name))
                except OSError:
                    continue
        own = {member.pid for member in self.members.values() if not member.ended.is_set()}
        return sorted({*alive, *own})

    def end(self) -> None:
        """Whatever is left."""
        for pid in self.left():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
