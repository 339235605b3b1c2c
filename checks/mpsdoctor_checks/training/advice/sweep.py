"""A sweep of batch sizes, measured: the CPU against a device at each of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mpsdoctor_checks.training import item as items
from mpsdoctor_checks.training.advice import crossover, ways
from mpsdoctor_checks.training.lanes import Lane, Variant
from mpsdoctor_checks.training.plan import Item

Row = dict[str, Any]
POINTS = 6  # that a share should hold


@dataclass
class Sweep:
    """What is known of a workload by batch: `seconds` a step on each of the two, `rows` as they come from the race.

    `compiling` is what both took for the first step of the declared batch; another one has other sizes.
    """

    item: Item
    device: str
    base: int
    compiling: float = 0.0
    points: list[crossover.Point] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    seconds: dict[int, list[float]] = field(default_factory=dict)
    closed: dict[int, str] = field(default_factory=dict)

    def take(self, batch: int, found: Mapping[str, Any]) -> None:
        """A measured batch, or why there is no figure for it."""
        compared = next((row for row in found["comparisons"] if row["device"] == self.device), None)
        if compared is None:
            why = (row["detail"] for row in found["results"] if row["outcome"] != "ok")
            self.closed[batch] = next(why, "it was not compared")
            return
        self.points.append(crossover.point_of(compared, batch))
        self.seconds[batch] = [row["step_ms"] / 1e3 for row in found["results"] if row["step_ms"]]
        kept = {key: compared[key] for key in ("speedup", "ci95", "pairs")}
        self.rows.append({"batch": batch, **kept, "stopped": compared["detail"]})

    def needs(self, batch: int) -> float:
        """Seconds that a batch takes at least, judged by the nearest one; smaller batches are not taken for faster."""
        if not self.seconds:
            return 0.0
        nearest = min(self.seconds, key=lambda known: abs(known - batch))
        steps = (step * max(1.0, batch / nearest) for step in self.seconds[nearest])
        return self.compiling + sum(map(ways.least_seconds, steps))


def run(found: Sweep, lanes: tuple[Lane, Lane], share: float, left: float, say: Callable[[int], items.Say]) -> None:
    """Measure batch after batch until the crossover is known with its surroundings, or the share is used up."""
    end = time.monotonic() + min(share, left)
    each = max(1.0, share / POINTS)
    while (batch := crossover.next_batch(found.points, found.base, found.closed)) is not None:
        remaining = end - time.monotonic()
        if found.needs(batch) > remaining:
            found.closed[batch] = f"needs about {found.needs(batch):.2g} s, {max(remaining, 0):.2g} s were left"
            continue
        entrants = {lane.device: Variant(lane.device, lane, {**lane.options, "batch": batch}) for lane in lanes}
        found.take(batch, items.examine(found.item, entrants, min(each, remaining), remaining, say(batch)))
        if any(not lane.ready for lane in lanes):
            return


def row(found: Sweep) -> Row:
    """The row of advice: the batch at which the curves cross, with everything measured."""
    head = ways.blank("crossover", found.item, found.device, "ok", "")
    not_measured = "; ".join(f"batch {batch}: {why}" for batch, why in sorted(found.closed.items()))
    if len(found.points) < 2 and not_measured:
        return {**head, "outcome": "skipped", "detail": not_measured}
    crossing = crossover.find(found.points)
    return {
        **head,
        "batch": crossing.batch,
        "ci95": list(crossing.ci95),
        "detail": crossing.told,
        "batches": sorted(found.rows, key=lambda row: int(row["batch"])),
        "blocks": sum(row["pairs"] for row in found.rows),
        "stopped": not_measured or "the crossover and what lies around it are measured",
    }


def table(found: Sweep) -> list[Row]:
    """As the profile keeps it, in the order of the batches."""
    rows = found.rows if len(found.rows) > 1 else []  # one batch is no curve, and stands among the workloads
    return [
        {"batch": row["batch"], "device": found.device, "speedup": row["speedup"], "ci95": row["ci95"]}
        for row in sorted(rows, key=lambda row: int(row["batch"]))
    ]
