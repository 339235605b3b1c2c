"""Training sessions in real worker processes, and the check from end to end on the simulated accelerator."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import psutil
import pytest

from mpsdoctor import quiet, verdict, winners
from mpsdoctor.check import Answer, Budget, Context, Finding, Sandbox, Workers
from mpsdoctor.facts import assume_shapes
from mpsdoctor.facts.build import DeviceFacts
from mpsdoctor.report import Verdict
from mpsdoctor_checks import training
from mpsdoctor_checks.training import collect, plan
from mpsdoctor_checks.training.advice import crossover, experiments, hints
from mpsdoctor_checks.training.lanes import Lane
from simulator import simulator

FAMILIES = ("mlp", "cnn", "lstm", "transformer")
# Several test processes share the cores; one thread each is slower by less than waiting for one another.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def worker() -> Iterator[Sandbox]:
    sandbox = Sandbox(sys.executable, ONE_THREAD)
    yield sandbox
    sandbox.close()


def ask(worker: Sandbox, function: str, **args: Any) -> Any:
    answer = asked(worker, function, **args)
    assert answer.outcome == "ok", answer.detail
    return answer.value


def asked(worker: Sandbox, function: str, **args: Any) -> Answer:
    return worker.call(f"mpsdoctor_worker.training.sessions:{function}", timeout=120.0, **args)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_learns(worker: Sandbox, family: str) -> None:
    """The loss of the small size falls, from where a guess among eight classes starts."""
    ask(worker, "prepare", workload=family, size="small", device="cpu")
    losses = ask(worker, "losses", steps=120)["losses"]
    assert losses[0] == pytest.approx(math.log(8), rel=0.15)
    assert sum(losses[-4:]) < 0.8 * sum(losses[:4])


@pytest.mark.parametrize("family", FAMILIES)
def test_training_is_repeatable(worker: Sandbox, family: str) -> None:
    """A fresh start gives the same losses and gradients, also after other training in the session."""
    ask(worker, "prepare", workload=family, size="small", device="cpu")
    first = ask(worker, "losses", steps=6)
    ask(worker, "block", steps=3)
    again = ask(worker, "losses", steps=6)
    ask(worker, "prepare", workload=family, size="small", device="cpu")
    anew = ask(worker, "losses", steps=6)
    for other in (again, anew):
        assert other["losses"] == pytest.approx(first["losses"], rel=1e-5)
        assert other["gradients"].keys() == first["gradients"].keys()


@pytest.mark.parametrize("size", ["medium", "large"])
@pytest.mark.parametrize("family", FAMILIES)
def test_larger_sizes_can_be_built(worker: Sandbox, family: str, size: str) -> None:
    """Each size has more parameters than the one before, and a block of it can be timed."""
    smaller = {"medium": "small", "large": "medium"}[size]
    before = ask(worker, "prepare", workload=family, size=smaller, device="cpu")["parameters"]
    assert ask(worker, "prepare", workload=family, size=size, device="cpu")["parameters"] > before
    assert math.isfinite(ask(worker, "block", steps=1)["loss"])


def test_a_block_is_timed_and_counted(worker: Sandbox) -> None:
    """A block answers its seconds, its steps, how many were done in all, and the memory held."""
    ask(worker, "prepare", workload="mlp", size="small", device="cpu")
    block = ask(worker, "block", steps=16)
    assert block["steps"] == 16
    assert block["done"] >= 16
    assert 0 < block["seconds"] < 60
    assert block["peak_bytes"] is None or block["peak_bytes"] > 1 << 20


def test_warm_up_tells_its_curve(worker: Sandbox) -> None:
    """Warm-up counts its steps and seconds, and ends when its time is over."""
    ask(worker, "prepare", workload="mlp", size="small", device="cpu")
    warm = ask(worker, "warm_up", seconds=5.0)
    assert warm["steps"] >= 12
    assert warm["steps"] == sum(steps for steps, _ in warm["curve"])
    assert warm["step_seconds"] > 0
    assert ask(worker, "warm_up", seconds=0.0)["steps"] == 0


def test_losses_end_before_patience_does(worker: Sandbox) -> None:
    """Steps that would outlast whoever waits for them are not begun, so that they are not taken for a hang."""
    ask(worker, "prepare", workload="mlp", size="small", device="cpu")
    assert len(ask(worker, "losses", steps=6, most=1e-6)["losses"]) == 2  # the first may compile
    seconds = ask(worker, "losses", steps=9999, seconds=60.0, most=0.5)["seconds"]
    assert 1 < len(seconds) < 9999
    assert sum(seconds[1:-1]) + seconds[-2] <= 0.5


def test_threads_can_be_set(worker: Sandbox) -> None:
    """A number of threads holds for its session only."""
    args = {"workload": "mlp", "size": "small", "device": "cpu"}
    assert ask(worker, "prepare", **args, num_threads=2)["num_threads"] == 2
    assert ask(worker, "prepare", **args)["num_threads"] == 1


def test_autocast_trains_to_nearly_the_same(worker: Sandbox) -> None:
    """bfloat16 means autocast: other numbers than float32, but not by much."""
    curves = []
    for dtype in ("float32", "bfloat16"):
        ask(worker, "prepare", workload="mlp", size="small", device="cpu", dtype=dtype)
        curves.append(ask(worker, "losses", steps=6)["losses"])
    assert curves[0] != curves[1]
    assert curves[0] == pytest.approx(curves[1], rel=1e-2)


WAYS = (
    {"reading": True},
    {"resident": True},
    {"channels_last": True},
    {"num_threads": 2},
    {"fused": True},
    {"nnpack": False},
)


@pytest.mark.parametrize("way", WAYS)
def test_ways_to_train_differ_in_speed_alone(worker: Sandbox, way: dict[str, Any]) -> None:
    """Sessions of their own names stand side by side in a worker, and train to the same losses."""
    ask(worker, "prepare", workload="cnn", size="small", device="cpu", name="usual")
    ask(worker, "prepare", workload="cnn", size="small", device="cpu", name="other", **way)
    usual, other = (ask(worker, "losses", steps=3, name=name)["losses"] for name in ("usual", "other"))
    assert other == pytest.approx(usual, rel=1e-4)
    ask(worker, "release")
    assert asked(worker, "block", steps=1, name="usual").outcome == "error"


def test_a_batch_can_be_asked_for(worker: Sandbox) -> None:
    """The declared number of samples is replaced, down to a single one."""
    args = {"workload": "transformer", "size": "small", "device": "cpu"}
    assert ask(worker, "prepare", **args, batch=3)["batch"] == 3
    assert math.isfinite(ask(worker, "prepare", **args, batch=1) and ask(worker, "block", steps=1)["loss"])


@pytest.mark.parametrize("function", ["losses", "block"])
def test_a_death_between_jobs_is_an_error(function: str) -> None:
    """A session that died with its worker is said to be gone; no number comes from a fresh worker."""
    sandbox = Sandbox(sys.executable, ONE_THREAD)
    try:
        ask(sandbox, "prepare", workload="mlp", size="small", device="cpu")
        assert sandbox.call("os:_exit", status=7).outcome == "crash"
        answer = asked(sandbox, function, steps=2)
    finally:
        sandbox.close()
    assert answer.outcome == "error"
    assert "no training session in this process" in answer.value["message"]


def test_released_sessions_are_gone(worker: Sandbox) -> None:
    """After release there is nothing to time."""
    ask(worker, "prepare", workload="mlp", size="small", device="cpu")
    ask(worker, "release")
    assert asked(worker, "block", steps=1).outcome == "error"


@pytest.mark.parametrize(("workload", "size", "exist"), [("gan", "small", "transformer"), ("cnn", "huge", "medium")])
def test_unknown_workloads_name_those_that_exist(worker: Sandbox, workload: str, size: str, exist: str) -> None:
    """A misspelt name is answered with the names there are."""
    answer = asked(worker, "prepare", workload=workload, size=size, device="cpu")
    assert answer.outcome == "error"
    assert exist in answer.value["message"]


def checked(
    devices: tuple[str, ...], env: Mapping[str, str], seconds: float, budget: Budget = "quick"
) -> tuple[Any, list[Finding]]:
    """Facts and findings of the check; the environment is what its workers inherit."""
    build = {"devices": [{"device": device, "usable": True} for device in devices], "num_threads": 1}
    context = Context(budget, seconds, None, {"build": build}, Workers(sys.executable), lambda message: None)
    facts: dict[str, Any] = {}
    findings: list[Finding] = []
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**ONE_THREAD, **env}.items():
            patch.setenv(name, value)
        try:
            for item in training.run(context):
                if isinstance(item, Finding):
                    findings.append(item)
                else:
                    facts.update(item)
        finally:
            for device in devices:
                context.worker(device).close()
    return facts, findings


def outcomes(facts: Mapping[str, Any], device: str) -> dict[str, str]:
    return {row["workload"]: row["outcome"] for row in facts["results"] if row["device"] == device}


def test_the_cpu_alone() -> None:
    """All four families are timed on the CPU, with intervals around their figures, and nothing is compared."""
    facts, findings = checked(("cpu",), {}, seconds=10.0)
    assert outcomes(facts, "cpu") == dict.fromkeys(FAMILIES, "ok")
    for row in facts["results"]:
        low, high = row["ci95_ms"]
        assert low <= row["step_ms"] <= high
        assert row["samples_per_s"] > 0
    assert facts["comparisons"] == []
    assert facts["alone"] is True
    assert "MPS504" in {finding.code for finding in findings}


def test_an_accelerator_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a launch of 500 µs an operator the CPU wins; each comparison comes with its interval and blocks."""
    monkeypatch.setattr(plan, "FAMILIES", ("cnn", "mlp"))
    facts, findings = checked(("cpu", "sim"), simulator.environment(launch_us=500), seconds=6.0)
    assert set(outcomes(facts, "sim").values()) == {"ok"}
    assert {row["workload"] for row in facts["comparisons"]} == {"cnn", "mlp"}
    for row, run in zip(facts["comparisons"], facts["runs"], strict=True):
        assert row["ci95"][0] <= row["speedup"] <= row["ci95"][1]
        assert len(run["blocks_ms"]["sim"]) == row["pairs"] >= 3
        losses = run["losses"]["sim"]
        assert losses == pytest.approx(run["losses"]["cpu"][: len(losses)], rel=1e-3)
    assert {row["winner"] for row in facts["comparisons"]} == {"cpu"}
    assert "MPS502" in {finding.code for finding in findings}
    judged = judged_of(facts)
    assert judged is not None
    assert judged.device == "cpu"
    assert winners.workload_table(assume_shapes({"training": facts})["training"])["cnn"]["small"]["device"] == "cpu"


def judged_of(facts: dict[str, Any]) -> Verdict | None:
    """The verdict on facts of training where both devices can be used."""
    devices: list[DeviceFacts] = [
        {"device": name, "name": None, "usable": True, "reason": None} for name in ("cpu", "sim")
    ]
    return verdict.judge(devices, None, assume_shapes({"training": facts})["training"])


def test_planted_faults_are_named() -> None:
    """A wrong gradient, NaN at step 7, a death at step 20 and a leak are each found, named, and rule the device out."""
    faults = (
        "aten::native_batch_norm_backward=wrong",
        f"aten::_thnn_fused_lstm_cell=nan@{6 * 16 + 1}",
        "aten::embedding_dense_backward=segfault@20",
    )
    environment = simulator.environment(faults=",".join(faults), leak_bytes=1 << 20)
    facts, findings = checked(("cpu", "sim"), environment, seconds=6.0)
    assert outcomes(facts, "sim") == {"cnn": "diverged", "transformer": "crash", "mlp": "ok", "lstm": "nan"}
    assert outcomes(facts, "cpu")["transformer"] == "ok"
    by_code = {finding.code: finding for finding in findings}
    assert "gradient of" in by_code["MPS510"].detail
    assert "at step 7" in by_code["MPS511"].detail
    assert re.search(r"after step 1\d, in (warm_up|block): SIGSEGV", by_code["MPS512"].detail)
    assert by_code["MPS526"].title == "memory in use on sim grows by 1 MiB a training step"
    judged = judged_of(facts)
    assert judged is not None
    assert judged.device == "cpu"
    assert any("sim is out" in reason for reason in judged.reasons)


def test_slow_first_steps_are_found_and_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten first steps that are 100 ms slower are named with their cost, and are not in the step time."""
    monkeypatch.setattr(plan, "FAMILIES", ("cnn",))
    environment = simulator.environment(launch_us=1, warmup_steps=10, warmup_ms=100)
    facts, findings = checked(("cpu", "sim"), environment, seconds=3.0)
    slow = [finding for finding in findings if finding.code == "MPS523"]
    assert [finding.title.split(" needs ")[0] for finding in slow] == ["sim"]
    first = next(row for row in facts["results"] if row["device"] == "sim")
    assert first["step_ms"] < 90
    assert f"{first['workload']} small" in slow[0].detail


def test_a_first_step_that_compiles_is_no_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eleven seconds in the first step of a three-second budget are waited for, told, and paid by nobody's share."""
    monkeypatch.setattr(plan, "FAMILIES", ("mlp", "cnn"))
    environment = simulator.environment(launch_us=1, warmup_steps=1, warmup_ms=11_000)
    facts, findings = checked(("cpu", "sim"), environment, seconds=3.0)
    assert outcomes(facts, "sim")["mlp"] == "ok"
    assert facts["compiling"]["sim"] == pytest.approx(11, abs=1)
    slow = next(finding for finding in findings if finding.code == "MPS523")
    assert "mlp small 11." in slow.detail
    assert slow.remedy is not None


@pytest.mark.parametrize("plain", [0, 1])
def test_training_survives_any_allocator(monkeypatch: pytest.MonkeyPatch, plain: int) -> None:
    """A back end whose allocator counts nothing, and fails torch.accelerator's memory calls, trains all the same."""
    monkeypatch.setattr(plan, "FAMILIES", ("mlp",))
    facts, _ = checked(("cpu", "sim"), simulator.environment(plain_allocator=plain), seconds=1.5)
    assert outcomes(facts, "cpu") == outcomes(facts, "sim") == {"mlp": "ok"}
    peaks = {row["device"]: row["peak_memory_bytes"] for row in facts["results"]}
    assert (peaks["sim"] is None) == bool(plain)


def test_nothing_measured_in_a_disturbance_becomes_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    """While others take the processor the check waits a little, says so, and keeps no setting, hint or batch size."""
    monkeypatch.setattr(plan, "FAMILIES", ("mlp",))
    monkeypatch.setitem(quiet.WAIT, "quick", 0.5)
    spin = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        facts, findings = checked(("cpu",), {}, seconds=2.0)
    finally:
        for process in spin:
            process.kill()
            process.wait()
    assert facts["doubtful"]
    assert (facts["settings"], facts["hints"]) == ({}, [])
    assert facts["conditions"]["before"]["waited_s"] >= 0.3
    assert "just before the run" in facts["disturbances"][0]
    told = next(finding for finding in findings if finding.code == "MPS521")
    assert "No setting, hint or batch size of this run goes into the profile." in told.detail


def test_only_those_that_train_are_alive_while_steps_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that another check has left open is ended before training is timed; who asks again gets a new one."""
    monkeypatch.setattr(plan, "FAMILIES", ("mlp",))
    build = {"devices": [{"device": "cpu", "usable": True}], "num_threads": 1}
    context = Context("quick", 1.0, None, {"build": build}, Workers(sys.executable), lambda message: None)
    left = context.worker("mps", {"PYTORCH_ENABLE_MPS_FALLBACK": "0"})
    try:
        pid = left.call("os:getpid").value
        for _ in training.run(context):
            assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        assert context.worker("mps", {"PYTORCH_ENABLE_MPS_FALLBACK": "0"}).call("os:getpid").outcome == "ok"
    finally:
        context.workers.close()


def test_another_race_replaces_the_rows_of_its_item(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the CPU's better number of threads the item has one result a device, and its lane trains on as it did."""
    for name, value in ONE_THREAD.items():
        monkeypatch.setenv(name, value)
    context = Context("quick", 2.0, None, {}, Workers(sys.executable), lambda message: None)
    lanes = {"cpu": Lane("cpu", context.worker("cpu"))}
    workload, other = plan.Workload("mlp", "small"), {"workload": "cnn", "size": "small"}
    old = {"workload": "mlp", "size": "small", "step_ms": 1e9}
    facts: Any = {"results": [old, other], "comparisons": [old], "runs": [old, other]}
    try:
        measured = collect.race_again(context, lanes, workload, 2)
    finally:
        context.workers.close()
    assert measured is not None
    collect.replace_rows(facts, workload, measured)
    assert [row["workload"] for row in facts["results"]] == ["cnn", "mlp"]
    assert facts["results"][1]["step_ms"] < 1e9
    assert (facts["comparisons"], lanes["cpu"].options) == ([], {})


def test_the_planted_crossover_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch from which the device's price is lower is told, and what reading every loss costs.

    A sample costs 0.438 ms on the CPU and a quarter of it on the device, whose 59 launches cost 11.8 ms a step.
    """
    monkeypatch.setattr(plan, "FAMILIES", ("mlp",))
    monkeypatch.setitem(plan.SIZES, "standard", ("small",))
    reading = {"reading the loss": {"reading": True}}
    chosen = (("crossover", None, 1), ("item", reading, 8))
    table = [experiments.Experiment(kind, "mlp", 3.0, "standard", "accelerator", *rest) for kind, *rest in chosen]
    monkeypatch.setattr(experiments, "EXPERIMENTS", table)
    monkeypatch.setattr(crossover, "BEYOND", 1)  # a point on each side of the crossover is enough here
    environment = simulator.environment(gflops=0.5, launch_us=200, speed=4, synchronize_us=2000)
    facts, findings = checked(("cpu", "sim"), environment, seconds=20.0, budget="standard")
    rows = {row["kind"]: row for row in facts["advice"]}
    assert rows["crossover"]["batch"] == pytest.approx(11.8 / (0.438 * 0.75), rel=0.4)
    assert [row["batch"] for row in facts["batches"]["mlp"]] == [row["batch"] for row in rows["crossover"]["batches"]]
    assert 1 < rows["item"]["cost_ms"] < 20
    assert {"MPS506", "MPS507"} <= {finding.code for finding in findings}
    assert any("sim overtakes the CPU at batch" in str(hint) for hint in hints.hints(facts))


def test_what_does_not_fit_is_left_out() -> None:
    """With next to no time every workload is named as skipped, with the reason; none is missing."""
    facts, findings = checked(("cpu",), {}, seconds=0.001)
    rows = facts["results"]
    assert {row["workload"] for row in rows} == set(FAMILIES)
    assert {row["outcome"] for row in rows} == {"skipped"}
    assert all("left" in row["detail"] for row in rows)
    assert "MPS505" in {finding.code for finding in findings}
