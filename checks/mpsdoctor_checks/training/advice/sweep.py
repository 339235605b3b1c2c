"""A sweep of batch sizes, measured: the CPU against a device at each of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from mpsdoctor.facts.advice import Advice, BatchSpeed
from mpsdoctor.facts.training import detail_of
from mpsdoctor.runtime.shapes import AtBatch
from mpsdoctor.texts import Each, Part, Wording
from mpsdoctor_checks.training import stages
from mpsdoctor_checks.training.advice import crossover, ways
from mpsdoctor_checks.training.lanes import Lane, Variant
from mpsdoctor_checks.training.plan import Workload
from mpsdoctor_checks.training.records import Measurement

POINTS = 6  # that a share should hold


@dataclass
class Sweep:
    """The figures of a workload by batch: `seconds` a step on each of the two, `rows` in the order of the races.

    `compiling` is what both took for the first step of the declared batch; another one has other sizes.
    """

    workload: Workload
    device: str
    base: int
    compiling: float = 0.0
    points: list[crossover.Point] = field(default_factory=list)
    rows: list[BatchSpeed] = field(default_factory=list)
    seconds: dict[int, list[float]] = field(default_factory=dict)
    closed: dict[int, Wording] = field(default_factory=dict)

    def add(self, batch: int, measured: Measurement) -> None:
        """A measured batch, or why there is no figure for it."""
        compared = next((row for row in measured.comparisons if row["device"] == self.device), None)
        if compared is None:
            why = (detail_of(row) for row in measured.results if row["outcome"] != "ok")
            self.closed[batch] = next(why, Part("not_compared"))
            return
        self.points.append(crossover.point_of(compared, batch))
        self.seconds[batch] = [row["step_ms"] / 1e3 for row in measured.results if row["step_ms"]]
        self.rows.append(
            {
                "batch": batch,
                "speedup": compared["speedup"],
                "ci95": compared["ci95"],
                "pairs": compared["pairs"],
                "stopped": compared["detail"],
            }
        )

    def needs(self, batch: int) -> float:
        """Seconds that a batch takes at least, judged by the nearest one; smaller batches are not taken for faster."""
        if not self.seconds:
            return 0.0
        nearest = min(self.seconds, key=lambda known: abs(known - batch))
        steps = (step * max(1.0, batch / nearest) for step in self.seconds[nearest])
        return self.compiling + sum(map(ways.least_seconds, steps))


def run(sweep: Sweep, lanes: tuple[Lane, Lane], share: float, left: float, say: Callable[[int], stages.Say]) -> None:
    """Measure batch after batch until the crossover is known with its surroundings, or the share is used up."""
    end = time.monotonic() + min(share, left)
    part = max(1.0, share / POINTS)
    while (batch := crossover.next_batch(sweep.points, sweep.base, sweep.closed)) is not None:
        remaining = end - time.monotonic()
        if sweep.needs(batch) > remaining:
            figures = {"needed": sweep.needs(batch), "left": max(remaining, 0)}
            sweep.closed[batch] = Part("needs_seconds", figures)
            continue
        entrants = [Variant(lane.device, lane, {**lane.options, "batch": batch}) for lane in lanes]
        sweep.add(batch, stages.examine(sweep.workload, entrants, min(part, remaining), remaining, say(batch)))
        if any(not lane.ready for lane in lanes):
            return


def row(sweep: Sweep) -> Advice:
    """The row of advice: the batch at which the curves cross, with everything measured."""
    closed = [{"batch": batch, "reason": why} for batch, why in sorted(sweep.closed.items())]
    not_measured = Part("batches_not_measured", {"batches": Each("batch_not_measured", closed)})
    if len(sweep.points) < 2 and closed:
        return ways.blank("crossover", sweep.workload, sweep.device, "skipped", not_measured)
    crossing = crossover.find(sweep.points)
    return {
        **ways.blank("crossover", sweep.workload, sweep.device, "ok", crossing.why_not),
        "batch": crossing.batch,
        "ci95": list(crossing.ci95),
        "batches": sorted(sweep.rows, key=lambda row: row["batch"]),
        "blocks": sum(row["pairs"] for row in sweep.rows),
        "stopped": str(not_measured if closed else Part("crossover_known")),
    }


def table(sweep: Sweep) -> list[AtBatch]:
    """As the profile keeps it, in the order of the batches."""
    rows = sweep.rows if len(sweep.rows) > 1 else []  # one batch is no curve, and stands among the workloads
    return [
        {"batch": row["batch"], "device": sweep.device, "speedup": row["speedup"], "ci95": row["ci95"]}
        for row in sorted(rows, key=lambda row: row["batch"])
    ]
