"""Checks: each with its status, time and progress; what the selected one found, with evidence and links."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from textual.app import ComposeResult

from mpsdoctor.facts import assume_shapes
from mpsdoctor.formats import rows
from mpsdoctor.overall import share_told
from mpsdoctor.report import ORDER, CheckResult
from mpsdoctor.texts import joined, say, tell, term, translate_title
from mpsdoctor.tui import issues, words
from mpsdoctor.tui.model import CheckState
from mpsdoctor.tui.panes.pane import Pane
from mpsdoctor.tui.widgets.details import Details
from mpsdoctor.tui.widgets.rows import Column, Row, Rows
from mpsdoctor.tui.words import Piece

METER = 24
MOST_FINDINGS = 20  # in full; a check of ours has a handful, and one that has a hundred must not stop the screen


class Checks(Pane):
    """The second tab."""

    def explain(self) -> str:
        return say("screen.checks_help")

    def compose(self) -> ComposeResult:
        yield Rows(_columns(), say("screen.checks"), empty=say("screen.listing_checks"), id="checks")
        yield Details(say("screen.check"), empty=say("screen.select_check"), id="check")

    def show(self) -> None:
        table = self.query_one("#checks", Rows)
        table.empty = say("screen.listing_checks" if self.model.running else "screen.press_R")
        table.fill([row for state in self.model.checks.values() for row in self._rows(state)])
        table.suggest(_foremost(self.model.checks.values()))
        key = table.row.key if table.row else ""
        state = self.model.checks.get(key.partition("/")[0])
        if state is None:
            text = words.styled((say("screen.none_selected"), "muted"))
        elif state.result and key != state.id:
            text = words.lines(issues.page(state.result, key))
        else:
            text = words.lines(self._details(state))
        self.query_one("#check", Details).show(text, key or None)

    def check_id(self) -> str | None:
        row = self.query_one("#checks", Rows).row
        return row.key.partition("/")[0] if row else None

    def _rows(self, state: CheckState) -> Iterator[Row]:
        """The row of a check, and below it those of its known issues."""
        yield self._row(state)
        yield from issues.rows_below(state.result)

    def _row(self, state: CheckState) -> Row:
        sign, tone = words.SIGNS[state.status]
        status = term("status", state.status)
        note = words.progress(state) if state.status == "running" else _describe_end(state)
        time = words.elapsed(state, self.model.clock())
        cells = ((f"{sign} {status}", tone), (state.id, "strong"), (time, "muted"), (note, "muted"))
        return Row(state.id, cells)

    def _details(self, state: CheckState) -> Iterator[Piece]:
        sign, tone = words.SIGNS[state.status]
        title = translate_title(state.id, state.title)
        yield words.styled((f"{sign} {term('status', state.status)}  ", tone), (title, "strong"))
        if state.result is None:
            yield from self._live(state)
            return
        yield (f"{state.result.source} · {words.seconds(state.result.duration_s)}", "muted")
        if state.result.reason:
            yield ""
            yield state.result.reason
        findings = sorted(state.result.findings, key=lambda finding: ORDER[finding.severity])
        for finding in findings[:MOST_FINDINGS]:
            yield ""
            yield from words.describe_finding(state.result, finding)
        if len(findings) > MOST_FINDINGS:
            yield ""
            yield (say("screen.more_findings", count=len(findings) - MOST_FINDINGS), "muted")
        if not state.result.findings and not state.result.reason:
            yield ""
            reached = coverage(state.result)
            yield (say("screen.no_complaint_so_far" if reached else "screen.no_complaint"), "muted")
            yield from reached
        if few := {key: value for key, value in state.result.facts.items() if _short(value)}:
            yield ""
            yield (say("screen.facts"), "title")
            yield words.evidence(few)

    def _live(self, state: CheckState) -> Iterator[Piece]:
        if state.status == "waiting":
            yield (say("screen.not_begun"), "muted")
            return
        yield words.progress(state)
        progress = state.progress
        if share := share_told(progress) if progress else 0.0:
            yield words.styled((words.meter(share, 1.0, METER), "accent"), f" {100 * share:.0f} %")
        texts = [tell(event.text, event.values) for event in self.model.log if event.id == state.id]
        if texts:
            yield ""
            yield from ((line, "muted") for line in reversed(texts[-12:]))


def coverage(result: CheckResult) -> list[str]:
    """How much of the operators was probed, where that is not all that the check planned."""
    operators = assume_shapes({result.id: result.facts}).get("operators")
    sentences = rows.coverage_of(operators)
    of_devices = operators["coverage"] if sentences and operators and "coverage" in operators else {}
    told = [row for device, row in of_devices.items() if device != "cpu" or len(of_devices) == 1]
    return sentences if any(row["made"] < row["planned"] for row in told) else []


def _columns() -> tuple[Column, ...]:
    status, time, progress = (say(f"screen.column_{name}") for name in ("status", "time", "progress"))
    check = Column(say("report.check"), 13)
    return Column(status, 10), check, Column(time, 6, right=True, beyond=44), Column(progress)


def _foremost(states: Iterable[CheckState]) -> str | None:
    """The check to read about first: the one that runs, else the one that went worst."""
    order = ("running", "error", "fail", "warn", "pass", "skip", "waiting")
    worst = min(states, key=lambda state: order.index(state.status), default=None)
    return worst.id if worst else None


def _short(value: Any) -> bool:
    """Whether a fact can be read in a line or some: tables have tabs of their own."""
    parts = value.values() if isinstance(value, dict) else (value,)
    return value is not None and len(parts) < 12 and not any(isinstance(part, list | dict) for part in parts)


def _describe_end(state: CheckState) -> str:
    result = state.result
    if result is None:
        return ""
    if result.reason:
        return result.reason
    count = len(result.findings)
    if reached := coverage(result):
        return joined("; ", [*([say("screen.some_findings", count=count)] if count else []), *reached])
    name = {0: "screen.nothing_to_tell", 1: "screen.one_finding"}.get(count)
    return say(name) if name else say("screen.some_findings", count=count)
