"""Whoever is asked, the answer is the same: verdict, its families, the profile, and what a script gets of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import hypothesis
import msgspec
from hypothesis import strategies as st

from helpers import rows
from mpsdoctor.facts.training import Comparison, Result, TimedFacts
from mpsdoctor.formats import rows as tables_of
from mpsdoctor.prescription import prescribe
from mpsdoctor.report import CheckResult, Device, Machine, ProfileNote, Python, Report, Tool, Torch, Verdict
from mpsdoctor.runtime.device import Question
from mpsdoctor.runtime.measured import choose_measured
from mpsdoctor.runtime.profile import fingerprint
from mpsdoctor.verdict import judge
from mpsdoctor.winners import standing_of, workload_table
from mpsdoctor_checks.training import rules

FAMILIES = ("mlp", "cnn", "lstm", "transformer")
DEVICES = ("mps", "cuda:0")


@st.composite
def tables(draw: st.DrawFn) -> TimedFacts:
    """Facts of a training: families in some sizes on up to two accelerators, decided or not, right or wrong."""
    results: list[Result] = []
    comparisons: list[Comparison] = []
    for family in draw(st.lists(st.sampled_from(FAMILIES), min_size=1, unique=True)):
        for size in draw(st.lists(st.sampled_from(("small", "medium", "large")), min_size=1, unique=True)):
            for device in ("cpu", *DEVICES):
                outcome = draw(st.sampled_from(("ok", "ok", "ok", "ok", "skipped", "nan" if device != "cpu" else "ok")))
                results.append(rows.result(device, family, size, outcome))
            good = {row["device"] for row in results[-3:] if row["outcome"] == "ok"}
            both = [device for device in DEVICES if {"cpu", device} <= good and draw(st.booleans())]
            comparisons += [compared(draw, family, size, device) for device in both]
    return {"results": results, "comparisons": comparisons, "runs": [], "conditions": {}, "alone": True}


def compared(draw: st.DrawFn, family: str, size: str, device: str) -> Comparison:
    speedup, spread = draw(st.floats(0.1, 10)), draw(st.floats(0, 2))
    settled = rows.comparison(speedup, (speedup / (1 + spread), speedup * (1 + spread)), device, family, size)
    return {**settled, "winner": draw(st.sampled_from((settled["winner"], "tie"))), "pairs": draw(st.integers(2, 12))}


def report_of(training: TimedFacts) -> Report:
    usable = tuple(Device(name, None, True, None) for name in ("cpu", *DEVICES))
    facts: dict[str, Any] = {"build": {"devices": msgspec.to_builtins(usable)}, "training": training}
    checks = tuple(CheckResult(name, name, "mpsdoctor", "pass", facts=of) for name, of in facts.items())
    verdict = judge(cast(Any, msgspec.to_builtins(usable)), None, training)
    note, moment, torch = ProfileNote(None, False), "2026-01-01T00:00:00Z", Torch("2.13.0")
    tool = Tool("mpsdoctor", "0")
    return Report(tool, moment, 1.0, "quick", Machine(), Python(), torch, usable, checks, verdict, note)


def told_to_a_script(report: Report, workload: str | None) -> str:
    profile = prescribe(report, fingerprint("2.13.0"))
    question = Question(False, workload, None, True, Path("p.json"))
    return choose_measured(profile, question)[0]


@hypothesis.given(tables())
@hypothesis.settings(max_examples=300, deadline=None)
def test_no_two_of_them_contradict_each_other(training: TimedFacts) -> None:
    """A script asking for a family gets what the verdict says of it, and one that asks for none what it recommends."""
    report = report_of(training)
    verdict = report.verdict
    assert verdict is not None
    assert told_to_a_script(report, None) == verdict.device
    for family, device in verdict.by_workload.items():
        assert told_to_a_script(report, family) == device


@hypothesis.given(tables())
@hypothesis.settings(max_examples=300, deadline=None)
def test_the_evidence_says_of_a_family_what_a_script_gets(training: TimedFacts) -> None:
    """Faster is an accelerator's, slower not its, what is open goes with the rest; a winner was seen to win."""
    report = report_of(training)
    verdict = report.verdict
    assert verdict is not None
    for device, standing, families in told_by(verdict):
        for family in families:
            won = verdict.by_workload[family]
            assert {"faster": won != "cpu", "slower": won != device}.get(standing, True)
            assert standing not in ("open", "same") or won == verdict.device or won not in ("cpu", device)
    told = [standing for _, standing, _ in told_by(verdict)]
    assert verdict.device == "cpu" or not told or "faster" in told


def told_by(verdict: Verdict) -> Iterator[tuple[str, str, list[str]]]:
    """What the evidence says: device, standing, families."""
    for told in verdict.values:
        if told["part"] == "evidence":
            for row in told["values"]["groups"]["rows"]:
                families = row["group"]["values"]["families"]["rows"]
                standing = row["group"]["part"].removeprefix("group_")
                yield told["values"]["device"], standing, [family["workload"] for family in families]


@hypothesis.given(tables())
@hypothesis.settings(max_examples=300, deadline=None)
def test_findings_hints_and_tables_call_a_comparison_the_same(training: TimedFacts) -> None:
    """A comparison is in one finding; where nobody won no table gives a figure clear of 1 without saying so."""
    codes = {"MPS501": "faster", "MPS502": "slower", "MPS503": "nobody", "MPS529": "nobody"}
    told = {
        (row["workload"], row["size"], found.values["device"]): codes[found.code]
        for rule in (rules.faster, rules.slower, rules.close, rules.undecided)
        for found in rule(training)
        if found.values is not None
        for row in found.values["rows"]["rows"]
    }
    assert len(told) == len(training["comparisons"])
    for row in training["comparisons"]:
        standing, words = standing_of(row), tables_of.against(row)
        assert told[row["workload"], row["size"], row["device"]] == {"open": "nobody", "same": "nobody"}.get(
            standing, standing
        )
        low, high = row["ci95"]
        assert standing != "open" or "not settled" in words or (low <= 1.05 and high >= 0.95)


@hypothesis.given(tables())
@hypothesis.settings(max_examples=300, deadline=None)
def test_what_is_not_settled_is_nobodys_win(training: TimedFacts) -> None:
    """The profile names the CPU as a winner only where it was seen to win, or where nothing was compared."""
    for family, sizes in workload_table(training).items():
        for size, entry in sizes.items():
            there = [r for r in training["comparisons"] if (r["workload"], r["size"]) == (family, size)]
            if entry["device"] == "cpu" and entry["speedup"] is not None:
                assert any(row["winner"] == "cpu" and row["ci95"][1] < 1 for row in there)


def test_a_tie_is_not_answered_by_a_device_that_the_cpu_beat() -> None:
    """The device of the rest is slower there: who asks for that family gets the CPU, although another came close."""
    ahead = [rows.comparison(8.0, (7.8, 8.2), "cuda:0", "cnn", "small")]
    mlp = [
        rows.comparison(0.5, (0.49, 0.51), "cuda:0", "mlp", "small"),
        rows.comparison(1, (0.99, 1.01), "mps", "mlp", "small"),
    ]
    results = [rows.result(device, family, "small", "ok") for device in ("cpu", *DEVICES) for family in ("cnn", "mlp")]
    training: TimedFacts = {"results": results, "comparisons": ahead + mlp, "runs": [], "conditions": {}, "alone": True}
    verdict = report_of(training).verdict
    assert verdict is not None
    assert (verdict.device, verdict.by_workload) == ("cuda:0", {"cnn": "cuda:0", "mlp": "cpu"})
    assert workload_table(training, None, "cuda:0")["mlp"]["small"]["speedup"] == 0.5
