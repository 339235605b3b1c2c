"""Prints the figures of the screen beside their bars: `python tests/bench/bench_screen.py [RUNS]`.

Everything through a pseudo-terminal. First paint: from the start of the process to the last line of the first frame,
against a Textual application with nothing but a word in it, A B A B. Frames: the pauses between them while 5,000 rows
of operators arrive. Keys: from a key to what it draws among these rows.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path
from typing import Any

EMPTY = """
from textual.app import App
from textual.widgets import Static
class Empty(App[None]):
    def compose(self):
        yield Static("quit")
Empty().run()
"""
OURS = [sys.executable, "-m", "mpsdoctor"]
ROWS = 5000
SIZE = (120, 40)


def start(command: list[str]) -> tuple[int, subprocess.Popen[bytes]]:
    """A process in a pseudo-terminal of SIZE; our end of it."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    return master, process


def until(master: int, mark: bytes) -> None:
    """Read until `mark` has come, for 30 s at most."""
    end, seen = time.perf_counter() + 30, b""
    while mark not in seen and time.perf_counter() < end:
        if select.select([master], [], [], 0.1)[0]:
            seen += os.read(master, 65536)


def first_paint(command: list[str]) -> float:
    """Seconds until the word of the last line of the first frame has come."""
    begun = time.perf_counter()
    master, process = start(command)
    until(master, b"quit")
    seconds = time.perf_counter() - begun
    process.terminate()
    drain(master)
    process.wait(30)
    os.close(master)
    return seconds


def drain(master: int) -> None:
    """Read what an application says while it closes, which else would wait for a reader."""
    deadline = time.monotonic() + 10
    with contextlib.suppress(OSError):  # the other end is closed
        while time.monotonic() < deadline and select.select([master], [], [], 1.0)[0]:
            if not os.read(master, 65536):
                return


def results(count: int) -> list[dict[str, Any]]:
    """Probes of so many operators."""
    outcomes = ("ok", "wrong", "unimplemented", "error")
    fields = {"device": "sim", "dtype": "float32", "variant": "contiguous", "direction": "forward", "detail": "text"}
    return [{**fields, "op": f"aten::operator_{n}", "outcome": outcomes[n % 4]} for n in range(count)]


class Arriving:
    """An engine that has operators arrive, a chunk a call, as the check of 5,000 would."""

    def __init__(self) -> None:
        from mpsdoctor.checkup import Listed, Planned, Started

        plan = Planned("operators", "Operators", (), {"standard": 1.0}, 1.0, "bench", None)
        self._said: list[Any] = [Listed((plan,)), Started("operators", "Operators")]
        self._rows = results(ROWS)
        self._count = ROWS - 250 if "quiet" in sys.argv else 0

    def start(self, only: tuple[str, ...] = ()) -> None: ...

    def cancel(self) -> None: ...

    def memory(self) -> dict[str, Any]:
        return {}

    def drain(self) -> list[Any]:
        from mpsdoctor.checkup import Finished, Progress
        from mpsdoctor.report import CheckResult
        from mpsdoctor.tui.engine import Done

        said, self._said = self._said, []
        if self._count < ROWS:
            self._count += 250
            text = f"operators sim: {self._count} of {ROWS}"
            facts = {"results": self._rows[: self._count]}
            found = CheckResult("operators", "Operators", "bench", "pass", facts=facts)
            said += [Progress("operators", text, self._count, ROWS), Finished(found)]
        if "quiet" in sys.argv and said:
            said.append(Done(done(found), cancelled=False))
        return said


def done(found: Any) -> Any:
    """The report of a check-up of that check alone."""
    from mpsdoctor import report

    machine, python, profile = report.Machine(), report.Python(), report.ProfileNote(None, False)
    tool, moment = report.Tool("mpsdoctor", "0"), "2026-01-01T00:00:00Z"
    return report.Report(tool, moment, 1.0, "quick", machine, python, None, (), (found,), None, profile)


def child() -> None:
    """The screen over such an engine."""
    from mpsdoctor.checkup import Settings
    from mpsdoctor.tui.app import Screenful
    from mpsdoctor.tui.model import Model

    Screenful(lambda: (Arriving(), Model(Settings(write_profile=False)))).run()


def frames_and_keys() -> tuple[list[float], list[float]]:
    """Seconds between frames while rows arrive, and from each key to what it draws, through a pseudo-terminal."""
    master, process = start([sys.executable, __file__, "--child"])
    until(master, b"quit")
    time.sleep(1.0)  # keys count from when the engine is there
    os.write(master, b"3")
    gaps = frames(master, 4.0)
    os.write(master, b"q")
    drain(master)
    process.wait(30)
    os.close(master)
    master, process = start([sys.executable, __file__, "--child", "quiet"])
    until(master, b"quit")
    time.sleep(1.0)  # keys count from when the engine is there
    os.write(master, b"3")
    until(master, str(ROWS).encode())
    time.sleep(1.0)
    keys = [answer(master, key) for key in [b"j"] * 80 + [b"\x1b[6~"] * 80 + [b"G", b"g", b"G"] + [b"k"] * 40]
    os.write(master, b"q")
    drain(master)
    process.wait(30)
    os.close(master)
    return gaps, keys


def frames(master: int, seconds: float) -> list[float]:
    """Pauses between what is drawn."""
    end, last, gaps = time.perf_counter() + seconds, time.perf_counter(), []
    while time.perf_counter() < end:
        if select.select([master], [], [], 0.5)[0]:
            os.read(master, 1 << 20)
            gaps.append(time.perf_counter() - last)
            last = time.perf_counter()
    return gaps


def answer(master: int, key: bytes) -> float:
    """Seconds from a key to what it draws; then whatever else is drawn is let by."""
    begun = time.perf_counter()
    os.write(master, key)
    select.select([master], [], [], 0.5)
    seconds = time.perf_counter() - begun
    while select.select([master], [], [], 0.03)[0]:
        os.read(master, 1 << 20)
    return seconds


def tell(what: str, value: float, bar: float, spread: str) -> None:
    print(f"{what:44} {value:7.3f} ({spread})   bar {bar:g}  {'holds' if value <= bar else 'MISSED'}", flush=True)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    os.environ["MPSDOCTOR_PROFILE"] = str(Path(tempfile.mkdtemp()) / "profile.json")
    os.environ.setdefault("TERM", "xterm-256color")
    first_paint(OURS)  # files into the page cache
    first_paint([sys.executable, "-c", EMPTY])
    pairs = [(first_paint(OURS), first_paint([sys.executable, "-c", EMPTY])) for _ in range(runs)]
    ratios = [ours / empty for ours, empty in pairs]
    middle = tuple(statistics.median(column) for column in zip(*pairs, strict=True))
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}; {middle[0]:.3f} s against {middle[1]:.3f} s, {runs} runs"
    tell("first paint / an empty application", statistics.median(ratios), 1.25, spread)
    for what, seconds, bar in zip(
        ("frame while rows arrive", "key among 5,000 rows"), frames_and_keys(), (0.1, 0.05), strict=True
    ):
        high = statistics.quantiles(seconds, n=100)[98]
        tell(
            f"{what}, s, 99th percentile",
            high,
            bar,
            f"median {statistics.median(seconds):.3f}, most {max(seconds):.3f}",
        )


if __name__ == "__main__":
    child() if "--child" in sys.argv else main()
