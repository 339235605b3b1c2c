"""The operators check with real workers: the self-test on the CPU, and faults of a simulated accelerator."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mpsdoctor.check import Context, Finding, Job, Skip
from mpsdoctor.check import Workers as OpenWorkers
from mpsdoctor.facts.operators import count_probes
from mpsdoctor_checks import operators
from simulator import simulator

FAULTS = {
    "aten::gelu": "wrong",
    "aten::sqrt": "nan",
    "aten::tanh": "abort",
    "aten::sigmoid": "segfault",
    "aten::argmax": "unimplemented",
    "aten::log": "oom",
    "aten::exp": "error",
}
OUTCOMES = {**FAULTS, "aten::tanh": "crash", "aten::sigmoid": "crash"}


@pytest.fixture(scope="module")
def workers() -> Iterator[OpenWorkers]:
    opened = OpenWorkers(sys.executable)
    yield opened
    opened.close()


def context(workers: OpenWorkers, seconds: float, *devices: str) -> tuple[Context, list[dict[str, Any]]]:
    said: list[dict[str, Any]] = []
    offered = [{"device": device, "name": None, "usable": True, "reason": None} for device in ("cpu", *devices)]
    return Context("quick", seconds, None, {"build": {"devices": offered}}, workers, said.append), said


def run(given: Context) -> tuple[dict[str, Any], list[Finding]]:
    facts: dict[str, Any] = {}
    found: list[Finding] = []
    for item in operators.run(given):
        if isinstance(item, Finding):
            found.append(item)
        else:
            facts |= item
    return facts, found


def test_the_whole_self_test_is_right(workers: OpenWorkers) -> None:
    """Every probe of the catalogue is ok on the CPU, in every dtype, layout and direction."""
    worker = workers.get("cpu", {"OMP_NUM_THREADS": "1"})  # two threads on busy cores wait for each other
    dtypes = ["float32", "float16", "bfloat16", "int64", "bool"]
    plan = worker.call("mpsdoctor_worker.operators.probes:plan", level="thorough", dtypes=dtypes).value
    answers = worker.run(job(probe) for probe in plan)
    bad = [answer.value or answer.detail for answer in answers if not answer.value or answer.value["outcome"] != "ok"]
    assert bad == []
    assert len(plan) > 10_000


def job(probe: list[str]) -> Job:
    entry, _, dtype, variant, direction = probe
    args = {"entry": entry, "device": "cpu", "dtype": dtype, "variant": variant, "direction": direction}
    return Job("mpsdoctor_worker.operators.probes:probe", args)


def test_a_check_of_the_cpu_alone(workers: OpenWorkers) -> None:
    """A machine without an accelerator gets the self-test, its rate, progress, and no finding."""
    given, said = context(workers, 1.0)
    facts, found = run(given)
    assert found == []
    assert {row["device"] for row in facts["results"]} == {"cpu"}
    assert set(facts["summary"]["cpu"]) <= {"ok", "skipped"}
    covered = facts["coverage"]["cpu"]
    assert facts["summary"]["cpu"]["ok"] == covered["made"] == sum(map(count_probes, facts["results"]))
    assert facts["planned"]["cpu"] == covered["planned"] == covered["made"] + facts["skipped"]["cpu"]
    assert facts["probes_per_second"]["cpu"] > 0
    assert said[-1]["text"].startswith(f"operators cpu: {covered['made']:,} probes made")


def test_rows_have_the_names_of_the_report(workers: OpenWorkers) -> None:
    """Each row says operator, device, dtype, variants, direction, outcome and detail; none stands twice."""
    facts, _ = run(context(workers, 0.2)[0])
    keys = {"op", "device", "dtype", "variants", "direction", "outcome", "detail"}
    alike = [(row["op"], row["device"], row["dtype"], row["direction"]) for row in facts["results"]]
    assert len(alike) == len(set(alike))  # all of them are right
    assert all(keys <= set(row) for row in facts["results"])
    assert all(row["op"].startswith("aten::") for row in facts["results"])


def test_without_torch_there_is_nothing_to_examine(tmp_path: Path) -> None:
    """An interpreter that has no torch skips the check, with the reason."""
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n")
    opened = OpenWorkers(sys.executable)
    opened._open[("cpu", ())] = opened.get("cpu", {"PYTHONPATH": str(tmp_path)})
    with pytest.raises(Skip, match="torch"):
        run(context(opened, 1.0)[0])
    opened.close()


def simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let torch of the workers to come find a simulated accelerator with the planted faults."""
    faults = ",".join(f"{op}={fault}" for op, fault in FAULTS.items())
    for name, value in simulator.environment(faults=faults).items():
        monkeypatch.setenv(name, value)


def test_planted_faults_are_named_rightly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each fault of an accelerator gets its outcome, at its operator, and the rest of the core stays right."""
    simulated(monkeypatch)
    opened = OpenWorkers(sys.executable)
    facts, found = run(context(opened, 6.0, "sim")[0])
    opened.close()
    seen: dict[str, Counter[str]] = {op: Counter() for op in FAULTS}
    for row in facts["results"]:
        # an empty result has no element that could be wrong
        if (
            row["device"] == "sim"
            and row["op"] in FAULTS
            and row["direction"] == "forward"
            and row["variants"] != ["empty"]
            and row["outcome"] != "skipped"
        ):
            seen[row["op"]][row["outcome"]] += 1
    assert {op: set(counts) for op, counts in seen.items()} == {op: {fault} for op, fault in OUTCOMES.items()}
    assert {row["op"] for row in facts["results"] if row["device"] == "cpu" and row["outcome"] != "ok"} == set()
    assert {"aten::tanh", "aten::sigmoid"} <= {row["op"] for row in facts["core_failures"]["sim"]}
    assert {"MPS311", "MPS312", "MPS313", "MPS315", "MPS321", "MPS331"} <= {one.code for one in found}
    healthy = [row for row in facts["results"] if row["op"] in ("aten::mm", "aten::conv2d", "aten::relu")]
    assert {row["outcome"] for row in healthy} == {"ok"}
