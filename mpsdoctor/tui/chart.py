"""Step time against size, drawn in characters: both axes logarithmic, intervals as whiskers, the crossover marked."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from textual.content import Content

from mpsdoctor.facts.training import Result, TimedFacts
from mpsdoctor.formats import rows
from mpsdoctor.texts import duration, say
from mpsdoctor.tui import words

MARKS = "●▲■◆"
DEVICE_TONES = ("accent", "pass", "warn", "title")
EIGHTHS = " ▏▎▍▌▋▊▉"
GUTTER = 9  # cells for the labels of the axis
SIZES = ("small", "medium", "large")


@dataclass(frozen=True)
class Point:
    """A timed size: milliseconds a step with the 95 % interval; `x` is its place on the axis of sizes."""

    device: str
    size: str
    x: float
    ms: float
    low: float
    high: float


Crossing = tuple[float, str]  # the place on the axis of sizes, and the device that wins from there on
Scale = Callable[[float], float]  # from a value to cells along an axis
Grid = dict[tuple[int, int], tuple[str, str]]


def points(training: TimedFacts, workload: str) -> list[Point]:
    """What was timed of a workload; sizes lie at their number of parameters where all are known, else evenly."""
    timed = [
        row
        for row in training.get("results", ())
        if row["workload"] == workload and row["outcome"] == "ok" and row["step_ms"]
    ]
    known = {run["size"]: run.get("parameters") for run in training.get("runs", ()) if run["workload"] == workload}
    sizes = sorted({row["size"] for row in timed}, key=_place)
    counts = {size: count for size in sizes if (count := known.get(size))}
    scaled = len(counts) == len(sizes)
    return [
        Point(
            row["device"],
            row["size"],
            float(counts[row["size"]] if scaled else 10 ** _place(row["size"])),
            *_times(row),
        )
        for row in sorted(timed, key=lambda row: _place(row["size"]))
    ]


def _place(size: str) -> int:
    return SIZES.index(size) if size in SIZES else len(SIZES)


def _times(row: Result) -> tuple[float, float, float]:
    ms = row["step_ms"] or 0.0
    low, high = row["ci95_ms"] or (ms, ms)
    return ms, max(low, ms / 100), high


def crossings(points: Sequence[Point]) -> list[Crossing]:
    """Where a device's curve crosses the CPU's, straight lines between sizes on the logarithmic axes."""
    places = []
    for device in devices(points):
        ratios = _pairs(points, device) if device != "cpu" else []
        for (x1, d1), (x2, d2) in pairwise(ratios):
            if d1 * d2 < 0:
                share = d1 / (d1 - d2)
                places.append((x1 * (x2 / x1) ** share, "cpu" if d2 > 0 else device))
    return places


def _pairs(points: Sequence[Point], device: str) -> list[tuple[float, float]]:
    cpu = {point.size: point for point in points if point.device == "cpu"}
    shared = [point for point in points if point.device == device and point.size in cpu]
    return [(point.x, math.log(point.ms / cpu[point.size].ms)) for point in shared]


def devices(points: Iterable[Point]) -> list[str]:
    """The CPU first, then the others as they come."""
    seen = dict.fromkeys(point.device for point in points)
    return sorted(seen, key=lambda device: device != "cpu")


def tone(points: Iterable[Point], device: str) -> tuple[str, str]:
    """Mark and tone of a device."""
    number = devices(points).index(device) % len(MARKS)
    return MARKS[number], DEVICE_TONES[number]


def draw(points: Sequence[Point], width: int, height: int) -> Content:
    """The chart in so many cells: axis, curves, names of sizes, and a line that explains the marks."""
    plot_w, plot_h = width - GUTTER - 2, height - 3
    across, up = (
        _scale([p.x for p in points], plot_w - 8),
        _scale([v for p in points for v in (p.low, p.high)], plot_h - 1),
    )
    grid: Grid = {}
    for x, _ in crossings(points):
        grid |= {(4 + round(across(x)), row): ("┊", "muted") for row in range(plot_h)}
    for device in devices(points):
        curve = [(4 + round(across(p.x)), plot_h - 1 - up(p.ms), p) for p in points if p.device == device]
        _curve(grid, curve, tone(points, device)[1])
    for device in devices(points):
        shift = devices(points).index(device)  # whiskers of two devices side by side, not over each other
        _marks(grid, [p for p in points if p.device == device], (across, up, plot_h), tone(points, device), shift)
    ticks = _ticks(points, up, plot_h)
    body = [_row(grid, row, plot_w, ticks.get(row, "")) for row in range(plot_h)]
    axis = words.styled((" " * GUTTER + "└" + "─" * plot_w, "muted"))
    return Content("\n").join([*body, axis, _names(points, across, width), legend(points)])


def _scale(values: Sequence[float], room: int) -> Scale:
    low, high = math.log(min(values)), math.log(max(values))
    span = (high - low) or 1.0
    return lambda value: (math.log(value) - low) / span * max(1, room) if high > low else max(1, room) / 2


def _curve(grid: Grid, curve: Sequence[tuple[int, float, Point]], colour: str) -> None:
    for (x1, y1, _), (x2, y2, _) in pairwise(curve):
        for x in range(x1 + 1, x2):
            grid[x, round(y1 + (y2 - y1) * (x - x1) / (x2 - x1))] = ("·", colour)


def _marks(
    grid: Grid, points: Sequence[Point], scales: tuple[Scale, Scale, int], look: tuple[str, str], shift: int
) -> None:
    across, up, height = scales
    for point in points:
        x = 4 + round(across(point.x)) + shift
        rows = range(height - 1 - round(up(point.high)), height - round(up(point.low)))
        grid |= {(x, row): ("│", look[1]) for row in rows}
        grid[x, height - 1 - round(up(point.ms))] = look


def _ticks(points: Sequence[Point], up: Scale, height: int) -> dict[int, str]:
    low, high = min(p.low for p in points), max(p.high for p in points)
    first = math.floor(math.log10(low))
    steps = [step * 10.0**power for power in range(first, math.ceil(math.log10(high)) + 1) for step in (1, 2, 5)]
    labels: dict[int, str] = {}
    for value in (step for step in steps if low <= step <= high):
        row = height - 1 - round(up(value))
        if not {row - 1, row, row + 1} & labels.keys():
            labels[row] = f"{value:g} ms" if value < 1000 else f"{value / 1000:g} s"
    return labels or {height // 2: duration(points[0].ms)}


def _row(grid: Grid, row: int, width: int, tick: str) -> Content:
    cells = [grid.get((x, row), (" ", "plain")) for x in range(width)]
    edge = "┤" if tick else "│"
    return words.styled((f"{tick:>{GUTTER}}{edge}", "muted"), *((char, shade) for char, shade in cells))


def _names(points: Sequence[Point], across: Scale, width: int) -> Content:
    line = [" "] * width
    for size, x in dict.fromkeys((p.size, p.x) for p in points):
        text = f"{size} {quantity(x)}" if x >= 1000 else size
        start = max(0, min(GUTTER + 5 + round(across(x)) - len(text) // 2, width - len(text)))
        if "".join(line[max(0, start - 1) : start + len(text) + 1]).strip() == "":
            line[start : start + len(text)] = text
    return words.styled(("".join(line).rstrip(), "muted"))


def quantity(count: float) -> str:
    """`1.2M`."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= limit:
            return f"{count / limit:.3g}{unit}"
    return f"{count:.3g}"


def legend(points: Sequence[Point]) -> Content:
    """Marks, and the crossover in words."""
    parts: list[words.Piece] = [" "]
    for device in devices(points):
        mark, shade = tone(points, device)
        parts += [(f"{mark} {device}", shade), "  "]
    for x, winner in crossings(points):
        name = "screen.crossover_at" if x >= 1000 else "screen.crossover_between"
        parts += [(f"┊ {say(name, parameters=quantity(x), winner=winner)}", "strong"), "  "]
    return words.styled(*parts, (f"│ {say('screen.chart_axes')}", "muted"))


def bars(by_workload: Mapping[str, Sequence[Point]], width: int) -> Content:
    """The same figures as bars on a logarithmic scale, by workload, where a chart has no room or too few points."""
    all_points = [point for points in by_workload.values() for point in points]
    room = max(4, width - (60 if width >= 72 else 26))
    floor = min(p.low for p in all_points) / 2
    span = math.log(max(p.high for p in all_points) / floor)
    lines: list[words.Piece] = []
    for workload, points in by_workload.items():
        lines += [
            _bar(workload, point, tone(points, point.device)[1], width, _cells(point.ms, floor, span, room))
            for point in points
        ]
        lines += [
            (say("screen.crossover", parameters=quantity(x), winner=winner), "strong")
            for x, winner in crossings(points)
        ]
    note = say("screen.bars_scale" if width >= 60 else "screen.bars_scale_short")
    return words.lines([*lines, (note, "muted")])


def _cells(ms: float, floor: float, span: float, room: int) -> str:
    cells = math.log(ms / floor) / span * room
    return f"{'█' * int(cells) + EIGHTHS[int(cells % 1 * 8)].strip():{room}}"


def _bar(workload: str, point: Point, shade: str, width: int, bar: str) -> Content:
    wide = width >= 72
    interval = f" ({rows.interval((point.low, point.high))})" if wide else ""
    label = f"{workload[:12]:13}" if wide else ""
    figure = f" {duration(point.ms):>9}"
    return words.styled(f"{label}{point.size:7}{point.device:6}", (bar, shade), figure, (interval, "muted"))
