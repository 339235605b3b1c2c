"""The runner of PyTorch's operator database, over entries that look like OpInfos: the real ones need numpy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mpsdoctor.worker import channel
from mpsdoctor.worker.operators import opinfos
from mpsdoctor.worker.operators.messages import ON_THE_CPU
from mpsdoctor.worker.shapes import PlannedInfo, SampleFault, SampleTurn
from mpsdoctor_checks.operators.exhaustive import NOTES


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
        scaled: Tensor = gradients[0] * result * (1.5 if result.dtype == torch.float32 else 1.0)
        return scaled


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


@dataclass
class Runner:
    """Runs entries as a worker does, and keeps what it notes and sends."""

    notes: Path
    places: list[tuple[int, str]] = field(default_factory=list)
    bad: dict[tuple[int, str], str] = field(default_factory=dict)

    def __call__(self, name: str, dtype: str = "float32", first: int = 0) -> SampleTurn:
        self.notes.write_bytes(bytes(NOTES.size))
        return opinfos.run(name, dtype, "cpu", first, str(self.notes), 7)

    def keep(self, fault: SampleFault) -> None:
        self.bad[fault["at"]] = fault["bad"]["outcome"]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Runner:
    """A runner with the entries above as database."""
    runner = Runner(tmp_path / "notes")
    begin = opinfos.Notes.begin

    def begin_and_read(self: opinfos.Notes, number: int, direction: str) -> None:
        begin(self, number, direction)
        assert NOTES.unpack(runner.notes.read_bytes()) == (7, number, direction == "backward", *self.done.values())
        runner.places.append((number, direction))

    monkeypatch.setattr(opinfos, "database", lambda: {opinfos.full_name(info): info for info in INFOS})
    monkeypatch.setattr(channel, "progress", runner.keep)
    monkeypatch.setattr(opinfos.Notes, "begin", begin_and_read)
    monkeypatch.setattr(opinfos, "TURN", 1000.0)
    return runner


def test_the_plan_names_every_entry(run: Runner) -> None:
    """Each entry appears with its aten name, or its own where aten has none, in one dtype or in all."""
    first, second, *_, last = opinfos.plan(False)
    assert first == PlannedInfo("exp", "aten::exp", "float32")
    assert second == PlannedInfo("softmax.plain", "aten::softmax", "float32")
    assert last.op == "torch.refuses"
    assert [planned.dtype for planned in opinfos.plan(True)[:3]] == ["float32", "bfloat16", "int64"]


@pytest.mark.parametrize("name", ["exp", "softmax.plain", "dropout"])
def test_right_samples_are_noted_alone(name: str, run: Runner) -> None:
    """Every sample is noted in both directions before it begins, and a right or random one says no more."""
    assert run(name) == {"next": None, "done": {"forward": 3, "backward": 3}}
    assert run.places == [(number, way) for number in range(3) for way in ("forward", "backward")]
    assert run.bad == {}


def test_a_wrong_gradient_is_told_at_its_samples(run: Runner) -> None:
    """Only the direction that is wrong is reported."""
    run("tan")
    assert run.bad == {(number, "backward"): "wrong" for number in range(3)}


def test_a_sample_that_cannot_run_costs_itself_alone(run: Runner) -> None:
    """A missing kernel in one sample leaves the others, and its own gradient is not asked for."""
    run("refuses")
    assert run.bad == {(1, "forward"): "unimplemented"}
    assert (1, "backward") not in run.places
    assert (2, "backward") in run.places


def test_it_goes_on_where_it_is_told_to(run: Runner) -> None:
    """After a crash the samples before it are not run again."""
    run("exp", first=2)
    assert run.places == [(2, "forward"), (2, "backward")]


def test_it_hands_back_after_its_turn(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long list of samples is run in turns, so that a hang is told from much work."""
    monkeypatch.setattr(opinfos, "TURN", -1.0)
    assert run("exp") == {"next": 1, "done": {"forward": 1, "backward": 1}}


def test_integers_have_no_gradient(run: Runner) -> None:
    """A dtype without a derivative is run forward alone."""
    INFOS[0].sample_inputs_func = lambda *_: iter([Sample(torch.arange(3))])  # type: ignore[method-assign]
    run("exp", "int64")
    assert run.places == [(0, "forward")]
    del INFOS[0].sample_inputs_func


def test_declared_tolerances_are_honoured() -> None:
    """PyTorch's own tolerance for an operator widens ours, and never narrows it."""

    class toleranceOverride:
        def __init__(self) -> None:
            self.d = {torch.float32: type("tol", (), {"atol": 1e-3, "rtol": 1e-7})}

    @dataclass
    class Decorate:
        decorators: tuple[Any, ...] = (toleranceOverride(),)

    assert opinfos.declared_slack(Info("x", torch.exp, decorators=(Decorate(),)), torch.float32) == pytest.approx(100.0)
    assert opinfos.declared_slack(Info("x", torch.exp), torch.float32) == 1.0


@pytest.mark.parametrize(
    ("op", "args", "asks"),
    [
        (torch.sum, {"dtype": torch.float64}, True),
        (torch.Tensor.double, {}, True),
        (lambda x, other: other.to(x.dtype) + x, {"other": torch.ones(3, dtype=torch.float64)}, True),
        (lambda x: torch.complex(x.double(), x.double()), {}, True),
        (torch.sum, {"dtype": torch.float32}, False),
        (lambda x: x.double().sum().float(), {}, False),
        (torch.exp, {}, False),
    ],
)
def test_a_sample_that_asks_for_float64_is_known(op: Callable[..., Any], args: dict[str, Any], asks: bool) -> None:
    """By its arguments or by what the CPU answers; what an operator computes inside is the operator's matter."""
    traits = opinfos.Traits(Info("op", op), torch.float32)
    assert opinfos.Sample(traits, Sample(torch.ones(3), (), args), "cpu").asks_for_double() == asks


def test_a_float64_row_asks_for_what_it_is_about() -> None:
    """Only another dtype's row can ask for more than it is about."""
    traits = opinfos.Traits(Info("op", torch.exp), torch.complex128)
    assert not opinfos.Sample(traits, Sample(torch.ones(3, dtype=torch.complex128)), "cpu").asks_for_double()


def test_indices_stay_where_torch_wants_them() -> None:
    """A call that says so is made again with its integers on the CPU; what it is about goes to the device."""
    seen: list[tuple[str, str]] = []

    def split(x: Tensor, at: Tensor) -> Tensor:
        seen.append((x.device.type, at.device.type))
        if at.device.type != "cpu":
            raise RuntimeError("tensor_split expected tensor_indices_or_sections to be on cpu, but it's on meta")
        return x

    sample = Sample(torch.ones(3, dtype=torch.int64), (torch.tensor([1, 2]),))
    case = opinfos.Sample(opinfos.Traits(Info("op", split), torch.int64), sample, "meta")
    case.outputs("device")
    case.outputs("device")
    assert seen == [("meta", "meta"), ("meta", "cpu"), ("meta", "cpu")]


@pytest.mark.parametrize(
    ("message", "wants"),
    [
        ("tensor_split expected tensor_indices_or_sections to be on cpu, but it's on mps:0", True),
        ("'lengths' argument should be a 1D CPU int64 tensor, but got 1D mps:0 Long tensor", True),
        ("Expected all tensors to be on the same device, but found at least two devices, mps:0 and cpu!", False),
        ("index is out of bounds", False),
    ],
)
def test_what_says_that_indices_belong_on_the_cpu(message: str, wants: bool) -> None:
    """Only torch's wish for the CPU counts, not its complaint about two devices."""
    assert bool(ON_THE_CPU.search(message)) == wants
