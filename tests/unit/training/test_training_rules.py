"""Findings of timed training, from facts."""

from __future__ import annotations

from typing import Any

import pytest

from helpers import rows
from mpsdoctor import texts
from mpsdoctor.check import Answer, Finding, Job
from mpsdoctor.facts.conditions import Conditions
from mpsdoctor.facts.training import Comparison
from mpsdoctor_checks.training import disturbance
from mpsdoctor_checks.training.lanes import explain
from mpsdoctor_checks.training.rules import RULES, by_cause

QUIET: Conditions = {
    "load_1m": 0.1,
    "cpu_percent": 2.0,
    "pressure": "normal",
    "swap_in_bytes": 5,
    "swap_out_bytes": 5,
    "thermal_state": "nominal",
    "low_power": False,
    "on_battery": False,
}


def row(device: str = "mps", outcome: str = "ok", detail: str = "", **figures: Any) -> Any:
    return {**rows.result(device, outcome=outcome, detail=detail), **figures}


def comparison(speedup: float, winner: str, pairs: int = 8) -> Comparison:
    return rows.comparison(speedup, (speedup * 0.9, speedup * 1.1), winner=winner, pairs=pairs)


def facts(**given: Any) -> Any:
    empty: dict[str, Any] = {"results": [row("cpu"), row()], "comparisons": [], "runs": [], "alone": True}
    return {**empty, "conditions": {}, "disturbances": [], **given}


def findings(**given: Any) -> dict[str, Finding]:
    found = [finding for rule in RULES for finding in rule(facts(**given))]
    return {finding.code: finding for finding in found}


def test_all_well_says_nothing() -> None:
    """Steady times on a quiet machine give no finding but the comparison."""
    assert findings() == {}


@pytest.mark.parametrize(
    ("speedup", "winner", "pairs", "code"),
    [
        (3.1, "mps", 8, "MPS501"),
        (0.2, "cpu", 3, "MPS502"),
        (1.01, "tie", 8, "MPS503"),
        (0.505, "tie", 3, "MPS529"),
    ],
)
def test_comparisons_carry_numbers_and_interval(speedup: float, winner: str, pairs: int, code: str) -> None:
    """Faster, slower, too close to call and not settled are told with ratio and interval, as information."""
    found = findings(comparisons=[comparison(speedup, winner, pairs)])
    assert set(found) == {code}
    assert found[code].severity == "info"
    assert f"{speedup:.3g} times ({speedup * 0.9:.3g} to {speedup * 1.1:.3g})" in found[code].detail


@pytest.mark.parametrize(
    ("outcome", "code", "severity", "title"),
    [
        ("diverged", "MPS510", "error", "mps trains cnn medium to other numbers than the CPU"),
        ("nan", "MPS511", "error", "mps trains cnn medium to NaN or infinity"),
        ("crash", "MPS512", "error", "training cnn medium on mps kills the process"),
        ("timeout", "MPS513", "error", "training cnn medium on mps does not come to an end"),
        ("oom", "MPS514", "warning", "mps runs out of memory on cnn medium"),
        ("unsupported", "MPS515", "warning", "mps lacks something that cnn medium needs"),
        ("error", "MPS516", "error", "training cnn medium on mps fails"),
    ],
)
def test_failures_name_workload_and_step(outcome: str, code: str, severity: str, title: str) -> None:
    """Each way to fail has its code, names the workload, and keeps the evidence."""
    found = findings(results=[row("cpu"), row(outcome=outcome, detail="loss nan at step 7\nlast words")])
    finding = found[code]
    assert (finding.severity, finding.title) == (severity, title)
    assert "step 7" in finding.detail
    assert "last words" not in finding.detail
    assert "last words" in finding.evidence["workloads"]["cnn medium"]
    assert finding.remedy is not None


def test_one_device_is_told_with_its_figures() -> None:
    """With the CPU alone the step times stand in place of a comparison."""
    found = findings(results=[row("cpu")])
    assert set(found) == {"MPS504"}
    assert "10.0 ms (9.80 ms to 10.2 ms)" in found["MPS504"].detail


def test_what_was_left_out_is_said() -> None:
    """Workloads that did not fit the budget are named with the reason."""
    found = findings(results=[row("cpu"), row(outcome="skipped", detail="0 s were left")])
    assert set(found) == {"MPS505"}
    assert "cnn medium: 0 s were left" in found["MPS505"].detail


def test_another_timed_run_is_a_warning() -> None:
    """Two timed runs at once falsify both."""
    assert findings(alone=False)["MPS520"].severity == "warning"


def test_disturbances_are_a_warning() -> None:
    """What else was going on is flagged."""
    found = findings(disturbances=["low power mode was on"])
    assert found["MPS521"].severity == "warning"
    assert "low power mode was on" in found["MPS521"].detail


def test_wide_intervals_are_said() -> None:
    """Half an interval of 30 % is told with its number."""
    found = findings(results=[row("cpu"), row(ci95_ms=[7.0, 13.0])])
    assert "± 30%" in found["MPS522"].detail


def run(first: list[float], settled: bool = True) -> Any:
    warm = {"mps": {"steps": 40, "seconds": 0.3, "settled": settled}}
    return {"workload": "cnn", "size": "medium", "first_steps_ms": {"mps": first}, "warm_up": warm}


def test_a_slow_start_is_measured() -> None:
    """Ten first steps of 300 ms before steps of 10 ms are found and counted."""
    found = findings(runs=[run([300.0] * 10)])
    assert found["MPS523"].title.endswith("needs 3.0 s for the first steps of 1 workload")
    assert "cnn medium 3.0 s" in found["MPS523"].detail
    assert "MPS523" not in findings(runs=[run([12.0] * 10)])


def test_times_that_did_not_settle_are_said() -> None:
    """A warm-up that ran out of time is told, by device."""
    assert "cnn medium (40 steps in 0.3 s)" in findings(runs=[run([10.0], settled=False)])["MPS524"].detail


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pressure": "critical"}, "memory pressure was 'critical'"),
        ({"thermal_state": "serious"}, "thermal state was 'serious'"),
        ({"swap_out_bytes": 200 << 20}, "200 MiB were swapped out"),
        ({"low_power": True}, "low power mode"),
        ({"on_battery": True}, "battery"),
    ],
)
def test_each_condition_that_spoils_a_timing(change: Conditions, words: str) -> None:
    """Pressure, heat, swapping, low power and battery are each seen."""
    sentences = list(map(str, disturbance.find_disturbances({"before": QUIET, "after": {**QUIET, **change}})))
    assert len(sentences) == 1
    assert words in sentences[0]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_load_by_others_spoils_a_run(moment: str) -> None:
    """Load while the check does nothing is that of others; the average over a minute holds its own work."""
    working: Conditions = {**QUIET, "load_1m": 6.0}
    busy: Conditions = {**working, "cpu_percent": 60.0}
    moments: Any = {"before": working, "after": working, moment: busy}
    assert disturbance.find_disturbances({"before": QUIET, "after": working}) == []
    sentences = list(map(str, disturbance.find_disturbances(moments)))
    assert sentences == [f"other programs took 60 % of the processors just {moment} the run"]
    named: Any = {**moments, moment: {**busy, "programs": [{"name": "Google Chrome", "percent": 96.0}]}}
    (sentence,) = disturbance.find_disturbances(named)
    assert str(sentence) == f"Google Chrome took 96 % of a processor just {moment} the run"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cpu_percent": 60.0, "programs": [{"name": "Xcode", "percent": 240.0}]}, "Close Xcode. Run it again"),
        ({"cpu_percent": 60.0, "programs": []}, "Close what works in the background. Run it again"),
        (
            {"low_power": True, "on_battery": True},
            "Turn low power mode off (System Settings, Battery). Plug the machine",
        ),
    ],
)
def test_a_disturbance_is_told_with_what_to_do(change: Conditions, words: str) -> None:
    """The program to close by its name, the mode to leave, the plug."""
    conditions: Any = {"before": {**QUIET, **change}, "after": QUIET}
    seen = [str(part) for part in disturbance.find_disturbances(conditions)]
    remedy = findings(conditions=conditions, disturbances=seen)["MPS521"].remedy
    assert remedy is not None
    assert remedy.text.startswith(words)


def test_unknown_conditions_spoil_nothing() -> None:
    """What the system does not tell is no disturbance."""
    unknown: Any = dict.fromkeys(QUIET)
    assert disturbance.find_disturbances({"before": unknown, "after": unknown}) == []
    assert disturbance.find_disturbances({}) == []


@pytest.mark.parametrize(
    ("kind", "message", "outcome"),
    [
        ("RuntimeError", "MPS backend out of memory (MPS allocated: 7.9 GB)", "oom"),
        ("OutOfMemoryError", "CUDA", "oom"),
        ("NotImplementedError", "The operator 'aten::foo' is not currently implemented", "unsupported"),
        ("TypeError", "MPS framework doesn't support float64", "unsupported"),
        ("RuntimeError", "User specified an unsupported autocast device_type 'mps'", "unsupported"),
        ("RuntimeError", "shape mismatch", "error"),
    ],
)
def test_errors_are_told_apart(kind: str, message: str, outcome: str) -> None:
    """Out of memory and unsupported are not mere errors."""
    value = {"type": kind, "message": message, "traceback": ""}
    found, detail = explain(Answer(Job("m:f"), "error", value))
    assert found == outcome
    assert message in str(detail)


@pytest.mark.parametrize("outcome", ["crash", "timeout"])
def test_deaths_keep_their_name(outcome: Any) -> None:
    """A crash is a crash, with its last words."""
    assert explain(Answer(Job("m:f"), outcome, None, "SIGABRT")) == (outcome, "SIGABRT")


def test_a_failure_with_a_known_message_names_its_cause() -> None:
    """The finding says what the message is a sign of, and how to read more."""
    failed: Any = [{"workload": "cnn", "size": "small", "detail": "RuntimeError: Invalid buffer size: 19.45 GB"}]
    told = "cnn small: RuntimeError: Invalid buffer size: 19.45 GB (One tensor is larger than a Metal buffer may be:"
    words = texts.Words("en", texts.texts("en")["MPS516"].parts)
    filled = words.fill("{it}", {"it": by_cause(failed, "mps")})
    assert filled.startswith(told)
    assert "explain" not in words.fill("{it}", {"it": by_cause(failed, "cpu")})
