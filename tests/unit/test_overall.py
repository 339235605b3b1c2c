"""How far a whole check-up is, on a clock of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from mpsdoctor.events import Event, Finished, Listed, Overall, Progress, Started
from mpsdoctor.overall import Course, describe, left_in_words, stamping
from mpsdoctor.planning import Planned
from mpsdoctor.report import CheckResult

SECONDS = {"build": 5.0, "operators": 20.0, "training": 35.0}


def planned(check_id: str, seconds: float) -> Planned:
    return Planned(check_id, check_id, (), dict.fromkeys(("quick", "standard"), seconds), 5.0, "ours", None)


def finished(check_id: str) -> Finished:
    return Finished(CheckResult(check_id, check_id, "ours", "pass"))


@dataclass
class Run:
    """A course that begins with three checks of 60 s in all, and a clock that is set."""

    seconds: dict[str, float] = field(default_factory=lambda: dict(SECONDS))
    now: float = 0.0

    def __post_init__(self) -> None:
        self.course = Course("standard", lambda: self.now)
        self.course.take(Listed(tuple(planned(*check) for check in self.seconds.items())))

    def at(self, now: float, *events: Event) -> Overall:
        self.now = now
        for event in events:
            self.course.take(event)
        overall = self.course.now()
        assert overall is not None
        return overall


def test_it_begins_with_nothing_done() -> None:
    """All that the budget plans is left; before the checks are known nothing is told."""
    assert Course("quick").now() is None
    assert Run().at(0.0) == Overall(0.0, 60.0)


def test_a_check_advances_with_its_time() -> None:
    """Where it says nothing itself."""
    run = Run()
    run.at(0.0, Started("build", "build"))
    run.at(5.0, finished("build"), Started("operators", "operators"))
    assert run.at(15.0) == Overall(0.25, 45.0)


def test_a_check_that_ends_early_takes_its_time_along() -> None:
    """What is skipped or over is not waited for."""
    run = Run()
    run.at(0.0, Started("build", "build"))
    assert run.at(1.0, finished("build"), finished("operators")).left_s == 35.0
    assert run.at(1.0, finished("training")) == Overall(1.0, 0.0)


def test_a_check_tells_how_far_it_is() -> None:
    """By its share, else by what it counts; a device's probes that are all made are not the whole check."""
    run = Run()
    run.at(0.0, finished("build"), Started("operators", "operators"))
    assert run.at(0.0, Progress("operators", "half", 1, 2)).left_s == 45.0
    assert run.at(0.0, Progress("operators", "cpu", 2134, 2134, share=0.15)).left_s == 45.0
    assert run.at(0.0, Progress("operators", "mps", 10, 20, share=0.75)).left_s == 40.0


def events() -> Iterator[tuple[float, Event]]:
    """A check-up whose checks take thrice their time, and count twice from the beginning."""
    for number, check_id in enumerate(SECONDS):
        begun = number * 100.0
        yield begun, Started(check_id, check_id)
        for step in range(20):
            yield begun + 5 * step, Progress(check_id, "counting", step % 10, 10)
        yield begun + 99, finished(check_id)


def test_it_never_goes_back() -> None:
    """Neither the share nor the time left, whatever checks say and however long they take; it ends when all have."""
    run = Run()
    told = [run.at(now, event) for now, event in events()]
    assert [overall.share for overall in told] == sorted(overall.share for overall in told)
    assert [overall.left_s for overall in told] == sorted((overall.left_s for overall in told), reverse=True)
    assert all(overall.left_s > 0 for overall in told[:-1])
    assert told[-1] == Overall(1.0, 0.0)


def test_events_carry_it() -> None:
    """A reader of JSON lines finds it in each event of a check."""
    said: list[Event] = []
    emit = stamping(Course("quick", lambda: 0.0), said.append)
    for event in (
        Listed((planned("build", 5.0),)),
        Started("build", "b"),
        Progress("build", "x", 1, 4),
        finished("build"),
    ):
        emit(event)
    shares = [event.overall.share for event in said if not isinstance(event, Listed) and event.overall]  # type: ignore[union-attr]
    assert shares == [0.0, 0.25, 1.0]


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (400.0, "about 7 min left"),
        (91.0, "about 2 min left"),
        (42.0, "about 40 s left"),
        (9.0, "about 10 s left"),
        (6.0, "a few seconds left"),
        (0.0, "a few seconds left"),
    ],
)
def test_what_is_left_in_words(left: float, words: str) -> None:
    """Roundly, and never as nothing."""
    assert left_in_words(Overall(0.5, left)) == words


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Progress("training", "timing cpu: cnn small", 3, 8), "timing cpu: cnn small (3 of 8)"),
        (Progress("operators", "138 probes made", 138, 13432, overall=Overall(0.2, 40.0)), "138 probes made"),
        (Progress("operators", "sampling", 5000, 20000), "sampling (25 %)"),
        (Progress("build", "importing torch"), "importing torch"),
    ],
)
def test_what_a_check_does_in_words(event: Progress, words: str) -> None:
    """A count stands there where people count to it; no plan of thousands does."""
    assert describe(event) == words
