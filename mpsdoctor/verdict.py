"""From measurements to a recommendation: pure functions over the facts of the checks.

The reasons are what a person reads, in this order: why this device; operators that are wrong on the accelerator; the
evidence, a figure a family; how sure that is, why, and what makes it surer. A device that is wrong in what every
training needs is out. Among the rest the CPU is the default.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from mpsdoctor import sentences, texts, thresholds
from mpsdoctor.doubts import NOTHING_COMPARED, NOTHING_TIMED, TRANSLATED, Doubt, confidence, doubts, explain, unique
from mpsdoctor.facts import assume_shapes, build_facts
from mpsdoctor.facts.build import DeviceFacts, PythonFacts, reason_of
from mpsdoctor.facts.operators import CoreFailure, Operators
from mpsdoctor.facts.training import STEP, Comparison, Result, TimedFacts, no_training
from mpsdoctor.faulty import operators_of, rules_out
from mpsdoctor.report import Facts, Values, Verdict
from mpsdoctor.support.spoken import spoken
from mpsdoctor.texts import Each, Part, Wording
from mpsdoctor.winners import (
    Score,
    best_score,
    device_by_workload,
    is_ahead,
    is_wide,
    results_of,
    ruled_out,
    standing_of,
    sure_speedup,
    workload_table,
)

if TYPE_CHECKING:
    from mpsdoctor.machine.shapes import MachineFacts

TWICE = (1.75, 2.25)  # a ratio that is told as twice; below it percent are told, beyond it times
USUAL_SIZES = ("medium", STEP)  # not worth a word
NAMED = 3  # operators in a sentence; the checks list them all
WRONG = ("wrong", "nan")
FAILED = ("unsupported", "error", "oom")  # does not train, and is not wrong for that


def judge_checkup(facts: Mapping[str, Facts]) -> Verdict | None:
    """The verdict on a check-up, given the facts of its checks by id."""
    checks = assume_shapes(facts)
    build = build_facts(facts)
    machine = checks.get("chip") or build.get("machine") or {}
    verdict = judge(build.get("devices") or [], operators_of(checks), checks.get("training"))
    if verdict and is_translated(machine, build.get("python") or {}):
        return doubt_translation(verdict)
    return verdict


def doubt_translation(verdict: Verdict) -> Verdict:
    """Never sure: what a translated Python measures says nothing about the Mac, and its torch sees no GPU of it."""
    why = explain([TRANSLATED])
    reasons, values = list(verdict.reasons), list(verdict.values)
    reasons.insert(1, str(why))
    values.insert(1, texts.as_data(why))
    return replace(verdict, confidence="low", reasons=tuple(reasons), values=tuple(values))


def give_verdict(
    device: str,
    reasons: Iterable[Part],
    doubts: Sequence[Doubt] = (),
    by_workload: Mapping[str, str] | None = None,
    speedup: float | None = None,
) -> Verdict:
    """A verdict as sure as its doubts allow, with its reasons in words, and what they were filled with."""
    parts = (*reasons, explain(doubts)) if doubts else tuple(reasons)
    words, values = tuple(map(str, parts)), tuple(map(texts.as_data, parts))
    return Verdict(device, confidence(doubts), words, dict(by_workload or {}), speedup, values)


def judge(devices: Sequence[DeviceFacts], operators: Operators | None, training: TimedFacts | None) -> Verdict | None:
    """The verdict; None where no device is usable at all. `devices` as in the report."""
    usable = [entry["device"] for entry in devices if entry["usable"]]
    if not usable:
        return None
    out = ruled_out(operators, training)
    fit = [device for device in usable if device == "cpu" or device not in out]
    exclusions = [why for device in usable if device != "cpu" and device in out for why in why_out(device, out[device])]
    timed = [row for row in results_of(training) if row["outcome"] == "ok"]
    if fit in ([], ["cpu"]):
        return only_cpu(devices, exclusions, operators, training or no_training())
    if not timed:
        return by_policy(fit, exclusions, operators)
    if timed_in_place_of_the_cpu(fit, timed):
        return without_the_cpu(fit, exclusions, operators, training or no_training())
    return by_measurement(exclusions, operators, training or no_training())


def why_out(device: str, proof: Result | Sequence[CoreFailure]) -> list[Part]:
    """In words why a device must not be used: a run of training that failed, or operators that did."""
    if isinstance(proof, Mapping):
        names = {"device": device, "workload": proof["workload"], "size": proof["size"]}
        how = Part(f"trains_{proof['outcome']}", names)
        return [Part("out_training", {**names, "how": how}), Part("out_why", {**names, "why": why(proof)})]
    distinct = unique([{"op": spoken(row["op"]), "outcome": row["outcome"]} for row in proof])
    return [Part("out_operators", {"device": device, **some(Each("failure", distinct[:NAMED], ", "), len(distinct))})]


def some(named: Each, count: int) -> Values:
    """The first of something, and how many more there are."""
    rest = Part("rest", {"more_count": count - NAMED}) if count > NAMED else Part("")
    return {"named": named, "rest": rest}


def only_cpu(
    devices: Sequence[DeviceFacts], exclusions: Sequence[Part], operators: Operators | None, training: TimedFacts
) -> Verdict:
    """Nothing else can be used, which needs no measurement to be sure of."""
    unusable = [
        Part("cannot_be_used", {"device": entry["device"], "why": why_unusable(entry)})
        for entry in devices
        if not entry["usable"]
    ]
    table = device_by_workload(workload_table(training, operators), "cpu")
    families = [family for family, device in table.items() if device == "cpu"]
    trained = Part("not_timed_on_it")
    if families:
        trained = Part("one_trains" if len(families) == 1 else "several_train", {"families": families})
    broken = broken_on_the_cpu(training)
    head = exclusions or [Part("only_usable")]
    reservations = [Doubt(2, (reason,), ("help_findings",)) for reason in broken]
    return give_verdict("cpu", (*head, *unusable, trained), reservations, dict.fromkeys(families, "cpu"))


def broken_on_the_cpu(training: TimedFacts) -> list[Part]:
    return [
        Part("does_not_train_on_cpu", {"workload": row["workload"], "size": row["size"], "why": why(row)})
        for row in results_of(training)
        if row["device"] == "cpu" and row["outcome"] not in ("ok", "skipped")
    ]


def by_policy(fit: Sequence[str], exclusions: Sequence[Part], operators: Operators | None) -> Verdict:
    """Without measurements, as a trainer without a profile: CUDA, the CPU where MPS is there, else the accelerator."""
    others = [device for device in fit if device != "cpu"]
    device = "cuda" if "cuda" in others else "cpu" if "mps" in others else others[0]
    name = {"cuda": "untimed_cuda", "cpu": "untimed_mps"}.get(device, "untimed_other")
    wrong = wrong_operators("mps" if device == "cpu" else device, operators)
    return give_verdict(device, (Part(name, {"device": device}), *wrong, *exclusions), [NOTHING_TIMED])


def timed_in_place_of_the_cpu(fit: Sequence[str], timed: Sequence[Result]) -> bool:
    """Whether only accelerators trained."""
    devices = {row["device"] for row in timed}
    return "cpu" not in devices and not devices.isdisjoint(fit)


def without_the_cpu(
    fit: Sequence[str], exclusions: Sequence[Part], operators: Operators | None, training: TimedFacts
) -> Verdict:
    """The fastest of those that train what the CPU cannot, by the number of things trained, then by the time."""
    timed = [row for row in results_of(training) if row["outcome"] == "ok"]
    rows = {device: [row for row in timed if row["device"] == device] for device in fit}
    device = min(rows, key=lambda device: (-len(rows[device]), sum(row["step_ms"] or 0.0 for row in rows[device])))
    families = device_by_workload(workload_table(training, operators, device), device)
    reasons = (
        *(broken_on_the_cpu(training) or [Part("cpu_not_timed")]),
        *wrong_operators(device, operators),
        *exclusions,
    )
    return give_verdict(device, reasons, [NOTHING_COMPARED], families)


def by_measurement(exclusions: Sequence[Part], operators: Operators | None, training: TimedFacts) -> Verdict:
    """The accelerator that is clearly faster over all settled families, else the CPU."""
    best = best_score(training, operators)
    ahead = best if best and is_ahead(best) else None
    device = ahead.device if ahead else "cpu"
    families = device_by_workload(workload_table(training, operators, device), device)
    if best is None:
        return give_verdict(device, (Part("nothing_compared"), *exclusions), [NOTHING_COMPARED], families)
    reservations = doubts(best, operators, training, device)
    sure = [] if reservations else [Part("sure" if len(best.rows) > 1 else "sure_of_one", {"settled": len(best.rows)})]
    reasons = (because(best), *wrong_operators(best.device, operators), evidence(best, training), *sure)
    given = give_verdict(device, reasons, reservations, families, ahead.speedup if ahead else None)
    return with_more(given, exclusions)


def with_more(verdict: Verdict, more: Sequence[Part]) -> Verdict:
    """The verdict with what is good to know besides."""
    words, values = tuple(map(str, more)), tuple(map(texts.as_data, more))
    return replace(verdict, reasons=verdict.reasons + words, values=verdict.values + values)


def because(score: Score) -> Part:
    """Why an accelerator is recommended or not, as one would say it."""
    device = {"device": score.device}
    if not score.rows:
        return Part("nothing_settled", device)
    standing = thresholds.standing(*score.ci95)
    if standing in ("faster", "slower"):
        return how_much(score.device, score.speedup)
    both = ("faster", "slower")
    families = {name: [row["workload"] for row in score.rows if standing_of(row) == name] for name in both}
    if all(families.values()):
        return Part("faster_for_some", {**device, **families})
    return Part("as_fast" if standing == "same" else "not_clearly_faster", device)


def how_much(device: str, speedup: float) -> Part:
    """A ratio of speeds in words: so many percent, twice, or so many times."""
    direction = "faster" if speedup >= 1 else "slower"
    times = max(speedup, 1 / speedup)
    size = "percent" if times < TWICE[0] else "twice" if times <= TWICE[1] else "times"
    return Part(f"{size}_{direction}", {"device": device, "times": times, "percent": 100 * (times - 1)})


def evidence(score: Score, training: TimedFacts) -> Part:
    """A figure for each family that is settled, the names of the others, and those that the device does not train."""
    groups = []
    for standing in ("faster", "slower", "same", "open"):
        rows = [family(row) for row in (*score.rows, *score.unsettled) if standing_of(row) == standing]
        groups += [Part(f"group_{standing}", {"families": Each(f"family_{standing}", rows, ", ")})] if rows else []
    failed = [row for row in results_of(training) if row["device"] == score.device and row["outcome"] in FAILED]
    broken = unique([{"workload": row["workload"], "outcome": row["outcome"]} for row in failed])
    groups += [Part("group_failed", {"families": Each("family_failed", broken, ", ")})] if broken else []
    return Part("evidence", {"device": score.device, "groups": Each("group", [{"group": group} for group in groups])})


def family(row: Comparison) -> Values:
    """How many times faster or slower, as far as that is sure; the size where it is not the usual one."""
    speedup = sure_speedup(row)
    size = Part("" if row["size"] in USUAL_SIZES else "at_size", {"size": row["size"]})
    bound = Part("at_least" if is_wide(row) else "")
    return {"workload": row["workload"], "times": max(speedup, 1 / speedup), "bound": bound, "at_size": size}


def wrong_operators(device: str, operators: Operators | None) -> list[Part]:
    """What an accelerator computes wrong although no training needs it; the plain case first, as facts have them."""
    results = operators.get("results", ()) if operators else ()
    rows = [row for row in results if row["device"] == device and row["outcome"] in WRONG]
    names = list(dict.fromkeys(spoken(row["op"]) for row in sorted(rows, key=lambda row: row["dtype"] != "float32")))
    named = Each("operator", [{"op": name} for name in names[:NAMED]], ", ")
    probed = [Part("wrong_operators", {"device": device, **some(named, len(names))})] if names else []
    return probed + wrong_issues(device, operators)


def wrong_issues(device: str, operators: Operators | None) -> list[Part]:
    """Known issues that are present on an accelerator and do not rule it out."""
    rows = operators["issues"] if operators and "issues" in operators else []
    ids = [row["id"] for row in rows if row["device"] == device and not rules_out(row)]
    if not ids:
        return []
    named = Each("operator", [{"op": name} for name in ids[:NAMED]], ", ")
    return [Part("wrong_issues", {"device": device, "first": ids[0], **some(named, len(ids))})]


def is_translated(machine: MachineFacts, python: PythonFacts) -> bool:
    """Whether the examined interpreter is an x86_64 one on an Apple chip, whichever the doctor's own is."""
    on_apple = python.get("arch") == "x86_64" and "Apple" in (machine.get("chip") or "")
    return bool(machine.get("translated")) or on_apple


def why_unusable(device: DeviceFacts) -> Wording:
    """The first sentence of the reason."""
    reason = reason_of(device)
    return sentences.shortened_wording(reason) or Part("no_detail") if reason else Part("no_reason")


def why(row: Result) -> Wording:
    """The first sentence of what went wrong."""
    detail = texts.from_values(row["detail"] or "", row.get("detail_values"))
    return sentences.shortened_wording(detail) or Part("no_detail")
