"""Step time against size, drawn in characters: both axes logarithmic, intervals as whiskers, the crossover marked.

Where a chart has no room, bars from 0. What is not settled is hollow, and moves neither axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from textual.content import Content

from mpsdoctor import figures
from mpsdoctor.facts.training import Comparison, Result, TimedFacts
from mpsdoctor.formats import rows, wrapping
from mpsdoctor.texts import say
from mpsdoctor.tui import words

MARKS = "●▲■◆"
OPEN = "○"  # what is not settled
DEVICE_TONES = ("accent", "pass", "warn", "title")
EIGHTHS = " ▏▎▍▌▋▊▉"
WIDE = 72  # cells across from which bars have names and intervals beside them
GUTTER = 9  # cells for the labels of the axis
SIZES = ("small", "medium", "large")


@dataclass(frozen=True)
class Point:
    """A timed size: milliseconds a step with the 95 % interval; `x` is its place on the axis of sizes.

    `settled` is False where the interval says nothing, `compared` where its ratio to the CPU does not.
    """

    device: str
    size: str
    x: float
    ms: float
    low: float
    high: float
    settled: bool = True
    compared: bool = True


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
    sizes = sorted({row["size"] for row in timed}, key=place)
    counts = {size: count for size in sizes if (count := known.get(size))}
    scaled = len(counts) == len(sizes)
    places = {size: float(counts[size] if scaled else 10 ** place(size)) for size in sizes}
    ratios = {(r["size"], r["device"]): r for r in training.get("comparisons", ()) if r["workload"] == workload}
    return [
        _point(row, places[row["size"]], ratios.get((row["size"], row["device"])))
        for row in sorted(timed, key=lambda row: place(row["size"]))
    ]


def _point(row: Result, x: float, ratio: Comparison | None) -> Point:
    ms = row["step_ms"] or 0.0
    low, high = row["ci95_ms"] or (ms, ms)
    compared = ratio is None or rows.is_settled(ratio)
    return Point(row["device"], row["size"], x, ms, low, high, not rows.is_wide((low, high)), compared)


def place(size: str) -> int:
    """The turn of a size among those of a workload."""
    return SIZES.index(size) if size in SIZES else len(SIZES)


def crossings(points: Sequence[Point]) -> list[Crossing]:
    """Where a device's curve crosses the CPU's, straight lines between settled sizes on the logarithmic axes."""
    places = []
    for device in devices(points):
        ratios = _pairs(points, device) if device != "cpu" else []
        for (x1, d1), (x2, d2) in pairwise(ratios):
            if d1 * d2 < 0:
                share = d1 / (d1 - d2)
                places.append((x1 * (x2 / x1) ** share, "cpu" if d2 > 0 else device))
    return places


def _pairs(points: Sequence[Point], device: str) -> list[tuple[float, float]]:
    cpu = {point.size: point for point in points if point.device == "cpu" and point.settled}
    settled = [point for point in points if point.device == device and point.settled and point.compared]
    shared = [point for point in settled if point.size in cpu]
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
        _scale(_reach(points), plot_h - 1),
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


def _reach(points: Sequence[Point]) -> list[float]:
    """Milliseconds that the axis holds: intervals, and of what is not settled the middle alone."""
    return [value for p in points for value in ((p.low, p.high) if p.settled else (p.ms,))]


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
        if point.settled:
            whisker = range(height - 1 - round(up(point.high)), height - round(up(point.low)))
            grid |= {(x, row): ("│", look[1]) for row in whisker}
        grid[x, height - 1 - round(up(point.ms))] = look if point.settled else (OPEN, look[1])


def _ticks(points: Sequence[Point], up: Scale, height: int) -> dict[int, str]:
    reach = _reach(points)
    low, high = min(reach), max(reach)
    first = math.floor(math.log10(low))
    steps = [step * 10.0**power for power in range(first, math.ceil(math.log10(high)) + 1) for step in (1, 2, 5)]
    labels: dict[int, str] = {}
    for value in (step for step in steps if low <= step <= high):
        row = height - 1 - round(up(value))
        if not {row - 1, row, row + 1} & labels.keys():
            labels[row] = f"{figures.short(value)} ms" if value < 1000 else f"{figures.short(value / 1000)} s"
    return labels or {height // 2: figures.duration(points[0].ms)}


def _row(grid: Grid, row: int, width: int, tick: str) -> Content:
    cells = [grid.get((x, row), (" ", "plain")) for x in range(width)]
    edge = "┤" if tick else "│"
    return words.styled((f"{tick:>{GUTTER}}{edge}", "muted"), *((char, shade) for char, shade in cells))


def _names(points: Sequence[Point], across: Scale, width: int) -> Content:
    line = [" "] * width
    for size, x in dict.fromkeys((p.size, p.x) for p in points):
        text = f"{size} {figures.count(x)}" if x >= 1000 else size
        start = max(0, min(GUTTER + 5 + round(across(x)) - len(text) // 2, width - len(text)))
        if "".join(line[max(0, start - 1) : start + len(text) + 1]).strip() == "":
            line[start : start + len(text)] = text
    return words.styled(("".join(line).rstrip(), "muted"))


def legend(points: Sequence[Point]) -> Content:
    """Marks, and the crossover in words."""
    parts: list[words.Piece] = [" "]
    for device in devices(points):
        mark, shade = tone(points, device)
        parts += [(f"{mark} {device}", shade), "  "]
    parts += [piece for crossing in crossings(points) for piece in ((f"┊ {tell(crossing)}", "strong"), "  ")]
    if not all(point.settled for point in points):
        parts += [f"{OPEN} {say('report.not_settled')}", "  "]
    return words.styled(*parts, (f"│ {say('screen.chart_axes')}", "muted"))


def tell(crossing: Crossing) -> str:
    """A crossover in words."""
    x, winner = crossing
    name = "screen.crossover_at" if x >= 1000 else "screen.crossover_between"
    return say(name, parameters=figures.count(x), winner=winner)


def bars(by_workload: Mapping[str, Sequence[Point]], width: int) -> Content:
    """The same figures as bars from 0, by workload, where a chart has no room or too few points.

    A workload in a size has a scale of its own, on which its devices can be compared.
    """
    room = max(4, width - (60 if width >= WIDE else 26))
    lines: list[words.Piece] = []
    for workload, points in by_workload.items():
        if width < WIDE and len(by_workload) > 1:  # no room beside the bars
            lines.append((workload, "strong"))
        for point in points:
            longest = max((p.ms for p in points if p.settled and p.size == point.size), default=point.ms)
            bar = _cells(point.ms / longest * room, room)
            lines.append(_bar(workload, point, tone(points, point.device)[1], width, bar))
        lines += [(tell(crossing), "strong") for crossing in crossings(points)]
    note = say("screen.bars_scale" if width >= 60 else "screen.bars_scale_short")
    return words.lines([*lines, (note, "muted")])


def _cells(length: float, room: int) -> str:
    return f"{'█' * int(length) + EIGHTHS[int(length % 1 * 8)].strip():{room}}"


def _bar(workload: str, point: Point, shade: str, width: int, bar: str) -> Content:
    wide = width >= WIDE
    label = wrapping.clip(workload, 12) + " " if wide else ""
    name = f"{label}{wrapping.pad(point.size, 7)}{wrapping.pad(point.device, 6)}"
    if not point.settled:
        return words.styled(name, (f"{OPEN} {say('report.not_settled')}", "muted"))
    interval = f" ({rows.interval((point.low, point.high))})" if wide else ""
    return words.styled(name, (bar, shade), f" {figures.duration(point.ms):>9}", (interval, "muted"))
