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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

from mpsdoctor import messages, orphans
from mpsdoctor.messages import Message, Unfit
from mpsdoctor.texts import Part

ENTRY = Path(__file__).parent / "worker"
STDERR_KEPT = 8192  # bytes: a Metal assertion, or a Python traceback, with room
PARTING_KEPT = 1 << 20  # bytes: a line for each of torch's three thousand operators, with room
# Set by macOS's framework launcher for this interpreter; another one would take it for its own home.
# Under `mpsdoctor run` our workers would be shown one device alone.
FOREIGN = ("__PYVENV_LAUNCHER__", "PYTHONHOME", "MPSDOCTOR_STEER", "MPSDOCTOR_RACE", "MPSDOCTOR_EXPLAIN")

# A worker dies with the thread that started it (see worker/guard.py), so this one lives as long as the program.
STARTER = ThreadPoolExecutor(1, "starter")
STARTED: set[int] = set()  # workers of this process that have not been waited for
STARTED_LOCK = threading.Lock()
# Told of every process that is started (True) and ended (False), by process group.
Watcher = Callable[[int, bool], None]


def environment(overrides: Mapping[str, str | None]) -> dict[str, str]:
    """This process' environment, less what belongs to its interpreter alone, with overrides; None unsets."""
    merged = {**os.environ, **dict.fromkeys(FOREIGN), **overrides, orphans.VARIABLE: orphans.MARK}
    return {name: value for name, value in merged.items() if value is not None}


def kill_group(group: int) -> None:
    """End a process group at once. SIGTERM could be ignored, and a worker has nothing to save."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # gone already, or only zombies left
        os.killpg(group, signal.SIGKILL)


def started_by(group: int, ancestor: int) -> float | None:
    """When the leader of this process group began, if `ancestor` started it; None for any other number."""
    import psutil

    try:
        leader = psutil.Process(group)
        if os.getpgid(group) != group or not any(parent.pid == ancestor for parent in leader.parents()):
            return None
        return float(leader.create_time())
    except (psutil.Error, OSError, OverflowError, ValueError):
        return None


def still_leads(group: int, began: float) -> bool:
    """Whether this number is not another process' by now; a group outlives its leader, and keeps the number."""
    import psutil

    try:
        return bool(psutil.Process(group).create_time() == began)
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False


class Process:
    """A started worker. `messages` yields what it sends and its size in bytes; None follows the last one."""

    def __init__(self, python: str, overrides: Mapping[str, str | None], watch: Watcher | None = None) -> None:
        """Start it; OSError if the interpreter cannot be started."""
        self._popen = STARTER.submit(_start, [python, str(ENTRY)], environment(overrides)).result()
        self.messages: queue.SimpleQueue[tuple[Message | Unfit, int] | None] = queue.SimpleQueue()
        self.ready = False
        self._jobs: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._stderr = bytearray()
        self._kept = STDERR_KEPT
        self._groups: dict[int, float] = {}  # that it started, with the time of their leader's beginning
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

    def send(self, jobs: Iterable[dict[str, Any]]) -> None:
        """Queue jobs. Never blocks: a worker that hangs does not read."""
        if lines := b"".join(json.dumps(job).encode() + b"\n" for job in jobs):
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
        kill_group(self.pid)
        for group, began in list(self._groups.items()):
            if still_leads(group, began):
                kill_group(group)
        self._jobs.put(None)
        status = self._popen.wait()
        for thread in self._threads:
            thread.join(0.3)  # an orphan may hold a pipe open; what was read by then is enough
        STARTED.discard(self.pid)
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
        whole = True  # what was read last: a line, and not the beginning or a later part of one that is too long
        while line := stream.readline(messages.LARGEST_ANSWER):
            message = messages.read(line) if whole else None
            if isinstance(message, messages.Group):
                self._note(message)
            elif message:
                self.messages.put((message, len(line)))
            whole = line.endswith(b"\n")
        stream.close()
        self.messages.put(None)

    def _note(self, message: messages.Group) -> None:
        """Remember a group that the worker started: it outlives the worker that dies before it can end it.

        The number alone proves nothing: whoever can write to the pipe could have any process killed.
        """
        if not message.alive:
            self._groups.pop(message.group, None)
        elif message.group > 1 and (began := started_by(message.group, self.pid)):
            self._groups[message.group] = began

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


def _start(command: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
    with STARTED_LOCK:
        started = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
            start_new_session=True,
        )
        STARTED.add(started.pid)
    return started


def end_orphans() -> None:
    """End what ended workers left behind and the kernel gave to this process."""
    with STARTED_LOCK:
        orphans.end_orphans(STARTED)


def _stream(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:  # Popen was asked for all three
        raise AssertionError("a pipe is missing")
    return pipe


def how_it_ended(status: int) -> Part:
    """An exit status in words: `SIGSEGV`, `exit status 3`."""
    if status >= 0:
        return Part("exit_status", {"status": status})
    try:
        return Part("signal_name", {"name": signal.Signals(-status).name})
    except ValueError:
        return Part("signal_number", {"number": -status})
