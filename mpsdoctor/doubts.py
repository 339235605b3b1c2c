"""What lowers the confidence in a verdict, each with its reason. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from mpsdoctor.thresholds import FASTER

Facts = Mapping[str, Any]
Row = Mapping[str, Any]

FEW_STEPS = 20  # timed on a device; fewer may all fall into one disturbance
FAMILIES = 4  # that the check trains
STEP = "step"  # the size of a person's own training step, which is all there is to measure
LONG = 1.5  # the upper end of an interval this many times its lower end says little


class Doubt(NamedTuple):
    """A reason to be less sure, and by how many steps of high, medium, low."""

    weight: int
    text: str

    def __str__(self) -> str:
        return self.text


NOTHING_COMPARED = Doubt(2, "no accelerator could be compared with the CPU")


def confidence(found: Sequence[Doubt]) -> Literal["high", "medium", "low"]:
    total = sum(doubt.weight for doubt in found)
    return "high" if total <= 0 else "medium" if total == 1 else "low"


def doubts(
    rows: Sequence[Row], ci95: tuple[float, float], operators: Facts | None, training: Facts, device: str
) -> list[Doubt]:
    """Everything that speaks against trusting the comparison `rows`, whose mean has the interval `ci95`."""
    return [
        *overlap(ci95),
        *untimed(rows, training),
        *sizes(rows),
        *few_steps(rows, training),
        *disturbed(training),
        *unprobed(operators, device),
    ]


def overlap(ci95: tuple[float, float]) -> Iterator[Doubt]:
    low, high = ci95
    if low <= FASTER < high:
        yield Doubt(1, f"the interval {low:.3g} to {high:.3g} leaves open which one is faster")
    elif high > LONG * low:
        yield Doubt(1, f"the interval {low:.3g} to {high:.3g} is wide")


def untimed(rows: Sequence[Row], training: Facts) -> Iterator[Doubt]:
    device = rows[0]["device"]
    if len(rows) < FAMILIES and rows[0]["size"] != STEP:
        missing = [
            f"{row['workload']} ({row['outcome']})"
            for row in training["results"]
            if row["device"] == device
            and row["outcome"] != "ok"
            and row["workload"] not in {each["workload"] for each in rows}
        ]
        named = f": without {', '.join(dict.fromkeys(missing))}" if missing else ""
        weight = 1 if 2 * len(rows) >= FAMILIES else 2
        yield Doubt(weight, f"{len(rows)} of {FAMILIES} families were compared on {device}{named}")


def sizes(rows: Sequence[Row]) -> Iterator[Doubt]:
    other = [row for row in rows if row["size"] not in ("medium", STEP)]
    if other:
        named = ", ".join(f"{row['workload']} {row['size']}" for row in other)
        yield Doubt(1, f"not measured at medium size: {named}")


def few_steps(rows: Sequence[Row], training: Facts) -> Iterator[Doubt]:
    wanted = {(row["workload"], row["size"]) for row in rows}
    devices = {"cpu", rows[0]["device"]}
    few = [
        f"{row['workload']} {row['size']} on {row['device']} ({row['steps']})"
        for row in training["results"]
        if (row["workload"], row["size"]) in wanted
        and row["device"] in devices
        and row["outcome"] == "ok"
        and row["steps"] < FEW_STEPS
    ]
    # Ten steps tell a ratio of ten from one: only where most rest on few steps is the verdict in doubt.
    if len(few) > len(wanted):
        yield Doubt(1, f"fewer than {FEW_STEPS} steps were timed of {', '.join(few)}")


def disturbed(training: Facts) -> Iterator[Doubt]:
    if training.get("alone") is False:
        yield Doubt(1, "another timed run was going on")
    spoiled = training.get("disturbances") or ()
    if spoiled:
        yield Doubt(1, f"timed while {'; '.join(spoiled)}")


def unprobed(operators: Facts | None, device: str) -> Iterator[Doubt]:
    """Only what is recommended has to be right; the CPU is what others are compared with."""
    if device != "cpu" and not (operators or {}).get("results"):
        yield Doubt(1, f"no operator was probed on {device}")
