"""Training libraries that do not go by what torch says is there, told the device as they load.

tests/recipes trains with the real ones.
"""

from __future__ import annotations

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mpsdoctor.worker.injected import beginning, steering

START = Path(steering.__file__).with_name("start") / "mpsdoctor_start.py"


class NeuralNet:
    """skorch's, as far as devices are concerned."""

    def __init__(self, module: Any, optimizer: str = "sgd", device: str | None = "cpu", compile: bool = False) -> None:
        self.module, self.optimizer, self.device, self.compile = module, optimizer, device, compile


class Classifier(NeuralNet):
    def __init__(self, module: Any, *args: Any, train_split: bool = True, **kwargs: Any) -> None:
        super().__init__(module, *args, **kwargs)
        self.train_split = train_split


def test_every_module_that_is_waited_for_has_its_steering_and_the_other_way_round() -> None:
    """The file that every Python reads at its start names them alone."""
    tree = ast.parse(START.read_text(encoding="utf-8"))
    (names,) = [
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LIBRARIES"
    ]
    assert eval(ast.unparse(names)) == tuple(steering.LIBRARIES)


def test_a_net_of_skorch_takes_the_device_unless_its_script_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A default alone changes: what a script names and all other defaults stay."""
    monkeypatch.setattr(NeuralNet.__init__, "__defaults__", NeuralNet.__init__.__defaults__)
    steering.steer_skorch(SimpleNamespace(NeuralNet=NeuralNet), "mps")
    net = Classifier(None)
    assert (net.optimizer, net.device, net.compile, net.train_split) == ("sgd", "mps", False, True)
    assert Classifier(None, device="cpu").device == "cpu"
    assert Classifier(None, device=None).device is None


def test_stable_baselines_takes_the_device_for_auto(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of CUDA or the CPU; a device that is named goes through, as does the check that is its own."""
    module = SimpleNamespace(get_device=lambda device="auto": f"checked {device}")
    steering.steer_stable_baselines(module, "mps")
    assert [module.get_device(), module.get_device("auto"), module.get_device("cuda")] == [
        *("checked mps", "checked mps", "checked cuda")
    ]
    monkeypatch.setattr(beginning, "chosen", "xpu")
    assert module.get_device() == "checked xpu"


def test_ultralytics_takes_the_device_where_none_is_named() -> None:
    """None and nothing are no names."""
    module = SimpleNamespace(select_device=lambda device="", newline=False, verbose=True: (str(device), newline))
    steering.steer_ultralytics(module, "mps")
    assert [module.select_device(), module.select_device(None, True), module.select_device("cpu")] == [
        *(("mps", False), ("mps", True), ("cpu", False))
    ]
