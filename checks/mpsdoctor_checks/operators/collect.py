"""Runs the plan of probes on the CPU and on every usable accelerator, within this check's share of the budget."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mpsdoctor.check import Context, Skip
from mpsdoctor.support import FALLBACK
from mpsdoctor_checks.operators.examined import BAD, Examined, facts_of
from mpsdoctor_checks.operators.known import annotate
from mpsdoctor_checks.operators.queue import Queue, names

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
EVERY = 0.5  # seconds between two words about progress


def collect(context: Context) -> dict[str, Any]:
    """Facts of this check; raises Skip where there is no torch to examine."""
    accelerators = usable(context.facts.get("build", {}), context.devices)
    share = context.seconds * SELF_TEST_SHARE if accelerators else min(context.seconds, SELF_TEST[context.budget])
    with warming_up(context, accelerators):
        examined = [examine(context, "cpu", share)]
    if examined[0].reason and not examined[0].rows:
        raise Skip(examined[0].reason)
    # importing torch has taken of the share too, but never so much that nothing is probed
    left = max(context.remaining(), context.seconds * LEAST_SHARE)
    examined += [examine(context, device, left / len(accelerators)) for device in accelerators]
    return facts_of(examined)


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
    context.worker(device, strict(device)).call(WARM_UP, timeout=WARM_UP_SECONDS, device=device)


def usable(build: Mapping[str, Any], chosen: tuple[str, ...] | None) -> list[str]:
    """The accelerators that can be probed, of those that were chosen."""
    offered = [one["device"] for one in build.get("devices", ()) if one["usable"] and one["device"] != "cpu"]
    return [device for device in offered if chosen is None or device in chosen]


def strict(device: str) -> dict[str, str]:
    """The environment in which an operator that has no kernel says so."""
    return {FALLBACK: "0"} if kind(device) == "mps" else {}


def kind(device: str) -> str:
    return device.partition(":")[0]


def examine(context: Context, device: str, seconds: float) -> Examined:
    """Probe one device for so many seconds, counted from when its worker is ready."""
    found = Examined(device)
    worker = context.worker(device, strict(device))
    context.progress(f"operators {device}: importing torch")
    answer = worker.call(PLAN, level=context.budget, dtypes=DTYPES[context.budget], device=device)
    if answer.outcome != "ok":
        found.reason = answer.reason
        return found
    found.plan = answer.value
    found.core = frozenset(worker.call(CORE).value or ())
    if device == "cpu":
        warm_up(context, device)
    audited = kind(device) == "mps"
    ask(context, found, seconds * (1 - AUDIT_SHARE if audited else 1))
    if audited:
        audit(context, found, seconds * AUDIT_SHARE)
        wheel = worker.call(WHEEL)
        if wheel.outcome == "ok":
            annotate(found.rows, Path(*wheel.value["parts"]))
        worker.leave()  # nobody else needs this environment, and torch takes half a gigabyte
    return found


def ask(context: Context, found: Examined, seconds: float) -> None:
    """Run probes in order until the time is over, and keep a row of each."""
    begun = told = time.monotonic()
    worker = context.worker(found.device, strict(found.device))
    queue = Queue(found.plan, found.device, begun + seconds)
    for answer in worker.run(queue.jobs()):
        if answer.outcome in ("cancelled", "unavailable"):
            found.reason = answer.reason
            break
        found.rows.append(queue.take(answer))
        now = time.monotonic()
        if now - told >= EVERY:
            told = now
            tell(context, found)
        if now > queue.deadline:
            break
    found.seconds = time.monotonic() - begun
    tell(context, found)


def tell(context: Context, found: Examined) -> None:
    """One line of progress with the figure so far."""
    counts = Counter(row["outcome"] for row in found.rows)
    bad = ", ".join(f"{counts[outcome]} {outcome}" for outcome in BAD if counts[outcome])
    done = len(found.probed)
    text = f"operators {found.device}: {done} of {found.planned}" + (f", {bad}" if bad else "")
    context.progress(text, done, found.planned)


def audit(context: Context, found: Examined, seconds: float) -> None:
    """Ask again, where the CPU may step in, about operators that MPS does not have."""
    missing = [row for row in found.rows if row["outcome"] == "unimplemented"]
    if not missing:
        return
    context.progress(f"operators {found.device}: whether the CPU steps in for {len(missing)} probes")
    worker = context.worker(found.device, {FALLBACK: "1", **STATISTICS})
    if worker.call(WARM_UP, device=found.device).outcome != "ok":  # before the clock starts
        return
    queue = Queue([names(row) for row in missing], found.device, time.monotonic() + seconds)
    rows = {tuple(names(row)): row for row in missing}
    for answer in worker.run(queue.jobs()):
        row = rows[tuple(queue.sent[0])]
        outcome = queue.take(answer)["outcome"]
        if outcome == "skipped":
            continue
        row["fallback"] = outcome in ("ok", "fallback")
        if row["fallback"]:
            row.update(outcome="fallback", detail=f"on the CPU with {FALLBACK}=1; without: {row['detail']}")
    found.fallbacks = fallbacks(worker.leave())


def fallbacks(printed: str) -> dict[str, int]:
    """How often torch itself says that an operator fell back, by name; empty where it says nothing of it.

    A line holds number, runs, mean and total milliseconds, size of the copies, name.
    """
    _, _, table = printed.partition("CPU Fallback Profiling")
    return {op: int(runs) for runs, op in STATISTICS_LINE.findall(table)}
