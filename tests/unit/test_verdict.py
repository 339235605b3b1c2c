"""The verdict over tables of facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import rows
from mpsdoctor.facts.build import DeviceFacts
from mpsdoctor.facts.operators import OperatorRow, ProbeFacts
from mpsdoctor.facts.training import Comparison, Result, TimedFacts
from mpsdoctor.runtime.shapes import Workloads
from mpsdoctor.verdict import judge, judge_checkup
from mpsdoctor.winners import workload_table
from mpsdoctor_checks.operators.results import facts_of

FAMILIES = ("cnn", "transformer", "mlp", "lstm")
CPU: DeviceFacts = {"device": "cpu", "name": None, "usable": True, "reason": None}
RIGHT = cast(OperatorRow, {"op": "aten::mm", "device": "cpu", "dtype": "float32", "outcome": "ok"})
PROBED: ProbeFacts = {**facts_of([]), "results": [RIGHT]}


def usable(*names: str) -> list[DeviceFacts]:
    others: list[DeviceFacts] = [{**CPU, "device": name} for name in names]
    return [CPU, *others]


def result(device: str, workload: str, size: str, outcome: str = "ok", steps: int = 100) -> Result:
    return rows.result(
        device, workload, size, outcome, detail="" if outcome == "ok" else f"{outcome} at step 7", steps=steps
    )


def against(device: str, workload: str, size: str, speedup: float, spread: float) -> Comparison:
    return rows.comparison(speedup, (speedup / (1 + spread), speedup * (1 + spread)), device, workload, size)


def failing(device: str, op: str, outcome: str) -> ProbeFacts:
    """Facts with a core operator that is not right on a device."""
    names = {"entry": "mm", "dtype": "float32", "variant": "contiguous", "direction": "forward", "detail": ""}
    failure: Any = {**names, "op": op, "outcome": outcome}
    return {**PROBED, "core_failures": {device: [failure], "cpu": []}}


def timed(results: list[Result], comparisons: list[Comparison] | None = None) -> TimedFacts:
    return {"results": results, "comparisons": comparisons or [], "runs": [], "conditions": {}, "alone": True}


def training(device: str = "mps", size: str = "medium", spread: float = 0.02, **speedups: float) -> TimedFacts:
    """Facts of families with their speed-ups on a device."""
    return of_speedups(speedups, spread, device, size)


def of_speedups(
    speedups: Mapping[str, float], spread: float = 0.02, device: str = "mps", size: str = "medium"
) -> TimedFacts:
    results = [result(each, family, size) for family in speedups for each in ("cpu", device)]
    rows = [against(device, family, size, speedup, spread) for family, speedup in speedups.items()]
    return timed(results, rows)


def both(first: TimedFacts, second: TimedFacts) -> TimedFacts:
    return {
        **first,
        "results": [*first["results"], *second["results"]],
        "comparisons": [*first["comparisons"], *second["comparisons"]],
    }


FAST = training(cnn=4.0, transformer=3.0, mlp=2.0, lstm=1.5)
SLOW = training(cnn=0.3, transformer=0.5, mlp=0.2, lstm=0.1)


def winners(table: Workloads) -> set[str]:
    """The devices that a profile's table names."""
    return {entry["device"] for sizes in table.values() for entry in sizes.values()}


def test_clearly_faster_wins() -> None:
    """A device that is faster on every family is recommended, with its mean and then a figure a family."""
    verdict = judge(usable("mps"), PROBED, FAST)
    assert verdict is not None
    assert (verdict.device, verdict.confidence) == ("mps", "high")
    assert verdict.by_workload == dict.fromkeys(FAMILIES, "mps")
    figures = "cnn 4\u00d7, transformer 3\u00d7, mlp 2\u00d7, lstm 1.5\u00d7 faster"
    assert verdict.reasons == (
        "it is about 2.4 times as fast as the CPU",
        f"mps against the CPU: {figures}",
        "sure, for 4 families are settled and nothing disturbed the timing",
    )


def test_clearly_slower_loses() -> None:
    """A device that is slower on every family leaves the CPU, with high confidence."""
    verdict = judge(usable("mps"), PROBED, SLOW)
    assert verdict is not None
    assert (verdict.device, verdict.confidence) == ("cpu", "high")
    assert set(verdict.by_workload.values()) == {"cpu"}
    assert verdict.reasons[0] == "mps takes about 4.3 times as long"


def test_a_tie_is_the_cpu() -> None:
    """Within 5 % the CPU is kept, everywhere."""
    verdict = judge(usable("mps"), PROBED, training(cnn=1.0, transformer=1.02, mlp=0.98, lstm=1.01))
    assert verdict is not None
    assert verdict.device == "cpu"
    assert set(verdict.by_workload.values()) == {"cpu"}


def test_overlap_lowers_the_confidence() -> None:
    """Where every interval reaches across the 5 % nothing is settled: the CPU, not surely, and what helps."""
    verdict = judge(usable("mps"), PROBED, training(spread=0.3, cnn=1.2, transformer=1.2, mlp=1.2, lstm=1.2))
    assert verdict is not None
    assert (verdict.device, verdict.confidence) == ("cpu", "low")
    assert verdict.reasons == (
        "it is not settled whether mps is faster",
        "mps against the CPU: not settled: cnn, transformer, mlp, lstm",
        "why only low: no family is settled. What helps: mpsdoctor --budget thorough",
    )


@pytest.mark.parametrize("outcome", ["diverged", "nan", "crash", "timeout"])
def test_fast_but_wrong_is_out(outcome: str) -> None:
    """Whatever its speed, a device that trains one workload wrongly or dies is out, and the reason names it."""
    facts = both(FAST, timed([result("mps", "lstm", "small", outcome)]))
    verdict = judge(usable("mps"), PROBED, facts)
    assert verdict is not None
    assert (verdict.device, verdict.confidence) == ("cpu", "high")
    assert set(verdict.by_workload.values()) == {"cpu"}
    assert verdict.reasons[0].startswith("mps is out, it ")
    assert verdict.reasons[1] == f"lstm small on mps: {outcome} at step 7"
    assert winners(workload_table(facts)) == {"cpu"}


def test_wrong_operators_rule_a_device_out() -> None:
    """A core operator that gave wrong numbers is as bad as a training that did."""
    operators = failing("mps", "aten::cumsum", "wrong")
    verdict = judge(usable("mps"), operators, FAST)
    assert verdict is not None
    assert verdict.device == "cpu"
    assert any("cumsum (wrong)" in reason for reason in verdict.reasons)
    assert winners(workload_table(FAST, operators)) == {"cpu"}
    assert workload_table(FAST, PROBED)["cnn"]["medium"]["device"] == "mps"


def test_the_only_device_asked_for_may_be_out() -> None:
    """Where only an accelerator was asked for and it is wrong, the answer is the CPU all the same."""
    verdict = judge(usable("mps")[1:], failing("mps", "aten::softmax", "wrong"), None)
    assert verdict is not None
    assert verdict.device == "cpu"
    assert verdict.reasons[0] == "mps is out, it fails at what every training needs: softmax (wrong)"


def test_the_next_best_device_is_taken() -> None:
    """With the fastest out, the other accelerator is judged on its own figures."""
    crashed = timed([result("mps", "cnn", "small", "crash")])
    facts = both(both(FAST, training("xpu", cnn=2.0, transformer=2.0, mlp=2.0, lstm=2.0)), crashed)
    verdict = judge(usable("mps", "xpu"), PROBED, facts)
    assert verdict is not None
    assert verdict.device == "xpu"
    assert set(verdict.by_workload.values()) == {"xpu"}


def test_devices_are_treated_alike() -> None:
    """The name of an accelerator changes nothing: CUDA that is slower loses too, an unknown one that is faster wins."""
    for name in ("mps", "cuda", "xpu", "sim"):
        slow = judge(usable(name), PROBED, training(name, cnn=0.5, transformer=0.5, mlp=0.5, lstm=0.5))
        fast = judge(usable(name), PROBED, training(name, cnn=2.5, transformer=2.5, mlp=2.5, lstm=2.5))
        assert slow is not None
        assert fast is not None
        assert (slow.device, fast.device) == ("cpu", name)


# What people reported of Macs: seconds (of the auto-encoder iterations a second) on the CPU and on MPS, as in FACTS,
# and single operators by their median CPU/MPS over 17 chips.
REPORTED = {
    "MNIST auto-encoder, M1 Max": (1 / 498, 1 / 97, "cpu"),
    "ResNet on CIFAR-10, M3 Air": (24.4, 5.1, "mps"),
    "GPT-Mini": (20.8, 13.1, "mps"),
    "supervised fine-tuning": (4.8, 1.3, "mps"),
    "sum of a million elements": (0.21, 1, "cpu"),
    "gather of 1,000": (0.32, 1, "cpu"),
    "scatter of 1,000": (0.36, 1, "cpu"),
    "batched matrix-vector": (0.86, 1, "cpu"),
    "ReLU of 2.1 million": (1.39, 1, "mps"),
    "matmul of 1 GFLOP": (2.64, 1, "mps"),
    "conv2d 100x28x28x3": (3.28, 1, "mps"),
    "matmul of 4 GFLOP": (26, 1, "mps"),
}


def test_every_reported_case_has_its_reported_winner() -> None:
    """All of them measured on one machine: each has its own winner, in the verdict and in the profile's table."""
    facts = of_speedups({name: cpu / mps for name, (cpu, mps, _) in REPORTED.items()})
    verdict = judge(usable("mps"), PROBED, facts)
    assert verdict is not None
    assert verdict.by_workload == {name: won for name, (_, _, won) in REPORTED.items()}
    assert {name: sizes["medium"]["device"] for name, sizes in workload_table(facts).items()} == verdict.by_workload


@pytest.mark.parametrize("name", REPORTED)
def test_every_reported_case_decides_alone(name: str) -> None:
    """Someone who measured nothing but that case is given its winner; if the interval were wide, the CPU."""
    cpu, mps, won = REPORTED[name]
    close = judge(usable("mps"), PROBED, of_speedups({name: cpu / mps}))
    wide = judge(usable("mps"), PROBED, of_speedups({name: cpu / mps}, 25))
    assert close is not None
    assert wide is not None
    assert (close.device, wide.device) == (won, "cpu")


def test_reported_autoencoder_and_resnet() -> None:
    """MNIST auto-encoder, 498 against 97 it/s for the CPU (M1 Max); ResNet, 24.4 against 5.1 s for MPS (M3 Air)."""
    verdict = judge(usable("mps"), PROBED, training(mlp=97 / 498, cnn=24.4 / 5.1))
    assert verdict is not None
    assert verdict.by_workload == {"mlp": "cpu", "cnn": "mps"}
    assert verdict.device == "cpu"
    assert verdict.reasons[:2] == (
        "mps is faster for cnn, slower for mlp",
        "mps against the CPU: cnn 4.8\u00d7 faster; mlp 5.1\u00d7 slower",
    )


@pytest.mark.parametrize(("cpu", "mps"), [(20.8, 13.1), (4.8, 1.3)])
def test_reported_transformers(cpu: float, mps: float) -> None:
    """GPT-Mini, 20.8 against 13.1 s, and a fine-tuning step, 4.8 against 1.3 s: both for MPS."""
    verdict = judge(usable("mps"), PROBED, training(transformer=cpu / mps))
    assert verdict is not None
    assert verdict.by_workload == {"transformer": "mps"}
    assert verdict.device == "mps"
    assert verdict.confidence == "low", "one family of four was compared"


def test_ones_own_step_is_judged_by_itself() -> None:
    """A step of one's own needs no families and no medium size to be believed; it is named, not its mean."""
    verdict = judge(usable("mps"), PROBED, training(size="step", mine=3.0))
    assert verdict is not None
    assert (verdict.device, verdict.confidence, verdict.by_workload) == ("mps", "high", {"mine": "mps"})
    assert verdict.reasons[:2] == (
        "it is about 3 times as fast as the CPU",
        "mps against the CPU: mine 3\u00d7 faster",
    )


def test_what_only_an_accelerator_trains_is_its() -> None:
    """Where the CPU fails and another device does not, that one is recommended, and why is told."""
    failed: Result = {**result("cpu", "mine", "step", "error"), "detail": "needs flash attention"}
    trained: Result = {**result("mps", "mine", "step"), "step_ms": 3.0}
    facts = timed([failed, trained])
    verdict = judge(usable("mps", "xpu"), PROBED, facts)
    assert verdict is not None
    assert (verdict.device, verdict.confidence, verdict.by_workload) == ("mps", "low", {"mine": "mps"})
    assert verdict.reasons[0] == "mine step does not train on the CPU: needs flash attention"
    assert workload_table(facts) == {"mine": {"step": {"device": "mps", "speedup": None, "ci95": None}}}


def test_medium_size_decides() -> None:
    """Slow on small models and fast on medium ones is fast; the table keeps both."""
    small = training(size="small", cnn=0.3, transformer=0.3, mlp=0.3, lstm=0.3)
    facts = both(small, FAST)
    verdict = judge(usable("mps"), PROBED, facts)
    assert verdict is not None
    assert (verdict.device, verdict.confidence) == ("mps", "high")
    table = workload_table(facts)
    assert (table["cnn"]["small"]["device"], table["cnn"]["medium"]["device"]) == ("cpu", "mps")
    assert table["cnn"]["medium"]["speedup"] == 4.0


def test_small_sizes_alone_are_less_sure() -> None:
    """Where medium was not measured small decides, with less confidence and a reason."""
    verdict = judge(usable("mps"), PROBED, training(size="small", cnn=3.0, transformer=3.0, mlp=3.0, lstm=3.0))
    assert verdict is not None
    assert (verdict.device, verdict.confidence) == ("mps", "medium")
    assert any("only small models were timed" in reason for reason in verdict.reasons)
    facts = both(training(cnn=3.0, transformer=3.0, mlp=3.0), training(size="small", lstm=3.0))
    verdict = judge(usable("mps"), PROBED, facts)
    assert verdict is not None
    assert any("measured below medium size: lstm" in reason for reason in verdict.reasons)


def test_pressure_lowers_the_confidence() -> None:
    """Timings under memory pressure are flagged, not trusted; two doubts leave little."""
    facts: TimedFacts = {**FAST, "disturbances": ["memory pressure was 'critical' after the run"]}
    verdict = judge(usable("mps"), PROBED, facts)
    assert verdict is not None
    assert (verdict.device, verdict.confidence) == ("mps", "medium")
    again = judge(usable("mps"), PROBED, {**facts, "alone": False})
    assert again is not None
    assert again.confidence == "low"


def test_operators_not_probed_lower_the_confidence() -> None:
    """An accelerator whose operators nobody probed is recommended less surely; the CPU needs no probes."""
    fast, slow = judge(usable("mps"), None, FAST), judge(usable("mps"), None, SLOW)
    assert fast is not None
    assert slow is not None
    assert (fast.confidence, slow.confidence) == ("medium", "high")


def test_few_steps_lower_the_confidence() -> None:
    """A verdict that rests on a handful of steps says so."""
    facts: TimedFacts = {**FAST, "results": [{**row, "steps": 5} for row in FAST["results"]]}
    verdict = judge(usable("mps"), PROBED, facts)
    assert verdict is not None
    assert verdict.confidence == "medium"
    assert any("few steps were timed" in reason for reason in verdict.reasons)


def test_a_family_that_does_not_run_stays_on_the_cpu() -> None:
    """Unsupported is not wrong: the device may win, that family is the CPU's, and confidence falls."""
    unsupported = timed([result("cpu", "lstm", "medium"), result("mps", "lstm", "medium", "unsupported")])
    verdict = judge(usable("mps"), PROBED, both(training(cnn=3.0, transformer=3.0, mlp=3.0), unsupported))
    assert verdict is not None
    assert (verdict.device, verdict.confidence) == ("mps", "medium")
    assert verdict.by_workload["lstm"] == "cpu"
    assert any("lstm (unsupported)" in reason for reason in verdict.reasons)


@pytest.mark.parametrize(
    ("names", "expected"),
    [(("cuda",), "cuda"), (("cuda", "xpu"), "cuda"), (("mps",), "cpu"), (("xpu",), "xpu")],
)
def test_without_measurements_the_policy_decides(names: tuple[str, ...], expected: str) -> None:
    """CUDA first, on any Mac the CPU although MPS is there, elsewhere what there is: never surely."""
    verdict = judge(usable(*names), PROBED, None)
    assert verdict is not None
    assert (verdict.device, verdict.confidence) == (expected, "low")
    assert "no training was timed" in verdict.reasons[0]


def test_without_measurements_wrong_operators_still_count() -> None:
    """A CUDA device whose core operators failed is not recommended by the policy either."""
    operators = failing("cuda", "aten::mm", "crash")
    verdict = judge(usable("cuda"), operators, None)
    assert verdict is not None
    assert verdict.device == "cpu"


def test_only_the_cpu_needs_no_measurement() -> None:
    """Where nothing else is usable the CPU is sure, and the reason says why the other is not."""
    devices: list[DeviceFacts] = [
        CPU,
        {"device": "mps", "name": None, "usable": False, "reason": "macOS 12.0 is too old"},
    ]
    verdict = judge(devices, None, None)
    assert verdict is not None
    assert (verdict.device, verdict.confidence) == ("cpu", "high")
    assert any("macOS 12.0 is too old" in reason for reason in verdict.reasons)


def test_a_cpu_that_cannot_train_is_doubted() -> None:
    """If training fails on the CPU too, it is recommended for want of another, and said so."""
    facts = timed([result("cpu", "cnn", "small", "nan")])
    verdict = judge([CPU], None, facts)
    assert verdict is not None
    assert verdict.confidence == "low"
    assert any("cnn small does not train on the CPU" in reason for reason in verdict.reasons)


def test_no_device_no_verdict() -> None:
    """Without torch there is nothing to recommend."""
    assert judge([], None, None) is None
    assert judge_checkup({}) is None


def test_checkup_facts_are_found() -> None:
    """The verdict on a check-up reads the facts of its checks by id; MPS has to be measured on any Mac."""
    build = {"devices": usable("mps")}
    chip = {"os": "Darwin", "arch": "x86_64", "chip": "Apple M1", "translated": True}
    policy = judge_checkup({"build": build, "chip": chip})
    measured = judge_checkup({"build": build, "chip": chip, "operators": {**PROBED}, "training": {**FAST}})
    intel = judge_checkup({"build": build, "chip": {"os": "Darwin", "arch": "x86_64", "chip": "Intel i9"}})
    assert policy is not None
    assert measured is not None
    assert intel is not None
    assert (policy.device, measured.device, intel.device) == ("cpu", "mps", "cpu")


@pytest.mark.parametrize(
    ("chip", "python", "sure"),
    [
        ({"arch": "x86_64", "chip": "Apple M1", "translated": True}, {"arch": "x86_64"}, "low"),
        ({"arch": "arm64", "chip": "Apple M1", "translated": False}, {"arch": "x86_64"}, "low"),
        ({"arch": "arm64", "chip": "Apple M1", "translated": False}, {"arch": "arm64"}, "high"),
        ({"arch": "x86_64", "chip": "Intel i9", "translated": False}, {"arch": "x86_64"}, "high"),
    ],
)
def test_a_translated_python_is_never_sure(chip: dict[str, Any], python: dict[str, Any], sure: str) -> None:
    """The doctor's own or the examined one: what Rosetta translates says nothing about the Mac."""
    found = judge_checkup({"build": {"devices": usable(), "python": python}, "chip": {"os": "Darwin", **chip}})
    assert found is not None
    assert (found.device, found.confidence) == ("cpu", sure)
    assert any("Rosetta" in reason for reason in found.reasons) == (sure == "low")


@given(st.dictionaries(st.sampled_from(FAMILIES), st.floats(0.05, 20), min_size=1), st.floats(0.0, 0.5))
def test_a_recommended_accelerator_has_shown_it(speedups: dict[str, float], spread: float) -> None:
    """Whatever the figures, a family has a device of its own only where the whole interval leaves the 5 % band."""
    facts = of_speedups(speedups, spread)
    verdict = judge(usable("mps"), PROBED, facts)
    assert verdict is not None
    for family, speedup in speedups.items():
        shown = "mps" if speedup / (1 + spread) > 1.05 else "cpu" if speedup * (1 + spread) < 0.95 else verdict.device
        assert verdict.by_workload[family] == shown
    if all(winner == "mps" for winner in verdict.by_workload.values()):
        assert verdict.device == "mps"
    if all(speedup < 1 for speedup in speedups.values()):
        assert verdict.device == "cpu"


def test_what_was_timed_on_the_cpu_alone_is_the_cpus() -> None:
    """A machine without an accelerator answers for each family that was trained, without a figure it cannot have."""
    training = timed([row for row in FAST["results"] if row["device"] == "cpu"])
    table = workload_table(training)
    assert winners(table) == {"cpu"}
    assert all(entry["speedup"] is None for sizes in table.values() for entry in sizes.values())


def test_blocks_that_may_agree_by_chance_make_no_winner() -> None:
    """A family whose race was too close to call is nobody's, wherever the interval of its few blocks lies."""
    facts = training(cnn=1.4, mlp=1.4)
    facts["comparisons"][0] |= {"winner": "tie"}
    verdict = judge(usable("mps"), PROBED, facts)
    assert verdict is not None
    assert verdict.by_workload == {"cnn": verdict.device, "mlp": "mps"}
    assert {family: sizes["medium"]["device"] for family, sizes in workload_table(facts).items()} == {
        "cnn": "tie",
        "mlp": "mps",
    }


def test_a_family_whose_race_was_not_decided_is_not_called_better_on_the_cpu() -> None:
    """Few blocks settle nothing, whatever the figure; no sentence says that the CPU trains it faster."""
    facts = of_speedups({"mlp": 2.0, "lstm": 2.0, "cnn": 2.0, "transformer": 2.0})
    facts["comparisons"][0]["winner"] = "tie"
    found = judge(usable("mps"), PROBED, facts)
    assert found is not None
    assert (found.device, found.by_workload["mlp"]) == ("mps", "mps")
    assert found.reasons[1].endswith("; not settled: mlp")
