"""Training sessions in real workers, where torch has MPS: which device is touched, and what old allocators do."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mac import stand_in, touched
from mpsdoctor.check import Sandbox
from mpsdoctor_checks.training.lanes import explain

ONE_THREAD = {"OMP_NUM_THREADS": "1"}


@pytest.fixture
def worker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sandbox]:
    """A worker on an M3 Max; the parameter is the torch that it has."""
    sandbox = Sandbox(sys.executable, stand_in.environment("m3-max", tmp_path, torch=request.param) | ONE_THREAD)
    yield sandbox
    sandbox.close()


def ask(worker: Sandbox, function: str, **args: Any) -> Any:
    answer = worker.call(f"mpsdoctor_worker.{function}", timeout=120.0, **args)
    assert answer.outcome == "ok", answer.detail
    return answer.value


def train(worker: Sandbox, device: str, **options: Any) -> list[float]:
    """A whole session: losses, warm-up, a block, and the memory given back."""
    ask(worker, "training.sessions:prepare", workload="mlp", size="small", device=device, **options)
    losses: list[float] = ask(worker, "training.sessions:losses", steps=3)["losses"]
    ask(worker, "training.sessions:warm_up", seconds=0.1)
    ask(worker, "training.sessions:block", steps=2)
    ask(worker, "training.sessions:prepare", workload="cnn", size="small", device=device, **options)
    ask(worker, "training.sessions:release")
    return losses


@pytest.mark.parametrize("worker", ["2.2.2", "2.12.0", "2.15.0"], indirect=True)
def test_training_on_the_cpu_never_touches_the_gpu(worker: Sandbox) -> None:
    """Its allocator may be set up in a way that fails, and its heaps take memory from what is timed."""
    ask(worker, "torch_facts:torch")
    ask(worker, "training.sessions:ready")
    train(worker, "cpu")
    assert worker.call(f"{touched.__file__}:touched").value is False
    assert train(worker, "mps") == pytest.approx(train(worker, "cpu"), rel=1e-4)
    assert worker.call(f"{touched.__file__}:touched").value is True


@pytest.mark.parametrize(("worker", "dtype"), [("2.4.1", "float16"), ("2.5.1", "bfloat16")], indirect=["worker"])
def test_autocast_that_is_none_is_said(worker: Sandbox, dtype: str) -> None:
    """What torch switches off with no more than a warning is not timed under another name."""
    args = {"workload": "mlp", "size": "small", "device": "mps", "dtype": dtype}
    answer = worker.call("mpsdoctor_worker.training.sessions:prepare", timeout=120.0, **args)
    assert explain(answer)[0] == "unsupported"
    assert "autocast" in answer.detail


@pytest.mark.parametrize("worker", ["2.5.1"], indirect=True)
def test_a_fused_optimizer_trains_alike(worker: Sandbox) -> None:
    """The same losses, in fewer calls; with torch 2.4 it raises, as any way to train may."""
    assert train(worker, "mps", fused=True) == pytest.approx(train(worker, "cpu"), rel=1e-4)


@pytest.mark.parametrize("worker", ["2.4.1"], indirect=True)
def test_a_fused_optimizer_that_torch_lacks_is_unsupported(worker: Sandbox) -> None:
    """The check takes its text for `unsupported`."""
    ask(worker, "training.sessions:prepare", workload="mlp", size="small", device="mps", fused=True)
    answer = worker.call("mpsdoctor_worker.training.sessions:losses", timeout=120.0, steps=3)
    assert explain(answer)[0] == "unsupported"
