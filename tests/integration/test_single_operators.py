"""Single operators timed by a real worker on a replayed Mac whose torch has MPS, against the shipped table."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.support import mpsdoctor
from mac import stand_in
from mpsdoctor.check import Budget, Context, Workers
from mpsdoctor_checks.training import plan, single_operators
from mpsdoctor_checks.training.collect import collect_facts

ONE_THREAD = {"OMP_NUM_THREADS": "1"}
PRICE_MS = 40.0  # far above what this machine itself needs, and what any chip took


@pytest.fixture
def workers(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    """Those of an M1; the parameter is what is planted there."""
    env = stand_in.environment("m1", tmp_path, torch="2.12.0", **request.param)
    for name, value in {**env, **ONE_THREAD}.items():
        monkeypatch.setenv(name, value)
    made = Workers(sys.executable)
    yield made
    made.close()


def first_facts(workers: Workers, budget: Budget, machine: dict[str, Any]) -> Any:
    """The facts of the check after its first workload."""
    build = {"devices": [{"device": device, "usable": True} for device in ("cpu", "mps")], "num_threads": 1}
    context = Context(
        budget, 30.0, None, {"build": build, "chip": machine}, workers, lambda message: None, waited_s=60.0
    )
    return next(collect_facts(context))


@pytest.mark.parametrize("workers", [{"prices_us": f"aten::sum={1000 * PRICE_MS}"}], indirect=True)
def test_operators_are_timed_on_both_devices_beside_the_chips_own(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted price shows on the device that has it, waited for in each call, and what others took beside it."""
    monkeypatch.setitem(plan.SIZES, "standard", ("small",))
    facts = first_facts(workers, "standard", {"chip": "Apple M1"})
    rows = {(row["operator"], row["device"]): row for row in facts["operators"]}
    assert len(rows) == len(facts["operators"]) == 8
    planted = rows["sum of a million numbers", "mps"]
    assert planted["ms"] > 0.9 * PRICE_MS
    assert planted["times"] == pytest.approx(planted["ms"] / 0.43, rel=1e-3)
    assert rows["sum of a million numbers", "cpu"]["chip_ms"] == 0.07
    assert all(row["ms"] > 0 and row["chip"] == "M1" for row in rows.values())
    assert facts["results"]


@pytest.mark.parametrize("workers", [{"faults": "aten::relu=abort", "step_ms": 40, "speed": 4}], indirect=True)
def test_a_death_costs_the_figures_of_its_device_alone(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU keeps its own, and training begins on both devices in processes that live."""
    monkeypatch.setattr(plan, "FAMILIES", ("lstm",))
    monkeypatch.setitem(plan.SIZES, "standard", ("small",))
    facts = first_facts(workers, "standard", {"chip": "Apple M1"})
    assert [row["device"] for row in facts["operators"]] == ["cpu"] * 4
    assert {row["device"]: row["outcome"] for row in facts["results"]} == {"cpu": "ok", "mps": "ok"}


@pytest.mark.parametrize(
    ("budget", "machine"),
    [
        ("standard", {"chip": "Intel(R) Core(TM) i9-9980HK CPU @ 2.40GHz"}),
        ("standard", {"chip": "Apple M3 Max", "translated": True}),
        ("standard", {"chip": None}),
        ("quick", {"chip": "Apple M1"}),
    ],
)
def test_nothing_is_timed_where_the_table_says_nothing(budget: Budget, machine: Any) -> None:
    """On other machines, under Rosetta, and in a quick check-up."""
    context: Any = Context(budget, 2.0, None, {}, None, lambda message: None)  # type: ignore[arg-type]
    lane: Any = None
    assert single_operators.measure(context, machine, [lane]) == []


def test_exported_rows_name_nobody(tmp_path: Path) -> None:
    """A line for each workload that was timed, with chip and versions; no folder, name or serial number."""
    env = stand_in.environment("m1", tmp_path, torch="2.12.0", step_ms=10) | ONE_THREAD
    done = mpsdoctor("bench", "--export", "--budget", "quick", env=env)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {row["device"] for row in rows} == {"cpu", "mps"}
    assert all(row["chip"] == "Apple M1" and row["torch"] == "2.12.0" and row["ms"] > 0 for row in rows)
    keys = {"chip", "performance_cores", "gpu_cores", "macos", "torch", "doubtful", "device", "timed", "ms"}
    assert all(set(row) == keys for row in rows)
    assert {row["timed"] for row in rows} >= {"mlp small"}
    assert str(tmp_path) not in done.stdout


def test_export_does_not_go_with_a_step() -> None:
    """What a person's own step takes belongs into no table."""
    done = mpsdoctor("bench", "--export", "--step", "train.py:build")
    assert done.returncode == 2
    assert "--export" in done.stderr
