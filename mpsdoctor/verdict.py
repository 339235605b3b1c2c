"""From measurements to a recommendation: pure functions over the facts of the checks.

A device that is wrong anywhere is out. Among the rest the CPU is the default; an accelerator has to show, with its
whole interval, that it is more than 5 % faster.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from mpsdoctor import sentences, texts
from mpsdoctor.doubts import NOTHING_COMPARED, STEP, confidence, doubts, unique
from mpsdoctor.facts import assume_shapes, build_facts
from mpsdoctor.facts.build import DeviceFacts, PythonFacts, reason_of
from mpsdoctor.facts.operators import CoreFailure, Operators
from mpsdoctor.facts.training import Comparison, Result, TimedFacts, no_training
from mpsdoctor.report import Confidence, Facts, Values, Verdict
from mpsdoctor.runtime.workloads import SIZES as MEASURED_SIZES
from mpsdoctor.runtime.workloads import answering_size
from mpsdoctor.texts import Each, Part, Wording
from mpsdoctor.thresholds import FASTER, SLOWER, standing

if TYPE_CHECKING:
    from mpsdoctor.machine.shapes import MachineFacts
    from mpsdoctor.runtime.shapes import Measured, Workloads

# Which size a family is judged by, where several were measured; a person's own training step has but one.
SIZES = (*MEASURED_SIZES, STEP)
# A device that does one of these in training is out, however fast it is.
DISQUALIFYING = ("diverged", "nan", "crash", "timeout")
TIE = "tie"  # in place of a device: as fast as the CPU, or not settled
NAMED = 3  # operators or workloads in a sentence; the checks list them all


@dataclass(frozen=True)
class Score:
    """An accelerator against the CPU: the geometric mean over families, and the rows that it comes from."""

    device: str
    speedup: float
    ci95: tuple[float, float]
    rows: tuple[Comparison, ...] = field(repr=False)


def judge_checkup(facts: Mapping[str, Facts]) -> Verdict | None:
    """The verdict on a check-up, given the facts of its checks by id."""
    checks = assume_shapes(facts)
    build = build_facts(facts)
    machine = checks.get("chip") or build.get("machine") or {}
    verdict = judge(build.get("devices") or [], checks.get("operators"), checks.get("training"))
    if verdict and is_translated(machine, build.get("python") or {}):
        return doubt_translation(verdict)
    return verdict


def doubt_translation(verdict: Verdict) -> Verdict:
    """Never sure: what a translated Python measures says nothing about the Mac, and its torch sees no GPU of it."""
    why = Part("rosetta")
    head, *rest = verdict.reasons
    first, *others = verdict.values
    reasons, values = (head, str(why), *rest), (first, texts.as_data(why), *others)
    return replace(verdict, confidence="low", reasons=reasons, values=values)


def give_verdict(
    device: str,
    confidence: Confidence,
    reasons: Iterable[Part],
    by_workload: Mapping[str, str] | None = None,
    speedup: float | None = None,
) -> Verdict:
    """A verdict with its reasons in words, and what they were filled with."""
    parts = tuple(reasons)
    words, values = tuple(map(str, parts)), tuple(map(texts.as_data, parts))
    return Verdict(device, confidence, words, dict(by_workload or {}), speedup, values)


def judge(devices: Sequence[DeviceFacts], operators: Operators | None, training: TimedFacts | None) -> Verdict | None:
    """The verdict; None where no device is usable at all. `devices` as in the report."""
    usable = [entry["device"] for entry in devices if entry["usable"]]
    if not usable:
        return None
    out = ruled_out(operators, training)
    fit = [device for device in usable if device == "cpu" or device not in out]
    reasons = [out[device] for device in usable if device != "cpu" and device in out]
    timed = [row for row in results_of(training) if row["outcome"] == "ok"]
    if fit == ["cpu"]:
        return only_cpu(devices, reasons, timed, training)
    if not timed:
        return by_policy(fit, reasons)
    if timed_in_place_of_the_cpu(fit, timed):
        return without_the_cpu(fit, reasons, timed, training)
    return by_measurement(fit, reasons, operators, training or no_training())


def ruled_out(operators: Operators | None, training: TimedFacts | None) -> dict[str, Part]:
    """Devices that gave wrong numbers or died, each with the reason."""
    reasons: dict[str, Part] = {}
    # Training comes first, for its reason says most.
    for row in results_of(training):
        if row["outcome"] in DISQUALIFYING and row["device"] != "cpu":
            names = {"device": row["device"], "workload": row["workload"], "size": row["size"]}
            how = {"how": Part(f"trains_{row['outcome']}"), "why": why(row)}
            reasons.setdefault(row["device"], Part("out_training", {**names, **how}))
    core_failures = operators["core_failures"] if operators and "core_failures" in operators else None
    for device, failures in (core_failures or {}).items():
        if failures and device != "cpu":
            reasons.setdefault(device, Part("out_operators", {"device": device, **name_some(failures)}))
    return reasons


def results_of(training: TimedFacts | None) -> Sequence[Result]:
    return training.get("results", ()) if training else ()


def only_cpu(
    devices: Sequence[DeviceFacts], reasons: Sequence[Part], timed: Sequence[Result], training: TimedFacts | None
) -> Verdict:
    """Nothing else can be used, which needs no measurement to be sure of."""
    unusable = [
        Part("cannot_be_used", {"device": entry["device"], "why": why_unusable(entry)})
        for entry in devices
        if not entry["usable"]
    ]
    families = list(dict.fromkeys(row["workload"] for row in timed))
    head = Part("only_trusted" if reasons else "only_usable")
    trained = Part("not_timed_on_it")
    if families:
        trained = Part("one_trains" if len(families) == 1 else "several_train", {"families": families})
    broken = broken_on_the_cpu(training)
    sure: Confidence = "low" if broken else "high"
    return give_verdict("cpu", sure, (head, *reasons, *unusable, trained, *broken), dict.fromkeys(families, "cpu"))


def broken_on_the_cpu(training: TimedFacts | None) -> list[Part]:
    return [
        Part(
            "does_not_train_on_cpu",
            {"workload": row["workload"], "size": row["size"], "why": why(row)},
        )
        for row in results_of(training)
        if row["device"] == "cpu" and row["outcome"] not in ("ok", "skipped")
    ]


def by_policy(fit: Sequence[str], reasons: Sequence[Part]) -> Verdict:
    """Without measurements: CUDA, then the CPU where MPS is there, Intel Macs included, else what accelerator there is.

    A check-up that could not time anything is more cautious on an Intel Mac than a trainer without any profile.
    """
    others = [device for device in fit if device != "cpu"]
    if "cuda" in others:
        return give_verdict("cuda", "low", (Part("untimed_cuda"), *reasons))
    if "mps" in others:
        return give_verdict("cpu", "low", (Part("untimed_mps"), *reasons))
    return give_verdict(others[0], "low", (Part("untimed_other", {"device": others[0]}), *reasons))


def timed_in_place_of_the_cpu(fit: Sequence[str], timed: Sequence[Result]) -> bool:
    """Whether only accelerators trained."""
    devices = {row["device"] for row in timed}
    return "cpu" not in devices and not devices.isdisjoint(fit)


def without_the_cpu(
    fit: Sequence[str], reasons: Sequence[Part], timed: Sequence[Result], training: TimedFacts | None
) -> Verdict:
    """The fastest of those that train what the CPU cannot, by the number of things trained, then by the time."""
    rows = {device: [row for row in timed if row["device"] == device] for device in fit}
    device = min(rows, key=lambda device: (-len(rows[device]), sum(row["step_ms"] or 0.0 for row in rows[device])))
    families = dict.fromkeys((row["workload"] for row in rows[device]), device)
    return give_verdict(device, "low", (*broken_on_the_cpu(training), *reasons), families)


def by_measurement(
    fit: Sequence[str], reasons: Sequence[Part], operators: Operators | None, training: TimedFacts
) -> Verdict:
    """The accelerator that is clearly faster over all families, else the CPU."""
    scores = [score for score in (score_of(device, training) for device in fit if device != "cpu") if score]
    ahead = max((s for s in scores if s.ci95[0] > FASTER), key=lambda s: s.speedup, default=None)
    best = ahead or max(scores, key=lambda s: s.speedup, default=None)
    device = ahead.device if ahead else "cpu"
    winners = winner_by_workload(workload_table(training, operators, device))
    reservations = doubts(best.rows, best.ci95, operators, training, device) if best else [NOTHING_COMPARED]
    parts = [*explain_score(ahead, best), *explain_exceptions(device, winners, training, fit), *reasons]
    speedup = ahead.speedup if ahead else None
    # What is nobody's goes with the rest, as `get_optimal_device(workload=…)` answers too.
    table = {family: device if of_family == TIE else of_family for family, of_family in winners.items()}
    return give_verdict(
        device, confidence(reservations), (*parts, *(doubt.reason for doubt in reservations)), table, speedup
    )


def explain_score(ahead: Score | None, best: Score | None) -> list[Part]:
    if best is None:
        return [Part("nothing_compared")]
    if ahead:
        return [Part("faster_overall", figures(ahead))]
    return [Part("slower_overall" if best.ci95[1] < SLOWER else "not_faster_overall", figures(best))]


def figures(score: Score) -> Values:
    """A score with what it comes from."""
    low, high = score.ci95
    rows = [{"workload": row["workload"], "size": row["size"], "speedup": row["speedup"]} for row in score.rows]
    basis = Part("basis_mean", {"families": Each("family_speedup", rows, ", ")})
    if [row["size"] for row in rows] == [STEP]:
        basis = Part("basis_step", {"workload": rows[0]["workload"]})
    return {"device": score.device, "speedup": score.speedup, "low": low, "high": high, "basis": basis}


def explain_exceptions(device: str, winners: Mapping[str, str], training: TimedFacts, fit: Sequence[str]) -> list[Part]:
    """Families that speak for another device than the recommended one, or for none."""
    parts = []
    for family, of_family in winners.items():
        if of_family == device or (of_family == TIE and device == "cpu"):
            continue
        row = deciding_row(family, training, device if of_family in ("cpu", TIE) else of_family, fit)
        speed = {"speedup": row["speedup"], "device": row["device"]} if row else {}
        figure = Part("speed_elsewhere" if row else "", speed)
        name = "better_elsewhere" if of_family != TIE else "tied" if row and is_tied(row) else "not_settled"
        parts.append(Part(name, {"family": family, "winner": of_family, "device": device, "figure": figure}))
    return parts


def is_tied(row: Comparison) -> bool:
    """Whether both devices were seen to be as fast as each other; False where it is not known."""
    return standing(row["ci95"][0], row["ci95"][1]) == "same"


def deciding_row(family: str, training: TimedFacts, device: str, fit: Sequence[str]) -> Comparison | None:
    """The comparison that a family is judged by on a device."""
    rows = {row["size"]: row for row in comparisons(training, device) if row["workload"] == family}
    return next((rows[size] for size in SIZES if size in rows and device in fit), None)


def comparisons(training: TimedFacts, device: str) -> list[Comparison]:
    return [row for row in training.get("comparisons", ()) if row["device"] == device and row["baseline"] == "cpu"]


def winner_by_workload(table: Workloads) -> dict[str, str]:
    """The winner of each family, as a script is told it: one rule, so that the two cannot disagree."""
    return {family: sizes[answering_size(sizes)]["device"] for family, sizes in table.items()}


def winner(rows: Sequence[Comparison]) -> str:
    """The device that was seen to win, or TIE: what is not settled is nobody's, and never the CPU's by default.

    The comparison's own winner counts too: few blocks may agree by chance, and then it is nobody.
    """
    ahead = [row for row in rows if row["winner"] == row["device"] and row["ci95"][0] > FASTER]
    if ahead:
        return max(ahead, key=lambda row: row["speedup"])["device"]
    return "cpu" if all(row["winner"] == row["baseline"] for row in rows) else TIE


def score_of(device: str, training: TimedFacts) -> Score | None:
    """The geometric mean over the families compared, with the mean of their interval ends; None without any."""
    families = dict.fromkeys(row["workload"] for row in comparisons(training, device))
    rows = tuple(row for family in families if (row := deciding_row(family, training, device, (device,))))
    if not rows:
        return None
    low, high = (geometric_mean([row["ci95"][end] for row in rows]) for end in (0, 1))
    return Score(device, geometric_mean([row["speedup"] for row in rows]), (low, high), rows)


def geometric_mean(values: Sequence[float]) -> float:
    return math.exp(math.fsum(map(math.log, values)) / len(values))


def workload_table(
    training: TimedFacts, operators: Operators | None = None, recommended: str | None = None
) -> Workloads:
    """For the profile: by family and size the winner, and the speed of the best accelerator against the CPU.

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
        device = winner(rows)
        row = max((row for row in rows if device in (row["device"], "cpu", TIE)), key=lambda row: row["speedup"])
        entry: Measured = {"device": device, "speedup": row["speedup"], "ci95": list(row["ci95"])}
        table.setdefault(workload, {})[size] = entry
    trained = [row for row in results_of(training) if row["outcome"] == "ok" and row["device"] not in out]
    first = {"cpu": 0, recommended: 1}
    for result in sorted(trained, key=lambda result: first.get(result["device"], 2)):
        alone: Measured = {"device": result["device"], "speedup": None, "ci95": None}
        table.setdefault(result["workload"], {}).setdefault(result["size"], alone)
    return table


def is_translated(machine: MachineFacts, python: PythonFacts) -> bool:
    """Whether the examined interpreter is an x86_64 one on an Apple chip, whichever the doctor's own is."""
    on_apple = python.get("arch") == "x86_64" and "Apple" in (machine.get("chip") or "")
    return bool(machine.get("translated")) or on_apple


def name_some(failures: Iterable[CoreFailure]) -> Values:
    """The first failures, and how many more there are."""
    distinct = unique([{"op": row["op"], "outcome": row["outcome"]} for row in failures])
    rest = Part("rest", {"more_count": len(distinct) - NAMED}) if len(distinct) > NAMED else Part("")
    return {"failures": Each("failure", distinct[:NAMED], ", "), "rest": rest}


def why_unusable(device: DeviceFacts) -> Wording:
    """The first sentence of the reason."""
    reason = reason_of(device)
    return sentences.shortened_wording(reason) or Part("no_detail") if reason else Part("no_reason")


def why(row: Result) -> Wording:
    """The first sentence of what went wrong."""
    detail = texts.from_values(row["detail"] or "", row.get("detail_values"))
    return sentences.shortened_wording(detail) or Part("no_detail")
