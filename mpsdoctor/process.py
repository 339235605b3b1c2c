"""One worker process: its pipes, the end of its stderr, and how it is ended."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any

ENTRY = Path(__file__).parent / "worker"
STDERR_KEPT = 8192  # bytes: a Metal assertion, or a Python traceback, with room
PARTING_KEPT = 1 << 20  # bytes: a line for each of torch's three thousand operators, with room
LINE_LIMIT = 64 << 20  # bytes: an endless line must not fill the doctor's memory
# Set by macOS's framework launcher for this interpreter; another one would take it for its own home.
FOREIGN = ("__PYVENV_LAUNCHER__", "PYTHONHOME")

Message = dict[str, Any]
# Told of every process that is started (True) and ended (False), by process group.
Watcher = Callable[[int, bool], None]


def environment(overrides: Mapping[str, str | None]) -> dict[str, str]:
    """This process' environment, less what belongs to its interpreter alone, with overrides; None unsets."""
    merged = {**os.environ, **dict.fromkeys(FOREIGN), **overrides}
    return {name: value for name, value in merged.items() if value is not None}


def kill_group(group: int) -> None:
    """End a process group at once. SIGTERM could be ignored, and a worker has nothing to save."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # gone already, or only zombies left
        os.killpg(group, signal.SIGKILL)


def parse(line: bytes) -> Message | None:
    """One line of the protocol, or None for anything else that reached the pipe."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


class Process:
    """A started worker. `messages` yields what it sends; None follows the last one."""

    def __init__(self, python: str, overrides: Mapping[str, str | None], watch: Watcher | None = None) -> None:
        """Start it; OSError if the interpreter cannot be started."""
        self._popen = subprocess.Popen(
            [python, str(ENTRY)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(overrides),
            start_new_session=True,
        )
        self.messages: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self.ready = False
        self._jobs: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._stderr = bytearray()
        self._kept = STDERR_KEPT
        self._descendants: set[int] = set()
        self._ended = False
        self._lock = threading.Lock()
        self._watch = watch or (lambda group, alive: None)
        self._watch(self._popen.pid, True)
        self._threads = [
            threading.Thread(target=target, daemon=True)
            for target in (self._read_messages, self._read_stderr, self._write_jobs)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        return self._popen.pid

    def send(self, messages: Iterable[Message]) -> None:
        """Queue jobs. Never blocks: a worker that hangs does not read."""
        if lines := b"".join(json.dumps(message).encode() + b"\n" for message in messages):
            self._jobs.put(lines)

    def leave(self, timeout: float) -> str:
        """Let it end by itself, for what torch prints when a program ends; its stderr by then, at most 1 MiB."""
        self._kept = PARTING_KEPT
        self.send([{"leave": True}])
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout)
        self._threads[1].join(1.0)
        return self.last_words()

    def exited(self) -> bool:
        return self._popen.poll() is not None

    def end(self) -> int:
        """Kill the worker, its group and the groups it started; its exit status (negative: a signal)."""
        with self._lock:
            first, self._ended = not self._ended, True
        if not first:
            return self._popen.wait()
        with contextlib.suppress(subprocess.TimeoutExpired):
            # One that is dying by itself gets the moment it needs to tell how.
            self._popen.wait(0.3 if self.exited_or_closed else 0)
        for group in (self.pid, *self._descendants):
            kill_group(group)
        self._jobs.put(None)
        status = self._popen.wait()
        for thread in self._threads:
            thread.join(0.3)  # an orphan may hold a pipe open; what was read by then is enough
        self._watch(self.pid, False)
        return status

    @property
    def exited_or_closed(self) -> bool:
        return self.exited() or not self._threads[0].is_alive()

    def last_words(self) -> str:
        """The end of its stderr, at most 8 KiB; what it printed while it left, at most 1 MiB."""
        return self._stderr.decode("utf-8", "replace").strip()

    def _read_messages(self) -> None:
        stream = _stream(self._popen.stdout)
        while chunk := stream.readline(LINE_LIMIT):
            if (message := parse(chunk)) is not None and not self._is_about_descendants(message):
                self.messages.put(message)
        stream.close()
        self.messages.put(None)

    def _is_about_descendants(self, message: Message) -> bool:
        """Remember the groups that the worker starts: they outlive it if it dies before it can end them."""
        progress = message.get("progress")
        if not isinstance(progress, dict) or not isinstance(group := progress.get("group"), int):
            return False
        if progress.get("alive"):
            self._descendants.add(group)
        else:
            self._descendants.discard(group)
        return True

    def _read_stderr(self) -> None:
        stream = _stream(self._popen.stderr)
        while chunk := os.read(stream.fileno(), 65536):
            self._stderr += chunk
            del self._stderr[: -self._kept]
        stream.close()

    def _write_jobs(self) -> None:
        stream = _stream(self._popen.stdin)
        with contextlib.suppress(BrokenPipeError, OSError):  # the reader of messages tells of the death
            while (line := self._jobs.get()) is not None:
                stream.write(line)
                stream.flush()
        with contextlib.suppress(OSError):
            stream.close()


def _stream(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:  # Popen was asked for all three
        raise AssertionError("a pipe is missing")
    return pipe


def how_it_ended(status: int) -> str:
    """An exit status in words: `SIGSEGV`, `exit status 3`."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
