"""Step time against size, drawn in characters: both axes logarithmic, intervals as whiskers, the crossover marked.

Where a chart has no room, bars from 0. What is not settled is hollow, and moves neither axis.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from textual.content import Content

from mpsdoctor import figures
from mpsdoctor.formats import curves, rows, wrapping
from mpsdoctor.formats.curves import Point, Scale
from mpsdoctor.texts import say
from mpsdoctor.tui import words

MARKS = "●▲■◆"
OPEN = "○"  # what is not settled
DEVICE_TONES = ("accent", "pass", "warn", "title")
EIGHTHS = " ▏▎▍▌▋▊▉"
WIDE = 72  # cells across from which bars have names and intervals beside them
GUTTER = 9  # cells for the labels of the axis
Grid = dict[tuple[int, int], tuple[str, str]]


def tone(points: Iterable[Point], device: str) -> tuple[str, str]:
    """Mark and tone of a device."""
    number = curves.devices(points).index(device) % len(MARKS)
    return MARKS[number], DEVICE_TONES[number]


def draw(points: Sequence[Point], width: int, height: int) -> Content:
    """The chart in so many cells: axis, curves, names of sizes, and a line that explains the marks."""
    plot_w, plot_h = width - GUTTER - 2, height - 3
    across, up = (
        curves.scale([p.x for p in points], plot_w - 8),
        curves.scale(curves.reach(points), plot_h - 1),
    )
    grid: Grid = {}
    for x, _ in curves.crossings(points):
        grid |= {(4 + round(across(x)), row): ("┊", "muted") for row in range(plot_h)}
    for device in curves.devices(points):
        curve = [(4 + round(across(p.x)), plot_h - 1 - up(p.ms), p) for p in points if p.device == device]
        _curve(grid, curve, tone(points, device)[1])
    for device in curves.devices(points):
        shift = curves.devices(points).index(device)  # whiskers of two devices side by side, not over each other
        _marks(grid, [p for p in points if p.device == device], (across, up, plot_h), tone(points, device), shift)
    ticks = _ticks(points, up, plot_h)
    body = [_row(grid, row, plot_w, ticks.get(row, "")) for row in range(plot_h)]
    axis = words.styled((" " * GUTTER + "└" + "─" * plot_w, "muted"))
    return Content("\n").join([*body, axis, _names(points, across, width), legend(points)])


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
    reach = curves.reach(points)
    labels: dict[int, str] = {}
    for value in curves.ticks(min(reach), max(reach)):
        row = height - 1 - round(up(value))
        if not {row - 1, row, row + 1} & labels.keys():
            labels[row] = curves.milliseconds(value)
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
    for device in curves.devices(points):
        mark, shade = tone(points, device)
        parts += [(f"{mark} {device}", shade), "  "]
    parts += [
        piece for crossing in curves.crossings(points) for piece in ((f"┊ {curves.tell(crossing)}", "strong"), "  ")
    ]
    if not all(point.settled for point in points):
        parts += [f"{OPEN} {say('report.not_settled')}", "  "]
    return words.styled(*parts, (f"│ {say('report.chart_axes')}", "muted"))


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
        lines += [(curves.tell(crossing), "strong") for crossing in curves.crossings(points)]
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
