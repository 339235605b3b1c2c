"""Asks several small system programs at once, and none of them for long."""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence

TIMEOUT = 2.0  # seconds; a healthy one answers within 0.1
LIMIT = 1 << 20  # bytes; the longest honest answer, ioreg's, is below 50 kB
# Untranslated answers, and from sw_vers the true version instead of the 10.16 that old programs are told.
SURROUNDINGS = {"LC_ALL": "C", "SYSTEM_VERSION_COMPAT": "0"}


def outputs(commands: Mapping[str, Sequence[str]], timeout: float = TIMEOUT) -> dict[str, str]:
    """What each command printed, whatever its exit status; empty if it is missing, hangs or floods."""
    running = {name: process for name, command in commands.items() if (process := _start(command))}
    try:
        return {**dict.fromkeys(commands, ""), **dict(_read_outputs(running, time.monotonic() + timeout))}
    finally:
        for process in running.values():
            _end(process)


def _start(command: Sequence[str]) -> subprocess.Popen[bytes] | None:
    program = shutil.which(command[0], path=_path())
    if program is None:
        return None
    try:
        return subprocess.Popen(
            [program, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **SURROUNDINGS},
            start_new_session=True,  # so that what it started can be ended with it
        )
    except OSError:  # not executable, or for another processor: as good as missing
        return None


def _path() -> str:
    """PATH; under cron it lacks /usr/sbin, where half of these programs live."""
    path = os.environ.get("PATH", os.defpath)
    folders = path.split(os.pathsep)
    return f"{path}{os.pathsep}/usr/sbin" if "/usr/bin" in folders and "/usr/sbin" not in folders else path


def _read_outputs(running: Mapping[str, subprocess.Popen[bytes]], deadline: float) -> Iterator[tuple[str, str]]:
    """The name and text of each program, as it ends its output; those that hang or flood never come."""
    read = {name: bytearray() for name in running}
    with selectors.DefaultSelector() as selector:
        for name, process in running.items():
            if process.stdout is not None:
                selector.register(process.stdout, selectors.EVENT_READ, name)
        while selector.get_map() and (left := deadline - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                chunk = os.read(key.fd, 1 << 16)
                read[key.data] += chunk
                if not chunk or len(read[key.data]) > LIMIT:
                    selector.unregister(key.fileobj)
                if not chunk:
                    yield key.data, read[key.data].decode("utf-8", "replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        # It may end by itself between the two lines; macOS then says "not permitted".
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
