"""Whole check-ups on Macs whose torch has MPS: replayed machines, the stand-in for MPS, real processes.

A step costs the CPU 25 ms and the device a price that is planted, so that it is known which one is faster.
"""

from __future__ import annotations

import functools
import json
import re
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from helpers.support import check, mpsdoctor, report
from mac import stand_in

STEP_MS = 25
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


class Mac(NamedTuple):
    machine: str
    torch: str
    speed: float = 1.0
    more: tuple[tuple[str, float], ...] = ()


TRAINING = [
    Mac("m1", "2.2.2", 0.4),
    Mac("m2-pro", "2.8.0", 3),
    Mac("m3-max", "2.9.1", 0.4),
    Mac("m3-max", "2.12.0", 3),
    Mac("m4", "2.13.0", 0.4),
    Mac("m5-pro", "2.15.0", 3),
]
WITHOUT_MPS = [
    Mac("rosetta", "2.2.2"),
    Mac("virtual", "2.14.0", more=(("allocations_fail", 1),)),
]
INTEL = Mac("intel", "2.2.2", 0.4)
# Sentences that a Mac's owner must never read; MAC.md of 2026-11 has where each came from.
NEVER = (
    r"INTERNAL ASSERT",
    r"please report a bug to PyTorch",
    r"does not come to an end",
    r"Darwin \d",
    r"Triggered internally",
    r"commit hash",
    r"failure\)\.\. ",
    r"Train such models on another device",
    r"(?<![/\w])python -m pip",
)


def check_up(mac: Mac) -> dict[str, Any]:
    """The report of a quick check-up on that Mac, which has a lock for timed runs of its own."""
    with tempfile.TemporaryDirectory() as folder:
        settings: dict[str, Any] = {"torch": mac.torch, "step_ms": STEP_MS, "speed": mac.speed, **dict(mac.more)}
        env = stand_in.environment(mac.machine, Path(folder), **settings)
        return report("--budget", "quick", env=env | ONE_THREAD | {"TMPDIR": folder})


@functools.cache
def check_ups() -> dict[Mac, Future[dict[str, Any]]]:
    """All of them, begun by the first test that asks and made one at a time: two would find each other busy."""
    stand_in.build()
    pool = ThreadPoolExecutor(1)
    return {mac: pool.submit(check_up, mac) for mac in (*TRAINING, *WITHOUT_MPS, INTEL)}


def checked(mac: Mac) -> dict[str, Any]:
    return check_ups()[mac].result()


def words(document: dict[str, Any]) -> str:
    """Every text of a report that a person reads."""
    found = [*(document["verdict"] or {}).get("reasons", ())]
    for result in document["checks"]:
        for finding in result["findings"]:
            remedy = finding["remedy"] or {"text": "", "commands": []}
            found += [finding["title"], finding["detail"], remedy["text"], *remedy["commands"]]
    return "\n".join(found)


def outcomes(document: dict[str, Any], device: str) -> set[str]:
    return {row["outcome"] for row in check(document, "training")["facts"]["results"] if row["device"] == device}


@pytest.mark.parametrize("mac", TRAINING, ids=str)
def test_both_devices_train_on_a_mac_that_has_mps(mac: Mac) -> None:
    """Nothing fails on either, something is timed on both, and the profile is written."""
    document = checked(mac)
    assert not [result for result in document["checks"] if result["status"] == "error"]
    for device in ("cpu", "mps"):
        assert "ok" in outcomes(document, device) <= {"ok", "skipped"}
    assert document["profile"]["written"]


@pytest.mark.parametrize("mac", TRAINING, ids=str)
def test_the_verdict_names_mps_only_where_it_is_faster(mac: Mac) -> None:
    """Where a step takes longer on the device the CPU is recommended, for each family too."""
    verdict = checked(mac)["verdict"]
    if mac.speed < 1:
        assert {verdict["device"], *verdict["by_workload"].values()} == {"cpu"}
    else:
        assert "mps" in {verdict["device"], *verdict["by_workload"].values()}


@pytest.mark.parametrize("mac", [*TRAINING, *WITHOUT_MPS, INTEL], ids=str)
def test_no_sentence_is_one_that_misleads_a_mac_user(mac: Mac) -> None:
    """No assertion of torch's, no kernel's name for macOS, no doubled full stop, no blame on what only compiles."""
    text = words(checked(mac))
    assert not [pattern for pattern in NEVER if re.search(pattern, text)]


@pytest.mark.parametrize("mac", WITHOUT_MPS, ids=str)
def test_the_cpu_trains_where_mps_cannot_be_used(mac: Mac) -> None:
    """Under Rosetta and on a hosted virtual Mac the CPU is timed and recommended."""
    document = checked(mac)
    assert document["verdict"]["device"] == "cpu"
    assert "ok" in outcomes(document, "cpu") <= {"ok", "skipped"}
    assert not [device for device in document["devices"] if device["device"] == "mps" and device["usable"]]


def test_rosetta_is_never_sure() -> None:
    """What is measured under translation says nothing about the Mac."""
    assert checked(WITHOUT_MPS[0])["verdict"]["confidence"] == "low"


def test_an_intel_mac_is_measured_too() -> None:
    """Its graphics card is an MPS device of the old torch that it can have; here it is slower."""
    document = checked(INTEL)
    assert document["verdict"]["device"] == "cpu"
    assert "ok" in outcomes(document, "cpu")


def test_a_sandboxed_terminal_is_told(tmp_path: Path) -> None:
    """MPS is built in, macOS is recent enough, and no device is there: torch's own reason would be wrong."""
    env = stand_in.environment("m4", tmp_path, torch="2.13.0", available=0)
    (finding,) = check(report("--only", "build", env=env), "build")["findings"]
    assert finding["code"] == "MPS206"
    assert "Sandboxed terminals" in finding["detail"]


def test_a_virtual_mac_that_computes_wrong_numbers_is_not_trusted(tmp_path: Path) -> None:
    """Newer images allocate, and their results are wrong: trying tells."""
    env = stand_in.environment(
        "virtual", tmp_path, "aten::mm=wrong,aten::addmm=wrong,aten::linear=wrong", torch="2.14.0"
    )
    document = report("--only", "build", env=env)
    mps = next(device for device in document["devices"] if device["device"] == "mps")
    assert (mps["usable"], document["verdict"]["device"]) == (False, "cpu")
    assert "wrong numbers" in mps["reason"]


def test_a_bad_watermark_variable_leaves_the_cpu_training(tmp_path: Path) -> None:
    """The CPU's worker never asks the GPU's allocator; what MPS lacks is told with the variable's name."""
    env = stand_in.environment("m3-max", tmp_path, torch="2.13.0") | ONE_THREAD
    env |= {"PYTORCH_MPS_HIGH_WATERMARK_RATIO": "0.9"}
    document = report("--budget", "quick", "--only", "environment,training", env=env)
    assert "ok" in outcomes(document, "cpu") <= {"ok", "skipped"}
    named = [
        finding["code"]
        for result in document["checks"]
        for finding in result["findings"]
        if "PYTORCH_MPS_HIGH_WATERMARK_RATIO" in f"{finding['title']} {finding['detail']}"
    ]
    assert "MPS603" in named
    assert "virtual" not in words(document)


def test_the_cpu_is_compared_at_its_better_path(tmp_path: Path) -> None:
    """NNPACK, six times slower here, is off before MPS is called faster, and the profile keeps the setting.

    The clock is slow, so that what it does not cover, this machine's own time for a step, weighs little.
    """
    env = stand_in.environment("m3-max", tmp_path, torch="2.13.0", gflops=1, speed=3, nnpack_times=6) | ONE_THREAD
    document = report("--budget", "quick", "--only", "training", env=env)
    facts = check(document, "training")["facts"]
    row = next(row for row in facts["advice"] if row["kind"] == "nnpack")
    assert row["speedup"] == pytest.approx(6, rel=0.2)
    compared = {row["workload"]: row["speedup"] for row in facts["comparisons"]}
    assert "cnn" not in compared or compared["cnn"] < 4
    if not facts["doubtful"]:
        assert facts["settings"]["nnpack"] is False
        profile = json.loads(mpsdoctor("profile", "show", "--json", env=env).stdout)
        assert profile["settings"]["nnpack"] is False
