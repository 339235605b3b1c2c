"""The runner of PyTorch's operator database, over entries that look like OpInfos: the real ones need numpy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor

from mpsdoctor.worker import opinfos


@dataclass
class Sample:
    """What `sample_inputs_func` of an OpInfo yields."""

    input: Tensor
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    output_process_fn_grad: Callable[[Any], Any] = lambda result: result


@dataclass
class Info:
    """The part of an OpInfo that the runner uses."""

    name: str
    op: Callable[..., Any]
    variant_test_name: str = ""
    supports_autograd: bool = True
    decorators: tuple[Any, ...] = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.op(*args, **kwargs)

    def supported_dtypes(self, device: str) -> set[torch.dtype]:
        return {torch.float32, torch.bfloat16, torch.int64}

    def supported_backward_dtypes(self, device: str) -> set[torch.dtype]:
        return {torch.float32}

    @staticmethod
    def sample_inputs_func(info: Info, device: str, dtype: torch.dtype, requires_grad: bool) -> Iterator[Sample]:
        for size in (3, 5, 7):
            yield Sample(torch.randn(size, device=device, dtype=dtype, requires_grad=requires_grad))


class WrongGradient(torch.autograd.Function):
    """An exponential whose gradient is off in float32."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x.exp())
        return x.exp()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (result,) = ctx.saved_tensors
        return gradients[0] * result * (1.5 if result.dtype == torch.float32 else 1.0)


def refuses(x: Tensor) -> Tensor:
    if x.dtype == torch.float32 and len(x) == 5:
        raise NotImplementedError("not currently implemented for the MPS device")
    return x.exp()


INFOS = [
    Info("exp", torch.exp),
    Info("softmax", lambda x: x.softmax(0), variant_test_name="plain"),
    Info("dropout", torch.nn.functional.dropout),
    Info("tan", WrongGradient.apply),
    Info("refuses", refuses),
]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the worker sends, with the entries above as database."""
    messages: list[dict[str, Any]] = []
    monkeypatch.setattr(opinfos, "database", lambda: {opinfos.full_name(one): one for one in INFOS})
    monkeypatch.setattr(opinfos.channel, "progress", messages.append)
    monkeypatch.setattr(opinfos, "TURN", 1000.0)
    return messages


def places(said: list[dict[str, Any]]) -> list[tuple[int, str]]:
    return [tuple(one["at"]) for one in said if "at" in one]


def bad(said: list[dict[str, Any]]) -> dict[tuple[int, str], str]:
    """Outcome by place of what was not right."""
    found, at = {}, (0, "")
    for one in said:
        if "at" in one:
            at = tuple(one["at"])
        else:
            found[at] = one["bad"]["outcome"]
    return found


def test_the_plan_names_every_entry(said: list[dict[str, Any]]) -> None:
    """Each entry appears with its aten name, or its own where aten has none, in one dtype or in all."""
    assert opinfos.plan(False)[:2] == [["exp", "aten::exp", "float32"], ["softmax.plain", "aten::softmax", "float32"]]
    assert opinfos.plan(False)[4][1] == "torch.refuses"
    assert [one[2] for one in opinfos.plan(True)[:3]] == ["float32", "bfloat16", "int64"]


@pytest.mark.parametrize("name", ["exp", "softmax.plain", "dropout"])
def test_right_samples_are_announced_alone(name: str, said: list[dict[str, Any]]) -> None:
    """Every sample is announced in both directions, and a right or random one says no more."""
    assert opinfos.run(name, "float32", "cpu", [0, "forward"]) == {"next": None}
    assert places(said) == [(number, way) for number in range(3) for way in ("forward", "backward")]
    assert bad(said) == {}


def test_a_wrong_gradient_is_told_at_its_samples(said: list[dict[str, Any]]) -> None:
    """Only the direction that is wrong is reported."""
    opinfos.run("tan", "float32", "cpu", [0, "forward"])
    assert bad(said) == {(number, "backward"): "wrong" for number in range(3)}


def test_a_sample_that_cannot_run_costs_itself_alone(said: list[dict[str, Any]]) -> None:
    """A missing kernel in one sample leaves the others, and its own gradient is not asked for."""
    opinfos.run("refuses", "float32", "cpu", [0, "forward"])
    assert bad(said) == {(1, "forward"): "unimplemented"}
    assert (1, "backward") not in places(said)
    assert (2, "backward") in places(said)


def test_it_goes_on_where_it_is_told_to(said: list[dict[str, Any]]) -> None:
    """After a crash the samples before it are not run again."""
    opinfos.run("exp", "float32", "cpu", [2, "forward"])
    assert places(said) == [(2, "forward"), (2, "backward")]


def test_it_hands_back_after_its_turn(said: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """A long list of samples is run in turns, so that a hang is told from much work."""
    monkeypatch.setattr(opinfos, "TURN", -1.0)
    assert opinfos.run("exp", "float32", "cpu", [0, "forward"]) == {"next": [1, "forward"]}


def test_integers_have_no_gradient(said: list[dict[str, Any]]) -> None:
    """A dtype without a derivative is run forward alone."""
    INFOS[0].sample_inputs_func = lambda *_: iter([Sample(torch.arange(3))])  # type: ignore[method-assign,assignment]
    opinfos.run("exp", "int64", "cpu", [0, "forward"])
    assert places(said) == [(0, "forward")]
    del INFOS[0].sample_inputs_func


def test_declared_tolerances_are_honoured() -> None:
    """PyTorch's own tolerance for an operator widens ours, and never narrows it."""

    class toleranceOverride:
        def __init__(self) -> None:
            self.d = {torch.float32: type("tol", (), {"atol": 1e-3, "rtol": 1e-7})}

    @dataclass
    class Decorate:
        decorators: tuple[Any, ...] = (toleranceOverride(),)

    assert opinfos.declared(Info("x", torch.exp, decorators=(Decorate(),)), torch.float32) == pytest.approx(100.0)
    assert opinfos.declared(Info("x", torch.exp), torch.float32) == 1.0
