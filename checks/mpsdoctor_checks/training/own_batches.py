"""`bench --step FILE.py:FUNC --find-batch`: the largest batch size that fits without swapping, and the fastest one.

Devices are examined one after the other, each alone with the memory. A size that kills its worker, or takes too much,
costs that size: the next one is tried in a fresh process.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mpsdoctor import machine, texts
from mpsdoctor.check import Collected, Context, Finding, OwnCodeError, Skip, finding, typed
from mpsdoctor.facts.batches import BatchFacts, BatchTry, DeviceBatches
from mpsdoctor.texts import Part, Wording, check_title
from mpsdoctor.thresholds import FASTER
from mpsdoctor.worker.shapes import Block, MemoryLimits, WarmUp
from mpsdoctor_checks import training
from mpsdoctor_checks.operators.model import Target
from mpsdoctor_checks.training import batch_limits, batch_plan, lanes, own_step, stages
from mpsdoctor_checks.training.batch_limits import Limit
from mpsdoctor_checks.training.batch_plan import Tried
from mpsdoctor_checks.training.collect import choose_devices
from mpsdoctor_checks.training.lanes import Failed, Lane
from mpsdoctor_checks.training.statistics import interval, median
from mpsdoctor_checks.training.trial import DeviceRun

LIMITS = "mpsdoctor_worker.training.memory:limits"
RELEASE = "mpsdoctor_worker.training.sessions:release"
BLOCKS = 5  # at a size
SIZES = 16  # that the time of a device should hold
FEWEST_STEPS = 8  # that a size takes at least: the first one, some to warm up, a step a block
# After these the next size gets a fresh process: what one has held at most never falls again.
SPOILS = ("over", "swapped", "crash", "timeout")
PATIENCE = 60.0  # seconds for jobs that make no step
id = training.id
title = check_title("batch_sizes")
needs = training.needs
seconds = {"quick": 20.0, "standard": 60.0, "thorough": 300.0}
timed = True


@dataclass
class Search:
    """The sizes tried on a device, in the order of time; `traceback` is of the person's code where it raised last.

    `starting` are seconds that fresh processes took until torch was imported.
    """

    device: str
    limit: Limit
    rows: list[BatchTry] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    traceback: str = ""
    stopped: Wording = ""
    starting: float = 0.0

    def seconds_for(self, batch: int) -> float:
        """What a size takes at least, by the largest one that was timed; 0 before."""
        timed = [row for row in self.rows if row["step_ms"] and row["batch"] <= batch]
        if not timed:
            return 0.0
        last = max(timed, key=lambda row: row["batch"])
        return FEWEST_STEPS * (last["step_ms"] or 0.0) / 1e3 * batch / last["batch"]


def examine(
    context: Context,
    wanted: Target,
    name: str,
    longest: float,
    begin: Callable[[Context], object] = lambda context: None,
    most_bytes: int | None = None,
) -> Collected:
    """Facts and findings about batch sizes of a step, called `name`; `most_bytes` is all it may take on any device.

    UnusableRequestError where the file is not as it should be, OwnCodeError where its code fails on every device.
    """
    devices = choose_devices(context)
    if context.devices and "cpu" not in context.devices:
        devices.remove("cpu")  # nothing is compared with it
    begin(context)
    share = context.seconds / len(devices)
    with context.timing():
        searches = [search(context, device, wanted, longest, share, most_bytes) for device in devices]
    refuse_what_never_ran(searches, wanted)
    facts: BatchFacts = {"step": str(wanted), "workload": name, "batch_search": list(map(conclude, searches))}
    return {**facts}, [found for row in facts["batch_search"] for found in findings_of(row)]


def search(
    context: Context, device: str, wanted: Target, longest: float, seconds: float, most_bytes: int | None
) -> Search:
    """Try sizes until the answer is known or the time is over; importing torch does not count."""
    lane = Lane(device, context.worker(device))
    context.workers.close_others([lane.worker])
    before = machine.memory()
    lanes.get_ready(context, {device: lane})
    if lane.out:
        return Search(device, Limit(None, None), stopped=lane.out)
    told = typed(lane.worker.call(LIMITS, timeout=PATIENCE, device=device), MemoryLimits)
    found = Search(device, batch_limits.of_device(device, told, before, most_bytes))
    begun = time.monotonic()
    while not found.stopped:
        batch, clear = batch_plan.choose(found.tried, found.limit.bytes)
        left = begun + seconds + found.starting - time.monotonic()
        if batch is None:
            found.stopped = Part("batches_known" if clear or not all(t.fits for t in found.tried) else "batches_most")
            found.rows += [ruled_out(*clear)] if clear else []
        elif found.tried and (left <= 0 or found.seconds_for(batch) > left):
            found.stopped = Part("batches_out_of_time", {"batch": batch})
        else:
            context.progress(Part("trying_batch", {"device": device, "batch": batch}))
            attempt(context, found, lane, wanted, longest, batch, seconds / SIZES)
    return found


def attempt(
    context: Context, found: Search, lane: Lane, wanted: Target, longest: float, batch: int, share: float
) -> None:
    """Train with a batch size for a moment, and keep what came of it."""
    before = machine.memory()
    run = DeviceRun(lane)
    try:
        began = time.monotonic()
        lanes.get_ready(context, {lane.device: lane})
        found.starting += time.monotonic() - began
        own_step.prepare(run, wanted, longest, batch=batch)
        row = time_size(run, batch, share, own_step.PATIENCE * longest)
        row = judge(row, found.limit, batch_limits.swapped_bytes(before, machine.memory()))
        lane.worker.call(RELEASE, timeout=PATIENCE)
    except Failed as failed:
        if str(failed.detail).startswith("cancelled"):
            raise Skip(Part("cancelled")) from None
        row, found.traceback = blank(batch, failed.outcome, failed.detail), failed.traceback
    found.rows.append(row)
    found.tried.append(Tried(batch, row["outcome"] == "ok", row["bytes"]))
    if row["outcome"] in SPOILS:
        lane.worker.leave()
        lane.ready = False
    lane.out, lane.deaths = "", 0


def time_size(run: DeviceRun, batch: int, share: float, patience: float) -> BatchTry:
    """The time of a step and the most memory it took. Failed."""
    lane = run.lane
    warm: WarmUp = lane.ask("warm_up", patience, seconds=share / 2)
    step = warm["step_seconds"] or 0.0
    length = min(stages.LONGEST, max(stages.SHORTEST, share / 2 / BLOCKS))
    steps = max(1, int(length / step)) if step else 1
    blocks: list[float] = []
    peak: int | None = None
    for _ in range(BLOCKS):
        block: Block = lane.ask("block", patience, steps=steps)
        blocks.append(block["seconds"] / block["steps"])
        peak = block["peak_bytes"]
    low, high = interval(blocks)
    return {
        **blank(batch, "ok", ""),
        "bytes": peak,
        "step_ms": 1e3 * median(blocks),
        "samples_per_s": batch / median(blocks),
        "ci95": [batch / high, batch / low],
    }


def judge(row: BatchTry, limit: Limit, swapped: int) -> BatchTry:
    """The same row; a size that ran does not fit where it took too much, or made the machine swap."""
    if limit.bytes is not None and row["bytes"] is not None and row["bytes"] > limit.bytes:
        return say_why(row, "over", Part("batch_over", {"bytes": row["bytes"], "limit": limit.bytes}))
    return say_why(row, "swapped", Part("batch_swapped", {"bytes": swapped})) if swapped else row


def ruled_out(batch: int, expected: float) -> BatchTry:
    """The row of a size that was not run."""
    row = blank(batch, "predicted", Part("batch_predicted", {"bytes": expected}))
    return {**row, "bytes": math.ceil(expected)}


def say_why(row: BatchTry, outcome: str, why: Part) -> BatchTry:
    return {**row, "outcome": outcome, "detail": str(why), "detail_values": texts.as_values(why)}


def blank(batch: int, outcome: str, detail: Wording) -> BatchTry:
    """A row without figures."""
    return {
        "batch": batch,
        "outcome": outcome,
        "bytes": None,
        "step_ms": None,
        "samples_per_s": None,
        "ci95": None,
        "detail": str(detail),
        "detail_values": texts.as_values(detail),
    }


def conclude(found: Search) -> DeviceBatches:
    """The answer for a device."""
    largest = batch_plan.largest(found.tried)
    fastest = fastest_of([row for row in found.rows if row["outcome"] == "ok" and row["batch"] <= largest])
    return {
        "device": found.device,
        "largest": largest or None,
        "settled": getattr(found.stopped, "name", "") == "batches_known",
        "fastest": fastest["batch"] if fastest else None,
        "samples_per_s": fastest["samples_per_s"] if fastest else None,
        "ci95": fastest["ci95"] if fastest else None,
        "limit_bytes": found.limit.bytes,
        "limit_from": found.limit.source,
        "stopped": str(found.stopped),
        "stopped_values": texts.as_values(found.stopped),
        "tries": sorted(found.rows, key=lambda row: row["batch"]),
    }


def fastest_of(rows: Sequence[BatchTry]) -> BatchTry | None:
    """The smallest size that no larger one beats by more than 5 % in samples a second: a larger one costs memory."""
    best = max((row["samples_per_s"] or 0.0 for row in rows), default=0.0)
    near = [row for row in rows if FASTER * (row["samples_per_s"] or 0.0) >= best]
    return min(near, key=lambda row: row["batch"], default=None)


def findings_of(row: DeviceBatches) -> list[Finding]:
    """What was found on a device."""
    device, limit = row["device"], Part(f"limit_{row['limit_from'] or 'none'}", {"bytes": row["limit_bytes"]})
    stopped = texts.from_values(row["stopped"], row["stopped_values"])
    if row["largest"] is None or row["fastest"] is None:
        first = next((each for each in row["tries"] if each["detail"]), None)
        why = texts.from_values(first["detail"], first["detail_values"]) if first else stopped
        return [finding("MPS534", "warning", {"device": device}, device=device, why=why, limit=limit)]
    evidence = {"device": device, "largest": row["largest"], "fastest": row["fastest"]}
    largest = Part("exactly" if row["settled"] else "at_least", {"batch": row["largest"]})
    figures: dict[str, Any] = {"largest": largest, "fastest": row["fastest"], "rate": row["samples_per_s"]}
    return [finding("MPS533", "info", evidence, device=device, stopped=stopped, limit=limit, **figures)]


def refuse_what_never_ran(searches: Sequence[Search], wanted: Target) -> None:
    """OwnCodeError where the code fails at every size on every device; Skip where no worker starts."""
    rows = [row for found in searches for row in found.rows]
    if not rows:
        raise Skip(searches[0].stopped)
    if all(row["outcome"] in ("error", "unsupported") for row in rows):
        first = rows[0]["detail"]
        traceback = next((found.traceback for found in searches if found.traceback), "")
        raise OwnCodeError(first if wanted.file.name in first else f"{wanted}: {first}", traceback)
