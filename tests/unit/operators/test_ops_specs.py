"""Recorded arguments: tensors told by shape, strides and range, and made again."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from torch import Tensor

from mpsdoctor.worker.shapes import TensorSpec
from mpsdoctor.worker.steps import arguments


def again(value: Any, seed: int = 0) -> Any:
    """A value as JSON and back."""
    encoded = json.loads(json.dumps(arguments.Encoder().encode(value)))
    generator = torch.Generator().manual_seed(seed)

    def make(spec: TensorSpec) -> Tensor:
        return arguments.place_tensor(spec, arguments.fill_tensor(spec, generator), "cpu")

    return arguments.build(encoded, make, "cpu")


BIG = torch.rand(6, 8, 10) * 3 + 2
LAYOUTS = {
    "contiguous": BIG,
    "transposed": BIG.transpose(0, 2),
    "offset": BIG[1:, 2:, 3:],
    "strided": BIG[..., ::2],
    "expanded": BIG[:, :1].expand(6, 8, 10),
    "channels_last": torch.rand(2, 3, 5, 5).to(memory_format=torch.channels_last),
    "windows": BIG.flatten().unfold(0, 16, 3),
    "zero-dim": torch.tensor(4.0),
    "empty": torch.empty(0, 3),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_tensor_comes_back_with_its_layout(layout: str) -> None:
    """Shape, strides, storage offset and dtype of a tensor survive; its numbers stay within their range."""
    tensor = LAYOUTS[layout]
    made = again(tensor)
    assert (made.shape, made.stride(), made.dtype) == (tensor.shape, tensor.stride(), tensor.dtype)
    assert made.storage_offset() == tensor.storage_offset() or not tensor.numel()
    if tensor.numel():
        assert float(tensor.min()) - 1e-6 <= float(made.min()) <= float(made.max()) <= float(tensor.max()) + 1e-6


def test_large_integers_keep_their_range() -> None:
    """Indices that are not kept one by one lie between the recorded ones, both ends included."""
    made = again(torch.arange(7, 5007))
    assert (int(made.min()), int(made.max())) == (7, 5006)


def test_small_tensors_keep_their_numbers() -> None:
    """Numbers of a small tensor, and integers of a middling one, come back as they were."""
    offsets = torch.arange(0, 900, 3)
    assert torch.equal(again(offsets), offsets)
    assert torch.equal(again(torch.tensor([0.5, -1.5])), torch.tensor([0.5, -1.5]))


def test_other_arguments_come_back() -> None:
    """Numbers, dtypes, memory formats, lists and nothing survive; devices become the one asked for."""
    value = [1, 2.5, True, None, "mean", [1, 2], torch.float16, torch.channels_last, torch.strided, 1 + 2j]
    assert again(value) == value
    assert again(torch.device("meta")) == torch.device("cpu")


def test_one_tensor_in_two_places_stays_one() -> None:
    """A call with the same tensor twice is made with the same tensor twice."""
    tensor = torch.rand(3)
    first, second = again([tensor, tensor])
    assert first is second


def test_what_cannot_be_told_is_refused() -> None:
    """Sparse tensors and arguments of unknown types are refused, not guessed."""
    for value in (torch.eye(3).to_sparse(), object()):
        with pytest.raises(TypeError, match="cannot be kept"):
            arguments.Encoder().encode(value)
