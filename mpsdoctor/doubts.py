"""What lowers the confidence in a verdict, each with its reason. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

from mpsdoctor.facts.operators import Operators
from mpsdoctor.facts.training import Comparison, TimedFacts
from mpsdoctor.report import Confidence
from mpsdoctor.texts import Each, Part, from_both
from mpsdoctor.thresholds import FASTER

Row = TypeVar("Row")

FEW_STEPS = 20  # timed on a device; fewer may all fall into one disturbance
FAMILIES = 4  # that the check trains
STEP = "step"  # the size of a person's own training step, which is all there is to measure
LONG = 1.5  # the upper end of an interval this many times its lower end says little


class Doubt(NamedTuple):
    """A reason to be less sure, and by how many steps of high, medium, low."""

    weight: int
    reason: Part


NOTHING_COMPARED = Doubt(2, Part("doubt_not_compared"))


def confidence(doubts: Sequence[Doubt]) -> Confidence:
    total = sum(doubt.weight for doubt in doubts)
    return "high" if total <= 0 else "medium" if total == 1 else "low"


def doubts(
    rows: Sequence[Comparison],
    ci95: tuple[float, float],
    operators: Operators | None,
    training: TimedFacts,
    device: str,
) -> list[Doubt]:
    """Everything that speaks against trusting the comparison `rows`, whose mean has the interval `ci95`."""
    return [
        *overlap(ci95),
        *untimed(rows, training),
        *sizes(rows),
        *few_steps(rows, training),
        *disturbances(training),
        *unprobed(operators, device),
    ]


def overlap(ci95: tuple[float, float]) -> Iterator[Doubt]:
    low, high = ci95
    if low <= FASTER < high:
        yield Doubt(1, Part("doubt_open", {"low": low, "high": high}))
    elif high > LONG * low:
        yield Doubt(1, Part("doubt_wide", {"low": low, "high": high}))


def untimed(rows: Sequence[Comparison], training: TimedFacts) -> Iterator[Doubt]:
    device = rows[0]["device"]
    compared = {row["workload"] for row in rows}
    if len(rows) < FAMILIES and rows[0]["size"] != STEP:
        missing = [
            {"workload": row["workload"], "outcome": row["outcome"]}
            for row in training["results"]
            if row["device"] == device and row["outcome"] != "ok" and row["workload"] not in compared
        ]
        without = Part("doubt_without", {"missing": Each("missing_family", unique(missing), ", ")})
        counts = {"compared": len(rows), "all_families": FAMILIES, "device": device}
        weight = 1 if 2 * len(rows) >= FAMILIES else 2
        yield Doubt(weight, Part("doubt_families", {**counts, "without": without if missing else Part("")}))


def sizes(rows: Sequence[Comparison]) -> Iterator[Doubt]:
    other = [row for row in rows if row["size"] not in ("medium", STEP)]
    if other:
        items = [{"workload": row["workload"], "size": row["size"]} for row in other]
        yield Doubt(1, Part("doubt_sizes", {"items": Each("item", items, ", ")}))


def few_steps(rows: Sequence[Comparison], training: TimedFacts) -> Iterator[Doubt]:
    wanted = {(row["workload"], row["size"]) for row in rows}
    devices = {"cpu", rows[0]["device"]}
    few = [
        {"workload": row["workload"], "size": row["size"], "device": row["device"], "steps": row["steps"]}
        for row in training["results"]
        if (row["workload"], row["size"]) in wanted
        and row["device"] in devices
        and row["outcome"] == "ok"
        and (row["steps"] or 0) < FEW_STEPS
    ]
    # Ten steps tell a ratio of ten from one: only where most rest on few steps is the verdict in doubt.
    if len(few) > len(wanted):
        yield Doubt(1, Part("doubt_steps", {"fewest": FEW_STEPS, "items": Each("item_steps", few, ", ")}))


def disturbances(training: TimedFacts) -> Iterator[Doubt]:
    if training.get("alone") is False:
        yield Doubt(1, Part("doubt_alone"))
    spoiled = training.get("disturbances") or ()
    if spoiled:
        sentences = from_both(spoiled, training.get("disturbances_values") or ())
        rows = Each("disturbance", [{"disturbance": sentence} for sentence in sentences])
        yield Doubt(1, Part("doubt_disturbed", {"disturbances": rows}))


def unique(rows: Sequence[Row]) -> list[Row]:
    """Rows that differ, each once."""
    return [row for place, row in enumerate(rows) if row not in rows[:place]]


def unprobed(operators: Operators | None, device: str) -> Iterator[Doubt]:
    """Only what is recommended has to be right; the CPU is what others are compared with."""
    if device != "cpu" and not (operators and operators.get("results")):
        yield Doubt(1, Part("doubt_unprobed", {"device": device}))
