"""What listens inside a watched training: steps, what lies between them, memory, and a doctor that has gone."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.trainer import torch
from mpsdoctor.watch.inbox import Inbox
from mpsdoctor.worker.injected import watching
from mpsdoctor.worker.injected.watching import Meter, Watch


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be set."""
    now = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    return now


@pytest.fixture
def listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A doctor's socket; the folder of a test may have too long a name for one."""
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind("s")
        bound.setblocking(False)
        yield bound


@pytest.fixture
def watch() -> Iterator[Watch]:
    """What listens in this process; it tells the socket `s`."""
    watch = Watch("2.13.0", "s")
    yield watch
    watch.close()


def model() -> tuple[Any, Any]:
    linear = torch.nn.Linear(4, 4)
    return linear, torch.optim.SGD(linear.parameters(), lr=0.1)


def heard(listening: socket.socket) -> list[dict[str, Any]]:
    messages = []
    while True:
        try:
            messages.append(json.loads(listening.recv(65536)))
        except BlockingIOError:
            return messages


def test_steps_are_told_once_a_second(clock: list[float], watch: Watch, listening: socket.socket) -> None:
    """Together: how many, how long, the longest; the first only says that there is a training."""
    _, optimizer = model()
    for took in (0.0, 0.2, 0.3, 0.4, 0.2, 0.2):
        clock[0] += took
        watch.after_step(optimizer, (), {})
    first, second = heard(listening)
    assert (first["done"], first["steps"]) == (1, 0)
    assert (second["done"], second["steps"], second["longest"]) == (5, 4, 0.4)
    assert second["seconds"] == pytest.approx(1.1)
    assert second["pid"] == os.getpid()
    assert second["memory"]["cpu"]["tensors"] > 0
    watch.end()
    assert [message["steps"] for message in heard(listening)] == [1]


def test_what_lies_between_steps_is_set_aside(clock: list[float], watch: Watch, listening: socket.socket) -> None:
    """A validation now and then, to the end of the step that it lies in."""
    _, optimizer = model()
    for step in range(100):
        if step == 50:
            watch.interrupt("validation")
            clock[0] += 3.0
        clock[0] += 0.05
        watch.after_step(optimizer, (), {})
    watch.end()
    told = heard(listening)
    assert [message["aside"] for message in told if message["aside"]] == [{"validation": 3.05}]
    assert sum(message["steps"] for message in told) == 98
    assert max(message["longest"] for message in told) == pytest.approx(0.05)


def test_what_comes_in_each_step_is_part_of_it(clock: list[float], watch: Watch, listening: socket.socket) -> None:
    """A loop that calls eval() and train() around a metric."""
    _, optimizer = model()
    for _ in range(100):
        watch.interrupt("validation")
        clock[0] += 0.05
        watch.after_step(optimizer, (), {})
    watch.end()
    assert sum(message["steps"] for message in heard(listening)) == 100 - watching.SURE


def test_without_an_optimizer_a_backward_pass_is_a_step(
    clock: list[float], watch: Watch, listening: socket.socket
) -> None:
    """As in a script that moves its parameters by hand."""
    loss = torch.zeros(())
    for _ in range(6):
        clock[0] += 1.0
        watch.before_backward(loss)
    assert [message["done"] for message in heard(listening)] == [1, 2, 3, 4]


def test_a_doctor_that_takes_nothing_now_is_told_later(
    clock: list[float], watch: Watch, listening: socket.socket
) -> None:
    """A doctor that is stopped fills its queue: the training neither waits nor loses a step."""
    _, optimizer = model()
    made = 0
    for _ in range(3000):
        clock[0] += 1.0
        watch.after_step(optimizer, (), {})
        made += 1
    assert not watch.gone
    told = heard(listening)
    assert len(told) < made
    clock[0] += 1.0
    watch.after_step(optimizer, (), {})
    assert sum(message["steps"] for message in [*told, *heard(listening)]) == made


def test_without_a_doctor_nothing_is_done_any_more(clock: list[float]) -> None:
    """It was killed: the training goes on, and pays for nothing."""
    inbox = Inbox()
    watch, (_, optimizer) = Watch("2.13.0", inbox.path), model()
    watch.after_step(optimizer, (), {})
    assert not watch.gone
    inbox.close()
    clock[0] += 2.0
    watch.after_step(optimizer, (), {})
    watch.after_step(optimizer, (), {})
    assert (watch.gone, watch.done) == (True, 2)


def test_a_hook_that_fails_fails_no_training(watch: Watch) -> None:
    """An optimizer that is none as torch's are: the training goes on unwatched."""
    watch.after_step(SimpleNamespace(param_groups=[{}]), (), {})
    assert watch.gone


def test_a_forked_child_begins_anew(clock: list[float], watch: Watch, listening: socket.socket) -> None:
    """Its steps are its own, and so is its socket."""
    _, optimizer = model()
    watch.after_step(optimizer, (), {})
    before = watch.socket
    watch.begin()
    watch.after_step(optimizer, (), {})
    assert watch.socket is not before
    assert [message["done"] for message in heard(listening)] == [1, 1]


def fake_mps(monkeypatch: pytest.MonkeyPatch, **functions: Any) -> None:
    """torch.mps with these functions alone, and torch.accelerator's that raise, as on torch 2.9 to 2.12."""

    def fail(*args: Any) -> int:
        raise RuntimeError("Allocator for mps is not a DeviceAllocator.")

    monkeypatch.setattr(torch, "mps", SimpleNamespace(**functions))
    names = ("memory_allocated", "max_memory_allocated", "memory_reserved")
    monkeypatch.setattr(torch, "accelerator", SimpleNamespace(**dict.fromkeys(names, fail)), raising=False)


def test_the_peak_is_kept_here_where_torch_keeps_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """MPS had no peak of tensors before August 2026: what is in use at each backward() is looked at."""
    used = [100]
    fake_mps(monkeypatch, current_allocated_memory=lambda: used[0], driver_allocated_memory=lambda: 4096)
    meter = Meter("mps")
    for used[0] in (300, 900, 200):
        meter.look()
    assert meter.read() == {"tensors": 200, "reserved": 4096, "peak": 900}


def test_a_peak_of_torchs_own_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nothing has to be looked at in each step; a script that resets it does not lower what was seen."""
    peak = [700]
    fake_mps(monkeypatch, current_allocated_memory=lambda: 5, max_memory_allocated=lambda: peak[0])
    meter = Meter("mps")
    assert meter.now is None
    assert meter.read() == {"tensors": 5, "reserved": None, "peak": 700}
    peak[0] = 10
    assert meter.read()["peak"] == 700


def test_a_device_that_tells_nothing_has_no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """A back end out of tree may count no memory."""
    fake_mps(monkeypatch)
    assert Meter("mps").read() == {"tensors": None, "reserved": None, "peak": None}
