"""Runs the plan of probes on the CPU and on every usable accelerator, within this check's share of the budget."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from mpsdoctor.check import Context, Skip, typed
from mpsdoctor.facts import build_facts
from mpsdoctor.facts.build import Build
from mpsdoctor.facts.operators import ProbeFacts, detail_of
from mpsdoctor.support import FALLBACK
from mpsdoctor.texts import Each, Part
from mpsdoctor.worker.shapes import PlannedProbe, Wheel
from mpsdoctor_checks.operators.judgements import put_detail
from mpsdoctor_checks.operators.known import annotate
from mpsdoctor_checks.operators.queue import Queue, probe_of
from mpsdoctor_checks.operators.results import BAD, DeviceResults, facts_of

PLAN, CORE, WARM_UP = (f"mpsdoctor_worker.operators.probes:{name}" for name in ("plan", "core", "warm_up"))
# Bit 64: the profiler prints how often each operator ran on the CPU, when the program ends (torch 2.1 and later).
STATISTICS = {"PYTORCH_MPS_LOG_PROFILE_INFO": "64"}
STATISTICS_LINE = re.compile(r"^\s*\d+\s+(\d+)\s+[\d.]+\s+[\d.]+\s+.+?\s(\w+::\S+)$", re.MULTILINE)
WHEEL = "mpsdoctor_worker.steps.calltree:wheel"
DTYPES = {
    "quick": ["float32", "float16", "bfloat16"],
    "standard": ["float32", "float16", "bfloat16", "int64", "bool"],
    "thorough": ["float32", "float16", "bfloat16", "int64", "bool"],
}
WARM_UP_SECONDS = 20.0  # Metal's start takes 1.5 s, and longer with a cold cache
# Seconds the self-test may take where it is all there is to do, and its share where it is not.
SELF_TEST = {"quick": 1.5, "standard": 10.0, "thorough": 60.0}
SELF_TEST_SHARE, AUDIT_SHARE, LEAST_SHARE = 0.15, 0.2, 0.5
PROGRESS_SECONDS = 0.5  # between two words about progress


def collect(context: Context) -> ProbeFacts:
    """Facts of this check; raises Skip where there is no torch to examine."""
    accelerators = usable_accelerators(build_facts(context.facts), context.devices)
    share = context.seconds * SELF_TEST_SHARE if accelerators else min(context.seconds, SELF_TEST[context.budget])
    with warming_up(context, accelerators):
        self_test = examine(context, "cpu", share, (0.0, SELF_TEST_SHARE if accelerators else 1.0))
    if self_test.reason and not self_test.rows:
        raise Skip(self_test.reason)
    # importing torch has taken of the share too, but never so much that nothing is probed
    left = max(context.remaining(), context.seconds * LEAST_SHARE)
    seconds, width = left / max(1, len(accelerators)), (1 - SELF_TEST_SHARE) / max(1, len(accelerators))
    begins = {device: SELF_TEST_SHARE + number * width for number, device in enumerate(accelerators)}
    others = [examine(context, device, seconds, (begin, begin + width)) for device, begin in begins.items()]
    return facts_of([self_test, *others])


@contextlib.contextmanager
def warming_up(context: Context, devices: list[str]) -> Iterator[None]:
    """Import torch for some devices and run a first call there, meanwhile; it ends when all have."""
    threads = [threading.Thread(target=warm_up, args=(context, device)) for device in devices]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.join()


def warm_up(context: Context, device: str) -> None:
    """Metal starts at its first call, which must not be paid from the time of the probes."""
    context.worker(device, strict_environment(device)).call(WARM_UP, timeout=WARM_UP_SECONDS, device=device)


def usable_accelerators(build: Build, chosen: tuple[str, ...] | None) -> list[str]:
    """The accelerators that can be probed, of those that were chosen."""
    devices = [device["device"] for device in build.get("devices", ()) if device["usable"]]
    offered = [device for device in devices if device != "cpu"]
    return [device for device in offered if chosen is None or device in chosen]


def strict_environment(device: str) -> dict[str, str]:
    """The environment in which an operator without a kernel raises an error and does not fall back."""
    return {FALLBACK: "0"} if device_kind(device) == "mps" else {}


def device_kind(device: str) -> str:
    return device.partition(":")[0]


def examine(context: Context, device: str, seconds: float, part: tuple[float, float] = (0.0, 1.0)) -> DeviceResults:
    """Probe one device for so many seconds, counted from when its worker is ready; that is a `part` of the check."""
    results = DeviceResults(device, part=part)
    worker = context.worker(device, strict_environment(device))
    context.progress(Part("importing_torch_for", {"device": device}))
    answer = worker.call(PLAN, level=context.budget, dtypes=DTYPES[context.budget], device=device)
    if answer.outcome != "ok":
        results.reason = answer.reason
        return results
    results.plan = typed(answer, list[PlannedProbe])
    results.core = frozenset(worker.call(CORE).value or ())
    if device == "cpu":
        warm_up(context, device)
    audited = device_kind(device) == "mps"
    run_probes(context, results, seconds * (1 - AUDIT_SHARE if audited else 1))
    if audited:
        audit(context, results, seconds * AUDIT_SHARE)
        wheel = worker.call(WHEEL)
        if wheel.outcome == "ok":
            annotate(results.rows, Path(*typed(wheel, Wheel)["parts"]))
        worker.leave()  # nobody else needs this environment, and torch takes half a gigabyte
    return results


def run_probes(context: Context, results: DeviceResults, seconds: float) -> None:
    """Run probes in order until the time is over, and keep a row of each."""
    begun = reported = time.monotonic()
    worker = context.worker(results.device, strict_environment(results.device))
    queue = Queue(results.plan, results.device, begun + seconds)
    for answer in worker.run(queue.jobs()):
        if answer.outcome in ("cancelled", "unavailable"):
            results.reason = answer.reason
            break
        results.rows.append(queue.take(answer))
        now = time.monotonic()
        if now - reported >= PROGRESS_SECONDS:
            reported = now
            report_progress(context, results)
        if now > queue.deadline:
            break
    results.seconds = time.monotonic() - begun
    report_progress(context, results)


def report_progress(context: Context, results: DeviceResults) -> None:
    """One line of progress with the figure so far."""
    counts = Counter(row["outcome"] for row in results.rows)
    bad = {outcome: counts[outcome] for outcome in BAD if counts[outcome]}
    done = len(results.probed)
    values = {"device": results.device, "done": done, "outcomes": count_outcomes(bad)}
    context.progress(Part("probing", values), done, results.planned, share=results.share_done)


def count_outcomes(counts: Mapping[str, int]) -> Part:
    """As in `, 2 wrong, 1 nan`."""
    rows = [{"count": count, "outcome": outcome} for outcome, count in counts.items()]
    return Part("outcome_counts", {"counts": Each("outcome_count", rows, ", ")}) if rows else Part("")


def audit(context: Context, results: DeviceResults, seconds: float) -> None:
    """Probe again, where the CPU may step in, what MPS does not have."""
    missing = [row for row in results.rows if row["outcome"] == "unimplemented"]
    if not missing:
        return
    context.progress(Part("auditing", {"device": results.device, "count": len(missing)}))
    worker = context.worker(results.device, {FALLBACK: "1", **STATISTICS})
    if worker.call(WARM_UP, device=results.device).outcome != "ok":  # before the clock starts
        return
    queue = Queue([probe_of(row) for row in missing], results.device, time.monotonic() + seconds)
    rows = {probe_of(row): row for row in missing}
    for answer in worker.run(queue.jobs()):
        row = rows[queue.sent[0]]
        outcome = queue.take(answer)["outcome"]
        if outcome == "skipped":
            continue
        row["fallback"] = outcome in ("ok", "fallback")
        if row["fallback"]:
            row["outcome"] = "fallback"
            put_detail(row, Part("helped_by", {"setting": f"{FALLBACK}=1", "what": detail_of(row)}))
    results.fallbacks = parse_fallbacks(worker.leave())


def parse_fallbacks(printed: str) -> dict[str, int]:
    """How often an operator fell back by torch's own count, by name; empty where torch prints none.

    A line holds number, runs, mean and total milliseconds, size of the copies, name.
    """
    _, _, table = printed.partition("CPU Fallback Profiling")
    return {op: int(runs) for runs, op in STATISTICS_LINE.findall(table)}
