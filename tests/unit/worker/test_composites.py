"""Which calls a device takes apart in another way than the CPU, by the dispatcher's tables."""

from __future__ import annotations

import pytest
import torch

from mpsdoctor.worker.steps.composites import PartCall, is_implicit, is_whole_on, keys_of, takes_another_way
from mpsdoctor.worker.steps.recorder import python_name

SINGLE = frozenset({torch.float32})
DOUBLE = frozenset({torch.float64})


def test_parts_are_enough_where_the_device_has_them_all() -> None:
    """A key stands for a device; the CPU's own has whatever was called."""
    assert not takes_another_way("linalg_svdvals", SINGLE, [PartCall("aten::_linalg_svd", SINGLE)], ["CPU"])


def test_a_part_without_a_kernel_makes_the_call_whole() -> None:
    """The device may have another way to it, or none."""
    parts = [PartCall("aten::_linalg_svd", SINGLE)]
    assert takes_another_way("linalg_svdvals", SINGLE, parts, ["MPS"])
    assert not takes_another_way("linalg_svdvals", SINGLE, parts, [])


def test_a_part_that_is_itself_made_of_others_needs_no_kernel() -> None:
    """torch takes it apart on any device."""
    assert not takes_another_way(
        "linalg_svdvals", SINGLE, [PartCall("aten::linalg_pinv.atol_rtol_tensor", SINGLE)], ["MPS"]
    )


def test_float64_that_comes_from_nowhere_makes_the_call_whole() -> None:
    """The CPU computes in it what a device without it computes otherwise; tensors of the person's are no such case."""
    parts = [PartCall("aten::full", DOUBLE)]
    assert takes_another_way("linalg_matrix_rank", SINGLE, parts, [])
    assert not takes_another_way("linalg_matrix_rank", DOUBLE, parts, [])


def test_a_kernel_for_the_whole_makes_the_call_whole() -> None:
    """`linear` is taken apart on the CPU; with the CPU's key in place of a device's it would be so for its out form."""
    assert is_whole_on("silu_backward", ["CPU"])
    assert not is_whole_on("linear", ["CPU"])
    assert not is_whole_on("silu_backward", [])


def test_keys_are_those_of_devices_that_register_kernels() -> None:
    """The CPU is the reference; nobody knows a device of that name; this torch has no kernels for MPS."""
    assert keys_of(["cpu", "nonsense:1", "mps"]) == []


@pytest.mark.parametrize(
    ("name", "implicit"), [("linalg_eigh", True), ("add", False), ("__get__", False), ("name", False)]
)
def test_what_is_taken_apart_is_told_by_every_overload(name: str, implicit: bool) -> None:
    """What is no operator is none."""
    assert is_implicit(name) is implicit


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (torch.svd, "torch.svd"),
        (torch.linalg.eigh, "torch.linalg.eigh"),
        (torch.Tensor.pinverse, "torch.Tensor.pinverse"),
        (torch.nn.functional.linear, "torch.nn.functional.linear"),
        (torch.special.expit, "torch.special.expit"),
        (print, ""),
    ],
)
def test_a_function_is_called_again_by_the_name_that_python_has_for_it(function: object, name: str) -> None:
    """The first of several places that hold it counts."""
    assert python_name(function) == name
