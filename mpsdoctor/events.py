"""What a person asks of a check-up, and what it says while it runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from mpsdoctor import intake
from mpsdoctor.planning import Planned
from mpsdoctor.report import CheckResult, Report
from mpsdoctor.texts import WordingData

MOST_FIGURES = 100
MOST_VALUES = 4096  # bytes of the values of one text, of which a screen keeps some thousand


@dataclass(frozen=True)
class Settings:
    """What the person asked for."""

    budget: str = "standard"
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    devices: tuple[str, ...] | None = None
    python: str = sys.executable
    profile_path: str | None = None
    write_profile: bool = True


@dataclass(frozen=True)
class Request:
    """A question ("runs", "predicted", "step") about FILE.py:FUNC; `version` is the torch that is predicted for.

    Of "race" the target is a script with its arguments, or a command.
    """

    question: str
    target: str
    version: str | None = None


@dataclass(frozen=True)
class Answer:
    """A report, or in a line why there is none; `traceback` where the person's code raised.

    `said` is what a race tells of its script, in the language of who reads.
    """

    report: Report | None = None
    trouble: str = ""
    traceback: str = ""
    cancelled: bool = False
    said: tuple[str, ...] = ()


class Listed(msgspec.Struct, frozen=True, tag_field="event", tag="listed"):
    """Event: these checks are about to run."""

    checks: tuple[Planned, ...]


class Overall(msgspec.Struct, frozen=True):
    """How far the whole check-up is: the share that is done, of 1, and about how many seconds are left."""

    share: float
    left_s: float


class Started(msgspec.Struct, frozen=True, tag_field="event", tag="started"):
    """Event: a check begins."""

    id: str
    title: str
    overall: Overall | None = None


class BusyProgram(msgspec.Struct, frozen=True):
    """A program and the percent of one processor that it takes."""

    name: str
    percent: float


class Busy(msgspec.Struct, frozen=True, tag_field="event", tag="busy"):
    """Event: other programs take `percent` of all processors; the check-up waits for quiet, `left_s` at most.

    `programs` are those that explain it; none where they are hidden.
    """

    text: str
    values: WordingData
    percent: float
    programs: tuple[BusyProgram, ...]
    left_s: float


class Figure(msgspec.Struct, frozen=True):
    """The time of a training step so far; None where it is being timed and there is no figure yet."""

    workload: str
    size: str
    device: str
    step_ms: float | None = None
    ci95_ms: tuple[float, float] | None = None


class Progress(msgspec.Struct, frozen=True, tag_field="event", tag="progress"):
    """Event: what a check is doing, how far it is, and the figures so far.

    `values` is what the text was filled with, where it is a template of ours; `share` is how much of the check is done,
    of 1, where `done` and `total` count a part of it alone.
    """

    id: str
    text: str
    done: int | None = None
    total: int | None = None
    figures: tuple[Figure, ...] = ()
    values: WordingData | None = None
    share: float | None = None
    overall: Overall | None = None


class Finished(msgspec.Struct, frozen=True, tag_field="event", tag="finished"):
    """Event: a check has ended."""

    result: CheckResult
    overall: Overall | None = None


Event = Listed | Busy | Started | Progress | Finished
Emit = Callable[[Event], None]


def progress_of(check_id: str, sent: intake.Sent) -> Progress:
    """The event of a check's word; figures that are none are left out."""
    try:
        figures = msgspec.convert(sent.figures[:MOST_FIGURES], tuple[Figure, ...])
    except msgspec.ValidationError:
        figures = ()
    values = sent.values if len(msgspec.json.encode(sent.values)) <= MOST_VALUES else None
    share = None if sent.share is None else min(1.0, max(0.0, sent.share))
    return Progress(check_id, intake.line(sent.text or ""), sent.done, sent.total, figures, values, share)
