"""Step times as curves: the points of a workload, and where a device's curve crosses the CPU's. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mpsdoctor import figures
from mpsdoctor.facts.training import Comparison, Result, TimedFacts
from mpsdoctor.formats import rows
from mpsdoctor.texts import say

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
Scale = Callable[[float], float]  # from a value to a place along an axis


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


def by_workload(training: TimedFacts) -> dict[str, list[Point]]:
    """The points of every workload that has any."""
    workloads = dict.fromkeys(row["workload"] for row in training.get("results", ()))
    return {workload: timed for workload in workloads if (timed := points(training, workload))}


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


def reach(points: Sequence[Point]) -> list[float]:
    """Milliseconds that the axis holds: intervals, and of what is not settled the middle alone."""
    return [value for p in points for value in ((p.low, p.high) if p.settled else (p.ms,))]


def tell(crossing: Crossing) -> str:
    """A crossover in words."""
    x, winner = crossing
    name = "report.crossover_at" if x >= 1000 else "report.crossover_between"
    return say(name, parameters=figures.count(x), winner=winner)


def ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 of each power of ten between the two."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [value for power in powers for step in (1, 2, 5) if low <= (value := step * 10.0**power) <= high]


def milliseconds(value: float) -> str:
    """A tick of the axis of times: `20 ms`, `5 s`."""
    return f"{figures.short(value)} ms" if value < 1000 else f"{figures.short(value / 1000)} s"


def scale(values: Sequence[float], room: float) -> Scale:
    """A logarithmic axis of that length from the least value to the largest; a single value lies in its middle."""
    low, high = math.log(min(values)), math.log(max(values))
    span = (high - low) or 1.0
    return lambda value: (math.log(value) - low) / span * max(1, room) if high > low else max(1, room) / 2
