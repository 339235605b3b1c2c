"""Ways to train on one device, raced against training as usual, and what their rows of advice say."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from mpsdoctor import texts
from mpsdoctor.facts.advice import Advice, WayFigures, interval_of
from mpsdoctor.facts.training import Run, detail_of
from mpsdoctor.texts import Part, Wording
from mpsdoctor.thresholds import FASTER, SLOWER
from mpsdoctor_checks.training import stages
from mpsdoctor_checks.training.lanes import Lane, Options, variants
from mpsdoctor_checks.training.plan import Workload
from mpsdoctor_checks.training.records import Measurement

USUAL = "as usual"
WAYS_IN_WORDS = {"item": "way_item", "copy": "way_copy", "nnpack": "way_nnpack"}  # by kind
STARTING = 0.2  # seconds
COMPARED, SETTLING, BLOCKS = 6, 10, 4  # steps of losses and of warm-up; blocks, with the steps before them


class Ways(NamedTuple):
    """The ways of one kind, by name, with the options of `prepare` for each."""

    kind: str
    workload: Workload
    device: str
    options: Mapping[str, Options]
    fewest: int  # steps in a block


def blank(kind: str, workload: Workload, device: str, outcome: str, detail: Wording, dtype: str = "float32") -> Advice:
    """A row without figures."""
    return {
        "kind": kind,
        "workload": workload.family,
        "size": workload.size,
        "device": device,
        "dtype": dtype,
        "outcome": outcome,
        "detail": str(detail),
        "detail_values": texts.as_values(detail),
        "ci95": None,
        "blocks": 0,
        "stopped": "",
    }


def describe(kind: str, name: str, threads: int | None) -> Wording:
    """A way in words; one that torch has a name for goes by that name."""
    if threads is not None:
        return Part("way_thread" if threads == 1 else "way_threads", {"threads": threads})
    return Part(WAYS_IN_WORDS[kind]) if kind in WAYS_IN_WORDS else name


def describe_row(row: Advice) -> Wording:
    """The way of a row in words."""
    return describe(row["kind"], row["way"], row.get("threads") if row["kind"] == "threads" else None)


def least_seconds(step: float, fewest: int = 1) -> float:
    """Seconds that one entrant takes in a race that is decided at once; `step` is seconds too.

    A session is built; the losses of some steps, three blocks, and a warm-up that has an end.
    """
    return STARTING + (COMPARED + BLOCKS * fewest) * step + min(SETTLING * step, stages.WARM_UP)


def compare(ways: Ways, host: Lane, share: float, left: float, say: stages.Say) -> list[Advice]:
    """A row for each way: how many times as fast as usual the device trains."""
    entrants = variants(host, {USUAL: {}, **ways.options})
    against = Part("against_usual", {"device": host.device})
    measured = stages.examine(ways.workload, entrants, share, left, say, against, ways.fewest)
    return [row(ways, name, options, measured) for name, options in ways.options.items()]


def row(ways: Ways, name: str, options: Options, measured: Measurement) -> Advice:
    result = next(row for row in measured.results if row["device"] == name)
    usual = next(row for row in measured.results if row["device"] == USUAL)
    compared = next((row for row in measured.comparisons if row["device"] == name), None)
    dtype = options.get("dtype", "float32")
    advice = blank(ways.kind, ways.workload, ways.device, result["outcome"], detail_of(result), dtype)
    advice["way"] = name
    if "num_threads" in options:
        advice["threads"] = options["num_threads"]
    if compared is None and result["outcome"] == "ok":  # its partner in the race is gone
        gone = usual["detail"], usual["detail_values"]
        return {**advice, "outcome": "skipped", "detail": gone[0], "detail_values": gone[1]}
    if compared is None or usual["step_ms"] is None or result["step_ms"] is None:
        return advice
    run = measured.runs[0]
    advice = {
        **advice,
        "detail": "",
        "detail_values": None,
        "speedup": compared["speedup"],
        "ci95": compared["ci95"],
        "usual_ms": usual["step_ms"],
        "step_ms": result["step_ms"],
        "blocks": compared["pairs"],
        "blocks_ms": {USUAL: run["blocks_ms"][USUAL], name: run["blocks_ms"][name]},
        "stopped": compared["detail"],
    }
    figures = FIGURES.get(ways.kind)
    return {**advice, **figures(advice, run)} if figures else advice


def cost_of_reading(row: Advice, run: Run) -> WayFigures:
    """Milliseconds a step that reading the loss adds."""
    low, high = (row["usual_ms"] * (1 / end - 1) for end in reversed(interval_of(row)))
    return {"cost_ms": row["usual_ms"] * (1 / row["speedup"] - 1), "cost_ci95_ms": [low, high]}


def share_of_copying(row: Advice, run: Run) -> WayFigures:
    """The part of a usual step that goes away when the batches are on the device already."""
    low, high = (1 - 1 / end for end in interval_of(row))
    return {"share": 1 - 1 / row["speedup"], "share_ci95": [low, high]}


def distance_of_losses(row: Advice, run: Run) -> WayFigures:
    """The largest difference from the float32 losses, relative to them, and after how many steps it was looked for."""
    usual, losses = run["losses"][USUAL], run["losses"][row["way"]]
    distances = [
        abs(got - wanted) / abs(wanted)
        for wanted, got in zip(usual, losses, strict=False)
        if wanted is not None and got is not None
    ]
    return {"loss_apart": max(distances), "losses": len(distances)}


FIGURES: dict[str, Callable[[Advice, Run], WayFigures]] = {
    "item": cost_of_reading,
    "copy": share_of_copying,
    "autocast": distance_of_losses,
}


def thread_counts(default: int, performance_cores: int | None = None, efficiency_cores: int | None = None) -> list[int]:
    """Numbers of threads worth a try: doubling up to the physical cores, all of these, the performance cores."""
    fast, slow = performance_cores or default, efficiency_cores or 0
    most = max(fast + slow, default)
    doubled = (2**power for power in range(math.floor(math.log2(most)) + 1))
    return sorted({*doubled, fast, most} - {default})


def best_threads(rows: Sequence[Advice]) -> int | None:
    """The number of threads that is clearly faster on a workload and slower on none; None where the default is best."""
    measured = [row for row in rows if row["kind"] == "threads" and row["outcome"] == "ok"]
    lost = {row["threads"] for row in measured if interval_of(row)[1] < SLOWER}
    ahead = [row for row in measured if interval_of(row)[0] > FASTER and row["threads"] not in lost]
    return max(ahead, key=lambda row: row["speedup"])["threads"] if ahead else None
