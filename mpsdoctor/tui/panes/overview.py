"""Overview: the verdict with its reasons, what the machine is, and the findings that matter first."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from mpsdoctor.formats import rows, wrapping
from mpsdoctor.overall import left_in_words
from mpsdoctor.report import ORDER, Finding, Report, Verdict
from mpsdoctor.texts import joined, say, term
from mpsdoctor.tui import meter, words
from mpsdoctor.tui.model import CheckState
from mpsdoctor.tui.panes.pane import Pane
from mpsdoctor.tui.widgets.details import Details
from mpsdoctor.tui.widgets.rows import Column, Row, Rows
from mpsdoctor.tui.words import Piece

LABEL = 9  # cells of the labels beside facts
CHECK = 22  # cells of a check's state and name


class Overview(Pane):
    """The first tab."""

    def explain(self) -> str:
        return say("screen.overview_help")

    def compose(self) -> ComposeResult:
        yield Details(say("screen.verdict"), id="verdict")
        with Vertical(id="findings-side"):
            yield Rows(_columns(), say("screen.findings"), empty=say("screen.nothing_found_yet"), id="findings")
            yield Details(say("screen.finding"), empty=say("screen.select_finding"), id="finding")

    def first_panel(self) -> Widget:
        """The verdict; beside it, where there is room for both, the findings."""
        return self.query_one("#findings" if self.screen.has_class("-wide") else "#verdict")

    def show(self) -> None:
        panel = self.query_one("#verdict", Details)
        panel.show(words.lines(self._verdict(panel.room)), self.model.running)
        findings = self.model.findings()
        table = self.query_one("#findings", Rows)
        table.empty = say("screen.nothing_found_yet" if self.model.running else "screen.no_findings")
        table.fill([_row(number, check.id, finding) for number, (check, finding) in enumerate(findings)])
        selected = findings[int(table.row.key.split()[0])] if table.row else None
        nothing = say("screen.findings_come" if self.model.running else "screen.nothing_to_explain")
        text = words.lines(words.describe_finding(*selected) if selected else [(nothing, "muted")])
        self.query_one("#finding", Details).show(text, selected and (selected[0].id, selected[1].title))

    def check_id(self) -> str | None:
        row = self.query_one("#findings", Rows).row
        return row.key.split()[1] if row else None

    def _verdict(self, width: int) -> Iterator[Piece]:
        model, report = self.model, self.model.told()
        if model.running and not model.cancelled:
            yield from self._so_far(width)
            return
        headline, tone = words.headline(model)
        yield words.styled((headline, tone))
        if report and report.verdict and not (model.running or model.cancelled):
            yield from rows.headlines(report)[1:]
            glance = self._glance(width)
            yield from _reasons(_beside(report.verdict, glance), width, bool(glance))
            yield from glance
            yield from self._grid_checks(width)
            yield from self._profile(width)
        elif model.cancelled and not model.running:
            yield (say("screen.run_again"), "muted")
        else:
            yield from self._list_checks()
            return
        if report and report.python.version:
            yield ""
            yield from _machine(report, width)
        if report and report.verdict:
            yield from _all_reasons(_beside(report.verdict, self._glance(width)), width)

    def _so_far(self, width: int) -> Iterator[Piece]:
        """A run that goes on: how far it is, who disturbs it, the figures, the checks, and what machine this is."""
        model, whole, current = self.model, self.model.overall(), self.model.current()
        yield words.styled((words.meter(whole.share if whole else 0.0, 1.0, width), "accent"))
        if whole:
            yield (left_in_words(whole).capitalize(), "accent")
        if model.busy:
            yield words.wrap_beside(("! ", "warn"), words.describe_busy(model.busy, waiting=model.waits), 2, width)
        if current:
            doing = words.progress(current)
            doing = doing if doing.startswith(current.id) else joined(": ", [current.id, doing])
            yield words.wrap_beside(("▶ ", "accent"), doing, 2, width)
        yield from words.figures_so_far(model.figures())
        yield ""
        yield from self._list_checks()
        report = model.report_so_far()
        if report.machine.os:
            yield ""
            yield from _machine(report, width)

    def _glance(self, width: int) -> list[Content]:
        """The meter, where the screen is high enough for all that it is an answer to."""
        if self.screen.has_class("-low"):
            return []
        return meter.draw(meter.compare(self.model.facts()), width)

    def _grid_checks(self, width: int) -> Iterator[Piece]:
        """The states of the checks, as many in a line as there is room for."""
        columns = max(1, width // CHECK)
        cells = [_check(state) for state in self.model.checks.values()]
        for first in range(0, len(cells), columns):
            pieces = [cell.pad_right(CHECK - cell.cell_length) for cell in cells[first : first + columns]]
            yield Content("").join(pieces)

    def _list_checks(self) -> Iterator[Piece]:
        for state in self.model.checks.values():
            sign, tone = words.SIGNS[state.status]
            status = wrapping.pad(term("status", state.status), 8)
            time = words.elapsed(state, self.model.clock())
            yield words.styled((f"{sign} {status}", tone), f"{state.id:12} ", (time, "muted"))
        if not self.model.checks:
            yield (say("screen.listing_checks"), "muted")

    def _profile(self, width: int) -> Iterator[Piece]:
        profile = self.model.report.profile if self.model.report else None
        if self.model.trouble:
            sign, note = ("! ", "fail"), say("screen.profile_failed", why=self.model.trouble)
        elif profile and profile.written:
            sign, note = ("✓ ", "pass"), say("screen.profile_written", path=profile.path)
        elif profile and profile.path:
            sign, note = ("– ", "muted"), say("screen.profile_not_written", path=profile.path)
        else:
            return
        yield words.wrap_beside(sign, note, 2, width)


def _machine(report: Report, width: int) -> Iterator[Piece]:
    for label, fact in words.machine(report):
        yield words.wrap_beside((f"{wrapping.pad(label, LABEL - 1)} ", "title"), fact, LABEL, width)


def _check(state: CheckState) -> Content:
    sign, tone = words.SIGNS[state.status]
    return words.styled((f"{sign} {wrapping.pad(term('status', state.status), 6)}", tone), state.id)


def _beside(answer: Verdict, glance: Sequence[Content]) -> Verdict:
    """The verdict without the reason that lists the families that the meter draws; what fails is not in the meter."""
    if not glance or len(answer.values) != len(answer.reasons) or "group_failed" in json.dumps(answer.values):
        return answer
    pairs = zip(answer.reasons, answer.values, strict=True)
    kept = [pair for pair in pairs if not isinstance(pair[1], dict) or pair[1].get("part") != "evidence"]
    return replace(answer, reasons=tuple(text for text, _ in kept), values=tuple(values for _, values in kept))


def _reasons(verdict: Verdict, width: int, metered: bool) -> Iterator[Piece]:
    """In a line each what a person reads first; the rest stands below. The meter, where there is one, has families."""
    reasons, more = rows.reasons(verdict, width - 2)
    yield from (words.wrap_beside(("· ", "muted"), reason, 2, width) for reason in reasons)
    if more:
        yield (f"  {say('screen.more_reasons', count=more)}", "muted")
    by_workload = None if metered else rows.by_workload(verdict)
    if by_workload:
        yield words.wrap_beside(("· ", "muted"), by_workload, 2, width)


def _all_reasons(verdict: Verdict, width: int) -> Iterator[Piece]:
    """Every reason in full, where the panel's top shows less."""
    if rows.reasons(verdict, width - 2) != (list(verdict.reasons[1:]), 0):
        yield ""
        yield (say("screen.all_reasons"), "title")
        yield from (words.wrap_beside(("· ", "muted"), reason, 2, width) for reason in verdict.reasons[1:])


def _columns() -> tuple[Column, ...]:
    severity, code, finding, check = (say(f"report.{name}") for name in ("severity", "code", "finding", "check"))
    return Column(severity, 9), Column(code, 6, beyond=50), Column(finding), Column(check, 11, beyond=70)


def _row(number: int, check_id: str, finding: Finding) -> Row:
    sign, tone = words.SIGNS[finding.severity]
    rank = ORDER[finding.severity]
    cells = (
        (f"{sign} {term('severity', finding.severity)}", tone),
        (finding.code, "muted"),
        (finding.title, "plain"),
        (check_id, "muted"),
    )
    return Row(f"{number} {check_id} {finding.code}", cells, (rank, finding.code, finding.title, check_id))
