"""`mpsdoctor bench --step` from the command line and on the simulated accelerator."""

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
from mpsdoctor import get_optimal_device, prescription
from mpsdoctor.check import Context, UnusableRequestError, Workers
from mpsdoctor.cli.bench import usable_name
from mpsdoctor.runtime import profile
from mpsdoctor.runtime.shapes import Fingerprint
from mpsdoctor_checks.operators import model
from mpsdoctor_checks.training import own_step
from simulator import simulator

STEP = """
import os, sys, time, torch
from torch import nn

torch.set_num_threads(1)

def build(device):
    model = nn.Linear(8, 8).to(device)
    optimizer = torch.optim.AdamW(model.parameters())
    batch = torch.randn(4, 8)
    print('{"schema_version": 1}')

    def step():
        optimizer.zero_grad()
        loss = model(batch.to(device)).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    return step, 4

def plain():
    model = nn.Linear(8, 8)
    optimizer = torch.optim.AdamW(model.parameters())

    def step():
        optimizer.zero_grad()
        model(torch.randn(4, 8)).square().mean().backward()
        optimizer.step()
    return step

def module():
    return nn.Linear(8, 8), torch.randn(4, 8)

def stays():
    model, batch = nn.Linear(8, 8, device="cpu"), torch.randn(4, 8, device="cpu")
    return lambda: model(batch).sum().backward()

def takes_more(device, data):
    return print

def raises(device):
    raise ValueError("no data")

def leaves(device):
    sys.exit(3)

def model(device):
    return nn.Linear(8, 8)

def samples(device):
    return print, "4"

def runs_out(device):
    data = iter(range(15))
    return lambda: next(data)

def forever(device):
    def step():
        while True:
            time.sleep(0.01)
    return step

def dies(device):
    return lambda: os._exit(7)

def dies_later(device):
    counts = iter(range(5))
    return lambda: next(counts, None) is None and os._exit(0)

def unlike(device):
    if device != "cpu":
        raise NotImplementedError("no kernel for " + device)
    return build(device)

def overflows(device):
    counts = iter([1.0] * 12)
    return lambda: next(counts, float("nan"))
"""


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(STEP.splitlines(), 1) if text in line)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("person") / "train.py"
    made.write_text(STEP)
    return made


@pytest.fixture(scope="module")
def pool() -> Iterator[Workers]:
    made = Workers(sys.executable)
    yield made
    made.close()


def examined(pool: Workers, file: Path, function: str, *devices: str, timeout: float = 60.0) -> dict[str, Any]:
    """The facts of a step; without findings, which the rules of the training check make."""
    offered = [{"device": device, "usable": True} for device in ("cpu", *devices)]
    context = Context("quick", 1.0, None, {"build": {"devices": offered}}, pool, lambda message: None)
    return own_step.examine(context, model.parse_target(f"{file}:{function}", "--step"), "mine", timeout)[0]


def test_the_winner_is_found_and_stored(file: Path, tmp_path: Path) -> None:
    """A device planted to be twice as fast wins with its interval, and the profile gives it by the name."""
    path = tmp_path / "p.json"
    before = sample(fingerprint=profile.fingerprint(str(torch.__version__)), later=1)
    profile.write(before, path)
    env = simulator.environment(step_ms=8, speed=2)
    done = mpsdoctor(
        "--budget=quick",
        "--json",
        "--profile",
        str(path),
        "bench",
        "--step",
        f"{file}:build",
        "--store",
        "mine",
        env=env,
    )
    assert (done.returncode, "schema_version" in done.stderr) == (0, False), done.stderr
    report = json.loads(done.stdout)
    training = report["checks"][-1]["facts"]
    (row,) = training["comparisons"]
    assert (row["workload"], row["size"], row["device"], row["winner"]) == ("mine", "step", "sim", "sim")
    assert 1.05 < row["ci95"][0] <= row["speedup"] <= row["ci95"][1]
    assert row["speedup"] == pytest.approx(2, rel=0.3)
    assert (report["verdict"]["device"], report["verdict"]["by_workload"]) == ("sim", {"mine": "sim"})
    assert {each["device"]: each["samples_per_s"] * each["step_ms"] / 1e3 for each in training["results"]} == (
        pytest.approx({"cpu": 4, "sim": 4})
    )
    entry = {"device": "sim", "speedup": row["speedup"], "ci95": row["ci95"]}
    assert profile.read(path) == {**before, "workloads": {**before["workloads"], "mine": {"step": entry}}}
    # Here is no such device, so the answer that the profile gives is told in the warning.
    assert "the profile's choice is sim, but" in get_optimal_device(workload="mine", profile=path)[1].warnings[0]
    assert processes_left() == []


@pytest.mark.parametrize(
    ("function", "told"),
    [
        ("raises", f"train.py:{line_of('raise ValueError')} in raises: ValueError: no data (--step "),
        ("leaves", f"train.py:{line_of('sys.exit')} in leaves: it called sys.exit(3)"),
        ("nowhere", "it has no function 'nowhere' (there are: build, plain, "),
        ("model", "it returned Linear; it must return (module, example inputs), or a function that makes one"),
        ("samples", "it returned '4' as the number of samples"),
        ("runs_out", f"train.py:{line_of('lambda: next(data)')} in <lambda>: StopIteration"),
        ("dies", "the process ended: exit status 7"),
        ("dies_later", "train.py:dies_later: after step "),
        ("forever", f"train.py:{line_of('time.sleep')} in step: the step did not end within 1 s (--timeout)"),
    ],
)
def test_a_step_that_trains_nowhere_is_refused(pool: Workers, file: Path, function: str, told: str) -> None:
    """Whatever the file does wrong is told with its place, and the workers go on with the next one."""
    with pytest.raises(UnusableRequestError) as error:
        examined(pool, file, function, timeout=1.0 if function == "forever" else 60.0)
    assert told in str(error.value)


def test_a_step_that_fails_on_one_device_is_a_result(
    pool: Workers, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The device is told as failed, with the place in the file; the figures of the other one stay."""
    # No worker of that name has been started: the CPU's goes on without the simulated device.
    for name, value in simulator.environment().items():
        monkeypatch.setenv(name, value)
    facts = examined(pool, file, "unlike", "sim")
    cpu, sim = facts["results"]
    assert (cpu["outcome"], sim["outcome"], facts["comparisons"]) == ("ok", "unsupported", [])
    assert f"train.py:{line_of('raise NotImpl')} in unlike: NotImplementedError: no kernel for sim" in sim["detail"]


def test_a_loss_that_is_not_finite_is_a_result(pool: Workers, file: Path) -> None:
    """A loss that a step returns is looked at; one that turns NaN is not fast, it is wrong."""
    (row,) = examined(pool, file, "overflows")["results"]
    assert row["outcome"] == "nan"


@pytest.mark.parametrize(("function", "where"), [("raises", "raise ValueError"), ("runs_out", "lambda: next(data)")])
def test_ones_own_code_that_raises_is_no_wrong_use(function: str, where: str, file: Path) -> None:
    """One line with the place on stderr, without the command's usage; nothing on stdout, exit code 2.

    With -v the traceback stands above it, and begins with the person's code.
    """
    done = mpsdoctor("bench", "-q", "--json", "--step", f"{file}:{function}")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"mpsdoctor: your code failed: {file}:{line_of(where)} in ")
    assert done.stderr.count("\n") == 1
    traceback = mpsdoctor("bench", "-v", "--step", f"{file}:{function}").stderr.partition("Traceback")[2]
    assert traceback.splitlines()[1].startswith(f'  File "{file}", line {line_of(where)}, in ')
    assert "StepError" not in traceback


def test_what_the_file_should_be_is_a_usage_error(file: Path) -> None:
    """A function of the wrong kind is told with the contract."""
    done = mpsdoctor("bench", "-q", "--step", f"{file}:takes_more")
    assert (done.returncode, done.stdout) == (2, "")
    assert "it is takes_more(device, data); it must be takes_more() or takes_more(device)" in done.stderr
    assert "your code failed" not in done.stderr


@pytest.mark.parametrize("function", ["plain", "module"])
def test_a_function_without_a_device_is_timed_on_each(
    function: str, pool: Workers, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `ops --model` takes is timed too, on every device."""
    for name, value in simulator.environment(step_ms=4).items():
        monkeypatch.setenv(name, value)
    with contextlib.closing(Workers(sys.executable)) as workers:
        facts = examined(workers, file, function, "sim")
    assert [(row["device"], row["outcome"]) for row in facts["results"]] == [("cpu", "ok"), ("sim", "ok")]


def test_a_step_that_stays_elsewhere_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that does not run on the device would be timed under its name."""
    for name, value in simulator.environment().items():
        monkeypatch.setenv(name, value)
    with (
        contextlib.closing(Workers(sys.executable)) as workers,
        pytest.raises(UnusableRequestError, match=r"its step ran on cpu, not on sim: write stays\(device\)"),
    ):
        examined(workers, file, "stays", "sim")


@pytest.mark.parametrize("name", ["cnn", "CNN", "", " x", "a\nb", "x" * 41])
def test_names_that_cannot_be_stored(name: str) -> None:
    """A name of one of our own workloads, or one that no message could show, is refused."""
    with pytest.raises(UnusableRequestError, match="--store"):
        usable_name(name)


def test_a_result_needs_a_profile_of_here_and_now(tmp_path: Path) -> None:
    """A broken or stale profile is refused, with what to do about it; where there is none, one will be made."""
    path = tmp_path / "p.json"
    now: Fingerprint = {"torch": "2.13.0", "os": "Linux", "chip": "x"}
    assert prescription.read_storable(path, now) is None
    path.write_text("{")
    with pytest.raises(UnusableRequestError, match="not JSON"):
        prescription.read_storable(path, now)
    profile.write(sample(fingerprint={**now, "torch": "2.12.0"}), path)
    with pytest.raises(UnusableRequestError, match=r"is stale \(torch 2\.12\.0 → 2\.13\.0\); run 'mpsdoctor'"):
        prescription.read_storable(path, now)
    profile.write(sample(fingerprint=now), path)
    storable = prescription.read_storable(path, now)
    assert storable
    assert storable["schema"] == 1


def test_the_first_result_makes_the_profile(file: Path, tmp_path: Path) -> None:
    """It holds the step; what it recommends for all else is what holds without measurements."""
    path = tmp_path / "p.json"
    env = simulator.environment()
    options = ("--budget=quick", "-q", "--profile", str(path), "bench", "--step", f"{file}:build")
    done = mpsdoctor(*options, "--store", "mine", env=env)
    assert done.returncode == 0, done.stderr
    content = profile.read(path)
    assert {name: list(sizes) for name, sizes in content["workloads"].items()} == {"mine": ["step"]}
    assert (content["recommended"]["device"], content["recommended"]["confidence"]) == ("sim", "low")
    assert "no training was timed" in content["recommended"]["reason"]
    assert content["hints"] == ["run 'mpsdoctor' to measure this machine"]
    assert profile.changes(content["fingerprint"], profile.fingerprint(str(torch.__version__))) == ()
