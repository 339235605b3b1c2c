"""Seconds of some steps, with the device waited for at both ends; what interrupts them is set aside."""

from __future__ import annotations

import time
from typing import Callable, List, Optional, Tuple

Aside = Tuple[str, int, float]  # what it was, after which step, seconds


class Stopwatch:
    """Runs between `begin` and `end`, less what lies between an interruption and the end of the step that it met."""

    def __init__(self, wait: Callable[[], object]) -> None:
        self.wait = wait
        self.total = 0.0
        self.since: Optional[float] = None
        self.interrupted: Optional[Tuple[str, float]] = None
        self.aside: List[Aside] = []

    def begin(self) -> None:
        self.wait()
        self.total, self.interrupted, self.aside = 0.0, None, []
        self.since = time.perf_counter()

    def interrupt(self, kind: str) -> None:
        """Something begins that is no training; what was launched before it still counts."""
        if self.since is None or self.interrupted:
            return
        self.wait()
        now = time.perf_counter()
        self.total += now - self.since
        self.interrupted = (kind, now)

    def resume(self, step: int) -> None:
        """The step that was interrupted has ended; the next one counts again."""
        if self.interrupted:
            self.wait()
            kind, begun = self.interrupted
            self.since = time.perf_counter()
            self.aside.append((kind, step, self.since - begun))
            self.interrupted = None

    def end(self) -> float:
        """The seconds."""
        self.wait()
        if self.since is not None and not self.interrupted:
            self.total += time.perf_counter() - self.since
        self.since = None
        return self.total
