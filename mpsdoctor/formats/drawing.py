"""Charts of a page: where each mark, line and label of a picture lies, in its units, both axes logarithmic. Pure.

The template `chart.html` draws them. What is not settled is hollow, without a whisker, and moves neither axis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from mpsdoctor import figures
from mpsdoctor.facts import read_facts
from mpsdoctor.facts.batches import BatchFacts, BatchTry
from mpsdoctor.formats import curves, rows
from mpsdoctor.formats.curves import Point, Scale
from mpsdoctor.report import Report
from mpsdoctor.runtime.shapes import AtBatch
from mpsdoctor.texts import say

WIDTH, HEIGHT = 240, 200
LEFT, RIGHT, TOP, BOTTOM = 58, 8, 10, 38  # room for labels
INSET = 18  # between the axis and the first mark
SPARE = 1.08  # times the values that the axis up holds
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
    """What is drawn: its place across with the label there, the value with the ends of its interval, and in words."""

    x: float
    label: str
    y: float
    ends: tuple[float, float] | None
    told: str
    below: str = ""


Series = Mapping[str, Sequence[Value]]  # by device, the CPU first
Crossings = Sequence[tuple[float, str]]  # places across, and what they say


def by_size(report: Report) -> list[Chart]:
    """Step time against size, a chart a workload."""
    training = read_facts(report).get("training")
    by_workload = curves.by_workload(training) if training else {}
    return [_of_points(workload, points) for workload, points in by_workload.items()]


def _of_points(workload: str, points: Sequence[Point]) -> Chart:
    series = {name: [_value(p) for p in points if p.device == name] for name in curves.devices(points)}
    crossings = [(crossing[0], curves.tell(crossing)) for crossing in curves.crossings(points)]
    return _draw(workload, series, curves.milliseconds, crossings)


def _value(p: Point) -> Value:
    ends = (p.low, p.high) if p.settled else None
    told = f"{p.device} {p.size}: {figures.duration(p.ms)} ({rows.interval((p.low, p.high))})"
    return Value(p.x, p.size[:NAME], p.ms, ends, told, figures.count(p.x) if p.x >= 1000 else "")


def by_batch(report: Report) -> list[Chart]:
    """How many times as fast as the CPU against the batch size, a chart a family; 1× is marked."""
    training = read_facts(report).get("training")
    if not training:
        return []
    found = {
        (row["workload"], row["device"]): batch
        for row in training.get("advice", ())
        if row["kind"] == "crossover" and row["outcome"] == "ok" and (batch := row.get("batch"))
    }
    return [_of_speeds(family, at, found) for family, at in training.get("batches", {}).items() if at]


def _of_speeds(family: str, at: Sequence[AtBatch], found: Mapping[tuple[str, str], int]) -> Chart:
    devices = list(dict.fromkeys(row["device"] for row in at))
    series: Series = {"cpu": [], **{name: [_speed(row) for row in at if row["device"] == name] for name in devices}}
    crossings = [
        (float(found[family, name]), say("report.crossover_batch", batch=found[family, name], device=name))
        for name in devices
        if (family, name) in found
    ]
    return _draw(family, series, figures.times_short, crossings, level=1.0)


def _speed(row: AtBatch) -> Value:
    low, high = row["ci95"]
    told = f"{row['device']}, {row['batch']:,}: {figures.times(row['speedup'])}"
    ends = None if rows.is_wide((low, high)) else (low, high)
    return Value(float(row["batch"]), f"{row['batch']:,}", row["speedup"], ends, told)


def by_try(report: Report) -> list[Chart]:
    """Step time against the batch size of a person's own step, all devices in one chart."""
    facts: Any = next((check.facts for check in report.checks if "batch_search" in check.facts), None)
    if facts is None:
        return []
    found: BatchFacts = facts
    searches = sorted(found["batch_search"], key=lambda search: search["device"] != "cpu")
    series = {search["device"]: [_try(row) for row in search["tries"] if row["outcome"] == "ok"] for search in searches}
    return [_draw(found["workload"], series, curves.milliseconds, [])] if any(series.values()) else []


def _try(row: BatchTry) -> Value:
    """Its interval is one of samples a second."""
    ms, batch = row["step_ms"] or 0.0, f"{row['batch']:,}"
    slow, fast = row["ci95"] or (0.0, 0.0)
    ends = (1e3 * row["batch"] / fast, 1e3 * row["batch"] / slow) if slow else None
    settled = ends if ends and not rows.is_wide(ends) else None
    return Value(float(row["batch"]), batch, ms, settled, f"{batch}: {figures.duration(ms)}")


def _draw(
    title: str, series: Series, label: Callable[[float], str], crossings: Crossings, level: float | None = None
) -> Chart:
    """ValueError for what has no logarithm."""
    values = [value for of_device in series.values() for value in of_device]
    reach = [end for value in values for end in value.ends or (value.y,)] + ([level] if level else [])
    right = curves.scale([value.x for value in values], WIDTH - LEFT - RIGHT - 2 * INSET)
    climb = curves.scale([min(reach) / SPARE, max(reach) * SPARE], HEIGHT - TOP - BOTTOM)

    def x_of(value: float) -> float:
        return round(LEFT + INSET + right(value), 1)

    def y_of(value: float) -> float:
        return round(HEIGHT - BOTTOM - climb(value), 1)

    names = [Tick(x_of(x), name, below) for x, name, below in sorted({(v.x, v.label, v.below) for v in values})]
    steps = curves.ticks(min(reach), max(reach))
    ticks = [Tick(y_of(value), label(value)) for value in (steps if len(steps) > 1 else {min(reach), max(reach)})]
    hollow = [f"○ {say('report.not_settled')}"] if any(value.ends is None for value in values) else []
    return Chart(
        title,
        list(spread(names, WIDE)),
        list(spread(ticks, HIGH)),
        [_curve(name, n, series[name], x_of, y_of) for n, name in enumerate(series) if series[name]],
        [x_of(x) for x, _ in crossings],
        [*(told for _, told in crossings), *hollow],
        y_of(level) if level else None,
    )


def _curve(name: str, number: int, values: Sequence[Value], x_of: Scale, y_of: Scale) -> Curve:
    """Marks of several devices at a place lie side by side."""
    shift = (number - 0.5) * APART
    marks = [
        Mark(round(x_of(v.x) + shift, 1), y_of(v.y), (y_of(v.ends[1]), y_of(v.ends[0])) if v.ends else None, v.told)
        for v in values
    ]
    return Curve(name, number % len(SIGNS), " ".join(f"{mark.x},{mark.y}" for mark in marks), marks)


def spread(ticks: Iterable[Tick], distance: float) -> Iterator[Tick]:
    """Those that have room beside the one before."""
    last: float | None = None
    for tick in ticks:
        if last is None or abs(tick.at - last) >= distance:
            yield tick
            last = tick.at
