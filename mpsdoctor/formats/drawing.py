"""Charts of a page: where each mark, line and label of a picture lies, in its units, both axes logarithmic. Pure.

The template `chart.html` draws them. What is not settled is hollow, without a whisker, and moves neither axis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from mpsdoctor import figures
from mpsdoctor.facts import read_facts
from mpsdoctor.facts.batches import BatchFacts
from mpsdoctor.formats import curves, rows
from mpsdoctor.formats.curves import Point, Scale
from mpsdoctor.report import Report
from mpsdoctor.runtime.shapes import AtBatch
from mpsdoctor.texts import say

WIDTH, HEIGHT = 240, 200
LEFT, RIGHT, TOP, BOTTOM = 58, 8, 10, 38  # room for labels
INSET = 18  # between the axis and the first mark
APART = 7  # between the marks of two devices at the same place
NAME = 12  # characters of a label, as a stranger's may be long
HIGH, WIDE = 15, 34  # the least distance of two labels
SIGNS = "●▲■◆"  # of series, as the picture draws them


class Mark(NamedTuple):
    """A measured value; `ends` are those of its whisker, None where it is not settled."""

    x: float
    y: float
    ends: tuple[float, float] | None
    told: str


class Curve(NamedTuple):
    """The marks of a device with the line through them; `series` chooses colour and shape."""

    name: str
    series: int
    line: str
    marks: list[Mark]


class Tick(NamedTuple):
    """A label of an axis; `below` is a second line."""

    at: float
    label: str
    below: str = ""


@dataclass(frozen=True)
class Chart:
    """A picture with what stands below it; `level` is where a line lies across it, `crossings` where lines go up."""

    title: str
    across: list[Tick]
    up: list[Tick]
    curves: list[Curve]
    crossings: list[float]
    notes: list[str]
    level: float | None = None


class Value(NamedTuple):
    """What is drawn: the place on the axis across, its value with the ends of the interval, and its name."""

    name: str
    x: float
    y: float
    ends: tuple[float, float] | None
    told: str


Series = Mapping[str, Sequence[Value]]


def by_size(report: Report) -> list[Chart]:
    """Step time against size, a chart a workload."""
    training = read_facts(report).get("training")
    by_workload = curves.by_workload(training) if training else {}
    return [_of_points(workload, points) for workload, points in by_workload.items()]


def _of_points(workload: str, points: Sequence[Point]) -> Chart:
    series = {name: [_value(p) for p in points if p.device == name] for name in curves.devices(points)}
    across = [(p.x, p.size[:NAME], figures.count(p.x) if p.x >= 1000 else "") for p in points]
    crossings = curves.crossings(points)
    notes = [*map(curves.tell, crossings), *open_note(series)]
    return _draw(workload, series, across, curves.milliseconds, [x for x, _ in crossings], notes)


def _value(p: Point) -> Value:
    told = figures.duration(p.ms)
    if not p.settled:
        return Value(p.device, p.x, p.ms, None, f"{p.device} {p.size}: {told}, {say('report.not_settled')}")
    return Value(
        p.device, p.x, p.ms, (p.low, p.high), f"{p.device} {p.size}: {told} ({rows.interval((p.low, p.high))})"
    )


def by_batch(report: Report) -> list[Chart]:
    """How many times as fast as the CPU against the batch size, a chart a family; 1× is marked."""
    training = read_facts(report).get("training")
    if not training:
        return []
    found = {
        (row["workload"], row["device"]): row.get("batch")
        for row in training.get("advice", ())
        if row["kind"] == "crossover" and row["outcome"] == "ok"
    }
    return [_of_speeds(family, at, found) for family, at in training.get("batches", {}).items() if at]


def _of_speeds(family: str, at: Sequence[AtBatch], found: Mapping[tuple[str, str], int | None]) -> Chart:
    devices = list(dict.fromkeys(row["device"] for row in at))
    series = {"cpu": [], **{name: [_speed(row) for row in at if row["device"] == name] for name in devices}}
    crossings = [(name, batch) for name in devices if (batch := found.get((family, name)))]
    notes = [say("report.crossover_batch", batch=batch, device=name) for name, batch in crossings]
    across = [(float(row["batch"]), f"{row['batch']:,}", "") for row in at]
    return _draw(
        family, series, across, figures.times_short, [b for _, b in crossings], [*notes, *open_note(series)], level=1.0
    )


def _speed(row: AtBatch) -> Value:
    low, high = row["ci95"]
    told = f"{row['device']}, {row['batch']:,}: {figures.times(row['speedup'])}"
    ends = None if rows.is_wide((low, high)) else (low, high)
    return Value(row["device"], float(row["batch"]), row["speedup"], ends, told)


def by_try(report: Report) -> list[Chart]:
    """Step time against the batch size of a person's own step, all devices in one chart."""
    facts: Any = next((check.facts for check in report.checks if "batch_search" in check.facts), {})
    found: BatchFacts | dict[str, Any] = facts
    series = {
        search["device"]: [
            Value(search["device"], float(row["batch"]), row["step_ms"], None, f"{row['batch']:,}")
            for row in search["tries"]
            if row["outcome"] == "ok" and row["step_ms"]
        ]
        for search in sorted(found.get("batch_search", ()), key=lambda search: search["device"] != "cpu")
    }
    across = [(value.x, f"{value.x:,.0f}", "") for values in series.values() for value in values]
    return [_draw(str(found.get("workload")), series, across, curves.milliseconds, [], [])] if across else []


def open_note(series: Series) -> list[str]:
    """What a hollow mark says, where there is one."""
    hollow = any(value.ends is None for values in series.values() for value in values)
    return [f"○ {say('report.not_settled')}"] if hollow else []


def _draw(
    title: str,
    series: Series,
    across: Iterable[tuple[float, str, str]],
    label: Callable[[float], str],
    crossings: Sequence[float],
    notes: list[str],
    level: float | None = None,
) -> Chart:
    values = [value for of_series in series.values() for value in of_series]
    reach = [end for value in values for end in (value.ends or (value.y,))] + ([level] if level else [])
    right = curves.scale([value.x for value in values], WIDTH - LEFT - RIGHT - 2 * INSET)
    climb = curves.scale([min(reach) / 1.08, max(reach) * 1.08], HEIGHT - TOP - BOTTOM)

    def x_of(value: float) -> float:
        return LEFT + INSET + right(value)

    def y_of(value: float) -> float:
        return HEIGHT - BOTTOM - climb(value)

    names = [Tick(x_of(at), *names) for at, *names in sorted(set(across))]
    steps = curves.ticks(min(reach), max(reach))
    values_up = steps if len(steps) > 1 else sorted({min(reach), max(reach)})
    drawn = [
        _curve(name, number, of_series, x_of, y_of)
        for number, (name, of_series) in enumerate(series.items())
        if of_series
    ]
    return Chart(
        title,
        list(spread(names, WIDE)),
        list(spread([Tick(y_of(value), label(value)) for value in values_up], HIGH)),
        drawn,
        [round(x_of(at), 1) for at in crossings],
        notes,
        y_of(level) if level else None,
    )


def _curve(name: str, number: int, values: Sequence[Value], x_of: Scale, y_of: Scale) -> Curve:
    """Marks of several devices at a place lie side by side."""
    shift = (number - 0.5) * APART
    marks = [
        Mark(
            round(x_of(value.x) + shift, 1),
            round(y_of(value.y), 1),
            (round(y_of(value.ends[1]), 1), round(y_of(value.ends[0]), 1)) if value.ends else None,
            value.told,
        )
        for value in values
    ]
    return Curve(name, number % len(SIGNS), " ".join(f"{mark.x},{mark.y}" for mark in marks), marks)


def spread(ticks: Iterable[Tick], distance: float) -> Iterator[Tick]:
    """Those that have room beside the one before."""
    last: float | None = None
    for tick in ticks:
        if last is None or abs(tick.at - last) >= distance:
            yield tick._replace(at=round(tick.at, 1))
            last = tick.at
