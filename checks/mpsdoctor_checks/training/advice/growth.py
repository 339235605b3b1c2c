"""Whether memory grows from step to step: a robust line through the bytes in use after each block. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from mpsdoctor.facts.advice import Advice, interval_of
from mpsdoctor.facts.training import Run
from mpsdoctor_checks.training.statistics import Interval

Point = tuple[int, int]  # steps done, bytes in use

# A back end counts its tensors exactly; what a process takes of the system comes in pieces, and settles late.
FEWEST, FEWEST_OF_PROCESS = 4, 10
A_TRAINING = 100_000  # steps; some hours at ten to thirty a second
LEAK_BYTES = 1 << 30  # in a training; less is no reason to stop one
LEAK_SHARE = 0.5  # of what was in use at first, also in a training; large models come and go with more than a GiB
STEADY = 0.5  # of the slope is what the lower end of its interval must reach: a few jumps are no leak


class Slope(NamedTuple):
    """Bytes a step, with the 95 % interval."""

    bytes_per_step: float
    ci95: Interval


def slope(points: Sequence[Point]) -> Slope:
    """The median slope between any two points (Theil and Sen), which a third of odd points cannot move far.

    The interval is Sen's, from the variance of Kendall's tau; with four points it is the range of all slopes.
    ValueError where no two points differ in steps.
    """
    pairs = itertools.combinations(sorted(points), 2)
    slopes = sorted((late - early) / (after - before) for (before, early), (after, late) in pairs if after > before)
    if not slopes:
        raise ValueError("a slope needs two points at different steps")
    count, several = len(points), len(slopes)
    reach = 1.96 * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = max(0, math.floor((several - reach) / 2))
    middle = (slopes[(several - 1) // 2] + slopes[several // 2]) / 2
    return Slope(middle, (slopes[low], slopes[several - 1 - low]))


def grows(row: Advice) -> bool:
    """Whether a training would be troubled by what was measured."""
    return is_leak(Slope(row["bytes_per_step"], interval_of(row)), row["first_bytes"])


def is_leak(measured: Slope, first_bytes: int) -> bool:
    """Whether it is steady growth that adds up to much in a training, also beside what is in use anyway."""
    in_a_training = measured.bytes_per_step * A_TRAINING
    steady = measured.ci95[0] >= STEADY * measured.bytes_per_step > 0
    return steady and in_a_training >= max(LEAK_BYTES, LEAK_SHARE * first_bytes)


def rows(runs: Iterable[Run], peaks: Mapping[tuple[str, str, str], int | None]) -> list[Advice]:
    """One row of advice for each run and device with points enough; `peaks` by workload, size and device."""
    advice = []
    for run in runs:
        for device, points in run["memory"].items():
            if len(points) >= (FEWEST_OF_PROCESS if device == "cpu" else FEWEST):
                peak = peaks.get((run["workload"], run["size"], device))
                advice.append(row(run, device, points, peak))
    return advice


def row(run: Run, device: str, points: Sequence[Point], peak: int | None) -> Advice:
    measured = slope(points)
    return {
        "kind": "memory",
        "workload": run["workload"],
        "size": run["size"],
        "device": device,
        "dtype": "float32",
        "outcome": "ok",
        "detail": "",
        "detail_values": None,
        "bytes_per_step": measured.bytes_per_step,
        "ci95": list(measured.ci95),
        "first_bytes": points[0][1],
        "last_bytes": points[-1][1],
        "peak_bytes": peak,
        "steps": points[-1][0] - points[0][0],
        "blocks": len(points),
        "stopped": run["stopped"],
    }
