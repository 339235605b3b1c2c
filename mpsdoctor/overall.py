"""How far a whole check-up is, and how many seconds are left, by the budget's seconds of each check."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import msgspec

from mpsdoctor.events import Emit, Event, Finished, Listed, Overall, Progress, Started
from mpsdoctor.texts import say, tell

ON_TIME = 0.8  # of its seconds: up to here a check is taken to be as far as its time is, beyond it ever less
MOST = 0.98  # of a check that has not ended
MINUTES = 90.0  # seconds from which minutes are told
COUNTABLE = 50  # a total beyond it frightens and says nothing
ROUND = 5  # seconds are told in steps of so many


class Course:
    """Follows the events of a check-up. What it tells never goes back: neither the share done nor the time left."""

    def __init__(self, budget: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._budget, self._clock = budget, clock
        self._seconds: dict[str, float] = {}
        self._shares: dict[str, float] = {}
        self._running: tuple[str, float] | None = None

    def take(self, event: Event) -> None:
        """Learn what an event tells."""
        if isinstance(event, Listed):
            self._seconds = {check.id: check.seconds.get(self._budget, 0.0) for check in event.checks}
            self._shares, self._running = dict.fromkeys(self._seconds, 0.0), None
        elif isinstance(event, Started):
            self._running = event.id, self._clock()
        elif isinstance(event, Progress):
            self._rise(event.id, min(MOST, share_told(event)))
        elif isinstance(event, Finished):
            self._rise(event.result.id, 1.0)
            self._running = None

    def now(self) -> Overall | None:
        """The whole of the check-up at this moment; None as long as its checks are not known."""
        total = sum(self._seconds.values())
        if not total:
            return None
        if self._running:
            check_id, begun = self._running
            seconds = self._seconds.get(check_id, 0.0)
            self._rise(check_id, share_by_time(self._clock() - begun, seconds) if seconds else 0.0)
        done = sum(seconds * self._shares[check_id] for check_id, seconds in self._seconds.items())
        return Overall(round(done / total, 4), round(total - done, 1))

    def _rise(self, check_id: str, share: float) -> None:
        if check_id in self._shares:
            self._shares[check_id] = max(share, self._shares[check_id])


def stamping(course: Course, emit: Emit) -> Emit:
    """Emits events with how far the whole is by then."""

    def stamp(event: Event) -> None:
        course.take(event)
        if isinstance(event, Started | Progress | Finished):
            event = msgspec.structs.replace(event, overall=course.now())
        emit(event)

    return stamp


def share_told(event: Progress) -> float:
    """How much of itself a check says that it has done, 0 where it says nothing."""
    if event.share is not None:
        return event.share
    return (event.done or 0) / event.total if event.total else 0.0


def share_by_time(seconds: float, planned: float) -> float:
    """How far a check is that may take `planned` seconds; one that takes longer goes on, ever slower."""
    spent = seconds / planned
    if spent <= ON_TIME:
        return spent
    rest = 1 - ON_TIME
    return min(MOST, 1 - rest * math.exp((ON_TIME - spent) / rest))


def left_in_words(overall: Overall) -> str:
    """`about 40 s left`; nothing is told to be over before it is."""
    left = overall.left_s
    if left >= MINUTES:
        return say("report.minutes_left", minutes=round(left / 60))
    seconds = ROUND * round(left / ROUND)
    return say("report.seconds_left", seconds=seconds) if seconds >= 2 * ROUND else say("report.little_left")


def overall_in_words(overall: Overall) -> str:
    """`62 % · about 40 s left`."""
    return say("report.overall", share=100 * overall.share, left=left_in_words(overall))


def describe(event: Progress) -> str:
    """What a check is doing, and how far it is, where nothing tells that of the whole or people count to it."""
    text = tell(event.text, event.values)
    if not event.total or str(event.done) in event.text:
        return text
    if event.total > COUNTABLE:
        return text if event.overall else f"{text} ({100 * share_told(event):.0f} %)"
    return say("screen.progress", text=text, done=event.done, total=event.total)
