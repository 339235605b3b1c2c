"""What is seen of a training step on the CPU, and what it comes to on MPS."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn

from mpsdoctor.support import Prediction, call_of, predict, predictions_as_json, support_in
from mpsdoctor.worker.shapes import CallNode
from mpsdoctor.worker.steps import calltree
from mpsdoctor_checks.operators.predicted import findings


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small tensors, and a machine shared with others."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def names(calls: list[CallNode]) -> set[str]:
    """The operators called, parts included."""
    return {call["op"] for call in calls} | {name for call in calls for name in names(call["parts"])}


def predicted(step: Callable[[], object], version: str) -> dict[str, Prediction]:
    calls: Any = calltree.record(step)
    found = predict(map(call_of, calls), support_in(version))
    return {each.op: each for each in found}


def stopping(found: dict[str, Prediction]) -> set[str]:
    return {op for op, each in found.items() if each.verdict not in ("kernel", "composite")}


def training(model: nn.Module, *inputs: torch.Tensor) -> Callable[[], None]:
    optimizer = torch.optim.AdamW(model.parameters())

    def step() -> None:
        result = model(*inputs)
        loss = (result[0] if isinstance(result, tuple) else result).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def test_forward_backward_and_optimizer_are_seen() -> None:
    """The operators of all three parts of a step are listed, each with its overload."""
    seen = names(calltree.record(training(nn.Sequential(nn.Linear(3, 2), nn.Sigmoid()), torch.ones(4, 3))))
    assert {"aten::addmm", "aten::sigmoid", "aten::sigmoid_backward", "aten::addcdiv_"} <= seen
    assert not {name for name in seen if name.startswith(("profiler::", "prim::"))}


def test_an_explicit_composite_shows_its_parts() -> None:
    """logspace has no kernel of its own for any device: its parts are what a device needs."""
    (call,) = calltree.record(lambda: torch.logspace(0, 1, 3))
    assert "aten::logspace.out" in {part["op"] for part in call["parts"]}


def test_an_implicit_composite_shows_its_parts() -> None:
    """An operator that autograd never sees is listed when Python calls it, with what it is made of."""
    matrix = torch.eye(2)
    (call,) = calltree.record(lambda: torch.linalg.svdvals(matrix))
    assert (call["op"], "aten::_linalg_svd" in names(call["parts"])) == ("aten::linalg_svdvals", True)


def test_calls_that_are_the_same_are_listed_once() -> None:
    """A loop over equal calls is one call, of other sizes it is another."""

    def step() -> None:
        for size in (2, 2, 3):
            torch.ones(size).neg()

    negations = [call for call in calltree.record(step) if call["op"] == "aten::neg"]
    assert [call["given"]["self"]["sizes"] for call in negations] == [[2], [3]]


def test_numbers_in_place_of_tensors_are_taken() -> None:
    """A composite that hands a number on to an operator of tensors runs as it does without being watched."""
    data, index = torch.arange(6.0).view(2, 3), torch.tensor([[0, 1, -1]])
    result: list[torch.Tensor] = []
    calltree.record(lambda: result.append(torch.take_along_dim(data, index, dim=0)))
    assert torch.equal(result[0], torch.take_along_dim(data, index, dim=0))


def test_watching_changes_no_numbers() -> None:
    """A step gives the same loss and gradients watched as unwatched."""
    torch.manual_seed(1)
    model, data = (
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(32, 2)),
        torch.rand(2, 1, 6, 6),
    )

    def gradients() -> list[torch.Tensor]:
        model.zero_grad()
        model(data).logsumexp(1).sum().backward()
        return [each.grad.clone() for each in model.parameters() if each.grad is not None]

    plain = gradients()
    watched: list[list[torch.Tensor]] = []
    calltree.record(lambda: watched.append(gradients()))
    assert all(torch.equal(one, other) for one, other in zip(plain, watched[0], strict=True))


def test_what_a_step_raises_passes_through_and_watching_ends() -> None:
    """An error of the step is the caller's, and nothing is watched after it."""

    def step() -> None:
        torch.ones(2).neg()
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        calltree.record(step)
    assert len(calltree.record(lambda: torch.ones(2).neg())) == 2


COMMON: list[Callable[[], Callable[[], None]]] = [
    lambda: training(nn.LSTM(4, 8), torch.randn(3, 2, 4)),
    lambda: training(nn.GRU(4, 8), torch.randn(3, 2, 4)),
    lambda: training(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), torch.randn(2, 5, 8)),
    lambda: training(nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.MaxPool2d(2)), torch.randn(2, 3, 9, 9)),
    lambda: training(nn.ConvTranspose2d(3, 8, 3), torch.randn(2, 3, 8, 8)),
]


@pytest.mark.parametrize("make", COMMON)
@pytest.mark.parametrize("version", ["2.3", "2.13", "2.15"])
def test_what_people_train_on_macs_is_predicted_to_run(make: Callable[[], Callable[[], None]], version: str) -> None:
    """Recurrent, attention and convolution layers run on MPS, though the CPU takes ways that MPS does not have."""
    assert stopping(predicted(make(), version)) == set()


def test_a_missing_backward_operator_is_predicted_with_its_version() -> None:
    """Pooling in three dimensions is missing forward and backward until torch 2.9."""
    found = predicted(training(nn.Sequential(nn.Conv3d(1, 1, 1), nn.MaxPool3d(2)), torch.randn(1, 1, 4, 4, 4)), "2.8")
    assert stopping(found) == {"aten::max_pool3d", "aten::max_pool3d_with_indices_backward"}
    assert {found[op].since for op in stopping(found)} == {"2.9"}
    assert {found[op].fallback for op in stopping(found)} == {True}


def test_float64_is_predicted_to_stop_but_scalars_are_not() -> None:
    """A tensor of float64 cannot be on MPS; a Python number, and a scalar made of one, can."""
    x = torch.ones(3, requires_grad=True)
    assert stopping(predicted(lambda: torch.autograd.grad((x * 2.5 + 1).sum(), x), "2.13")) == set()
    assert "aten::_to_copy" in stopping(predicted(lambda: torch.autograd.grad((x.double() * 2.5).sum(), x), "2.13"))


def test_a_step_that_is_predicted_to_stop_is_an_error_with_its_place() -> None:
    """The title says what the first operator that stops needs, the detail where it is called."""
    x = torch.ones(3, requires_grad=True)
    found = [*predicted(lambda: x.double().sum() * 2.5, "2.13").values()]
    told = predictions_as_json(found, support_in("2.13"), {}, {"aten::_to_copy": "train.py:3 in step"})
    (finding,) = findings(found, told, "train.py:step")
    assert (finding.code, finding.severity) == ("MPS361", "error")
    assert finding.title.startswith("train.py:step needs aten::_to_copy: ")
    assert "(train.py:3 in step)" in finding.detail


def test_the_double_precision_of_the_cpus_own_sums_does_not_count() -> None:
    """renorm and pinv compute in float64 on the CPU, and in float32 on MPS."""
    x = torch.rand(3, 3, requires_grad=True)
    assert stopping(predicted(lambda: torch.autograd.grad(x.renorm(2, 0, 1.0).sum(), x), "2.13")) == set()
    assert predicted(lambda: torch.linalg.pinv(x), "2.13")["aten::linalg_pinv.atol_rtol_tensor"].verdict == "fallback"


def test_an_operator_that_came_later_is_predicted_with_its_version() -> None:
    """Singular values alone are missing on MPS until torch 2.14."""
    found = predicted(lambda: torch.linalg.svdvals(torch.rand(3, 3)), "2.13")
    assert ("aten::linalg_svdvals", "missing", "2.14") in {
        (each.op, each.verdict, each.since) for each in found.values()
    }


def test_predicting_needs_no_torch() -> None:
    """The prediction itself imports neither torch nor anything to install."""
    program = "import mpsdoctor.support, sys; print({'torch', 'msgspec', 'yaml', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_loop_over_steps_and_places_is_not_another_call_of_each() -> None:
    """What a call is judged by is kept, not the numbers that a loop changes: a factor, or where a view begins."""

    def step() -> None:
        for place in range(5):
            torch.ones(5, 2)[place].mul(0.1 * place).sum(0)

    calls = [call for call in calltree.record(step) if call["op"] in ("aten::select.int", "aten::mul.Tensor")]
    assert [call["op"] for call in calls] == ["aten::select.int", "aten::mul.Tensor"]
    assert calls[0]["given"] == {
        "self": {"dtype": "float32", "sizes": [5, 2]},
        "result": [{"dtype": "float32", "sizes": [2]}],
    }
