"""The parent of a watched training: started as a shell would start it, its signals passed on, its end made ours.

The training stays in the process group and at the terminal of who started it. It does not depend on this process:
where that is killed, the training goes on.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType

PASSED = ("SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
BY_KEY = ("SIGINT", "SIGQUIT")  # which a terminal sends to all that run in front


class Training:
    """A command that runs. `ended` is set once it does not any more, and `status` is then its exit status."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """OSError, ValueError where it cannot be started."""
        # What was opened for the command, as by `<(…)` of a shell, stays open for it.
        self.process = subprocess.Popen(list(command), env=environment, close_fds=False)
        self.ended = threading.Event()
        threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self) -> None:
        self.process.wait()
        self.ended.set()

    @property
    def status(self) -> int:
        return self.process.wait()

    def pass_on(self, number: int) -> None:
        with contextlib.suppress(OSError):
            self.process.send_signal(number)


class Signals:
    """Keeps the signals that are meant for the training, and passes them on once it runs."""

    def __init__(self) -> None:
        self.training: Training | None = None
        self.waiting: list[int] = []

    def take(self, number: int, frame: FrameType | None) -> None:
        if signal.Signals(number).name in BY_KEY and is_in_front():
            return  # the training has got it from the terminal, as we have
        if self.training:
            self.training.pass_on(number)
        else:
            self.waiting.append(number)

    def pass_to(self, training: Training) -> None:
        self.training = training
        for number in self.waiting:
            training.pass_on(number)


def is_in_front() -> bool:
    """Whether the keys of a terminal reach this process."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


@contextlib.contextmanager
def passing_on() -> Iterator[Signals]:
    """Signals go to the training; those that `nohup` has the command ignore stay ignored."""
    signals = Signals()
    numbers = [number for name in PASSED if (number := getattr(signal, name, None))]
    numbers = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, signals.take) for number in numbers}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_as(status: int) -> int:
    """End by the signal that ended the training, without a second core file; else its exit code."""
    if status < 0:
        import resource

        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        if -status not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status if status >= 0 else 128 - status  # of a signal that is blocked here
