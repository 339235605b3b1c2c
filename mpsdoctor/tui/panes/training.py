"""Training: step time against size for each device, and the speed-ups as a table; live while it is timed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from textual.app import ComposeResult

from mpsdoctor import clean
from mpsdoctor.facts.training import Comparison, Result, TrainingFacts
from mpsdoctor.figures import duration
from mpsdoctor.formats import curves
from mpsdoctor.formats import rows as figures
from mpsdoctor.texts import say, tell, term
from mpsdoctor.tui import chart, meter, stored, words
from mpsdoctor.tui.model import Model
from mpsdoctor.tui.panes.pane import Pane
from mpsdoctor.tui.widgets.details import Details
from mpsdoctor.tui.widgets.rows import Cell, Column, Row, Rows
from mpsdoctor.tui.words import Piece

if TYPE_CHECKING:
    from mpsdoctor.tui.actions import Actions
    from mpsdoctor.tui.profile_state import ProfileState

CHART_ROOM = (56, 11)  # cells across and down below which bars tell more than a chart
SUMMARY = ""  # the key of the row of all workloads
WINNERS = {"cpu": "warn", "tie": "muted"}


class Training(Pane):
    """The fourth tab."""

    def __init__(self, model: Model, id: str) -> None:
        super().__init__(model, id)
        self.state: ProfileState | None = None

    @classmethod
    def open(cls, name: str, actions: Actions) -> Self:
        actions.read_profile()
        return super().open(name, actions)

    def set_state(self, state: ProfileState) -> None:
        """The profile, whose own steps and scripts are listed too."""
        content: Any = clean.data(dict(state.content)) if state.content else None
        self.state = replace(state, content=content)
        if self.is_mounted:
            self.redraw()

    def explain(self) -> str:
        return say("screen.training_help")

    def compose(self) -> ComposeResult:
        yield Rows(_columns({}), say("screen.training_steps"), empty=say("screen.not_timed_yet"), id="steps")
        yield Details(say("screen.step_time"), id="chart")

    def show(self) -> None:
        facts = self._facts()
        table = self.query_one("#steps", Rows)
        table.empty = self._why_empty()
        rows = races(facts)
        kept = stored.of_profile(self.state.content if self.state else None)
        table.columns = columns = _columns(rows, ratios=bool(kept))
        devices = _devices(rows.values())
        workloads = [_fill_up(row, len(columns)) for row in rows_of(rows)]
        table.fill([*workloads, *(stored.row(key, each, devices, len(columns)) for key, each in kept.items())])
        table.suggest(_latest(facts) if self.model.running else SUMMARY)
        race = rows.get(table.row.key) if table.row else None
        workload = race.workload if race else None
        panel = self.query_one("#chart", Details)
        panel.border_title = words.styled(
            say("screen.step_time_of", workload=workload) if workload else say("screen.step_time")
        )
        own = kept.get(table.row.key) if table.row else None
        stale = (self.state.stale or ()) if self.state else ()
        pieces = stored.describe(own, stale) if own else self._details(facts, workload, panel)
        panel.show(words.lines(pieces), own.name if own else workload)

    def check_id(self) -> str | None:
        return "training"

    def _details(self, facts: TrainingFacts, workload: str | None, panel: Details) -> Iterator[Piece]:
        width, height = panel.room, panel.scrollable_content_region.height
        state = self.model.checks.get("training")
        if state and state.status == "running":
            doing = words.progress(state)
            yield (doing, "accent")
            height -= -(-len(doing) // width)
        if workload:
            yield from _describe(facts, workload, width, height)
        else:
            yield from self._summary(facts, width)
        yield from _trouble(facts, workload)

    def _summary(self, facts: TrainingFacts, width: int) -> Iterator[Piece]:
        """Every family at a glance, then every time."""
        glance = meter.draw(meter.compare(self.model.facts()), width)
        yield from glance
        if timed := curves.by_workload(facts):
            yield from ("",) * bool(glance)
            yield chart.bars(timed, width)
        else:
            yield (say("screen.drawn_here" if self.model.running else "screen.not_measured"), "muted")

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


@dataclass(frozen=True)
class Race:
    """A workload in a size: its rows and its comparisons with the CPU, by device."""

    workload: str
    size: str
    results: Mapping[str, Result]
    ratios: Mapping[str, Comparison]


def races(facts: TrainingFacts) -> dict[str, Race]:
    """What ran on the same batches, by the key of its row; sizes of a workload in their order."""
    results: dict[tuple[str, str], dict[str, Result]] = {}
    for row in facts.get("results", ()):
        if row["outcome"] != "skipped":
            results.setdefault((row["workload"], row["size"]), {})[row["device"]] = row
    ratios: dict[tuple[str, str], dict[str, Comparison]] = {}
    for ratio in facts.get("comparisons", ()):
        ratios.setdefault((ratio["workload"], ratio["size"]), {})[ratio["device"]] = ratio
    turn = {name: number for number, name in enumerate(dict.fromkeys(name for name, _ in results))}
    places = sorted(results, key=lambda place: (turn[place[0]], curves.place(place[1])))
    return {_key(*place): Race(*place, results[place], ratios.get(place, {})) for place in places}


def _key(workload: str, size: str) -> str:
    return f"{workload} {size}"


def _columns(rows: Mapping[str, Race], *, ratios: bool = False) -> tuple[Column, ...]:
    """With `ratios` there is a column for them, whatever the rows have."""
    workload, size, against = (say(f"report.{name}") for name in ("workload", "size", "against"))
    devices = _devices(rows.values())
    others = [device for device in devices if device != "cpu"]
    titles = [say("screen.device_against", device=device) for device in others]
    if len(others) == 1 or (ratios and not others):
        titles = [against]
    return (
        Column(workload, 12),
        Column(size, 6),
        *(Column(device, 11, right=True, beyond=50) for device in devices),
        *(Column(title, 0 if place + 1 == len(titles) else 23) for place, title in enumerate(titles)),
    )


def _devices(rows: Iterable[Race]) -> list[str]:
    """The CPU first, then the others as they come."""
    seen = dict.fromkeys(device for race in rows for device in race.results)
    return sorted(seen, key=lambda device: device != "cpu")


def _latest(facts: TrainingFacts) -> str | None:
    """The row that got its figure last, as long as the figures come one by one."""
    timed = [row for row in facts["results"] if row["outcome"] == "ok"]
    return _key(timed[-1]["workload"], timed[-1]["size"]) if timed else None


def rows_of(rows: Mapping[str, Race]) -> list[Row]:
    """All of them together first, as that is what a person asks for."""
    if not rows:
        return []
    devices = _devices(rows.values())
    blank = (("", "muted"),) * (1 + 2 * len(devices))
    every = Row(SUMMARY, ((say("screen.all_workloads"), "strong"), *blank), ("", *(-1.0,) * len(blank)))
    return [every, *(_row(key, race, devices) for key, race in rows.items())]


def _fill_up(row: Row, columns: int) -> Row:
    """As many cells as there are columns, as a column for winners may have nothing in a row."""
    lacking = columns - len(row.cells)
    return replace(row, cells=(*row.cells, *[("", "muted")] * lacking), ranks=(*row.ranks, *[0.0] * lacking))


def _row(key: str, race: Race, devices: Sequence[str]) -> Row:
    others = [device for device in devices if device != "cpu"]
    times = [_time(race.results.get(device)) for device in devices]
    against = [_against(race.ratios.get(device)) for device in others]
    speeds = [race.ratios[device]["speedup"] if device in race.ratios else 0.0 for device in others]
    steps = [race.results[device]["step_ms"] or 0.0 if device in race.results else 0.0 for device in devices]
    cells = ((race.workload, "plain"), (race.size, "plain"), *times, *against)
    return Row(key, cells, (race.workload, curves.place(race.size), *steps, *speeds))


def _time(row: Result | None) -> Cell:
    """The time of a step, or why there is none."""
    if row is None:
        return "", "muted"
    if row["outcome"] == "timing":
        return "…", "accent"
    if row["outcome"] != "ok" or row["step_ms"] is None:
        return term("outcome", row["outcome"]), "fail"
    if row["ci95_ms"] and figures.is_wide(row["ci95_ms"]):
        return say("report.not_settled"), "muted"
    return duration(row["step_ms"]), "plain"


def _against(ratio: Comparison | None) -> Cell:
    if not ratio:
        return "", "muted"
    tone = WINNERS.get(ratio["winner"], "pass") if figures.is_settled(ratio) else "muted"
    return figures.against(ratio), tone


def _describe(facts: TrainingFacts, workload: str, width: int, height: int) -> Iterator[Piece]:
    """The chart of a workload, or bars where it has no room or one size alone."""
    points = curves.points(facts, workload)
    if not points:
        yield (say("screen.not_measured"), "muted")
    elif len({point.size for point in points}) > 1 and width >= CHART_ROOM[0] and height >= CHART_ROOM[1]:
        yield chart.draw(points, width, min(height - 1, 28))
    else:
        yield chart.bars({workload: points}, width)


def _trouble(facts: TrainingFacts, workload: str | None) -> Iterator[Piece]:
    for row in facts.get("results", ()):
        if row["workload"] == (workload or row["workload"]) and row["outcome"] not in ("ok", "skipped", "timing"):
            step = row["size"] if workload else _key(row["workload"], row["size"])
            reason = say("screen.failed_step", size=step, device=row["device"], why=_detail(row))
            yield words.styled((f"✗ {term('outcome', row['outcome'])} ", "fail"), reason)
    for hint in facts.get("hints", ()):
        yield words.styled((f"{say('screen.label_hint')} ", "title"), str(hint))
    for disturbance in facts.get("disturbances", ()):
        yield words.styled(("! ", "warn"), str(disturbance))


def _detail(row: Result) -> str:
    return tell(row["detail"] or "", row.get("detail_values"))
