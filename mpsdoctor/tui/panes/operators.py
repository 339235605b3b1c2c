"""Operators: each against the CPU by dtype and direction; for the selected one the exact errors and the remedy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from textual.app import ComposeResult

from mpsdoctor.facts.operators import ProbeRow
from mpsdoctor.tui import matrix, words
from mpsdoctor.tui.background import run_in_background, spare_collector
from mpsdoctor.tui.matrix import Line
from mpsdoctor.tui.panes.pane import Pane
from mpsdoctor.tui.widgets.details import Details
from mpsdoctor.tui.widgets.rows import Column, Row, Rows
from mpsdoctor.tui.words import Piece

NAME = (Column("worst", 5), Column("operator"), Column("device", 7, beyond=44))
ERRORS = 8  # distinct messages in the details; the exported report holds all


Arranged = tuple[list[Line], list[tuple[str, str]], list[Row]]  # lines, the columns that they need, both as rows


class Operators(Pane):
    """The third tab."""

    HELP = (
        "Operators by (dtype, direction), the worst first; → forward, ← backward. "
        + ", ".join(f"{letter} {outcome}" for outcome, (letter, _, _) in matrix.OUTCOMES.items())
        + "."
    )

    def compose(self) -> ComposeResult:
        yield Rows(NAME, "Operators", empty="operators are probed after the build was examined", id="operators")
        yield Details("Operator", id="operator")

    def on_mount(self) -> None:
        self._results: Iterable[ProbeRow] | None = None
        self._lines: dict[str, Line] = {}
        super().on_mount()

    def show(self) -> None:
        results = self.model.probe_rows()
        if results is not self._results:
            self._results = results
            # 5,000 probes take 0.1 s to sort out: longer than a frame may take.
            run_in_background(self.app, "operators", lambda: arrange(results), self._fill)
        table = self.query_one("#operators", Rows)
        table.empty = self._why_empty()
        line = self._lines.get(table.row.key) if table.row else None
        width = self.query_one("#operator", Details).room
        text = words.lines(self._details(line, width) if line else self._summary(width))
        self.query_one("#operator", Details).show(text, line and (line.op, line.device))

    def check_id(self) -> str | None:
        return "operators"

    def _fill(self, arranged: Arranged) -> None:
        lines, cells, rows = arranged
        table = self.query_one("#operators", Rows)
        heads = [matrix.heading(cell) for cell in cells]
        table.columns = (*NAME, *(Column(h, max(4, len(h)), beyond=40 + 6 * n) for n, h in enumerate(heads)))
        self._lines = {f"{line.op} {line.device}": line for line in lines}
        table.fill(rows)
        spare_collector()
        table.border_title = words.styled(f"Operators · {len(lines)}" if lines else "Operators")
        self.redraw()

    def _why_empty(self) -> str:
        course = self.model.checks.get("operators")
        if course is None or course.status == "waiting":
            return "the check has not begun yet" if self.model.running else "not probed"
        if course.status == "running":
            return words.progress(course)
        return (course.result.reason if course.result else None) or "not probed"

    def _summary(self, width: int) -> Iterator[Piece]:
        course = self.model.checks.get("operators")
        yield (self._why_empty(), "muted")
        if course and course.progress and course.progress.total:
            progress = course.progress
            yield (words.meter(progress.done or 0, progress.total or 1, 24), "accent")
        yield ""
        yield from _legend(width)

    def _details(self, line: Line, width: int) -> Iterator[Piece]:
        yield words.styled((line.op, "strong"), f" on {line.device}")
        bad = [probe for probe in line.probes if probe["outcome"] not in ("ok", "skipped")]
        total, fine = line.count(), line.count("ok")
        yield (f"{total} probe{'s' * (total > 1)}, {fine} ok, {total - fine - line.count('skipped')} not", "muted")
        for outcome, detail, where in _group_messages(bad)[:ERRORS]:
            letter, tone, meaning = matrix.meaning(outcome)
            yield ""
            yield words.styled((f"{letter} {outcome} ", tone), meaning, (f" · {where}", "muted"))
            if detail:
                yield detail.strip()
        yield from self._remedy(line)
        if not bad:
            yield ""
            yield from _legend(width)

    def _remedy(self, line: Line) -> Iterator[Piece]:
        """From the check's own finding that names this operator."""
        course = self.model.checks.get("operators")
        for finding in course.result.findings if course and course.result else ():
            named = {row.get("op") for row in finding.evidence.get("worst", ()) if isinstance(row, dict)}
            if finding.remedy and line.op in named and line.device != "cpu":
                yield ""
                yield words.styled(("What to do  ", "title"), finding.remedy.text, (f"  {finding.code}", "muted"))
                yield from (words.styled("  ", (f" {command} ", "command")) for command in finding.remedy.commands)
                return


def arrange(results: Iterable[ProbeRow]) -> Arranged:
    """Lines, the columns that they need, and both as rows."""
    lines = matrix.lines(results)
    cells = matrix.columns(lines)
    return lines, cells, [_row(f"{line.op} {line.device}", line, cells) for line in lines]


def _row(key: str, line: Line, columns: list[tuple[str, str]]) -> Row:
    letters, ranks = [], []
    for cell in columns:
        outcome = line.worst.get(cell)
        letter, tone, _ = matrix.meaning(outcome) if outcome else ("", "muted", "")
        letters.append((letter, tone))
        ranks.append(float(matrix.rank(outcome)) if outcome else 99.0)
    name = line.op.removeprefix("aten::")
    letter, worst, _ = matrix.meaning(min(line.worst.values(), key=matrix.rank))
    tone = worst if worst in ("fail", "warn") else "plain"
    cells = ((f"  {letter}", worst), (name, tone), (line.device, "muted"), *letters)
    return Row(key, cells, (line.rank, name, line.device, *ranks))


def _group_messages(probes: list[ProbeRow]) -> list[tuple[str, str, str]]:
    """Outcome, message and the probes that gave it, the worst first; the same message once."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for probe in sorted(probes, key=lambda probe: matrix.rank(probe["outcome"])):
        where = [f"{probe['dtype']} {variant} {probe['direction']}" for variant in probe["variants"]]
        grouped.setdefault((probe["outcome"], probe["detail"] or ""), []).extend(where)
    return [(outcome, detail, _shorten(where)) for (outcome, detail), where in grouped.items()]


def _shorten(where: list[str]) -> str:
    more = f" and {len(where) - 3} more" if len(where) > 3 else ""
    return ", ".join(where[:3]) + more


def _legend(width: int) -> Iterator[Piece]:
    for outcome, (letter, tone, meaning) in matrix.OUTCOMES.items():
        label = words.styled((f"{letter} ", tone), f"{outcome:14}")
        yield words.hang(label, meaning, 16, width)
