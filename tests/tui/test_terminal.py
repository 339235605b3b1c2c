"""The command in a real terminal: a pseudo-terminal that is resized, interrupted and left."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from helpers.support import COMMAND, processes_left


class Terminal:
    """A process at our end of a pseudo-terminal; `seen` is all that it wrote."""

    def __init__(self, command: list[str], profile: Path, size: tuple[int, int]) -> None:
        self.master, slave = pty.openpty()
        self.resize(size)
        environ = {**os.environ, "TERM": "xterm-256color", "MPSDOCTOR_PROFILE": str(profile), "PYTHONUTF8": "1"}
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environ, start_new_session=True
        )
        os.close(slave)
        self.seen = ""

    def resize(self, size: tuple[int, int]) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        if hasattr(self, "process"):
            os.killpg(self.process.pid, signal.SIGWINCH)

    def until(self, pattern: str, seconds: float = 60.0) -> None:
        """Read until it was written."""
        end, begun = time.monotonic() + seconds, len(self.seen)
        while not re.search(pattern, self.seen[begun:]):
            assert time.monotonic() < end, f"{pattern!r} did not come; the end is {self.seen[-2000:]!r}"
            assert self.read(), f"it ended without {pattern!r}: {self.seen[-2000:]!r}"

    def read(self) -> bool:
        if not select.select([self.master], [], [], 0.2)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:  # Linux tells so that the other end is closed
            return False
        self.seen += data.decode("utf-8", "replace")
        return bool(data)

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def status(self) -> int:
        """Read to the end; the exit status."""
        end = time.monotonic() + 20
        while self.read() and self.process.poll() is None and time.monotonic() < end:
            pass
        while self.read() and select.select([self.master], [], [], 0.1)[0]:
            pass
        return self.process.wait(10)


RESTORED = "\x1b[?1049l"  # the alternative screen is left


def test_from_start_to_written_profile_with_a_resize(tmp_path: Path) -> None:
    """A whole check-up is seen at 80×24, resized on the way; a profile is left, and the terminal as it was.

    A key that was pressed before anything could be imported takes effect.
    """
    profile = tmp_path / "profile.json"
    terminal = Terminal([*COMMAND, "--budget", "quick"], profile, (80, 24))
    terminal.press("2")
    terminal.until("It has not begun|▶ running")
    terminal.resize((120, 40))
    terminal.until("Train on")
    deadline = time.monotonic() + 10
    while not profile.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    terminal.press("q")
    assert terminal.status() == 0
    assert "Traceback" not in terminal.seen
    left_behind = terminal.seen.rpartition(RESTORED)[2]
    assert "Train on the CPU" in left_behind  # the answer stays in the scrollback
    assert profile.exists()
    assert processes_left() == []


def test_an_own_file_is_examined_after_the_check_up(tmp_path: Path) -> None:
    """On the last tab a file is named while the check-up still runs; it waits, is examined, and q leaves nothing."""
    file = tmp_path / "train.py"
    file.write_text("import torch\ndef build():\n    return torch.nn.Linear(4, 4), torch.randn(2, 4)\n")
    terminal = Terminal([*COMMAND, "--budget", "quick"], tmp_path / "profile.json", (80, 24))
    terminal.press("7")
    terminal.until("Enter on a question")
    terminal.press("\r")
    terminal.until("name your file first")
    terminal.press(f"{file}\r")
    terminal.until("waits until the check-up has ended")
    terminal.until("cpu: runs as it is", 120)
    terminal.press("q")
    assert terminal.status() == 0
    assert "Traceback" not in terminal.seen
    assert processes_left() == []


def test_ctrl_c_twice_leaves_nothing_behind(tmp_path: Path) -> None:
    """Closed by Ctrl+C during a run: status 130, no traceback, the terminal restored, no process left."""
    terminal = Terminal([*COMMAND, "--budget", "standard"], tmp_path / "profile.json", (120, 40))
    terminal.until("operators cpu|importing torch")
    terminal.press("\x03")
    terminal.until("again quits")
    terminal.press("\x03")
    assert terminal.status() == 130
    assert "Traceback" not in terminal.seen
    assert RESTORED in terminal.seen
    assert not (tmp_path / "profile.json").exists()
    assert processes_left() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("moment", [0.2, 0.4, 0.6, 0.8])
def test_a_signal_leaves_the_terminal_whole(tmp_path: Path, number: signal.Signals, moment: float) -> None:
    """At any moment, before, while and after the screen is built: modes as before, alternate screen left, 130."""
    terminal = Terminal(COMMAND, tmp_path / "profile.json", (80, 24))
    before = termios.tcgetattr(terminal.master)
    end = time.monotonic() + moment
    while time.monotonic() < end:
        terminal.read()
    terminal.process.send_signal(number)
    status = terminal.status()
    opened, left = terminal.seen.rfind("\x1b[?1049h"), terminal.seen.rfind(RESTORED)
    assert status == 130 or (opened < 0 and status == -number)  # the interpreter was still starting
    assert left >= opened
    assert termios.tcgetattr(terminal.master) == before
    assert "Error" not in terminal.seen
    assert not processes_left()


def test_a_terminal_that_is_gone_ends_it(tmp_path: Path) -> None:
    """Where no signal tells, as under nohup, nothing reads for ever from what is no longer there."""
    terminal = Terminal([*COMMAND, "--only", "chip"], tmp_path / "profile.json", (80, 24))
    terminal.until("Machine|Findings")
    os.close(terminal.master)
    assert terminal.process.wait(20) == 130
    assert processes_left() == []


def test_without_a_terminal_the_text_report(tmp_path: Path) -> None:
    """With stdout in a pipe the same command prints the text report and imports no Textual."""
    program = (
        "import sys; sys.argv = ['mpsdoctor', '--only', 'chip', '--no-profile']; sys.path.insert(0, '.')\n"
        "from mpsdoctor.__main__ import main\n"
        "try:\n    main()\nfinally:\n    print('textual' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "pass   chip" in done.stdout
    assert done.stdout.rstrip().endswith("False")
