"""Training: step time against size for each device, and the speed-ups as a table; live while it is timed."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult

from mpsdoctor.facts.training import Comparison, Result, TrainingFacts
from mpsdoctor.formats import rows as figures
from mpsdoctor.texts import say, tell, term
from mpsdoctor.tui import chart, words
from mpsdoctor.tui.panes.pane import Pane
from mpsdoctor.tui.widgets.details import Details
from mpsdoctor.tui.widgets.rows import Column, Row, Rows
from mpsdoctor.tui.words import Piece

CHART_ROOM = (56, 11)  # cells across and down below which bars tell more than a chart
WINNERS = {"cpu": "warn", "tie": "muted"}


class Training(Pane):
    """The fourth tab."""

    def explain(self) -> str:
        return say("screen.training_help")

    def compose(self) -> ComposeResult:
        yield Rows(_columns(), say("screen.training_steps"), empty=say("screen.not_timed_yet"), id="steps")
        yield Details(say("screen.step_time"), id="chart")

    def show(self) -> None:
        facts = self._facts()
        table = self.query_one("#steps", Rows)
        table.empty = self._why_empty()
        table.fill(_rows(facts))
        table.suggest(_latest(facts) if self.model.running else None)
        workload = table.row.key.split()[0] if table.row else None
        panel = self.query_one("#chart", Details)
        panel.border_title = words.styled(
            say("screen.step_time_of", workload=workload) if workload else say("screen.step_time")
        )
        panel.show(words.lines(self._details(facts, workload, panel)), workload)

    def check_id(self) -> str | None:
        return "training"

    def _details(self, facts: TrainingFacts, workload: str | None, panel: Details) -> Iterator[Piece]:
        points = chart.points(facts, workload) if workload else []
        width, height = panel.room, panel.scrollable_content_region.height
        state = self.model.checks.get("training")
        if state and state.status == "running":
            doing = words.progress(state)
            yield (doing, "accent")
            height -= -(-len(doing) // width)
        several = len({point.size for point in points}) > 1
        if several and width >= CHART_ROOM[0] and height >= CHART_ROOM[1]:
            yield chart.draw(points, width, min(height - 1, 28))
        elif several and workload:
            yield chart.bars({workload: points}, width)
        elif timed := (
            _points_by_workload(facts) if width >= 72 else {workload: points} if workload and points else {}
        ):
            yield chart.bars(timed, width)
        else:
            yield (say("screen.drawn_here" if self.model.running else "screen.not_measured"), "muted")
        yield from _trouble(facts, workload)

    def _facts(self) -> TrainingFacts:
        """Those of the check, or the figures so far."""
        facts = self.model.training()
        return facts if facts.get("results") else {**facts, "results": self.model.figures()}

    def _why_empty(self) -> str:
        state = self.model.checks.get("training")
        if state is None or state.status == "waiting":
            return say("screen.timed_last" if self.model.running else "screen.not_timed")
        if state.status == "running":
            return words.progress(state)
        return (state.result.reason if state.result else None) or say("screen.not_timed")


def _columns() -> tuple[Column, ...]:
    workload, size, device, step, interval, against = (
        say(f"report.{name}") for name in ("workload", "size", "device_column", "step", "interval", "against")
    )
    return (
        Column(workload, 11),
        Column(size, 7),
        Column(device, 6),
        Column(step, 9, right=True),
        Column(interval, 16, beyond=75),
        Column(against, 23, beyond=60),
        Column(say("screen.column_memory"), 9, right=True, beyond=90),
        Column("", beyond=100),
    )


def _why_no_figure(outcome: str) -> str:
    return "…" if outcome == "timing" else term("outcome", outcome)


def _latest(facts: TrainingFacts) -> str | None:
    """The row that got its figure last, as long as the figures come one by one."""
    timed = [row for row in facts["results"] if row["outcome"] == "ok"]
    return key_of(timed[-1]) if timed else None


def key_of(row: Result) -> str:
    """What tells a row of the table from the others, whatever its figures."""
    return f"{row['workload']} {row['size']} {row['device']}"


def _rows(facts: TrainingFacts) -> list[Row]:
    ratios = {(r["workload"], r["size"], r["device"]): r for r in facts.get("comparisons", ())}
    rows = [row for row in facts.get("results", ()) if row["outcome"] != "skipped"]
    order = {name: number for number, name in enumerate(dict.fromkeys(row["workload"] for row in rows))}
    rows.sort(
        key=lambda row: (order[row["workload"]], chart.SIZES.index(row["size"]) if row["size"] in chart.SIZES else 9)
    )
    return [_row(row, ratios.get((row["workload"], row["size"], row["device"]))) for row in rows]


def _row(row: Result, ratio: Comparison | None) -> Row:
    fine = row["outcome"] == "ok"
    interval = figures.interval(row["ci95_ms"]) if fine else ""
    figure = figures.duration(row["step_ms"] or 0.0) if fine else _why_no_figure(row["outcome"])
    against, tone = _against(ratio) if fine else ("", "muted")
    memory = words.gib(row["peak_memory_bytes"]) if row["peak_memory_bytes"] else ""
    cells = (
        (row["workload"], "plain"),
        (row["size"], "plain"),
        (row["device"], "strong"),
        (figure, "plain" if fine else "accent" if figure == "…" else "fail"),
        (interval, "muted"),
        (against, tone),
        (memory, "muted"),
        (_detail(row), "muted"),
    )
    speed = ratio["speedup"] if ratio else 0.0
    ranks = (row["workload"], chart.SIZES.index(row["size"]) if row["size"] in chart.SIZES else 9, row["device"])
    return Row(
        key_of(row),
        cells,
        (
            *ranks,
            row["step_ms"] or 0.0,
            row["step_ms"] or 0.0,
            -speed,
            row["peak_memory_bytes"] or 0,
            _detail(row),
        ),
    )


def _against(ratio: Comparison | None) -> tuple[str, str]:
    if not ratio:
        return "", "muted"
    return figures.against(ratio), WINNERS.get(ratio["winner"], "pass")


def _points_by_workload(facts: TrainingFacts) -> dict[str, list[chart.Point]]:
    """The points of every workload that has any."""
    workloads = dict.fromkeys(row["workload"] for row in facts.get("results", ()))
    return {workload: points for workload in workloads if (points := chart.points(facts, workload))}


def _trouble(facts: TrainingFacts, workload: str | None) -> Iterator[Piece]:
    for row in facts.get("results", ()):
        if row["workload"] == workload and row["outcome"] not in ("ok", "skipped", "timing"):
            reason = say("screen.failed_step", size=row["size"], device=row["device"], why=_detail(row))
            yield words.styled((f"✗ {term('outcome', row['outcome'])} ", "fail"), reason)
    for hint in facts.get("hints", ()):
        yield words.styled((f"{say('screen.label_hint')} ", "title"), str(hint))
    for disturbance in facts.get("disturbances", ()):
        yield words.styled(("! ", "warn"), str(disturbance))


def _detail(row: Result) -> str:
    return tell(row["detail"] or "", row.get("detail_values"))
