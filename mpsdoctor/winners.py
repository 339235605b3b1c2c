"""Who won: the one table that verdict, profile, scripts, reports and screen read. Pure functions over facts.

An accelerator has to show, with its whole interval, that it is more than 5 % faster. What is not settled is nobody's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mpsdoctor.facts.operators import CoreFailure, Operators
from mpsdoctor.facts.training import Comparison, Result, TimedFacts
from mpsdoctor.runtime.workloads import answering_size
from mpsdoctor.texts import WIDE
from mpsdoctor.thresholds import FASTER, standing

if TYPE_CHECKING:
    from mpsdoctor.runtime.shapes import Measured, Workloads
    from mpsdoctor.thresholds import Standing

# A device that does one of these in training is out, however fast it is.
DISQUALIFYING = ("diverged", "nan", "crash", "timeout")
TIE = "tie"  # in place of a device: as fast as the CPU, or not settled


@dataclass(frozen=True)
class Score:
    """An accelerator against the CPU: the geometric mean over the families that are settled, and their rows.

    `unsettled` are the families that were compared besides. Without a settled one the mean is 1, from 0 to infinity.
    """

    device: str
    speedup: float
    ci95: tuple[float, float]
    rows: tuple[Comparison, ...] = field(repr=False)
    unsettled: tuple[Comparison, ...] = field(repr=False)


def results_of(training: TimedFacts | None) -> Sequence[Result]:
    return training.get("results", ()) if training else ()


def ruled_out(operators: Operators | None, training: TimedFacts | None) -> dict[str, Result | Sequence[CoreFailure]]:
    """Devices that gave wrong numbers or died, each with what shows it: a run of training, or else probes."""
    out: dict[str, Result | Sequence[CoreFailure]] = {}
    for row in results_of(training):
        if row["outcome"] in DISQUALIFYING and row["device"] != "cpu":
            out.setdefault(row["device"], row)
    core_failures = operators["core_failures"] if operators and "core_failures" in operators else {}
    for device, failures in core_failures.items():
        if failures and device != "cpu":
            out.setdefault(device, failures)
    return out


def standing_of(row: Comparison) -> Standing:
    """Where a comparison stands. "open" is not settled: few blocks may agree by chance, and then nobody has won."""
    seen = standing(row["ci95"][0], row["ci95"][1])
    whose = {"faster": row["device"], "slower": row["baseline"], "same": TIE}
    return seen if whose.get(seen) == row["winner"] else "open"


def winner(rows: Sequence[Comparison], recommended: str | None = None) -> str:
    """The device that was seen to win, or TIE: what is not settled is nobody's, and never the CPU's by default.

    A tie is answered by the device recommended for the rest: where the CPU was seen to beat that, the CPU has won.
    """
    ahead = [row for row in rows if standing_of(row) == "faster"]
    if ahead:
        return max(ahead, key=lambda row: row["speedup"])["device"]
    slower = [row["device"] for row in rows if standing_of(row) == "slower"]
    return "cpu" if len(slower) == len(rows) or recommended in slower else TIE


def workload_table(
    training: TimedFacts, operators: Operators | None = None, recommended: str | None = None
) -> Workloads:
    """By family and size the winner, and the speed of the best accelerator against the CPU.

    A device that is ruled out does not appear. What was compared with nothing is the CPU's where it trains there, else
    that of the device where it does.
    """
    out = ruled_out(operators, training)
    table: Workloads = {}
    compared: dict[tuple[str, str], list[Comparison]] = {}
    for row in training.get("comparisons", ()):
        if row["device"] not in out and row["baseline"] == "cpu":
            compared.setdefault((row["workload"], row["size"]), []).append(row)
    for (workload, size), rows in compared.items():
        device = winner(rows, recommended)
        beaten = [row for row in rows if standing_of(row) == "slower"] if device == "cpu" else []
        showing = beaten or [row for row in rows if device in (row["device"], TIE)]
        row = max(showing, key=lambda row: row["speedup"])
        entry: Measured = {"device": device, "speedup": row["speedup"], "ci95": list(row["ci95"])}
        table.setdefault(workload, {})[size] = entry
    trained = [row for row in results_of(training) if row["outcome"] == "ok" and row["device"] not in out]
    first = {"cpu": 0, recommended: 1}
    for result in sorted(trained, key=lambda result: first.get(result["device"], 2)):
        alone: Measured = {"device": result["device"], "speedup": None, "ci95": None}
        table.setdefault(result["workload"], {}).setdefault(result["size"], alone)
    return table


def device_by_workload(table: Workloads, recommended: str) -> dict[str, str]:
    """The device of each family, by the rule that answers a script; what is nobody's goes with the rest."""
    winners = {family: sizes[answering_size(sizes)]["device"] for family, sizes in table.items()}
    return {family: recommended if device == TIE else device for family, device in winners.items()}


def score_of(device: str, training: TimedFacts, table: Workloads) -> Score | None:
    """How a device stands against the CPU over all families, each in the size that answers for it; None without any."""
    compared = {
        (row["workload"], row["size"]): row
        for row in training.get("comparisons", ())
        if row["device"] == device and row["baseline"] == "cpu"
    }
    answering = [(family, answering_size(sizes)) for family, sizes in table.items()]
    rows = [compared[place] for place in answering if place in compared]
    if not rows:
        return None
    settled = tuple(row for row in rows if standing_of(row) != "open")
    unsettled = tuple(row for row in rows if standing_of(row) == "open")
    if not settled:
        return Score(device, 1.0, (0.0, math.inf), (), unsettled)
    ends = [sure_interval(row) for row in settled]
    low, high = (geometric_mean([pair[end] for pair in ends]) for end in (0, 1))
    return Score(device, geometric_mean([sure_speedup(row) for row in settled]), (low, high), settled, unsettled)


def best_score(training: TimedFacts, operators: Operators | None = None) -> Score | None:
    """That of the accelerator that the verdict is about: one that is clearly ahead, else the best; None without any."""
    out, table = ruled_out(operators, training), workload_table(training, operators)
    devices = dict.fromkeys(row["device"] for row in training.get("comparisons", ()) if row["device"] not in out)
    scores = [score for device in devices if (score := score_of(device, training, table))]
    return max(scores, key=lambda score: (is_ahead(score), bool(score.rows), score.speedup), default=None)


def is_wide(row: Comparison) -> bool:
    """Whether only one end of the interval is sure."""
    return row["ci95"][1] > WIDE * row["ci95"][0]


def sure_speedup(row: Comparison) -> float:
    """The speed-up, or of an interval too wide for a figure the end that the winner is sure of."""
    if not is_wide(row):
        return row["speedup"]
    return row["ci95"][0] if standing_of(row) == "faster" else row["ci95"][1]


def sure_interval(row: Comparison) -> Sequence[float]:
    return [sure_speedup(row)] * 2 if is_wide(row) else row["ci95"]


def geometric_mean(values: Sequence[float]) -> float:
    return math.exp(math.fsum(map(math.log, values)) / len(values))


def is_ahead(score: Score) -> bool:
    """Whether an accelerator is clearly faster over all that is settled."""
    return bool(score.rows) and score.ci95[0] > FASTER
