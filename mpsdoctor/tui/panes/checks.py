"""Checks: each with its status, time and progress; what the selected one found, with evidence and links."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from textual.app import ComposeResult

from mpsdoctor.report import ORDER
from mpsdoctor.tui import words
from mpsdoctor.tui.model import Course
from mpsdoctor.tui.panes.pane import Pane
from mpsdoctor.tui.widgets.details import Details
from mpsdoctor.tui.widgets.rows import Column, Row, Rows
from mpsdoctor.tui.words import Piece

COLUMNS = (
    Column("status", 10),
    Column("check", 13),
    Column("time", 6, right=True, beyond=44),
    Column("progress"),
)
METER = 24


class Checks(Pane):
    """The second tab."""

    HELP = "All checks of this check-up. r runs the selected one again, with those that it needs."

    def compose(self) -> ComposeResult:
        yield Rows(COLUMNS, "Checks", empty="finding out which checks are installed", id="checks")
        yield Details("Check", empty="Select a check to read about it.", id="check")

    def show(self) -> None:
        table = self.query_one("#checks", Rows)
        table.empty = "finding out which checks are installed" if self.model.running else "press R to begin"
        table.fill([self._row(course) for course in self.model.checks.values()])
        table.suggest(_foremost(self.model.checks.values()))
        course = self.model.checks.get(table.row.key) if table.row else None
        text = words.lines(self._details(course)) if course else words.styled(("No check is selected.", "muted"))
        self.query_one("#check", Details).show(text, course and course.id)

    def check_id(self) -> str | None:
        row = self.query_one("#checks", Rows).row
        return row.key if row else None

    def _row(self, course: Course) -> Row:
        sign, tone = words.SIGNS[course.status]
        note = words.progress(course) if course.status == "running" else _describe_end(course)
        time = words.state(course, self.model.clock())
        cells = ((f"{sign} {course.status}", tone), (course.id, "strong"), (time, "muted"), (note, "muted"))
        return Row(course.id, cells)

    def _details(self, course: Course) -> Iterator[Piece]:
        sign, tone = words.SIGNS[course.status]
        yield words.styled((f"{sign} {course.status}  ", tone), (course.title, "strong"))
        if course.result is None:
            yield from self._live(course)
            return
        yield (f"{course.result.source} · {words.seconds(course.result.duration_s)}", "muted")
        if course.result.reason:
            yield ""
            yield course.result.reason
        for finding in sorted(course.result.findings, key=lambda finding: ORDER[finding.severity]):
            yield ""
            yield from words.finding(course.result, finding)
        if not course.result.findings and not course.result.reason:
            yield ""
            yield ("It found nothing to complain of.", "muted")
        if few := {key: value for key, value in course.result.facts.items() if _short(value)}:
            yield ""
            yield ("Facts", "title")
            yield words.evidence(few)

    def _live(self, course: Course) -> Iterator[Piece]:
        if course.status == "waiting":
            yield ("It has not begun yet.", "muted")
            return
        yield words.progress(course)
        progress = course.progress
        if progress and progress.total:
            share = f" {progress.done or 0} of {progress.total}"
            yield words.styled((words.meter(progress.done or 0, progress.total, METER), "accent"), share)
        texts = [event.text for event in self.model.log if event.id == course.id]
        if texts:
            yield ""
            yield from ((line, "muted") for line in reversed(texts[-12:]))


def _foremost(courses: Iterable[Course]) -> str | None:
    """The check to read about first: the one that runs, else the one that went worst."""
    order = ("running", "error", "fail", "warn", "pass", "skip", "waiting")
    worst = min(courses, key=lambda course: order.index(course.status), default=None)
    return worst.id if worst else None


def _short(value: Any) -> bool:
    """Whether a fact can be read in a line or some: tables have tabs of their own."""
    parts = value.values() if isinstance(value, dict) else (value,)
    return value is not None and len(parts) < 12 and not any(isinstance(part, list | dict) for part in parts)


def _describe_end(course: Course) -> str:
    result = course.result
    if result is None:
        return ""
    if result.reason:
        return result.reason
    count = len(result.findings)
    return f"{count} finding{'s' if count != 1 else ''}" if count else "nothing to tell"
