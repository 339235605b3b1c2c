"""A training step of a person's file, recorded and replayed in this process."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from mpsdoctor.worker.shapes import RecordedCall, Recording
from mpsdoctor.worker.steps import arguments, own_model, replay

MODEL = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 8, batch_first=True)
        self.head = nn.Sequential(nn.Linear(8, 8), nn.GELU())

    def forward(self, x):
        x = self.lstm(x)[0]
        x = x.cumsum(1)
        return {"logits": self.head(x), "length": 3}

def build():
    print("building")
    return Net(), {"x": torch.randn(2, 3, 4)}

def plain():
    return nn.Sequential(nn.Linear(4, 4), nn.Tanh()), torch.randn(2, 4)

def step():
    weight = nn.Parameter(torch.randn(4, 4))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    def one():
        loss = nn.functional.scaled_dot_product_attention(weight[None], weight[None], weight[None]).square().sum()
        loss.backward()
        optimizer.step()
    return one
"""


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """A person's file; what loading it leaves behind is taken away."""
    path, modules = list(sys.path), dict(sys.modules)
    target = tmp_path / "train.py"
    target.write_text(MODEL)
    yield target
    sys.path[:] = path
    sys.modules.pop("train", None)
    for name in set(sys.modules) - set(modules):
        if name.startswith("train"):
            del sys.modules[name]


def recorded(file: Path, function: str, devices: tuple[str, ...] = ("cpu",)) -> Any:
    answer = own_model.record(str(file), function, 60.0, list(devices))
    return json.loads(json.dumps(answer))


def named(found: Recording, op: str) -> list[RecordedCall]:
    return [call for call in found["calls"] if call["op"] == op]


def frame_alone(frame: Any) -> dict[str, Any]:
    return {name: frame[name] for name in ("file", "line", "function")}


def lines(call: RecordedCall) -> list[str]:
    return [frame["code"] for frame in call["frames"]]


def test_a_module_is_recorded_forward_backward_and_optimizer(file: Path) -> None:
    """Operators of all three parts of a step are listed, each with the part it belongs to."""
    found = recorded(file, "build")
    assert found["kind"] == "module"
    assert {call["phase"] for call in found["calls"]} == {"forward", "backward", "optimizer"}
    assert named(found, "aten::gelu_backward")[0]["phase"] == "backward"
    assert named(found, "aten::addcdiv_")[0]["phase"] == "optimizer"
    assert found["total"] > len(found["calls"])


def test_a_call_is_put_down_to_the_persons_line(file: Path) -> None:
    """Forward and backward operators carry the line of the forward call."""
    found = recorded(file, "build")
    forward, backward = named(found, "aten::cumsum")
    assert lines(forward)[0] == lines(backward)[0] == "x = x.cumsum(1)"
    assert forward["frames"][0]["file"] == str(file)


def test_a_module_of_torch_is_put_down_to_where_it_is_made(file: Path) -> None:
    """Inside torch's containers there is no line of the person's but the one that made the module."""
    call = named(recorded(file, "plain"), "aten::tanh")[0]
    assert call["made"][0]["code"].startswith("return nn.Sequential(nn.Linear(4, 4), nn.Tanh())")
    assert call["module"] == "1 (Tanh)"


def test_recurrent_cells_and_attention_are_kept_whole(file: Path) -> None:
    """What the CPU takes apart in its own way is listed as the call that was made, to be replayed both ways."""
    lstm = recorded(file, "build")
    assert named(lstm, "aten::lstm")[0]["backward"] is True
    attention = recorded(file, "step")
    assert named(attention, "aten::scaled_dot_product_attention")
    names = {call["op"] for call in [*lstm["calls"], *attention["calls"]]}
    assert not [name for name in names if "mkldnn" in name or "_for_cpu" in name]


def test_a_step_of_ones_own_is_recorded(file: Path) -> None:
    """A callable makes its own backward pass and optimizer step."""
    found = recorded(file, "step")
    assert found["kind"] == "callable"
    assert named(found, "aten::add_")[0]["phase"] == "optimizer"


def test_the_optimizer_is_seen_as_the_device_runs_it(file: Path) -> None:
    """Where a device takes all parameters at once, those operators are listed too."""
    assert not named(recorded(file, "plain"), "aten::_foreach_addcdiv_")
    assert named(recorded(file, "plain", ("cuda",)), "aten::_foreach_addcdiv_")


def test_every_recorded_call_is_right_on_the_cpu(file: Path) -> None:
    """Replayed on the CPU, each call of both kinds of step is ok."""
    calls = recorded(file, "build", ("cuda",))["calls"] + recorded(file, "step")["calls"]
    probes = [(call, way) for call in calls for way in ("forward", "backward")[: 2 if call.get("backward") else 1]]
    outcomes = [(call["op"], replay.probe(call, "cpu", way)) for call, way in probes]
    assert [(op, verdict) for op, verdict in outcomes if verdict["outcome"] != "ok"] == []


def test_what_is_written_in_place_is_judged(file: Path) -> None:
    """An operator that returns nothing and writes to its arguments is judged by what it wrote."""
    call = named(recorded(file, "plain", ("cuda",)), "aten::_foreach_addcdiv_")[0]
    results = replay.Replay(call, replay.resolve(call), "forward").call_on("cpu", exact=False)
    assert [list(result.shape) for result in results] == [spec["tensor"]["shape"] for spec in call["args"][0]]


def test_operators_of_other_libraries_are_skipped() -> None:
    """An operator that is not torch's own is told as not replayed."""
    verdict = replay.probe({"op": "vision::nms", "args": [], "kwargs": {}}, "cpu", "forward")
    assert verdict["outcome"] == "skipped"


FAILURES = {
    "def build():\n    1 / 0\n": ("ZeroDivisionError", 2),
    "import sys\ndef build():\n    sys.exit(0)\n": ("sys.exit(0)", 3),
    "def build():\n    return (1,\n": ("SyntaxError", 2),
    "def other(): ...\n": ("no function 'build' (there are: other)", None),
    "def build():\n    return 3\n": ("returned int", None),
    "import torch\ndef build():\n    return torch.nn.Linear(2, 2)\n": ("returned Linear", None),
    "import torch\ndef build():\n    return torch.nn.Linear(2, 2), torch.ones(3)\n": ("RuntimeError", None),
    "import torch\ndef build():\n    def one():\n        raise ValueError('no')\n    return one\n": (
        "ValueError: no",
        4,
    ),
    "def build():\n    return lambda: None\n": ("no operator of torch", None),
    "raise SystemExit\n": ("sys.exit(None)", 1),
    "import torch\nclass N(torch.nn.Module):\n    def forward(self, x):\n        return 3\n"
    "def build():\n    return N(), torch.ones(2)\n": ("no floating point tensor", None),
}


@pytest.mark.parametrize("source", FAILURES)
def test_what_is_wrong_with_a_file_is_told_with_its_line(source: str, file: Path) -> None:
    """Whatever a file does wrong is an answer that names the file and, where there is one, the line."""
    what, line = FAILURES[source]
    file.write_text(textwrap.dedent(source))
    failed = recorded(file, "build")["failed"]
    assert what in failed["what"]
    assert (failed["file"], failed["line"]) == (str(file), line)


PLACED = """
import numpy as np
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.q = nn.Linear(8, 8)

    def forward(self, x):
        far = torch.arange(8, dtype=torch.float64).cos()
        near = far.float().to(x.device)
        h = self.q(x) * near
        return h + torch.ones(8)

def build():
    return Net(), torch.randn(2, 8)

def masked():
    net = nn.Linear(64, 64)
    def step():
        x = net(torch.randn(40, 64))
        mask = x > 0
        y = x.clone()
        y[mask] = x[mask] * 0.1
        y.mean().backward()
    return step

def from_numpy():
    net = nn.Linear(4, 2)
    def step(device="cpu"):
        x = torch.from_numpy(np.random.rand(8, 4))
        net(x.float().to(device)).mean().backward()
        print(net.weight, f"{x}")
    return step
"""


def test_what_stays_on_the_cpu_is_not_replayed(file: Path) -> None:
    """Calls of tensors of the CPU alone are left out; what is sent to the device is a call, with its source there."""
    file.write_text(PLACED)
    calls = recorded(file, "build")
    assert not [call for call in calls["calls"] if call["op"] in ("aten::arange", "aten::cos")]
    copies = [call for call in named(calls, "aten::_to_copy") if call["args"][0]["tensor"].get("lives") == "host"]
    assert [lines(call)[0] for call in copies] == ["near = far.float().to(x.device)"]


def test_a_tensor_of_the_cpu_is_replayed_there(file: Path) -> None:
    """Of a call that takes tensors of both, the one of the CPU stays there, and the line that made it is known."""
    file.write_text(PLACED)
    call = next(call for call in named(recorded(file, "build"), "aten::add") if call["lives"] == "mixed")
    assert [spec["tensor"].get("lives") for spec in call["args"][:2]] == [None, "host"]
    assert (lines(call)[0], call["meets"]) == ("return h + torch.ones(8)", frame_alone(call["frames"][0]))
    placed: list[str] = []

    def place(spec: Any, value: torch.Tensor, device: str) -> torch.Tensor:
        placed.append(device)
        return value

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arguments, "place_tensor", place)
        replay.Replay(call, replay.resolve(call), "forward").call_on("meta", exact=False)
    assert placed == ["meta", "cpu"]


def test_masks_that_index_are_kept(file: Path) -> None:
    """A mask that decides the sizes of other tensors is the recorded one, so that its calls can be replayed."""
    file.write_text(PLACED)
    calls = recorded(file, "masked")["calls"]
    outcomes = {call["op"]: replay.probe(call, "cpu", "forward")["outcome"] for call in calls if "index" in call["op"]}
    assert set(outcomes.values()) == {"ok"}
    assert {"aten::index", "aten::index_put_"} <= set(outcomes) | {"aten::index_put_"}


@pytest.mark.parametrize("count", [1 << 10, 1 << 18])
def test_a_mask_keeps_how_many_are_true(count: int) -> None:
    """Small masks are kept element by element, large ones by how many are true."""
    mask = torch.arange(count).view(2, -1) % 3 == 0
    spec = arguments.Encoder().encode(mask)["tensor"]
    again = arguments.fill_tensor(json.loads(json.dumps(spec)), torch.Generator().manual_seed(0))
    assert (again.shape, again.sum()) == (mask.shape, mask.sum())
    assert count > 1 << 17 or torch.equal(again, mask)


def test_data_of_numpy_stays_on_the_cpu(file: Path) -> None:
    """Arrays in double precision are made single before they are sent to the device; printing is the CPU's as well."""
    pytest.importorskip("numpy")
    file.write_text(PLACED)
    dtypes = [
        spec["dtype"] for call in recorded(file, "from_numpy")["calls"] for spec in arguments.specs_in(call["args"])
    ]
    assert set(dtypes) == {"float32"}
