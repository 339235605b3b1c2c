"""A race of the person's script, asked from the screen: as `mpsdoctor race` runs it, its answer as rows of the tab."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from pathlib import Path

import msgspec

from mpsdoctor import clean
from mpsdoctor.events import Answer, Emit, Progress, Request, Settings
from mpsdoctor.race import keeping, results, telling
from mpsdoctor.race.company import Wish
from mpsdoctor.race.stages import Course
from mpsdoctor.texts import Part, as_values

NAME = "race"  # of the workload in its rows
SECONDS = {"quick": 10.0, "standard": 30.0, "thorough": 60.0}  # of timing, by budget


def command_of(typed: str, python: str) -> tuple[str, ...]:
    """The command that was typed; a script alone runs under the examined interpreter. ValueError: a quote is open."""
    words = shlex.split(typed)
    return (python, *words) if words and words[0].endswith(".py") else tuple(words)


def prepare(request: Request, settings: Settings, emit: Emit) -> Course:
    """The race; nothing of it runs yet. ValueError."""

    def say(part: Part) -> None:
        emit(Progress(NAME, clean.line(telling.say(part)), values=as_values(part)))

    wish = Wish(command_of(request.target, settings.python), settings.devices, SECONDS[settings.budget])
    return Course(wish, Path(tempfile.mkdtemp(prefix="mpsdoctor-race-")), say)


def answer(course: Course) -> Answer:
    """Run it to its end. UnusableRequestError."""
    told = False
    try:
        course.run()
        told = not course.scripts.cancelled
    finally:
        if not told:  # nobody learns where its logs are
            shutil.rmtree(course.folder, ignore_errors=True)
    if not told:
        return Answer(cancelled=True)
    runs = list(course.runs.values())
    judged = results.judge(NAME, course.wish.command, runs, course.moments, undisturbed=course.undisturbed)
    report = msgspec.structs.replace(judged.report, logs=str(course.folder))
    hello = next((script.hello for script in course.scripts.started if script.hello), None)
    kept = keeping.as_report(judged.rows, hello) if hello else None
    return Answer(kept, said=tuple(map(clean.line, tell(report))))


def tell(report: results.RaceReport) -> list[str]:
    """The answer in lines; figures of devices, which have rows of their own, come last."""
    figures = [next(telling.about(row)) for row in report.devices if row.step_ms is not None]
    return [*(line for line in telling.lines(report) if line not in figures), *figures]
