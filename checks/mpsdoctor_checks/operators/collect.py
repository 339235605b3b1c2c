"""Runs the plan of probes on the CPU and on every usable accelerator, within this check's share of the budget."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mpsdoctor.check import Answer, Context, Job, Skip
from mpsdoctor_checks.operators.known import annotate

Row = dict[str, Any]
Probe = list[str]  # entry, aten name, dtype, variant, direction

PLAN, PROBE, CORE, WARM_UP = (f"mpsdoctor_worker.operators:{name}" for name in ("plan", "probe", "core", "warm_up"))
# Bit 64: the profiler prints how often each operator ran on the CPU, when the program ends (torch 2.1 and later).
STATISTICS = {"PYTORCH_MPS_LOG_PROFILE_INFO": "64"}
WHEEL = "mpsdoctor_worker.calltree:wheel"
FALLBACK = "PYTORCH_ENABLE_MPS_FALLBACK"
DTYPES = {
    "quick": ["float32", "float16", "bfloat16"],
    "standard": ["float32", "float16", "bfloat16", "int64", "bool"],
    "thorough": ["float32", "float16", "bfloat16", "int64", "bool"],
}
WARM_UP_SECONDS = 30.0  # Metal's start takes 1.5 s, and longer with a cold cache
PROBE_SECONDS = 10.0  # a first call may compile kernels, which takes a second or two
LOST_SECONDS = 15.0  # one hang or a few crashes do not count against the time of the other probes
RESTART_SECONDS = 3.0  # until another worker has torch, on a busy machine
# Seconds the self-test may take where it is all there is to do, and its share where it is not.
SELF_TEST = {"quick": 1.5, "standard": 10.0, "thorough": 60.0}
SELF_TEST_SHARE, AUDIT_SHARE, LEAST_SHARE = 0.15, 0.2, 0.5
EVERY = 0.5  # seconds between two words about progress
BAD = ("wrong", "nan", "crash", "timeout")


@dataclass
class Examined:
    """What was found out about one device."""

    device: str
    planned: int = 0
    rows: list[Row] = field(default_factory=list)
    seconds: float = 0.0
    core: frozenset[str] = frozenset()
    fallbacks: dict[str, int] = field(default_factory=dict)
    reason: str | None = None  # why nothing, or not all, was probed other than for want of time

    @property
    def skipped(self) -> int:
        return self.planned - len(self.rows)


def collect(context: Context) -> dict[str, Any]:
    """Facts of this check; raises Skip where there is no torch to examine."""
    accelerators = usable(context.facts.get("build", {}), context.devices)
    for device in accelerators:
        context.worker(device, strict(device)).start()  # imports torch while the CPU is examined
    share = context.seconds * SELF_TEST_SHARE if accelerators else min(context.seconds, SELF_TEST[context.budget])
    examined = [examine(context, "cpu", share)]
    if examined[0].reason and not examined[0].rows:
        raise Skip(examined[0].reason)
    # importing torch has taken of the share too, but never so much that nothing is probed
    left = max(context.remaining(), context.seconds * LEAST_SHARE)
    examined += [examine(context, device, left / len(accelerators)) for device in accelerators]
    return facts_of(examined)


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
        found.reason = (answer.detail or answer.outcome).splitlines()[0]
        return found
    plan: list[Probe] = answer.value
    found.planned = len(plan)
    found.core = frozenset(worker.call(CORE).value or ())
    worker.call(WARM_UP, timeout=WARM_UP_SECONDS, device=device)
    audited = kind(device) == "mps"
    ask(context, found, plan, seconds * (1 - AUDIT_SHARE if audited else 1))
    if audited:
        audit(context, found, seconds * AUDIT_SHARE)
        wheel = worker.call(WHEEL)
        if wheel.outcome == "ok":
            annotate(found.rows, Path(*wheel.value["parts"]))
    return found


def ask(context: Context, found: Examined, plan: list[Probe], seconds: float) -> None:
    """Run probes in order until the time is over, and keep a row of each."""
    begun = told = time.monotonic()
    worker = context.worker(found.device, strict(found.device))
    queue = Queue(plan, found.device, begun + seconds)
    for answer in worker.run(queue.jobs()):
        probe = queue.sent[len(found.rows)]
        if answer.outcome in ("cancelled", "unavailable"):
            found.reason = (answer.detail or answer.outcome).splitlines()[0]
            break
        found.rows.append(row_of(probe, found.device, answer))
        if answer.outcome in ("crash", "timeout"):
            queue.mourn(probe, answer.seconds + RESTART_SECONDS)
        now = time.monotonic()
        if now - told >= EVERY:
            told = now
            tell(context, found)
        if now > queue.deadline:
            break
    found.seconds = time.monotonic() - begun
    tell(context, found)


@dataclass
class Queue:
    """Jobs made when their turn comes, until the time is over.

    Each death costs an import of torch, so further probes of an operator that was deadly wait until all others are
    done.
    """

    plan: list[Probe]
    device: str
    deadline: float
    sent: list[Probe] = field(default_factory=list)
    deadly: set[str] = field(default_factory=set)
    lost: float = 0.0

    def jobs(self) -> Iterator[Job]:
        later: list[Probe] = []
        for probe in self.plan:
            if family(probe) in self.deadly:
                later.append(probe)
            elif time.monotonic() <= self.deadline:
                yield self.job(probe)
        for probe in later:
            if time.monotonic() <= self.deadline:
                yield self.job(probe)

    def mourn(self, probe: Probe, seconds: float) -> None:
        """Put off what is like a probe that killed its worker, and give the others back the time it took."""
        self.deadly.add(family(probe))
        given = min(seconds, LOST_SECONDS - self.lost)
        self.lost += given
        self.deadline += given

    def job(self, probe: Probe) -> Job:
        self.sent.append(probe)
        entry, _, dtype, variant, direction = probe
        args = {"entry": entry, "device": self.device, "dtype": dtype, "variant": variant, "direction": direction}
        return Job(PROBE, args, PROBE_SECONDS)


def row_of(probe: Probe, device: str, answer: Answer) -> Row:
    """The result of one probe, also of one whose worker died or hung."""
    if answer.outcome == "ok":
        return dict(answer.value)
    entry, op, dtype, variant, direction = probe
    outcome = answer.outcome if answer.outcome in ("crash", "timeout") else "error"
    probed = {"entry": entry, "op": op, "device": device, "dtype": dtype, "variant": variant}
    return {**probed, "direction": direction, "outcome": outcome, "detail": answer.detail}


def tell(context: Context, found: Examined) -> None:
    """One line of progress with the figure so far."""
    counts = Counter(row["outcome"] for row in found.rows)
    bad = ", ".join(f"{counts[outcome]} {outcome}" for outcome in BAD if counts[outcome])
    done = len(found.rows)
    text = f"operators {found.device}: {done} of {found.planned}" + (f", {bad}" if bad else "")
    context.progress(text, done, found.planned)


def audit(context: Context, found: Examined, seconds: float) -> None:
    """Ask again, where the CPU may step in, about operators that MPS does not have."""
    missing = [row for row in found.rows if row["outcome"] == "unimplemented"]
    if not missing:
        return
    context.progress(f"operators {found.device}: whether the CPU steps in for {len(missing)} probes")
    worker = context.worker(found.device, {FALLBACK: "1", **STATISTICS})
    if worker.call(WARM_UP).outcome != "ok":  # before the clock starts
        return
    again = Queue([names(row) for row in missing], found.device, time.monotonic() + seconds)
    rows = {tuple(names(row)): row for row in missing}
    for place, answer in enumerate(worker.run(again.jobs())):
        row = rows[tuple(again.sent[place])]
        row["fallback"] = row_of(again.sent[place], found.device, answer)["outcome"] in ("ok", "fallback")
        if row["fallback"]:
            row.update(outcome="fallback", detail=f"on the CPU with {FALLBACK}=1; without: {row['detail']}")
    found.fallbacks = fallbacks(worker.leave())


def fallbacks(printed: str) -> dict[str, int]:
    """How often torch itself says that an operator fell back, by name; empty where it says nothing of it."""
    return {op: int(runs) for op, runs in re.findall(r"CPU Fallback::(\S+) \(id=\d+, run=(\d+)", printed)}


def family(probe: Probe) -> str:
    """The operator of a probe; its in-place form dies of the same cause."""
    return probe[1].rstrip("_")


def names(row: Row) -> Probe:
    return [row["entry"], row["op"], row["dtype"], row["variant"], row["direction"]]


def facts_of(examined: list[Examined]) -> dict[str, Any]:
    """Facts of all devices in the form of the report."""
    return {
        "results": [row for one in examined for row in one.rows],
        "summary": {one.device: summary(one) for one in examined},
        "planned": {one.device: one.planned for one in examined},
        "skipped": {one.device: one.skipped for one in examined},
        "probes_per_second": {one.device: rate(one) for one in examined},
        "core_failures": {one.device: core_failures(one) for one in examined if one.device != "cpu"},
        "fallback_statistics": {one.device: one.fallbacks for one in examined if one.fallbacks},
        "not_probed": {one.device: one.reason for one in examined if one.reason},
    }


def summary(one: Examined) -> dict[str, int]:
    counts = dict(Counter(row["outcome"] for row in one.rows))
    return {**counts, "skipped": one.skipped} if one.skipped else counts


def rate(one: Examined) -> float | None:
    return round(len(one.rows) / one.seconds, 1) if one.rows and one.seconds else None


def core_failures(one: Examined) -> list[Row]:
    """What rules a device out: a core operator in float32, in the plain layout, is not right."""
    keys = ("op", "entry", "dtype", "variant", "direction", "outcome", "detail")
    return [
        {key: row[key] for key in keys}
        for row in one.rows
        if row["outcome"] in BAD
        and row["entry"] in one.core
        and (row["dtype"], row["variant"]) == ("float32", "contiguous")
    ]
