"""How an accelerator trains beside the CPU, at a glance: a bar for each family around 1×, on a logarithmic scale.

Filled bars are settled. What is not is as long as its interval, hollow, and without a figure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from mpsdoctor import figures, winners
from mpsdoctor.facts import CheckFacts
from mpsdoctor.facts.training import STEP, Comparison
from mpsdoctor.faulty import operators_of
from mpsdoctor.formats import rows, wrapping
from mpsdoctor.texts import say
from mpsdoctor.tui import words

END = 8.0  # times as fast or as slow; bars are cut there
FULL, HOLLOW, MIDDLE, CUT = "█", "░", "│", "<>"
NARROWEST = 44  # cells across; below it the bars say nothing
USUAL = ("medium", STEP)  # sizes that need no word
NAME, FIGURE = 18, 11  # cells at most for the names, and for the figures
TONES = {"faster": "pass", "slower": "warn", "same": "plain", "open": "muted"}


def compare(facts: CheckFacts) -> tuple[Comparison, ...]:
    """The comparisons that the verdict goes by, one a family; empty where nothing was compared."""
    training = facts.get("training")
    score = winners.best_score(training, operators_of(facts)) if training else None
    families = [row["workload"] for row in training.get("comparisons", ())] if training else []
    rows = (*score.rows, *score.unsettled) if score else ()
    return tuple(sorted(rows, key=lambda row: families.index(row["workload"])))


def draw(comparisons: Sequence[Comparison], width: int) -> list[Content]:
    """A line that names the device and the directions, then one a family; none where there is no room."""
    if not comparisons or width < NARROWEST:
        return []
    names = [comparisons[0]["device"], *map(_name, comparisons)]
    label = min(NAME, max(map(cell_len, names)))
    half = (width - label - FIGURE - 3) // 2
    head = words.styled((wrapping.clip(comparisons[0]["device"], label), "strong"), " ", (_axis(half), "muted"))
    return [head, *(_draw_family(row, label, half) for row in comparisons)]


def _name(row: Comparison) -> str:
    """The family, with the size where it is not the usual one."""
    return row["workload"] if row["size"] in USUAL else f"{row['workload']} {row['size']}"


def _axis(half: int) -> str:
    slower = say("screen.meter_slower_than_cpu")
    if cell_len(slower) >= half:
        slower = say("screen.meter_slower")
    return f"{wrapping.clip(slower, half)}1×{wrapping.pad_left(say('screen.meter_faster'), half - 1)}"


def _draw_family(row: Comparison, label: int, half: int) -> Content:
    settled = rows.is_settled(row)
    ends = (1.0, row["speedup"]) if settled else (row["ci95"][0], row["ci95"][1])
    tone = TONES[winners.standing_of(row)] if settled else "muted"
    said = figures.times(row["speedup"]) if settled else say("report.not_settled")
    name = wrapping.clip(_name(row), label)
    bar = _bar(min(ends), max(ends), half, FULL if settled else HOLLOW)
    return words.styled(name, " ", (bar, tone), f" {wrapping.pad_left(said, FIGURE)}")


def _bar(low: float, high: float, half: int, fill: str) -> str:
    """Cells from `low` to `high`, the middle being 1; an end beyond the scale is marked as cut."""
    left, right = _place(low, half), _place(high, half)
    cells = [fill if left <= place <= right else " " for place in range(-half, half + 1)]
    cells[half] = MIDDLE
    if low < 1 / END:
        cells[0] = CUT[0]
    if high > END:
        cells[-1] = CUT[1]
    return "".join(cells)


def _place(speedup: float, half: int) -> int:
    held = min(max(speedup, 1 / END), END)
    return round(math.log(held) / math.log(END) * half)
