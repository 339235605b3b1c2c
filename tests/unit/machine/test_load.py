"""What other programs take of the processors, and what they are called."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from mpsdoctor import machine, orphans
from mpsdoctor.machine import Load, load, mactext
from mpsdoctor.machine.load import Look
from mpsdoctor.machine.shapes import Process, ProcessorTimes

CHROME = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
HELPER = (
    "/Applications/Google Chrome.app/Contents/Frameworks/Google Chrome Framework.framework/Versions/130.0.1"
    "/Helpers/Google Chrome Helper (Renderer).app/Contents/MacOS/Google Chrome Helper (Renderer)"
)
PS = f"""    1     0  12:34.56 /sbin/launchd
  501     1   1:02.03 {CHROME}
  777   501 120:00.10 {HELPER}
  900     1   0:00.00 (zombie)
"""


def taken(took: Mapping[int, tuple[str, float]], busy: float, own: frozenset[int] = frozenset()) -> Load:
    """The load of a second of four processors, by what each process took of it."""
    earlier = {pid: Process(1, 100.0, name) for pid, (name, _) in took.items()}
    later = {pid: Process(1, 100.0 + seconds, name) for pid, (name, seconds) in took.items()}
    before = Look(50.0, ProcessorTimes(1000.0, 4000.0), earlier)
    return load.taken(before, Look(51.0, ProcessorTimes(1000.0 + busy, 4004.0), later), own)


def test_processes_of_a_program_count_together() -> None:
    """A browser's helpers are the browser: 96 % of one processor of four is 24 % of all."""
    told = taken({10: (CHROME, 0.5), 11: (HELPER, 0.46), 12: ("/usr/bin/mds", 0.02)}, busy=0.98)
    assert told == {"percent": 24.5, "programs": [{"name": "Google Chrome", "percent": 96.0}]}


def test_own_processes_do_not_count() -> None:
    """What mpsdoctor itself takes is neither in the figure nor by name."""
    assert taken({10: ("python", 3.0), 11: ("mds", 0.1)}, 3.1, own=frozenset({10}))["percent"] == 2.5
    assert taken({10: ("python", 3.0)}, 3.0, own=frozenset({10})) == {"percent": 0.0, "programs": []}


def test_hidden_programs_are_not_blamed_on_those_that_can_be_seen() -> None:
    """Where another user's process takes nearly all, how busy the machine is is all that is told."""
    assert taken({10: ("sh", 0.1)}, busy=3.0) == {"percent": 75.0, "programs": []}


def test_without_figures_of_the_processors_nothing_is_told() -> None:
    """A sandbox may hide them."""
    look = Look(1.0, None, {10: Process(1, 9.0, "sh")})
    assert load.taken(look, look, ()) == {"percent": None, "programs": []}


@pytest.mark.parametrize(
    ("told", "name"),
    [
        (HELPER, "Google Chrome"),
        ("-zsh", "zsh"),
        ("/Users/alice/secret project/run", "run"),
        ("sshd: alice@pts/0", "sshd"),
        ("evil\x1b[31m\x07", "evil\\x1b[31m\\x07"),
        ("two\nlines", "two lines"),
        ("x" * 300, "x" * 40),
        ("", ""),
    ],
)
def test_a_name_is_short_and_tells_nothing_of_the_person(told: str, name: str) -> None:
    """Neither paths nor arguments nor escapes."""
    assert load.short_name(told) == name


def test_ps_of_macos_is_read() -> None:
    """Minutes and seconds of processors, and a path that may hold blanks."""
    processes = mactext.processes(PS)
    assert processes[777] == Process(501, 7200.1, HELPER)
    assert set(processes) == {1, 501, 777, 900}
    assert mactext.processes("ps: illegal option") == {}


@contextmanager
def spinning(program: Path | str, **environment: str) -> Iterator[int]:
    """A process that takes a whole processor."""
    process = subprocess.Popen([str(program), "-c", "while True: pass"], env=environment or None)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def seen(seconds: float = 0.6) -> Load:
    before = machine.look()
    time.sleep(seconds)
    return machine.taken_by_others(before, machine.look())


def test_a_busy_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real processes that spin are found by their name, with what they get of the processors."""
    monkeypatch.setattr(load, "MOST_NAMED", 20)  # whoever else works on this machine may be busier
    monkeypatch.setattr(load, "TELLING", 0.0)
    spinner = tmp_path / "spinner"
    spinner.symlink_to(sys.executable)
    count = 4 * (os.cpu_count() or 1)
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(spinning(spinner))
        told = seen()
    named = {program["name"]: program["percent"] for program in told["programs"]}
    assert 10 < named["spinner"] <= 105 * count
    assert (told["percent"] or 0.0) > 25


def test_a_worker_of_ours_is_none_of_the_others() -> None:
    """It is known by the mark that workers inherit; another child of the same shell is somebody else's."""
    with (
        spinning(sys.executable, **{orphans.VARIABLE: orphans.MARK}) as ours,
        spinning(sys.executable, A="b") as theirs,
    ):
        time.sleep(0.2)  # until both have become what they are
        own = load.own_processes(machine.look().processes)
    assert ours in own
    assert theirs not in own
