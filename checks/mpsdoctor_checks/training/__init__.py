"""Small models really trained on every usable device, in turn, until it is clear which one is faster."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mpsdoctor.check import Context, Finding, Skip
from mpsdoctor_checks.training import cpu_settings, disturbance, plan, quiet, records
from mpsdoctor_checks.training.advice import experiments, growth, hints, ways
from mpsdoctor_checks.training.advice.rules import RULES as ADVICE_RULES
from mpsdoctor_checks.training.compiling import ALLOWED, Allowance
from mpsdoctor_checks.training.item import FEWEST_STEPS, examine
from mpsdoctor_checks.training.lanes import Failed, Lane
from mpsdoctor_checks.training.narrator import Narrator, timing
from mpsdoctor_checks.training.rules import RULES

id = "training"
title = "Training steps timed on each device"
needs = ("build",)
seconds = {"quick": 3.0, "standard": 34.0, "thorough": 180.0}
patience = 300.0  # torch's optimizers import its compiler, X

IMPORT = 180.0  # seconds; torch's optimizers import its compiler, from a cold disk over a minute
AGAIN = {"quick": 1.0, "standard": 2.5, "thorough": 8.0}  # seconds for a race with the CPU's better number of threads

Facts = dict[str, Any]


def run(context: Context) -> Iterator[Finding | Facts]:
    """Facts grow with each workload, so that what was measured stays if a later one takes the check down."""
    devices = chosen(context)
    facts: Facts = {"results": [], "comparisons": [], "runs": [], "conditions": {}, "alone": None}
    facts |= {"advice": [], "batches": {}, "compiling": {}, "settings": {}, "hints": [], "doubtful": False}
    with context.timing() as alone:
        facts["alone"] = alone
        lanes = {device: Lane(device, context.worker(device)) for device in devices}
        context.workers.close_others([lane.worker for lane in lanes.values()])
        facts["conditions"] = {"before": quiet.wait_for_quiet(context), "between": []}
        for _ in collect(context, lanes, facts):
            yield dict(facts)
        facts["conditions"]["after"] = quiet.idle_conditions()
    facts["disturbances"] = disturbance.seen(facts["conditions"])
    facts["doubtful"] = alone is False or bool(disturbance.disorder(facts["conditions"]))
    if not facts["doubtful"]:
        facts["settings"] = cpu_settings.best_settings(facts["advice"])
        facts["hints"] = hints.told(facts)
    yield facts
    for rule in (*RULES, *ADVICE_RULES):
        yield from rule(facts)


def collect(context: Context, lanes: dict[str, Lane], facts: Facts) -> Iterator[None]:
    """Add to the facts: the CPU at its best, the workloads, then advice; a stop after each that took its time."""
    facts["advice"] = choose_cpu_path(context, lanes)
    begun = time.monotonic()
    allowance = Allowance(ALLOWED[context.budget])
    for found in measure(context, lanes, allowance):
        for key, rows in found.items():
            facts[key] = facts[key] + rows
        facts["conditions"]["between"] += [busy] if (busy := quiet.busy_between()) is not None else []
        yield
    facts["compiling"] = compiling_by_device(facts["runs"])
    facts["advice"] = facts["advice"] + growth.rows(facts["runs"], peaks(facts["results"]))
    for found in advise(context, lanes, facts, begun + allowance.total()):
        facts["advice"] = facts["advice"] + found["advice"]
        for family, rows in found.get("batches", {}).items():
            facts["batches"][family] = facts["batches"].get(family, []) + rows
        yield
    for item, threads in cpu_settings.unfair(facts):
        facts |= race_again(context, lanes, facts, item, threads)
        yield


def chosen(context: Context) -> list[str]:
    """The CPU, for it is the baseline, and every usable device asked for; Skip where torch has none."""
    offered = [entry["device"] for entry in context.facts["build"].get("devices", ()) if entry["usable"]]
    wanted = [device for device in offered if device != "cpu" and (not context.devices or device in context.devices)]
    if not (wanted or "cpu" in offered):
        raise Skip("no device is usable")
    return ["cpu", *wanted]


def choose_cpu_path(context: Context, lanes: dict[str, Lane]) -> list[Facts]:
    """Rows of advice on the CPU's path for convolutions; from then on its lane takes the better one."""
    get_ready(context, lanes)
    return cpu_settings.choose_path(lanes["cpu"], context.budget, Narrator(context, cpu_settings.ITEM, "trying cpu"))


def measure(context: Context, lanes: dict[str, Lane], allowance: Allowance) -> Iterator[Facts]:
    """One item after the other, as long as there is time; the others are named as left out."""
    seconds = context.seconds * (1 - experiments.KEPT[context.budget])
    aim = seconds * (plan.ALONE if len(lanes) == 1 else 1.0)
    left, spent = plan.items(context.budget), 0.0
    total = len(left)
    timed: list[Facts] = []
    while left:
        get_ready(context, lanes)
        if spent >= seconds:
            why = f"the {seconds:.0f} s of this budget went to more telling workloads"
            yield {"results": [skipped(item, device, why) for item in left for device in lanes]}
            return
        needed = FEWEST_STEPS * plan.least_step(left[0], timed)
        why = allowance.refuse(left[0])
        if why:
            found = {"results": [skipped(left[0], device, why) for device in lanes]}
        elif needed > seconds - spent:
            why = f"{FEWEST_STEPS} steps on each device take {needed:.2g} s or more, {seconds - spent:.2g} s were left"
            found = {"results": [skipped(left[0], device, why) for device in lanes]}
        else:
            say = Narrator(context, left[0], timing(lanes), list(lanes), total - len(left), total)
            begun = time.monotonic()
            found = examine(left[0], lanes, plan.share(left, aim - spent), seconds - spent, say)
            compiled = found["runs"][0]["compiling_s"]
            allowance.add(left[0], compiled)
            spent += time.monotonic() - begun - sum(compiled.values())
        timed += found["results"]
        yield found
        left = left[1:]


def get_ready(context: Context, lanes: dict[str, Lane]) -> None:
    """Import what a step needs into each new worker, also after a death; counted against no workload."""
    waiting = [lane for lane in lanes.values() if not lane.ready and not lane.out]
    for lane in waiting:
        lane.worker.start()
    for lane in waiting:
        context.progress(f"getting {lane.device} ready")
        try:
            lane.told = lane.ask("ready", IMPORT)
            lane.ready = True
        except Failed as failed:
            lane.out = f"the worker of {lane.device} did not start: {failed.detail}"


def advise(context: Context, lanes: dict[str, Lane], facts: Facts, begun: float) -> Iterator[Facts]:
    """The experiments, in what is left of the check's seconds; on one device alone in the part kept for them."""
    left = begun + context.seconds - time.monotonic()
    if len(lanes) == 1:
        left = min(left, context.seconds * experiments.KEPT[context.budget])
    build = context.facts["build"]
    machine_facts = context.facts.get("chip") or build.get("machine") or {}
    bench = experiments.Bench(
        budget=context.budget,
        lanes=lanes,
        facts=facts,
        threads=ways.thread_counts(build.get("num_threads") or 1, machine_facts),
        end=time.monotonic() + left,
        get_ready=lambda: get_ready(context, lanes),
        narrate=lambda item, what: Narrator(context, item, f"trying {what}"),
    )
    return experiments.experiments(bench)


def race_again(context: Context, lanes: dict[str, Lane], facts: Facts, item: plan.Item, threads: int) -> Facts:
    """The rows of `facts`, those of an item from another race, with the CPU's better number of threads.

    They stay as they are where that race fails or does not end in time.
    """
    get_ready(context, lanes)
    lanes = {**lanes, "cpu": replace(lanes["cpu"], options={**lanes["cpu"].options, "num_threads": threads})}
    seconds = AGAIN[context.budget]
    say = Narrator(context, item, f"{timing(lanes)} again", list(lanes))
    found = examine(item, lanes, seconds, 2 * seconds, say)
    if any(row["outcome"] != "ok" for row in found["results"]):
        return {}
    return {key: [row for row in facts[key] if plan.item_of(row) != item] + found[key] for key in found}


def compiling_by_device(runs: list[Facts]) -> dict[str, float]:
    """Seconds that each device took to compile first steps."""
    found: dict[str, float] = {}
    for run in runs:
        for device, spent in run["compiling_s"].items():
            found[device] = round(found.get(device, 0.0) + spent, 3)
    return found


def peaks(results: list[Facts]) -> dict[tuple[str, str, str], int | None]:
    return {(row["workload"], row["size"], row["device"]): row["peak_memory_bytes"] for row in results}


def skipped(item: plan.Item, device: str, why: str) -> Facts:
    return records.blank(item, device, "skipped", f"left out, {why}")
