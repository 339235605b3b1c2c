"""The wait for other programs, on a clock of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from mpsdoctor import machine, quiet
from mpsdoctor.events import Busy, Event
from mpsdoctor.machine import Load
from mpsdoctor.machine.load import Look
from mpsdoctor.machine.shapes import Process, ProcessorTimes

CALM: Load = {"percent": 4.0, "programs": []}
LOUD: Load = {"percent": 60.0, "programs": [{"name": "Google Chrome", "percent": 96.0}]}
HIDDEN: Load = {"percent": 60.0, "programs": []}
UNKNOWN: Load = {"percent": None, "programs": []}


@dataclass
class Clock:
    """Stands still but for pauses; the loads come one after the other, the last one again and again."""

    loads: list[Load]
    now: float = 0.0
    said: list[float] = field(default_factory=list)
    cancelled_at: float = 1e9

    def look(self) -> Load:
        return self.loads.pop(0) if len(self.loads) > 1 else self.loads[0]

    def pause(self, seconds: float) -> bool:
        self.now += seconds
        return self.now < self.cancelled_at

    def wait(self, most: float = 10.0) -> tuple[Load, float]:
        return quiet.wait(self.look, most, lambda load, left: self.said.append(left), self.pause, lambda: self.now)


@pytest.mark.parametrize("load", [CALM, UNKNOWN])
def test_a_quiet_machine_is_not_waited_for(load: Load) -> None:
    """Nor one that does not tell; and nothing is said."""
    clock = Clock([load])
    assert clock.wait() == (load, 0.0)
    assert clock.said == []


def test_the_wait_ends_at_once_when_it_is_quiet() -> None:
    """What is left is said at each look."""
    clock = Clock([LOUD, LOUD, CALM])
    assert clock.wait() == (CALM, 1.0)
    assert clock.said == [10.0, 9.5]


def test_the_wait_has_an_end() -> None:
    """A machine that stays busy is measured all the same, with what it did as the last word."""
    clock = Clock([LOUD])
    assert clock.wait(most=3.0) == (LOUD, 3.0)


def test_a_cancellation_ends_the_wait() -> None:
    """It is not looked at again."""
    clock = Clock([LOUD, CALM], cancelled_at=0.4)
    assert clock.wait() == (LOUD, 0.0)
    assert quiet.pause_unless(lambda: True)(60.0) is False


@pytest.mark.parametrize(
    ("load", "text"),
    [
        (LOUD, "the machine is busy: Google Chrome takes 96 % of a processor; waiting up to 10 s"),
        (HIDDEN, "the machine is busy: other programs take 60 % of the processors; waiting up to 10 s"),
    ],
)
def test_it_is_said_who_is_waited_for(load: Load, text: str) -> None:
    """By name where the system tells, else only how busy it is."""
    assert str(quiet.describe_wait(load, 10.0)) == text
    assert "up to 1 s" in str(quiet.describe_wait(load, 0.01))


def looks(taken: Iterable[float]) -> Iterable[Look]:
    """Of one processor, a second apart: what a program took of each."""
    at = spent = 0.0
    for seconds in (0.0, *taken):
        at, spent = at + 1, spent + seconds
        yield Look(at, ProcessorTimes(spent, at), {2: Process(1, spent, "/usr/bin/clang")})


def test_a_check_up_says_it_as_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the figures, the program, the text and what fills it in another language."""
    moments = iter(looks([0.9, 0.1]))
    first = next(moments)
    monkeypatch.setattr(machine, "look", lambda: next(moments))
    told: list[Event] = []
    assert quiet.wait_before(first, "quick", told.append, lambda: False) > 0
    (busy,) = told
    assert isinstance(busy, Busy)
    assert busy.text == "the machine is busy: clang takes 90 % of a processor; waiting up to 3 s"
    assert (busy.percent, busy.programs[0].name, busy.left_s) == (90.0, "clang", 3.0)
    assert busy.values["part"] == "machine_busy"


def test_a_cancelled_check_up_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelled from another thread, it goes on within a slice of the pause."""
    monkeypatch.setattr(machine, "taken_by_others", lambda before, after: LOUD)
    cancelled = threading.Event()
    threading.Timer(0.3, cancelled.set).start()
    begun = time.monotonic()
    quiet.wait_before(machine.look(), "thorough", lambda event: None, cancelled.is_set)
    assert time.monotonic() - begun < 5.0
