"""Operators: each against the CPU by dtype and direction; for the selected one the exact errors and the remedy."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from mpsdoctor.facts.operators import ProbeRow
from mpsdoctor.formats import matrix, wrapping
from mpsdoctor.formats.matrix import Line
from mpsdoctor.overall import share_told
from mpsdoctor.texts import joined, say, tell, term
from mpsdoctor.tui import words
from mpsdoctor.tui.background import freeze_heap, run_in_background
from mpsdoctor.tui.panes.pane import Pane
from mpsdoctor.tui.widgets.details import Details
from mpsdoctor.tui.widgets.rows import Column, Row, Rows
from mpsdoctor.tui.words import Piece

ERRORS = 8  # distinct messages in the details; the exported report holds all


Arranged = tuple[list[Line], list[tuple[str, str]], list[Row]]  # lines, the columns that they need, both as rows


class Operators(Pane):
    """The third tab."""

    def explain(self) -> str:
        letters = [f"{letter} {term('outcome', outcome)}" for outcome, (letter, _) in matrix.OUTCOMES.items()]
        return say("screen.operators_help", letters=letters)

    def compose(self) -> ComposeResult:
        yield Rows(_columns(), say("screen.operators"), empty=say("screen.operators_later"), id="operators")
        yield Details(say("screen.operator"), id="operator")
        yield Static(id="legend")

    def on_mount(self) -> None:
        self._results: Iterable[ProbeRow] | None = None
        self._lines: dict[str, Line] = {}
        self._legend = Content("")
        super().on_mount()

    def show(self) -> None:
        results = self.model.probe_rows()
        if results is not self._results:
            self._results = results
            # 5,000 probes take 0.1 s to sort out: longer than a frame may take.
            needed = self.model.needed_failures()
            run_in_background(self.app, "operators", lambda: arrange(results, needed), self._fill)
        table = self.query_one("#operators", Rows)
        table.empty = self._why_empty()
        line = self._lines.get(table.row.key) if table.row else None
        width = self.query_one("#operator", Details).room
        text = words.lines(self._details(line, width) if line else self._summary(width))
        self.query_one("#operator", Details).show(text, line and (line.op, line.device))
        legend = _letters(list(self._lines.values()), self.size.width)
        if not legend.is_same(self._legend):
            self._legend = legend
            self.query_one("#legend", Static).update(legend)

    def check_id(self) -> str | None:
        return "operators"

    def _fill(self, arranged: Arranged) -> None:
        lines, cells, rows = arranged
        table = self.query_one("#operators", Rows)
        heads = [matrix.heading(cell) for cell in cells]
        table.columns = (*_columns(), *(Column(h, max(4, len(h)), beyond=40 + 6 * n) for n, h in enumerate(heads)))
        self._lines = {f"{line.op} {line.device}": line for line in lines}
        table.fill(rows)
        freeze_heap()
        table.border_title = words.styled(_title(lines))
        self.redraw()

    def _why_empty(self) -> str:
        state = self.model.checks.get("operators")
        if state is None or state.status == "waiting":
            return say("screen.check_not_begun" if self.model.running else "screen.not_probed")
        if state.status == "running":
            return words.progress(state)
        return (state.result.reason if state.result else None) or say("screen.not_probed")

    def _summary(self, width: int) -> Iterator[Piece]:
        state = self.model.checks.get("operators")
        yield (self._why_empty(), "muted")
        if share := share_told(state.progress) if state and state.progress else 0.0:
            yield (words.meter(share, 1.0, 24), "accent")
        yield ""
        yield from _legend(width)

    def _details(self, line: Line, width: int) -> Iterator[Piece]:
        yield words.styled((line.op, "strong"), say("screen.operator_on", device=line.device))
        bad = [probe for probe in line.probes if probe["outcome"] not in ("ok", "skipped")]
        total, fine = line.count(), line.count("ok")
        name = "screen.some_probes" if total > 1 else "screen.one_probe"
        yield (say(name, count=total, fine=fine, bad=total - fine - line.count("skipped")), "muted")
        for outcome, detail, where in _group_messages(bad)[:ERRORS]:
            letter, tone = matrix.mark(outcome)
            head = (f"{letter} {term('outcome', outcome)} ", tone)
            yield ""
            yield words.styled(head, matrix.meaning(outcome), (f" · {where}", "muted"))
            if detail:
                yield detail.strip()
        yield from self._remedy(line)
        if not bad:
            yield ""
            yield from _legend(width)

    def _remedy(self, line: Line) -> Iterator[Piece]:
        """From the check's own finding that names this operator."""
        state = self.model.checks.get("operators")
        for finding in state.result.findings if state and state.result else ():
            named = {row.get("op") for row in finding.evidence.get("worst", ()) if isinstance(row, dict)}
            if finding.remedy and line.op in named and line.device != "cpu":
                yield ""
                yield words.styled(
                    (f"{say('report.what_to_do')}  ", "title"), finding.remedy.text, (f"  {finding.code}", "muted")
                )
                yield from map(words.command_line, finding.remedy.commands)
                return


def _columns() -> tuple[Column, ...]:
    """Those before the dtypes."""
    outcome, operator, device = (say(f"report.{name}") for name in ("outcome", "operator", "device_column"))
    return Column(outcome, max(7, cell_len(outcome))), Column(operator), Column(device, 7, beyond=44)


def _title(lines: Sequence[Line]) -> str:
    """How many operators there are, and how many of them are not right."""
    outcomes = [
        say("report.counted_outcome", count=count, outcome=term("outcome", outcome))
        for outcome, count in matrix.count_outcomes(lines).items()
    ]
    if outcomes:
        return say("screen.operators_outcomes", count=len(lines), outcomes=outcomes)
    return say("screen.operators_count", count=len(lines)) if lines else say("screen.operators")


def arrange(results: Iterable[ProbeRow], needed: Collection[tuple[str, str]] = ()) -> Arranged:
    """Lines, the columns that they need, and both as rows."""
    lines = matrix.lines(results, needed)
    cells = matrix.columns(lines)
    return lines, cells, [_row(f"{line.op} {line.device}", line, cells) for line in lines]


def _row(key: str, line: Line, columns: list[tuple[str, str]]) -> Row:
    letters, ranks = [], []
    for cell in columns:
        outcome = line.worst.get(cell)
        letter, tone = matrix.mark(outcome) if outcome else ("", "muted")
        letters.append((letter, tone))
        ranks.append(float(matrix.rank(outcome)) if outcome else 99.0)
    name = line.op.removeprefix("aten::")
    letter, worst = matrix.mark(min(line.worst.values(), key=matrix.rank))
    tone = worst if worst in ("fail", "warn") else "plain"
    cells = ((f"  {letter}{'*' if line.needed else ''}", worst), (name, tone), (line.device, "muted"), *letters)
    return Row(key, cells, (line.rank, name, line.device, *ranks), matrix.keywords(line))


def _group_messages(probes: list[ProbeRow]) -> list[tuple[str, str, str]]:
    """Outcome, message and the probes that gave it, the worst first; the same message once."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for probe in sorted(probes, key=lambda probe: matrix.rank(probe["outcome"])):
        where = [f"{probe['dtype']} {variant} {probe['direction']}" for variant in probe["variants"]]
        detail = tell(probe["detail"] or "", probe.get("detail_values"))
        grouped.setdefault((probe["outcome"], detail), []).extend(where)
    return [(outcome, detail, _shorten(where)) for (outcome, detail), where in grouped.items()]


def _shorten(where: list[str]) -> str:
    first, more = joined(", ", where[:3]), len(where) - 3
    return say("screen.and_more", first=first, count=more) if more > 0 else first


def _letters(lines: Sequence[Line], width: int) -> Content:
    """What the letters of these lines mean, in as many lines as it takes; without lines, of all letters."""
    seen = {outcome for line in lines for outcome in line.worst.values()} or matrix.OUTCOMES
    parts = [
        words.styled((letter, tone), f" {term('outcome', outcome)}")
        for outcome, (letter, tone) in matrix.OUTCOMES.items()
        if outcome in seen
    ]
    parts.append(words.styled(say("report.legend_directions")))
    if any(line.needed for line in lines):
        parts.append(words.styled(("*", "fail"), f" {say('report.legend_needed')}"))
    rows = [Content(" ")]
    for part in parts:
        if rows[-1].cell_length + part.cell_length > width - 1:
            rows.append(Content(" "))
        rows[-1] = rows[-1].append(part).append("  ")
    return Content("\n").join(rows)


def _legend(width: int) -> Iterator[Piece]:
    for outcome, (letter, tone) in matrix.OUTCOMES.items():
        label = words.styled((f"{letter} ", tone), wrapping.pad(term("outcome", outcome), 14))
        yield words.wrap_beside(label, matrix.meaning(outcome), 16, width)
