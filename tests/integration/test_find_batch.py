"""`mpsdoctor bench --step --find-batch`: on the simulated accelerator, a Mac's stand-in and the CPU."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.support import mpsdoctor, processes_left
from helpers.trainer import sample, torch
from mac import stand_in
from mpsdoctor.check import Context, OwnCodeError, UnusableRequestError, Workers
from mpsdoctor.report import Finding
from mpsdoctor.runtime import profile
from mpsdoctor_checks.operators import model
from mpsdoctor_checks.training import batch_plan, own_batches
from simulator import simulator

MIB = 1 << 20
# A sample takes 1 MiB on the device, or a little more; nothing else takes much.
STEP = """
import time
import torch
from torch import nn

def build(device, batch_size):
    weight = torch.ones(1, device=device, requires_grad=True)
    def step():
        loss = (torch.ones(batch_size, 1 << 17, device=device) * weight).mean()
        loss.backward()
        weight.grad = None
        return loss
    return step

def small(device, batch_size=4):
    return build(device, 1), 1

def slow(device, batch_size):
    step = build(device, 1)
    def wait():
        time.sleep(0.1)
        return step()
    return wait

def short_of_data(device, batch_size):
    if batch_size > 20:
        raise ValueError("20 samples are all there are")
    return build(device, batch_size)

def fixed(device):
    return build(device, 8)

def raises(device, batch_size):
    raise ValueError("no data")
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("person") / "train.py"
    made.write_text(STEP)
    return made


@pytest.fixture(scope="module")
def cpu() -> Iterator[Workers]:
    """Workers that several tests use, one after the other."""
    with contextlib.closing(Workers(sys.executable)) as pool:
        yield pool


@pytest.fixture
def workers() -> Iterator[Workers]:
    with contextlib.closing(Workers(sys.executable)) as pool:
        yield pool


def find(
    workers: Workers, file: Path, function: str, device: str, seconds: float = 8.0, **more: Any
) -> tuple[dict[str, Any], list[Finding]]:
    """What is found on one device."""
    offered = [{"device": name, "usable": True} for name in dict.fromkeys(("cpu", device))]
    context = Context("quick", seconds, (device,), {"build": {"devices": offered}}, workers, lambda message: None)
    target = model.parse_target(f"{file}:{function}", "--step")
    facts, findings = own_batches.examine(context, target, "mine", 60.0, **more)
    (row,) = facts["batch_search"]
    return row, findings


def set_environment(monkeypatch: pytest.MonkeyPatch, env: dict[str, str]) -> None:
    for name, value in {**env, "OMP_NUM_THREADS": "1"}.items():
        monkeypatch.setenv(name, value)


def outcomes(row: dict[str, Any]) -> dict[int, str]:
    return {each["batch"]: each["outcome"] for each in row["tries"]}


def test_a_planted_memory_is_found_from_below(workers: Workers, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The device raises beyond it; the answer lies within an eighth, and the search takes no more than it has to."""
    set_environment(monkeypatch, simulator.environment(memory_bytes=200 * MIB))
    row, (found,) = find(workers, file, "build", "sim")
    taken = {each["batch"]: each["bytes"] for each in row["tries"] if each["outcome"] == "ok"}
    assert taken[row["largest"]] <= 200 * MIB < taken[row["largest"]] * 9 / 8 * 1.02
    assert row["settled"]
    assert row["fastest"] in taken
    assert (found.code, found.evidence["largest"]) == ("MPS533", row["largest"])


def test_a_size_that_kills_its_worker_costs_that_size(
    workers: Workers, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An abort from 30 samples on is closed in upon, each size in a process that may die."""
    set_environment(monkeypatch, simulator.environment("aten::mul=abort:size30"))
    narrow = file.with_name("narrow.py")
    narrow.write_text(STEP.replace("1 << 17", "8"))
    row, _ = find(workers, narrow, "build", "sim")
    assert outcomes(row) == {8: "ok", 16: "ok", 24: "ok", 28: "ok", 30: "crash", 32: "crash"}
    assert (row["largest"], row["settled"]) == (28, True)


def test_a_mac_stays_below_what_mps_recommends(
    workers: Workers, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MPS would go to 1.7 times that, far in swap; a size that would is told, and not run."""
    env = stand_in.environment("m3-max", tmp_path, torch="2.12.0", memory_bytes=170 * MIB)
    monkeypatch.setattr("mpsdoctor.machine.memory", lambda: {"available_bytes": 64 << 30})
    set_environment(monkeypatch, env)
    row, _ = find(workers, file, "build", "mps")
    assert (row["limit_from"], row["limit_bytes"]) == ("recommended", 100 * MIB)
    ran = {each["batch"]: each["bytes"] for each in row["tries"] if each["outcome"] == "ok"}
    assert max(ran.values()) <= 100 * MIB
    assert "oom" not in outcomes(row).values()
    assert row["tries"][-1]["outcome"] in ("predicted", "over")
    assert row["largest"] == max(ran)


def test_the_cpu_stays_within_a_limit(cpu: Workers, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the process holds at most counts there, torch itself included."""
    monkeypatch.setattr(batch_plan, "START", 128)
    row, _ = find(cpu, file, "build", "cpu", seconds=60.0, most_bytes=700 * MIB)
    ran = {each["batch"]: each["bytes"] for each in row["tries"] if each["outcome"] == "ok"}
    assert row["limit_from"] == "given"
    assert max(ran.values()) <= 700 * MIB
    assert row["settled"]
    assert row["tries"][-1]["bytes"] > 700 * MIB


def test_nothing_fits(cpu: Workers, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Down to a single sample, and then it is told what was in the way."""
    monkeypatch.setattr(batch_plan, "START", 2)
    row, (found,) = find(cpu, file, "small", "cpu", most_bytes=1 * MIB)
    assert (row["largest"], row["fastest"]) == (None, None)
    assert outcomes(row) == dict.fromkeys((1, 2), "over")
    assert (found.code, found.severity) == ("MPS534", "warning")


def test_time_ends_the_search(cpu: Workers, file: Path) -> None:
    """What was found by then is the answer, as one that larger sizes may beat."""
    row, _ = find(cpu, file, "slow", "cpu", seconds=0.5)
    ran = [each["batch"] for each in row["tries"] if each["outcome"] == "ok"]
    assert row["largest"] == max(ran, default=None)
    assert len(ran) <= 5, "no step takes less than a fifth of the time"
    assert not row["settled"]
    assert "time was over" in row["stopped"]


def test_a_file_that_has_no_more_data_bounds_it(cpu: Workers, file: Path) -> None:
    """Code that raises at a larger size is an answer with its place, and no failure of the whole."""
    row, _ = find(cpu, file, "short_of_data", "cpu")
    assert (row["largest"], row["settled"]) == (20, True)
    assert "20 samples are all there are" in row["tries"][-1]["detail"]


def test_a_function_without_a_batch_size_is_refused(cpu: Workers, file: Path) -> None:
    """With what it must take."""
    with pytest.raises(UnusableRequestError, match=r"it is fixed\(device\), which takes no batch_size; --find-batch"):
        find(cpu, file, "fixed", "cpu")


def test_code_that_raises_at_every_size_is_told(cpu: Workers, file: Path) -> None:
    """As of the person's own code, with its place."""
    with pytest.raises(OwnCodeError, match=r"train\.py:\d+ in raises: ValueError: no data"):
        find(cpu, file, "raises", "cpu")


def test_both_are_kept_in_the_profile(file: Path, tmp_path: Path) -> None:
    """`--store` adds them and changes nothing else; text tells the answer and each size."""
    left, path = processes_left(), tmp_path / "p.json"
    before = sample(fingerprint=profile.fingerprint(str(torch.__version__)), later=1)
    profile.write(before, path)
    env = simulator.environment(memory_bytes=20 * MIB)
    options = ("--budget=quick", "--device=sim", "--profile", str(path), "bench", "--step", f"{file}:build")
    both = ("--format=json", "--output", str(tmp_path / "r.json"), "--format=text")
    done = mpsdoctor(*options, "--find-batch", "--store", "mine", *both, env=env)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads((tmp_path / "r.json").read_text())["checks"][-1]["facts"]["batch_search"]
    entry = {name: row[name] for name in ("largest", "settled", "fastest", "samples_per_s")}
    assert profile.read(path) == {**before, "batch_sizes": {"mine": {"sim": entry}}}
    assert f"sim: largest batch {row['largest']}, fastest {row['fastest']}" in done.stdout
    told = {line.split()[0] for line in done.stdout.splitlines() if line.strip()}
    assert told >= {str(each["batch"]) for each in row["tries"]}
    assert processes_left() == left
