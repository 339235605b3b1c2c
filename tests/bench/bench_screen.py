"""Prints the figures of the screen beside their bars: `python tests/bench/bench_screen.py [paint|frames|keys] [RUNS]`.

`--smoke` starts each once, presses few keys, and lets a quick check-up of the operators alone run.
Everything through a pseudo-terminal of 120×40, timed from its other end; without a part, all of them.

paint   From the start of the process to the last line of the first frame: `mpsdoctor` as people type it, against a
        Textual application with nothing but a word in it, A B A B.
frames  Pauses between what is drawn during a real standard check-up of this machine's CPU and the simulated accelerator
        (every worker and check as they are), the tab of operators open. What is not real are the rows: while the
        check of operators tells how far it is, 5,000 rows arrive in that proportion in place of its own.
keys    From a key to what it draws among 5,000 rows, when the check-up is over.
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
EMPTY_APP = [sys.executable, "-c", EMPTY]
CHILD = [sys.executable, __file__, *(["--smoke"] if "--smoke" in sys.argv else []), "--child"]
ROWS = 5000
SIZE = (120, 40)
SIMULATED: dict[str, Any] = {"gflops": 6, "speed": 8, "launch_us": 120}
END = b"confidence"  # what the header says when a check-up is over
SMOKE = "--smoke" in sys.argv


def start(command: list[str]) -> tuple[int, subprocess.Popen[bytes]]:
    """A process in a pseudo-terminal of SIZE; our end of it."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    return master, process


def until(master: int, mark: bytes) -> None:
    """Read until `mark` has come; the end of the program where it does not within 30 s."""
    end, seen = time.perf_counter() + 30, b""
    while mark not in seen and time.perf_counter() < end:
        if select.select([master], [], [], 0.1)[0]:
            seen += os.read(master, 65536)
    if mark not in seen:
        sys.exit(f"{mark!r} was not drawn within 30 s")


def first_paint(command: list[str]) -> float:
    """Seconds until the word of the last line of the first frame has come."""
    begun = time.perf_counter()
    master, process = start(command)
    until(master, b"quit")
    seconds = time.perf_counter() - begun
    process.terminate()
    leave(master, process)
    return seconds


def leave(master: int, process: subprocess.Popen[bytes]) -> None:
    """Read what an application says while it closes, which else would wait for a reader."""
    deadline = time.monotonic() + 10
    with contextlib.suppress(OSError):  # the other end is closed
        while time.monotonic() < deadline and select.select([master], [], [], 1.0)[0]:
            if not os.read(master, 65536):
                break
    process.wait(30)
    os.close(master)


def results(count: int) -> list[dict[str, Any]]:
    """Probes of so many operators."""
    outcomes = ("ok", "wrong", "unimplemented", "error")
    fields = {"device": "sim", "dtype": "float32", "variant": "contiguous", "direction": "forward", "detail": "text"}
    return [{**fields, "op": f"aten::operator_{n}", "outcome": outcomes[n % 4]} for n in range(count)]


def checked(rows: list[dict[str, Any]]) -> Any:
    """A result of the check of operators with these rows."""
    from mpsdoctor.events import Finished
    from mpsdoctor.report import CheckResult

    return Finished(CheckResult("operators", "Operators", "bench", "pass", facts={"results": rows}))


def widened(settings: Any) -> Any:
    """The engine itself; where the check of operators tells how far it is, so many of the rows have come."""
    from mpsdoctor.events import Finished, Progress
    from mpsdoctor.tui.engine import LiveEngine

    rows = results(ROWS)

    class Widened(LiveEngine):
        def drain(self) -> list[Any]:
            said = [
                checked(rows) if isinstance(s, Finished) and s.result.id == "operators" else s for s in super().drain()
            ]
            told = [s for s in said if isinstance(s, Progress) and s.id == "operators" and s.total]
            return said + [checked(rows[: ROWS * (s.done or 0) // (s.total or 1)]) for s in told]

    return Widened(settings)


def over() -> Any:
    """An engine whose check-up of operators alone is over."""
    from mpsdoctor import report
    from mpsdoctor.events import Listed
    from mpsdoctor.planning import Planned
    from mpsdoctor.tui.engine import Done

    found = checked(results(ROWS))
    machine, python, profile = report.Machine(), report.Python(), report.ProfileNote(None, False)
    tool, moment = report.Tool("mpsdoctor", "0"), "2026-01-01T00:00:00Z"
    verdict = report.Verdict("cpu", "high", (), {})
    whole = report.Report(tool, moment, 1.0, "quick", machine, python, None, (), (found.result,), verdict, profile)
    plan = Planned("operators", "Operators", (), {"standard": 1.0}, 1.0, "bench", None)
    said: list[Any] = [Listed((plan,)), found, Done(whole, cancelled=False)]

    class Over:
        def start(self, only: tuple[str, ...] = ()) -> None: ...

        def cancel(self) -> None: ...

        def memory(self) -> dict[str, Any]:
            return {}

        def fingerprint(self, report: Any) -> dict[str, Any]:
            return {}

        def drain(self) -> list[Any]:
            taken, said[:] = list(said), []
            return taken

    return Over()


def child(part: str) -> None:
    """The screen over such an engine."""
    from mpsdoctor.events import Settings
    from mpsdoctor.tui.app import DoctorApp
    from mpsdoctor.tui.model import Model

    settings = Settings(write_profile=False)
    if SMOKE:
        settings = Settings(only=("operators",), budget="quick", write_profile=False)
    engine = widened(settings) if part == "frames" else over()
    DoctorApp(lambda: (engine, Model(settings))).run()
    if part == "frames":
        engine.close()


def frames() -> list[float]:
    """Pauses between what is drawn, from the first rows to the verdict."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from simulator import simulator

    os.environ.update(simulator.environment(**SIMULATED))
    master, process = start([*CHILD, "frames"])
    until(master, b"quit")
    os.write(master, b"3")
    until(master, b"operators cpu")
    end, last, gaps, seen = time.perf_counter() + 110, time.perf_counter(), [], b""
    while time.perf_counter() < end and END not in seen:
        if select.select([master], [], [], 0.5)[0]:
            seen = seen[-100:] + os.read(master, 1 << 20)
            gaps.append(time.perf_counter() - last)
            last = time.perf_counter()
    os.write(master, b"q")
    leave(master, process)
    return gaps


def keys() -> list[float]:
    """From each key to what it draws."""
    master, process = start([*CHILD, "keys"])
    until(master, b"quit")
    os.write(master, b"3")
    until(master, f"{ROWS:,}".encode())
    time.sleep(1.0)
    pressed = [b"j"] * 80 + [b"\x1b[6~"] * 80 + [b"G", b"g", b"G"] + [b"k"] * 40
    seconds = [answer(master, key) for key in (pressed[::20] if SMOKE else pressed)]
    os.write(master, b"q")
    leave(master, process)
    return seconds


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


def paint(runs: int) -> None:
    for command in () if SMOKE else (OURS, EMPTY_APP):  # files into the page cache
        first_paint(command)
    pairs = [(first_paint(OURS), first_paint(EMPTY_APP)) for _ in range(runs)]
    ratios = [ours / empty for ours, empty in pairs]
    middle = tuple(statistics.median(column) for column in zip(*pairs, strict=True))
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}; {middle[0]:.3f} s against {middle[1]:.3f} s, {runs} runs"
    tell("first paint / an empty application", statistics.median(ratios), 1.25, spread)


def spread(what: str, seconds: list[float], bar: float) -> None:
    """The 99th percentile beside its bar, with what else there was."""
    beyond = sum(second > bar for second in seconds)
    told = (
        f"median {statistics.median(seconds):.3f}, most {max(seconds):.3f}, {beyond} of {len(seconds)} beyond the bar"
    )
    tell(f"{what}, s, 99th percentile", statistics.quantiles(seconds, n=100)[98], bar, told)


def main() -> None:
    part = next((word for word in sys.argv[1:] if word.isalpha()), "all")
    runs = 1 if SMOKE else next((int(word) for word in sys.argv[1:] if word.isdigit()), 9)
    os.environ["MPSDOCTOR_PROFILE"] = str(Path(tempfile.mkdtemp()) / "profile.json")
    os.environ.setdefault("TERM", "xterm-256color")
    if part in ("paint", "all"):
        paint(runs)
    if part in ("keys", "all"):
        spread("key among 5,000 rows", keys(), 0.05)
    if part in ("frames", "all"):
        spread("frame while 5,000 rows arrive", frames(), 0.1)


if __name__ == "__main__":
    child(sys.argv[-1]) if "--child" in sys.argv else main()
