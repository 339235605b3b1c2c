"""What a person's function may look like, and how it is called."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
import torch

from mpsdoctor.worker.steps.own_function import BadStepError, call_function, describe, read_returned

CPU = torch.device("cpu")


def plain() -> str:
    return "called"


def takes(device: str) -> str:
    return device


def by_another_name(where: str) -> str:
    return where


def by_keyword(*, size: int = 3, device: str = "cpu") -> str:
    return device


def by_position(where: str, /, size: int = 3) -> str:
    return where


def by_default(size: int = 3, dev: str | torch.device = CPU) -> str:
    return str(dev)


def without(size: int = 3, name: str = "mlp", **more: object) -> str:
    return f"called {size} {name}"


@pytest.mark.parametrize("function", [takes, by_another_name, by_keyword, by_position, by_default])
def test_a_function_that_takes_the_device_gets_it(function: Callable[..., Any]) -> None:
    """Whatever the parameter is called and however it is given."""
    assert call_function(function, "build", "mps") == "mps"


@pytest.mark.parametrize(("function", "answer"), [(plain, "called"), (without, "called 3 mlp"), (dict, {})])
def test_a_function_that_takes_no_device_is_called_without(function: Callable[..., Any], answer: object) -> None:
    """Other parameters keep their defaults."""
    assert call_function(function, "build", "mps") == answer


def test_a_function_that_wants_more_is_told_the_contract() -> None:
    """Its own signature stands beside what it must be."""
    with pytest.raises(BadStepError, match=r"it is build\(device, data\); it must be build\(\) or build\(device\)"):
        call_function(lambda device, data: None, "build", "cpu")
    with pytest.raises(BadStepError, match="it must be"):
        call_function(functools.partial(lambda size, a, b: None, 3), "build", "cpu")


def test_what_is_returned_is_told_by_its_kind() -> None:
    """A module with inputs, a step, a step with its samples."""
    module, batch = torch.nn.Linear(2, 2), torch.zeros(2)
    assert read_returned((module, batch))[:2] == (module, batch)
    assert read_returned(plain) == (None, None, plain, None)
    assert read_returned((plain, 4)) == (None, None, plain, 4)


@pytest.mark.parametrize("returned", [None, torch.nn.Linear(2, 2), (plain, True), (plain, 0), (3, plain), 4])
def test_what_is_no_step_is_refused(returned: object) -> None:
    """With what must be returned."""
    with pytest.raises(BadStepError, match=r"it must return \(module, example inputs\), or a function that makes"):
        read_returned(returned)


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (RuntimeError("PyTorch is not linked with support for mps devices"), "on the CPU"),
        (AssertionError("Torch not compiled with CUDA enabled"), "in place of .cuda()"),
        (SystemExit(2), "command-line arguments"),
    ],
)
def test_files_for_one_device_and_for_a_command_line_get_a_hint(error: BaseException, hint: str) -> None:
    """What the file raised is told with what helps where it is written for a device that is not here."""
    assert hint in describe(error, "train.py")["what"]
    assert "(" not in describe(ValueError("no data"), "train.py")["what"]
