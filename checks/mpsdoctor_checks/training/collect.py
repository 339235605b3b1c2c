"""What the check collects, in its order: single operators, the CPU at its best, the workloads, then advice."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from mpsdoctor import texts
from mpsdoctor.check import Context, Skip
from mpsdoctor.facts import assume_shapes, build_facts
from mpsdoctor.facts.advice import Advice
from mpsdoctor.facts.training import Result, Run, TrainingFacts, no_training
from mpsdoctor.machine.shapes import MachineFacts
from mpsdoctor.texts import Part
from mpsdoctor_checks.training import cpu_settings, disturbance, plan, quiet, records, single_operators
from mpsdoctor_checks.training.advice import experiments, growth, hints, ways
from mpsdoctor_checks.training.compiling import ALLOWED, Allowance
from mpsdoctor_checks.training.lanes import Lane, get_ready
from mpsdoctor_checks.training.narrator import Narrator, timing
from mpsdoctor_checks.training.plan import Workload
from mpsdoctor_checks.training.records import Measurement
from mpsdoctor_checks.training.stages import FEWEST_STEPS, examine

AGAIN = {"quick": 1.0, "standard": 2.5, "thorough": 8.0}  # seconds for a race with the CPU's better number of threads


def collect_facts(context: Context) -> Iterator[TrainingFacts]:
    """The facts after each workload and experiment, the last ones with what follows from all."""
    devices = choose_devices(context)
    facts = no_training()
    with context.timing() as alone:
        facts["alone"] = alone
        lanes = {device: Lane(device, context.worker(device)) for device in devices}
        context.workers.close_others([lane.worker for lane in lanes.values()])
        facts["conditions"] = {"before": quiet.wait_for_quiet(context), "between": []}
        for _ in fill(context, lanes, facts):
            yield facts.copy()
        facts["conditions"]["after"] = quiet.idle_conditions()
    disturbances = disturbance.find_disturbances(facts["conditions"])
    facts["disturbances"] = list(map(str, disturbances))
    facts["disturbances_values"] = list(map(texts.as_data, disturbances))
    facts["doubtful"] = alone is False or bool(disturbance.find_disorder(facts["conditions"]))
    if not facts["doubtful"]:
        facts["settings"] = cpu_settings.best_settings(facts["advice"])
        hinted = hints.hints(facts)
        facts["hints"] = list(map(str, hinted))
        facts["hints_values"] = list(map(texts.as_data, hinted))
    yield facts


def choose_devices(context: Context) -> list[str]:
    """The CPU, for it is the baseline, and every usable device asked for; Skip where torch has none."""
    offered = [entry["device"] for entry in context.facts["build"].get("devices", ()) if entry["usable"]]
    wanted = [device for device in offered if device != "cpu" and (not context.devices or device in context.devices)]
    if not (wanted or "cpu" in offered):
        raise Skip(Part("no_usable_device"))
    return ["cpu", *wanted]


def fill(context: Context, lanes: dict[str, Lane], facts: TrainingFacts) -> Iterator[None]:
    """Add to the facts, with a stop after each workload and experiment."""
    get_ready(context, lanes)
    facts["operators"] = single_operators.measure(context, machine_of(context), lanes.values())
    facts["advice"] = choose_cpu_path(context, lanes)
    begun = time.monotonic()
    allowance = Allowance(ALLOWED[context.budget])
    for measured in measure(context, lanes, allowance):
        add(facts, measured)
        facts["conditions"]["between"] += [busy] if (busy := quiet.busy_between()) is not None else []
        yield
    facts["compiling"] = compiling_by_device(facts["runs"])
    facts["advice"] = facts["advice"] + growth.rows(facts["runs"], peaks(facts["results"]))
    for outcome in advise(context, lanes, facts, begun + allowance.total()):
        facts["advice"] = facts["advice"] + outcome.advice
        for family, rows in outcome.batches.items():
            facts["batches"][family] = facts["batches"].get(family, []) + rows
        yield
    for workload, threads in cpu_settings.find_unfair(facts["comparisons"], facts["advice"]):
        again = race_again(context, lanes, workload, threads)
        if again:
            replace_rows(facts, workload, again)
        yield


def add(facts: TrainingFacts, measured: Measurement) -> None:
    facts["results"] = facts["results"] + measured.results
    facts["comparisons"] = facts["comparisons"] + measured.comparisons
    facts["runs"] = facts["runs"] + measured.runs


def replace_rows(facts: TrainingFacts, workload: Workload, measured: Measurement) -> None:
    """Put the rows of a workload that was measured again in place of those it had."""
    facts["results"] = [row for row in facts["results"] if plan.workload_of(row) != workload]
    facts["comparisons"] = [row for row in facts["comparisons"] if plan.workload_of(row) != workload]
    facts["runs"] = [row for row in facts["runs"] if plan.workload_of(row) != workload]
    add(facts, measured)


def choose_cpu_path(context: Context, lanes: dict[str, Lane]) -> list[Advice]:
    """Rows of advice on the CPU's path for convolutions; from then on its lane takes the better one."""
    get_ready(context, lanes)
    say = Narrator(context, cpu_settings.WORKLOAD, Part("trying_device", {"device": "cpu"}))
    return cpu_settings.choose_path(lanes["cpu"], context.budget, say)


def measure(context: Context, lanes: dict[str, Lane], allowance: Allowance) -> Iterator[Measurement]:
    """One workload after the other, as long as there is time; the others are named as left out."""
    seconds = context.seconds * (1 - experiments.KEPT[context.budget])
    aim = seconds * (plan.ALONE if len(lanes) == 1 else 1.0)
    left, spent = plan.workloads(context.budget), 0.0
    total = len(left)
    results: list[Result] = []
    while left:
        get_ready(context, lanes)
        if spent >= seconds:
            spent_all = Part("budget_spent", {"seconds": seconds})
            rows = [records.left_out(workload, lanes, spent_all).results for workload in left]
            yield Measurement([row for of_workload in rows for row in of_workload], [], [])
            return
        why = allowance.refuse(left[0]) or too_slow(left[0], results, seconds - spent)
        if why:
            measured = records.left_out(left[0], lanes, why)
        else:
            share = plan.share_done(left, context.budget) * seconds / context.seconds
            say = Narrator(context, left[0], timing(lanes), list(lanes), total - len(left), total, share)
            begun = time.monotonic()
            measured = examine(left[0], lanes.values(), plan.share(left, aim - spent), seconds - spent, say)
            compiled = measured.runs[0]["compiling_s"]
            allowance.add(left[0], compiled)
            spent += time.monotonic() - begun - sum(compiled.values())
        results += measured.results
        yield measured
        left = left[1:]


def too_slow(workload: Workload, results: Sequence[Result], left: float) -> Part | None:
    """Why a workload cannot be timed in the seconds left, by those before it; None where it may be."""
    needed = FEWEST_STEPS * plan.least_step(workload, results)
    if needed <= left:
        return None
    return Part("steps_too_slow", {"steps": FEWEST_STEPS, "needed": needed, "left": left})


def advise(
    context: Context, lanes: dict[str, Lane], facts: TrainingFacts, begun: float
) -> Iterator[experiments.Outcome]:
    """The experiments, in what is left of the check's seconds; on one device alone in the part kept for them."""
    left = begun + context.seconds - time.monotonic()
    if len(lanes) == 1:
        left = min(left, context.seconds * experiments.KEPT[context.budget])
    build = context.facts["build"]
    machine = machine_of(context)
    cores = machine.get("performance_cores"), machine.get("efficiency_cores")
    bench = experiments.Bench(
        budget=context.budget,
        lanes=lanes,
        results=facts["results"],
        comparisons=facts["comparisons"],
        runs=facts["runs"],
        threads=ways.thread_counts(build.get("num_threads") or 1, *cores),
        end=time.monotonic() + left,
        get_ready=lambda: get_ready(context, lanes),
        narrate=lambda workload, what: Narrator(context, workload, what),
    )
    return experiments.run_all(bench)


def machine_of(context: Context) -> MachineFacts:
    """What is known of the machine; of the build where its own check did not run."""
    facts = assume_shapes(context.facts)
    return facts.get("chip") or build_facts(context.facts).get("machine", {})


def race_again(context: Context, lanes: dict[str, Lane], workload: Workload, threads: int) -> Measurement | None:
    """Another race, with the CPU's better number of threads; None where it fails or does not end in time."""
    get_ready(context, lanes)
    cpu = replace(lanes["cpu"], options={**lanes["cpu"].options, "num_threads": threads})
    lanes = {**lanes, "cpu": cpu}
    seconds = AGAIN[context.budget]
    say = Narrator(context, workload, Part("timing_again", {"devices": list(lanes)}), list(lanes))
    measured = examine(workload, lanes.values(), seconds, 2 * seconds, say)
    return measured if all(row["outcome"] == "ok" for row in measured.results) else None


def compiling_by_device(runs: Sequence[Run]) -> dict[str, float]:
    """Seconds that each device took to compile first steps."""
    seconds: dict[str, float] = {}
    for run in runs:
        for device, spent in run["compiling_s"].items():
            seconds[device] = round(seconds.get(device, 0.0) + spent, 3)
    return seconds


def peaks(results: Sequence[Result]) -> dict[tuple[str, str, str], int | None]:
    return {(row["workload"], row["size"], row["device"]): row["peak_memory_bytes"] for row in results}
