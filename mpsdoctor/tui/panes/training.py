"""Training: step time against size for each device, and the speed-ups as a table; live while it is timed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from textual import events
from textual.app import ComposeResult

from mpsdoctor.tui import chart, words
from mpsdoctor.tui.panes.pane import Pane
from mpsdoctor.tui.widgets.details import Details
from mpsdoctor.tui.widgets.rows import Column, Row, Rows
from mpsdoctor.tui.words import Piece

COLUMNS = (
    Column("workload", 11),
    Column("size", 7),
    Column("device", 6),
    Column("ms a step", 9, right=True),
    Column("95 % interval", 16, beyond=75),
    Column("against the CPU", 20, beyond=60),
    Column("memory", 9, right=True, beyond=90),
    Column("", beyond=100),
)
FIGURE = re.compile(r"^timing (?P<devices>.+?): (?P<workload>\S+) (?P<size>[^\s,]+)(?:, (?P<figure>.*))?$")
CHART_ROOM = (56, 11)  # cells across and down below which bars tell more than a chart
WINNERS = {"cpu": "warn", "tie": "muted"}


class Training(Pane):
    """The fourth tab."""

    HELP = "Time of a training step by device and size; the chart follows the row under the cursor, on log axes."

    def compose(self) -> ComposeResult:
        yield Rows(COLUMNS, "Training steps", empty="nothing is timed yet", id="steps")
        yield Details("Step time", id="chart")

    def show(self) -> None:
        facts = self.model.facts("training")
        table = self.query_one("#steps", Rows)
        table.empty = self._why_empty()
        table.fill(_rows(facts) if facts else self._live())
        workload = table.row.key.split()[0] if table.row else None
        panel = self.query_one("#chart", Details)
        panel.border_title = words.styled(f"Step time · {workload}" if workload else "Step time")
        panel.show(words.lines(self._details(facts, workload, panel)), workload)

    def on_resize(self, event: events.Resize) -> None:
        """A chart is drawn for the room that it has, known once the layout stands."""
        if self.is_mounted:
            self.call_after_refresh(self.redraw)

    def check_id(self) -> str | None:
        return "training"

    def _details(self, facts: Mapping[str, Any], workload: str | None, panel: Details) -> Iterator[Piece]:
        course = self.model.checks.get("training")
        if course and course.status == "running":
            yield (words.progress(course), "accent")
            if course.progress and course.progress.total:
                done, total = course.progress.done or 0, course.progress.total
                yield words.styled((words.meter(done, total, 24), "accent"), f" {done} of {total} workloads")
        found = chart.points(facts, workload) if workload else []
        width, height = panel.room, panel.scrollable_content_region.height
        several = len({point.size for point in found}) > 1
        if several and width >= CHART_ROOM[0] and height >= CHART_ROOM[1]:
            yield chart.draw(found, width, min(height - 1, 28))
        elif several and workload:
            yield chart.bars({workload: found}, width)
        elif timed := (_timed(facts) if width >= 72 else {workload: found} if workload and found else {}):
            yield chart.bars(timed, width)
        yield from _trouble(facts, workload)
        if not facts:
            yield ("Charts are drawn when the figures are complete.", "muted")

    def _live(self) -> list[Row]:
        """The figures so far, as the check tells them while it times."""
        rows: dict[str, Row] = {}
        for event in self.model.log:
            told = FIGURE.match(event.text) if event.id == "training" else None
            if told:
                key = f"{told['workload']} {told['size']}"
                cells = (
                    (told["workload"], "plain"),
                    (told["size"], "plain"),
                    (told["devices"].replace(" and ", "+"), "muted"),
                    ("…", "muted"),
                    (told["figure"] or "", "accent"),
                    (told["figure"] or "", "accent") if self.size.width < 64 else ("so far", "muted"),
                    ("", "muted"),
                    ("", "muted"),
                )
                rows[key] = Row(key, cells)
        return list(rows.values())

    def _why_empty(self) -> str:
        course = self.model.checks.get("training")
        if course is None or course.status == "waiting":
            return "timed last, when nothing else runs" if self.model.running else "nothing was timed"
        if course.status == "running":
            return words.progress(course)
        return (course.result.reason if course.result else None) or "nothing was timed"


def _rows(facts: Mapping[str, Any]) -> list[Row]:
    ratios = {(r["workload"], r["size"], r["device"]): r for r in facts.get("comparisons", ())}
    rows = [row for row in facts.get("results", ()) if row["outcome"] != "skipped"]
    order = {name: number for number, name in enumerate(dict.fromkeys(row["workload"] for row in rows))}
    rows.sort(
        key=lambda row: (order[row["workload"]], chart.SIZES.index(row["size"]) if row["size"] in chart.SIZES else 9)
    )
    return [_row(row, ratios.get((row["workload"], row["size"], row["device"]))) for row in rows]


def _row(row: Mapping[str, Any], ratio: Mapping[str, Any] | None) -> Row:
    fine = row["outcome"] == "ok"
    low, high = row["ci95_ms"] or (None, None)
    interval = f"{low:.3g} to {high:.3g}" if fine and low is not None else ""
    figure = f"{row['step_ms']:.3g}" if fine else row["outcome"]
    against, tone = _against(ratio) if fine else ("", "muted")
    memory = words.gib(row["peak_memory_bytes"]) if row["peak_memory_bytes"] else ""
    cells = (
        (row["workload"], "plain"),
        (row["size"], "plain"),
        (row["device"], "strong"),
        (figure, "plain" if fine else "fail"),
        (interval, "muted"),
        (against, tone),
        (memory, "muted"),
        (row["detail"] or "", "muted"),
    )
    speed = ratio["speedup"] if ratio else 0.0
    ranks = (row["workload"], chart.SIZES.index(row["size"]) if row["size"] in chart.SIZES else 9, row["device"])
    return Row(
        f"{row['workload']} {row['size']} {row['device']}",
        cells,
        (
            *ranks,
            row["step_ms"] or 0.0,
            row["step_ms"] or 0.0,
            -speed,
            row["peak_memory_bytes"] or 0,
            row["detail"] or "",
        ),
    )


def _against(ratio: Mapping[str, Any] | None) -> tuple[str, str]:
    if not ratio:
        return "", "muted"
    low, high = ratio["ci95"]
    return f"{ratio['speedup']:.2f}× ({low:.2f} to {high:.2f})", WINNERS.get(ratio["winner"], "pass")


def _timed(facts: Mapping[str, Any]) -> dict[str, list[chart.Point]]:
    """The points of every workload that has any."""
    workloads = dict.fromkeys(row["workload"] for row in facts.get("results", ()))
    return {workload: found for workload in workloads if (found := chart.points(facts, workload))}


def _trouble(facts: Mapping[str, Any], workload: str | None) -> Iterator[Piece]:
    for row in facts.get("results", ()):
        if row["workload"] == workload and row["outcome"] not in ("ok", "skipped"):
            yield words.styled(
                (f"✗ {row['outcome']} ", "fail"), f"{row['size']} on {row['device']}: {row['detail'] or ''}"
            )
    for hint in facts.get("hints", ()):
        yield words.styled(("hint ", "title"), str(hint))
    for spoilt in facts.get("disturbances", ()):
        yield words.styled(("! ", "warn"), str(spoilt))
