"""The simulated accelerator does what the tests that use it take for granted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from simulator import simulator

TRIALS = Path(simulator.__file__).with_name("trials.py")
# Three seconds for torch on a machine that does much else at the time.
PATIENCE = 60


def command(*names: str) -> list[str]:
    # NumPy is absent on purpose, of which torch warns while it is imported.
    options = ["-W", "error", "-W", "ignore:Failed to initialize NumPy"]
    return [sys.executable, *options, str(TRIALS), *names]


def surroundings(**settings: Any) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", **simulator.environment(**settings)}


def run(*names: str, **settings: Any) -> dict[str, Any]:
    """What the trials found in a process of their own with these settings."""
    result = subprocess.run(
        command(*names), env=surroundings(**settings), capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert result.returncode == 0, result.stderr[-3000:]
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture(scope="module")
def healthy() -> dict[str, Any]:
    return run(
        "losses", "torch_api", "views", "resized", "mixed", "randomness", "memory", "growth", "faults",
        memory_bytes=4_000_000,
    )  # fmt: skip


@pytest.fixture(scope="module")
def faulty() -> dict[str, Any]:
    """The results of the operators below, each with its fault."""
    found: dict[str, Any] = run("faults", faults=",".join(f"aten::{fault}" for fault in PLANTED))["faults"]
    return found


PLANTED = [
    "cumsum=unimplemented",
    "sin=error",
    "sqrt=oom",
    "erf=nan",
    "argmax=wrong",
    "isneginf=wrong",
    "cosh.out=wrong",
    "tan=dtype:float16",
    "abs=wrong:strided",
    "exp2=nan@2",
    "round=flaky",
    "linear=wrong",
    "gelu_backward=wrong",
    "silu_backward=unimplemented",
    "flip@backward=nan",
]


def test_only_its_environment_shows_it() -> None:
    """Without the environment torch has no device of that name; with it, torch reports it as its accelerator."""
    script = "import torch; print(torch.accelerator.current_accelerator(), hasattr(torch, 'sim'))"
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    arguments = [sys.executable, "-c", script]
    seen = [
        subprocess.run(arguments, env=env, capture_output=True, text=True, check=True).stdout.split()
        for env in (bare, {**bare, **simulator.environment()})
    ]
    assert seen[0][1] == "False"
    assert seen[1] == ["sim", "True"]


def test_setting_that_does_not_exist() -> None:
    """A misspelt setting is an error, not a healthy device."""
    with pytest.raises(TypeError, match="no sped; it has"):
        simulator.environment(sped=2)


@pytest.mark.parametrize(
    ("faults", "says"),
    [("aten::cumsun=wrong", "no operator aten::cumsun"), ("aten::cumsum=wrnog", "no kind of fault 'wrnog'")],
)
def test_fault_that_does_not_exist(faults: str, says: str) -> None:
    """A misspelt fault keeps torch from being imported."""
    arguments = [sys.executable, "-c", "import torch"]
    result = subprocess.run(arguments, env=surroundings(faults=faults), capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert says in result.stderr


def test_torch_takes_it_for_an_accelerator(healthy: dict[str, Any]) -> None:
    """Names, printing and mixed precision are as for any device."""
    assert healthy["torch_api"] == {
        "accelerator": "sim",
        "available": True,
        "device": "sim:0",
        "name": "Simulated accelerator",
        "repr": "tensor([1., 1., 1.], device='sim:0')",
        "autocast": {
            "torch.float16": ["torch.float16", "torch.float32"],
            "torch.bfloat16": ["torch.bfloat16", "torch.float32"],
        },
    }


def test_trains_to_the_losses_of_the_cpu(healthy: dict[str, Any]) -> None:
    """Every family trains as on the CPU, with ordinary and with fused optimizers."""
    assert len(healthy["losses"]) == 10
    assert {name: gap for name, gap in healthy["losses"].items() if not gap < 1e-6} == {}


def test_views_share_memory(healthy: dict[str, Any]) -> None:
    """What is done to a view is done to its base, as on the CPU."""
    assert len(healthy["views"]) == 9
    for name, (expected, found) in healthy["views"].items():
        assert found == expected, name


def test_kernel_may_resize_its_result(healthy: dict[str, Any]) -> None:
    """A result that grows lies in device memory afterwards."""
    assert healthy["resized"] == [1000, 999 * 2 + 5, "sim"]


def test_host_tensors_are_foreign(healthy: dict[str, Any]) -> None:
    """A tensor that was not copied to the device is refused."""
    assert healthy["mixed"].startswith("Expected all tensors to be on the same device")


def test_random_numbers_are_its_own(healthy: dict[str, Any]) -> None:
    """Drawing on the device leaves the CPU's stream alone, and seeds and states work."""
    assert healthy["randomness"] == [True, True, True]


def test_memory_is_counted_and_limited(healthy: dict[str, Any]) -> None:
    """Memory is returned when freed; a block beyond the limit is out of memory and takes nothing."""
    assert healthy["memory"]["held"] == 1_000_000
    assert healthy["memory"]["left"] == 0
    assert healthy["memory"]["too large"].startswith("OutOfMemoryError: sim backend out of memory")
    assert healthy["growth"] == 0


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("cumsum", "NotImplementedError: Could not run 'aten::cumsum' with arguments from the 'PrivateUse1' backend"),
        ("sin", "RuntimeError: sim: internal error"),
        ("sqrt", "OutOfMemoryError: "),
        ("tan float16", "NotImplementedError: \"aten::tan\" not implemented for 'float16'"),
        ("silu gradient", "NotImplementedError: Could not run 'aten::silu_backward'"),
    ],
)
def test_faults_that_raise(faulty: dict[str, Any], operator: str, expected: str) -> None:
    """Each raises what torch raises for a device that really has the fault."""
    assert faulty[operator].startswith(expected)


@pytest.mark.parametrize(
    "operator",
    ["argmax", "isneginf", "abs strided", "linear", "gelu gradient"],
)
def test_wrong_results(faulty: dict[str, Any], healthy: dict[str, Any], operator: str) -> None:
    """A wrong result has the right shape and other values, be it of numbers, indices or truth values."""
    found, expected = faulty[operator], healthy["faults"][operator]
    assert type(found) is type(expected)
    assert found != expected


def test_results_that_are_not_finite(faulty: dict[str, Any]) -> None:
    """NaN comes from the call on that was asked for, and in the backward pass alone where that was asked for."""
    assert [value != value for value in faulty["erf"]] == [True] * 3
    assert [call[0] != call[0] for call in faulty["exp2"]] == [False, True, True]
    assert faulty["flip"] == [4, 2, 1]
    assert [value != value for value in faulty["flip gradient"]] == [True] * 3


def test_flaky_results(faulty: dict[str, Any]) -> None:
    """A flaky operator answers the same question differently."""
    assert len({tuple(call) for call in faulty["round"]}) == 3


@pytest.mark.parametrize("operator", ["tan", "abs", "sign", "cosh", "linear gradient", "gelu"])
def test_others_keep_their_results(faulty: dict[str, Any], healthy: dict[str, Any], operator: str) -> None:
    """A fault stays with its operator, overload, dtype, layout and direction."""
    assert faulty[operator] == healthy["faults"][operator]


@pytest.mark.parametrize(("kind", "status"), [("abort", -6), ("segfault", -11), ("exit", 3)])
def test_deadly_faults(kind: str, status: int) -> None:
    """The process dies in the operator, of what was asked for."""
    env = surroundings(faults=f"aten::cumsum={kind}")
    result = subprocess.run(command("deadly"), env=env, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert result.returncode == status
    assert "begins" in result.stdout
    assert "survived" not in result.stdout
    assert ("failed assertion" in result.stderr) == (kind != "exit")


@pytest.mark.parametrize(("kind", "alive"), [("hang", True), ("hang-gil", False)])
def test_hanging_faults(kind: str, alive: bool) -> None:
    """The operator never returns; other Python threads go on unless the lock is held."""
    env = surroundings(faults=f"aten::cumsum={kind}")
    with subprocess.Popen(command("deadly"), env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "begins\n" in iter(process.stdout.readline, "")
        time.sleep(1)
        still_running = process.poll() is None
        process.kill()
        counted = process.stdout.read().split()
    assert still_running
    assert "survived" not in counted
    # The counter may have been past its check of the lock when the operator began.
    assert (len(counted) > 2) == alive


def test_a_timer_that_does_not_wait_sees_too_little() -> None:
    """Four steps of 100 ms are launched before they are done, and waiting or reading a loss takes all of it."""
    clock = run("clock", step_ms=100)["clock"]
    assert clock["launched"] < 0.5 * clock["done"]
    assert clock["done"] >= 0.39
    assert clock["read"] >= 0.39


@pytest.mark.parametrize("speed", [0.5, 2])
def test_planted_speed(speed: float) -> None:
    """A training step costs the CPU its price and the device the price by the speed, never less."""
    seconds = run("pace", step_ms=100, speed=speed)["pace"]
    assert seconds["cpu"] >= 0.299
    assert seconds["sim"] >= 0.299 / speed
    assert (seconds["sim"] > seconds["cpu"]) == (speed < 1)


def test_work_in_operations_has_a_price() -> None:
    """With a price per floating-point operation, matrix products take the time that their size gives."""
    seconds = run("pace", gflops=0.01, speed=0.5)["pace"]
    # Two layers, forward, and backward for both weights and the inner layer's input.
    operations = 3 * 2 * 16 * (10 * 32 * 2 + 32 * 4 * 3)
    assert seconds["cpu"] >= operations / 0.01e9 * 0.99
    assert seconds["sim"] >= operations / 0.005e9 * 0.99


def test_leak_and_slow_start() -> None:
    """Memory grows with every step as planted, and the first steps are slow as planted."""
    found = run("slow_start", "growth", leak_bytes=1000, warmup_steps=2, warmup_ms=300)
    assert found["growth"] == 3000
    seconds = found["slow_start"]
    assert [spent >= 0.29 for spent in seconds[:2]] == [True, True]
    assert sorted(seconds)[3:] == sorted(seconds[:2])
