"""Waits a little, before anything is timed, until other programs leave the processors alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from mpsdoctor import machine
from mpsdoctor.events import Busy, BusyProgram, Emit
from mpsdoctor.machine import Load, Look, Program
from mpsdoctor.texts import Each, Part, as_data

# Of all processors: beyond it too few are left for torch's threads, which wait for each other. A Mac has about as many
# efficiency cores for what others do, and no desktop is ever quite still.
BUSY_PERCENT = 25.0
LISTEN = 0.3  # seconds; processor time is counted in hundredths
WAIT = {"quick": 3.0, "standard": 10.0, "thorough": 20.0}  # seconds at most, of a whole check-up
AGAIN = 0.5  # seconds between two looks
SLICE = 0.1  # seconds within which a cancellation ends the wait

Say = Callable[[Load, float], None]  # the load that is waited for, and seconds left


def is_busy(load: Load) -> bool:
    """Whether others take so much that timings are spoiled; what is not known spoils nothing."""
    return load["percent"] is not None and load["percent"] > BUSY_PERCENT


def wait(
    look: Callable[[], Load],
    most: float,
    say: Say,
    pause: Callable[[float], bool],
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Load, float]:
    """Look until it is quiet, for `most` seconds; the last load, and how many seconds that took.

    `say` is told of each load that is waited for; `pause` sleeps and tells whether to go on waiting.
    """
    begun, load = clock(), look()
    waited = 0.0
    while is_busy(load) and waited < most:
        left = most - waited
        say(load, left)
        if not pause(min(AGAIN, left)):
            break
        load, waited = look(), clock() - begun
    return load, waited


def describe_wait(load: Load, left: float) -> Part:
    """Who is waited for, and how many seconds more."""
    who = describe(load["percent"] or 0.0, load["programs"], "others_take", "program_takes")
    return Part("machine_busy", {"who": who, "left": max(1.0, left)})


def describe_taken(percent: float, programs: Sequence[Program]) -> Part | Each:
    """Who took how much at a moment that has passed."""
    return describe(percent, programs, "others_took", "program_took")


def describe(percent: float, programs: Sequence[Program], others: str, program: str) -> Part | Each:
    """The programs by name, or others as a whole where none explains it: another user's may be hidden."""
    rows = [{"name": row["name"], "percent": row["percent"]} for row in programs]
    return Each(program, rows, "and") if rows else Part(others, {"percent": percent})


def pause_unless(cancelled: Callable[[], bool]) -> Callable[[float], bool]:
    """A pause that a cancellation ends."""

    def pause(seconds: float) -> bool:
        until = time.monotonic() + seconds
        while not cancelled() and (left := until - time.monotonic()) > 0:
            time.sleep(min(SLICE, left))
        return not cancelled()

    return pause


def wait_before(before: Look, budget: str, emit: Emit, cancelled: Callable[[], bool]) -> float:
    """Wait, before the checks of a check-up, for what others have done since a look; the seconds that it took."""
    last = before

    def look() -> Load:
        nonlocal last
        time.sleep(max(0.0, last.at + LISTEN - time.monotonic()))
        earlier, last = last, machine.look()
        return machine.taken_by_others(earlier, last)

    def say(load: Load, left: float) -> None:
        text = describe_wait(load, left)
        programs = tuple(BusyProgram(**program) for program in load["programs"])
        emit(Busy(str(text), as_data(text), load["percent"] or 0.0, programs, round(left, 1)))

    _, waited = wait(look, WAIT[budget], say, pause_unless(cancelled))
    return waited
