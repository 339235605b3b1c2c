"""The stand-in for MPS does what PyTorch's macOS wheels say a Mac does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mac import stand_in

PRELUDE = "import json, warnings; warnings.simplefilter('ignore'); import torch\n"


def run(env: dict[str, str], program: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PRELUDE + program]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)


def told(env: dict[str, str], expression: str) -> Any:
    """The value of an expression in such a process, by way of JSON."""
    done = run(env, f"print(json.dumps({expression}))")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_mps_is_a_device_that_computes(tmp_path: Path) -> None:
    """torch finds its accelerator by itself and computes on it."""
    env = stand_in.environment("m3-max", tmp_path)
    assert told(
        env,
        "[torch.backends.mps.is_available(), (torch.ones(2, 2, device='mps') @ torch.ones(2, 2).to('mps')).tolist()]",
    ) == [
        True,
        [[2, 2], [2, 2]],
    ]


def test_importing_torch_does_not_touch_the_gpu(tmp_path: Path) -> None:
    """Only what allocates, asks the allocator or waits wakes the device."""
    env = stand_in.environment("m1", tmp_path, torch="2.10.0")
    awake = "torch.ops.mac.awake()"
    assert told(env, f"[{awake}, torch.ones(3).sum().item(), {awake}, torch.mps.empty_cache(), {awake}]") == [
        False,
        3,
        False,
        None,
        True,
    ]


@pytest.mark.parametrize(
    ("version", "fails"), [("2.9.0", True), ("2.12.0", True), ("2.13.0", False), ("2.15.0", False)]
)
def test_memory_calls_of_the_accelerator_fail_below_2_13(tmp_path: Path, version: str, fails: bool) -> None:
    """As in pytorch#186430: the allocator of MPS was no DeviceAllocator."""
    done = run(stand_in.environment("m4", tmp_path, torch=version), "torch.accelerator.empty_cache()")
    assert ("Allocator for mps is not a DeviceAllocator" in done.stderr) == fails
    assert bool(done.returncode) == fails


@pytest.mark.parametrize(
    ("version", "present"),
    [
        ("2.0.1", []),
        ("2.3.0", ["nnpack"]),
        ("2.6.0", ["nnpack", "accelerator"]),
        ("2.9.1", ["nnpack", "accelerator", "empty_cache"]),
    ],
)
def test_attributes_that_came_later_are_missing(tmp_path: Path, version: str, present: list[str]) -> None:
    """A version has what its wheel had."""
    asked = {"nnpack": "torch.backends", "accelerator": "torch", "empty_cache": "getattr(torch, 'accelerator', 0)"}
    here = [f"hasattr({place}, {name!r})" for name, place in asked.items()]
    found = told(stand_in.environment("m1", tmp_path, torch=version), f"[{', '.join(here)}]")
    assert [name for name, has in zip(asked, found, strict=True) if has] == present


@pytest.mark.parametrize(
    ("version", "value", "status"),
    [("2.7.1", "true", -6), ("2.7.1", "", -6), ("2.7.1", "00", 0), ("2.8.0", "true", 0), ("2.8.0", "", 0)],
)
def test_the_fallback_variable_can_abort_the_import_below_2_8(
    tmp_path: Path, version: str, value: str, status: int
) -> None:
    """std::stoi read it; what is no number ended the program."""
    env = stand_in.environment("m1", tmp_path, torch=version) | {"PYTORCH_ENABLE_MPS_FALLBACK": value}
    assert run(env, "").returncode == status


def test_the_statistics_of_fallbacks_are_a_table(tmp_path: Path) -> None:
    """With bit 64 the runs of each operator stand on stderr when the program ends."""
    env = stand_in.environment("m1", tmp_path) | {
        "PYTORCH_ENABLE_MPS_FALLBACK": "1",
        "PYTORCH_MPS_LOG_PROFILE_INFO": "64",
    }
    words = run(env, "for _ in range(3): torch.linalg.eig(torch.eye(2, device='mps'))").stderr
    row = next(line for line in words.splitlines() if "aten::linalg_eig" in line)
    assert row.split()[1] == "3"
    assert "CPU Fallback Profiling: Total 3 Runs" in words


def test_another_layout_of_a_shape_costs_no_compiling(tmp_path: Path) -> None:
    """The key of a compiled graph holds operator, dtypes and sizes."""
    program = (
        "import time; x = torch.ones(4, 4, device='mps'); y = x.t(); seen = []\n"
        "for value in (x, y, x[:2], x.half()):\n"
        "    began = time.perf_counter(); value.exp(); seen.append(time.perf_counter() - began > 0.25)\n"
        "print(json.dumps(seen))"
    )
    done = run(stand_in.environment("m1", tmp_path, compile_ms=300), program)
    assert json.loads(done.stdout) == [True, False, True, True]


def test_a_hosted_virtual_mac_gives_out_no_memory(tmp_path: Path) -> None:
    """MPS is available there, and the first allocation fails."""
    done = run(stand_in.environment("virtual", tmp_path, allocations_fail=1), "torch.ones(1, device='mps')")
    assert (
        "MPS backend out of memory (MPS allocated: 0 bytes, other allocations: 0 bytes, max allowed: 7.93 GB)"
        in done.stderr
    )


@pytest.mark.parametrize(("version", "dtype"), [("2.5.1", "torch.float32"), ("2.15.0", "torch.bfloat16")])
def test_bfloat16_autocast_is_none_in_2_5(tmp_path: Path, version: str, dtype: str) -> None:
    """It was disabled with a warning, so that float32 trained under its name."""
    program = (
        "with torch.autocast('mps', dtype=torch.bfloat16):\n"
        "    print(json.dumps(str(torch.nn.Linear(2, 2).to('mps')(torch.ones(1, 2, device='mps')).dtype)))"
    )
    assert json.loads(run(stand_in.environment("m4", tmp_path, torch=version), program).stdout) == dtype


@pytest.mark.parametrize(("version", "works"), [("2.4.1", False), ("2.5.1", True)])
def test_fused_optimizers_came_with_2_5(tmp_path: Path, version: str, works: bool) -> None:
    """Before, `fused=True` on MPS raised."""
    program = (
        "net = torch.nn.Linear(2, 2).to('mps'); net(torch.ones(1, 2, device='mps')).sum().backward()\n"
        "torch.optim.AdamW(net.parameters(), fused=True).step()"
    )
    done = run(stand_in.environment("m4", tmp_path, torch=version), program)
    assert (done.returncode == 0) == works


def test_nnpack_slows_convolutions_of_the_cpu_until_it_is_off(tmp_path: Path) -> None:
    """Its price is paid for sixteen images and more, and torch's choice of a path says so."""
    program = (
        "import time\n"
        "net, images = torch.nn.Conv2d(8, 8, 3), torch.ones(16, 8, 16, 16)\n"
        "optimizer = torch.optim.SGD(net.parameters())\n"
        "def seconds():\n"
        "    began = time.perf_counter(); net(images).sum().backward(); optimizer.step()\n"
        "    return time.perf_counter() - began\n"
        "seconds(); slow = min(seconds() for _ in range(3))\n"
        "shape = [1, 1], [0, 0], [1, 1], False, [0, 0], 1\n"
        "path = torch._C._select_conv_backend(images, net.weight, None, *shape).name\n"
        "torch.backends.nnpack.set_flags(False); fast = min(seconds() for _ in range(3))\n"
        "print(json.dumps([path, slow / fast]))"
    )
    env = stand_in.environment("m4", tmp_path, gflops=0.1, nnpack_times=6) | {"OMP_NUM_THREADS": "1"}
    path, ratio = json.loads(run(env, program).stdout)
    assert path == "NnpackSpatial"
    assert 5.5 < ratio < 6.5


def test_a_setting_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    """A test with a typo in it does not pass by chance."""
    with pytest.raises(TypeError, match="a Mac has no compile_seconds"):
        stand_in.environment("m1", tmp_path, compile_seconds=1)


def test_it_is_built_once(tmp_path: Path) -> None:
    """The second process takes what the first has built."""
    stand_in.build()
    began = time.perf_counter()
    assert (stand_in.build() / "libmps.so").is_file()
    assert time.perf_counter() - began < 2
    assert os.pathsep not in str(stand_in.build())
