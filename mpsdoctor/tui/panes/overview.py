"""Overview: the verdict with its reasons, what the machine is, and the findings that matter first."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.containers import Vertical

from mpsdoctor.formats import rows
from mpsdoctor.report import ORDER, Finding, Verdict
from mpsdoctor.tui import words
from mpsdoctor.tui.panes.pane import Pane
from mpsdoctor.tui.widgets.details import Details
from mpsdoctor.tui.widgets.rows import Column, Row, Rows
from mpsdoctor.tui.words import Piece

COLUMNS = (Column("severity", 9), Column("code", 6, beyond=50), Column("finding"), Column("check", 11, beyond=70))
LABEL = 9  # cells of the labels beside facts


class Overview(Pane):
    """The first tab."""

    HELP = "The verdict and why, the machine, and all findings, the gravest first. Enter on a finding reads on."

    def compose(self) -> ComposeResult:
        yield Details("Verdict", id="verdict")
        with Vertical(id="findings-side"):
            yield Rows(COLUMNS, "Findings", empty="nothing found so far", id="findings")
            yield Details("Finding", empty="Select a finding to read about it.", id="finding")

    def show(self) -> None:
        panel = self.query_one("#verdict", Details)
        panel.set_class(self.model.running, "busy")
        panel.show(words.lines(self._verdict(panel.room)), self.model.running)
        findings = self.model.findings()
        table = self.query_one("#findings", Rows)
        table.empty = "nothing found so far" if self.model.running else "no findings"
        table.fill([_row(number, check.id, finding) for number, (check, finding) in enumerate(findings)])
        selected = findings[int(table.row.key.split()[0])] if table.row else None
        text = (
            words.lines(words.finding(*selected)) if selected else words.styled((_nothing(self.model.running), "muted"))
        )
        self.query_one("#finding", Details).show(text, selected and (selected[0].id, selected[1].title))

    def check_id(self) -> str | None:
        row = self.query_one("#findings", Rows).row
        return row.key.split()[1] if row else None

    def _verdict(self, width: int) -> Iterator[Piece]:
        model, report = self.model, self.model.report
        headline, tone = words.headline(model)
        yield words.styled((headline, tone))
        if report and report.verdict and not (model.running or model.cancelled):
            yield from _reasons(report.verdict, width)
            yield from self._profile(width)
        elif model.cancelled and not model.running:
            yield ("R runs it again. What was found is kept.", "muted")
        else:
            yield from self._course()
            return
        if report and report.python.version:
            yield ""
            for label, fact in words.machine(report):
                yield words.hang((f"{label:{LABEL - 1}} ", "title"), fact, LABEL, width)
        yield ""
        yield from self._course()
        if report and report.verdict:
            yield from _all_reasons(report.verdict, width)

    def _course(self) -> Iterator[Piece]:
        for course in self.model.checks.values():
            sign, tone = words.SIGNS[course.status]
            doing = words.progress(course) if course.status == "running" else words.state(course, self.model.clock())
            yield words.styled((f"{sign} {course.status:8}", tone), f"{course.id:12} ", (doing, "muted"))
        if not self.model.checks:
            yield ("finding out which checks are installed", "muted")

    def _profile(self, width: int) -> Iterator[Piece]:
        report = self.model.report
        if self.model.trouble:
            yield words.hang(("! ", "fail"), f"the profile was not written: {self.model.trouble}", 2, width)
        elif report and report.profile.written:
            yield words.hang(("✓ ", "pass"), f"profile written to {report.profile.path}", 2, width)
        elif report and report.profile.path:
            yield words.hang(("– ", "muted"), f"profile not written ({report.profile.path})", 2, width)


def _reasons(verdict: Verdict, width: int) -> Iterator[Piece]:
    """In a line each what a person reads first; the rest stands below the checks."""
    reasons, more = rows.reasons(verdict, width - 2)
    yield from (words.hang(("· ", "muted"), reason, 2, width) for reason in reasons)
    if more:
        yield (f"  and {more} more, below", "muted")
    if by_workload := rows.by_workload(verdict):
        yield words.hang(("· ", "muted"), by_workload, 2, width)


def _all_reasons(verdict: Verdict, width: int) -> Iterator[Piece]:
    """Every reason as it was told, where the panel's top shows less."""
    if rows.reasons(verdict, width - 2) != (list(verdict.reasons), 0):
        yield ""
        yield ("All reasons", "title")
        yield from (words.hang(("· ", "muted"), reason, 2, width) for reason in verdict.reasons)


def _nothing(running: bool) -> str:
    return "Findings appear here as the checks end." if running else "Nothing to explain: no check found anything."


def _row(number: int, check_id: str, finding: Finding) -> Row:
    sign, tone = words.SIGNS[finding.severity]
    rank = ORDER[finding.severity]
    cells = (
        (f"{sign} {finding.severity}", tone),
        (finding.code, "muted"),
        (finding.title, "plain"),
        (check_id, "muted"),
    )
    return Row(f"{number} {check_id} {finding.code}", cells, (rank, finding.code, finding.title, check_id))
