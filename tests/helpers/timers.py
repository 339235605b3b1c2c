"""Called in a worker by benchmark and tests: PyTorch's own timer beside ours, and a timer that does not wait."""

from __future__ import annotations

import importlib
from typing import Any

import torch
from torch.utils.benchmark import Timer

training: Any = importlib.import_module("mpsdoctor_worker.training.sessions")
synchroniser = training.synchroniser


def side_by_side(steps: int, rounds: int) -> dict[str, list[float]]:
    """Seconds a step of the session, by our block and by torch.utils.benchmark, A B then B A, so that drift hits both.

    Timer would set one thread by default; here it has the session's.
    """
    session = training.current()
    found: dict[str, list[float]] = {"ours": [], "torch": []}
    names = {"step": session.step, "session": session}
    timer = Timer("step(session)", globals=names, num_threads=torch.get_num_threads())
    for number in range(rounds):
        for way in list(found)[:: -1 if number % 2 else 1]:
            seconds = training.block(steps)["seconds"] / steps if way == "ours" else timer.timeit(steps).mean
            found[way].append(seconds)
    return found


def wait(really: bool) -> None:
    """Whether the timer of this worker waits until the device is done, or reads the clock once all is launched."""
    training.synchroniser = synchroniser if really else lambda device: lambda loss: None
