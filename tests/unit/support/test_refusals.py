"""Calls that MPS refuses although it has a kernel: by arguments, torch and macOS."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mpsdoctor.support import call_of, overall_answer, predict, support_in
from mpsdoctor.support.given import ANY, NAMED, RESULT, TENSOR, VALUE
from mpsdoctor.support.history import load_history, operator, order
from mpsdoctor.support.refusals import DATA, load_refusals
from mpsdoctor.support.versions import Support
from mpsdoctor.worker.steps import calltree
from mpsdoctor.worker.steps.arguments_seen import schemas

HALF, LONG = torch.float16, torch.int64


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """One thread, and what torch says about oneDNN and grids left out."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    torch.set_num_threads(before)


def backward(result: Tensor | tuple[Any, ...]) -> None:
    (result[0] if isinstance(result, tuple) else result).sum().backward()


def transposed(rank: int, dtype: torch.dtype = torch.float32) -> Callable[[], None]:
    layers = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
    layer = layers[rank](1, 2, 2).to(dtype)
    return lambda: backward(layer(torch.ones(1, 1, *(4,) * rank, dtype=dtype)))


def convolved(rank: int) -> Callable[[], None]:
    layer = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[rank](1, 2, 2)
    return lambda: backward(layer(torch.ones(1, 1, *(4,) * rank)))


def wide() -> None:
    F.conv1d(torch.ones(1, 1, 1), torch.ones(65537, 1, 1))


def long_result() -> None:
    F.conv1d(torch.ones(1, 1, 65540), torch.ones(1, 1, 2))


def lstm(**options: Any) -> Callable[[], None]:
    layer = nn.LSTM(4, 8, **options)
    return lambda: backward(layer(torch.ones(3, 2, 4)))


def sampled(mode: str, padding: str, rank: int = 2) -> Callable[[], object]:
    image, grid = torch.ones(1, 1, *(4,) * rank), torch.zeros(1, *(2,) * rank, rank)
    return lambda: F.grid_sample(image, grid, mode=mode, padding_mode=padding, align_corners=False)


def stepped(dtype: torch.dtype, scaled: bool = False) -> Callable[[], None]:
    def step() -> None:
        weight = nn.Parameter(torch.ones(3, dtype=dtype))
        weight.grad = torch.ones(3, dtype=dtype)
        optimizer = torch.optim.AdamW([weight], fused=True)
        if scaled:
            optimizer.grad_scale, optimizer.found_inf = torch.ones(()), torch.zeros(())  # type: ignore[attr-defined]
        optimizer.step()

    return step


def put(dtype: torch.dtype) -> Callable[[], object]:
    index = (torch.tensor([0, 0]),)
    return lambda: torch.zeros(3, dtype=dtype).index_put_(index, torch.ones(2, dtype=dtype), accumulate=True)


def picked(dtype: torch.dtype) -> Callable[[], None]:
    rows = torch.ones(3, 2, dtype=dtype, requires_grad=True)
    return lambda: backward(rows[torch.tensor([0, 2])])


def ones(dtype: torch.dtype = LONG, *sizes: int) -> Tensor:
    return torch.ones(sizes or (3, 3), dtype=dtype)


COMPLEX = torch.complex64
# A step, a torch and perhaps a macOS, and whether it runs there.
PROGRAMS: list[tuple[str, Callable[[], object], str, str | None, str]] = [
    ("Conv3d", convolved(3), "2.2", None, "stops"),
    ("Conv3d later", convolved(3), "2.3", None, "runs"),
    ("Conv3d on macOS 13.0", convolved(3), "2.3", "13.0", "stops"),
    ("Conv2d", convolved(2), "2.0", None, "runs"),
    ("ConvTranspose3d", transposed(3), "2.7", None, "stops"),
    ("ConvTranspose3d later", transposed(3), "2.8", None, "runs"),
    ("ConvTranspose2d", transposed(2), "2.0", None, "runs"),
    ("ConvTranspose3d bfloat16", transposed(3, torch.bfloat16), "2.15", None, "stops"),
    ("ConvTranspose1d bfloat16", transposed(1, torch.bfloat16), "2.15", None, "runs"),
    ("65,537 channels", wide, "2.5", None, "stops"),
    ("65,537 channels later", wide, "2.6", None, "runs"),
    ("65,537 channels, macOS 15.0", wide, "2.13", "15.0", "stops"),
    ("65,537 channels, macOS 15.1", wide, "2.13", "15.1", "runs"),
    ("65,539 steps", long_result, "2.5", None, "stops"),
    ("convolution of integers", lambda: F.conv1d(ones(LONG, 1, 1, 3), ones(LONG, 1, 1, 2)), "2.13", None, "stops"),
    ("LSTM", lstm(), "2.15", None, "runs"),
    ("LSTM with projections", lstm(proj_size=3), "2.15", None, "stops"),
    ("two layers on macOS 12", lstm(num_layers=2), "2.0", "12.6", "stops"),
    ("two layers on macOS 13", lstm(num_layers=2), "2.0", "13.0", "runs"),
    ("border", sampled("bilinear", "border"), "2.10", None, "stops"),
    ("border later", sampled("bilinear", "border"), "2.11", None, "runs"),
    ("reflection", sampled("bilinear", "reflection"), "2.8", None, "runs"),
    ("bicubic grid", sampled("bicubic", "zeros"), "2.8", None, "stops"),
    ("nearest in three dimensions", sampled("nearest", "zeros", 3), "2.12", None, "stops"),
    ("bilinear in three dimensions", sampled("bilinear", "zeros", 3), "2.9", None, "runs"),
    ("linear of integers", lambda: F.linear(ones(), ones()), "2.15", None, "stops"),
    ("matmul of integers", lambda: ones() @ ones(), "2.6", None, "stops"),
    ("matmul of integers later", lambda: ones() @ ones(), "2.7", None, "runs"),
    ("bmm of integers", lambda: ones(torch.int32, 2, 3, 3) @ ones(torch.int32, 2, 3, 3), "2.5", None, "stops"),
    ("addmm of integers", lambda: torch.addmm(ones(), ones(), ones()), "2.8", None, "stops"),
    ("addmm of integers later", lambda: torch.addmm(ones(), ones(), ones()), "2.9", None, "runs"),
    ("dot of integers", lambda: ones(LONG, 3) @ ones(LONG, 3), "2.6", None, "stops"),
    ("complex linear", lambda: F.linear(ones(COMPLEX), ones(COMPLEX)), "2.11", None, "stops"),
    ("complex linear later", lambda: F.linear(ones(COMPLEX), ones(COMPLEX)), "2.12", None, "runs"),
    ("cumsum of int64", lambda: ones().cumsum(0), "2.0", None, "stops"),
    ("cumsum of int64, macOS 13.2", lambda: ones().cumsum(0), "2.4", "13.2", "stops"),
    ("cumsum of int64, macOS 14", lambda: ones().cumsum(0), "2.4", "14.0", "runs"),
    ("cumsum of float32, macOS 13.2", lambda: ones(torch.float32).cumsum(0), "2.4", "13.2", "runs"),
    ("max of int64", lambda: ones().max(), "2.0", None, "stops"),
    ("max of int64 along a dimension", lambda: ones().max(0), "2.0", None, "runs"),
    ("sigmoid of int64", lambda: ones().sigmoid(), "2.7", None, "stops"),
    ("sigmoid of int64 later", lambda: ones().sigmoid(), "2.8", None, "runs"),
    ("truncated float16", lambda: torch.div(ones(HALF), ones(HALF), rounding_mode="trunc"), "2.7", None, "stops"),
    ("floored float16", lambda: torch.div(ones(HALF), ones(HALF), rounding_mode="floor"), "2.7", None, "runs"),
    ("accumulated float16", put(HALF), "2.7", None, "stops"),
    ("accumulated float32", put(torch.float32), "2.7", None, "runs"),
    ("accumulated int64", put(LONG), "2.8", None, "stops"),
    ("gradient of picked float16", picked(HALF), "2.6", None, "stops"),
    ("gradient of picked float16 later", picked(HALF), "2.8", None, "runs"),
    ("index_add of int64", lambda: ones().index_add(0, torch.tensor([0]), ones(LONG, 1, 3)), "2.8", None, "stops"),
    ("complex cumsum", lambda: ones(COMPLEX).cumsum(0), "2.11", None, "stops"),
    ("complex repeat", lambda: ones(COMPLEX).repeat(2, 1), "2.12", None, "runs"),
    ("complex inverse", lambda: torch.linalg.inv(torch.eye(3, dtype=COMPLEX)), "2.15", None, "stops"),
    ("complex on macOS 13", lambda: ones(COMPLEX) + 1, "2.8", "13.6", "stops"),
    ("complex before torch 2.3", lambda: ones(COMPLEX) + 1, "2.2", None, "stops"),
    ("bfloat16 on macOS 13", lambda: ones(torch.bfloat16) + 1, "2.3", "13.6", "stops"),
    ("bfloat16 on macOS 14", lambda: ones(torch.bfloat16) + 1, "2.3", "14.0", "runs"),
    ("Fourier transform on macOS 13", lambda: torch.fft.rfft(torch.ones(8)), "2.8", "13.6", "stops"),
    ("Fourier transform on macOS 14", lambda: torch.fft.rfft(torch.ones(8)), "2.8", "14.0", "runs"),
    ("fused AdamW in bfloat16", stepped(torch.bfloat16), "2.5", None, "stops"),
    ("fused AdamW in bfloat16 later", stepped(torch.bfloat16), "2.6", None, "runs"),
    ("fused AdamW in float16", stepped(HALF), "2.5", None, "runs"),
    ("fused AdamW", stepped(torch.float32), "2.4", None, "stops"),
    ("fused AdamW with a scaler", stepped(torch.float32, scaled=True), "2.7", None, "stops"),
    ("pooling both ways", lambda: F.adaptive_max_pool2d(torch.ones(1, 1, 4, 8), (8, 4)), "2.13", None, "stops"),
    ("seventeen dimensions", lambda: ones(torch.float32, *(1,) * 17) + 1, "2.5", None, "stops"),
    ("silu of float16", lambda: F.silu(ones(HALF)), "2.13", None, "runs"),
    ("ConvTranspose2d bfloat16, by PyTorch's tests", transposed(2, torch.bfloat16), "2.13", None, "stops"),
    ("bicubic bytes", lambda: F.interpolate(ones(torch.uint8, 1, 1, 4, 4), 8, mode="bicubic"), "2.13", None, "stops"),
    ("quantized", lambda: torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8), "2.13", None, "stops"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("step", "torch_version", "macos", "answer"), [row[1:] for row in PROGRAMS], ids=[row[0] for row in PROGRAMS]
)
def test_what_a_kernel_refuses_is_told(
    step: Callable[[], object], torch_version: str, macos: str | None, answer: str
) -> None:
    """A call is judged by its shapes, dtypes and options; the fallback does not help where MPS checks and raises."""
    support = replace(support_in(torch_version), macos=macos)
    predictions = predict(map(call_of, calltree.record(step)), support)
    assert overall_answer(predictions) == answer, [each for each in predictions if each.verdict != "kernel"]


def test_what_an_old_macos_leaves_to_the_cpu_is_counted_there() -> None:
    """sort runs on the CPU below macOS 13, whatever the variable says, and needs no fallback."""
    calls = calltree.record(lambda: torch.ones(3).sort())
    verdicts = [
        {each.op: each.verdict for each in predict(map(call_of, calls), replace(support_in("2.3"), macos=macos))}
        for macos in ("12.6", "13.0")
    ]
    assert [each["aten::sort"] for each in verdicts] == ["fallback", "composite"]


def test_where_the_macos_is_not_known_the_older_one_is_told() -> None:
    """On another system the call is expected to run, with the macOS that it needs."""
    (found,) = [each for each in predict(map(call_of, calltree.record(wide)), support_in("2.13")) if each.before]
    assert found.before == ("15.1", "Output channels > 65536 not supported at the MPS device.")
    assert not [each for each in predict(map(call_of, calltree.record(convolved(3))), support_in("2.9")) if each.before]


@pytest.mark.parametrize("line", [line for line in DATA.read_text().split("\n") if line and line[0] != "#"])
def test_every_refusal_names_operators_arguments_and_versions_that_exist(line: str) -> None:
    """Each operator of the data file is torch's, takes the arguments of its condition, and its versions are known."""
    operators, torch_versions, kind, call, macos, message = line.split(" | ", 5)
    assert kind.rstrip("+") in ("dtype", "sizes", "options")
    assert message
    assert macos == "-" or order(macos) > (12,)
    first, _, last = torch_versions.partition("-")
    assert {first, last or first} <= set(load_history().versions)
    known = {operator(overload) for overload in load_history().letters}
    for name in set(operators.split()) - {ANY}:
        assert name in known
        arguments = {argument.name for schema in schemas(f"aten::{name}") for argument in schema.arguments}
        for word in call.split():
            match = TENSOR.fullmatch(word) or VALUE.fullmatch(word)
            names = match["name"].split() if match else word.lstrip("!").split("|") if word[0] != ":" else []
            assert word[0] != ":" or word[1:] in NAMED
            assert {*names} <= {*arguments, RESULT, ANY} or word[0] == "!", (name, word)


def test_the_refusals_are_read_once_and_by_operator() -> None:
    """An operator's refusals are found by its name without an overload."""
    assert load_refusals()["convolution"]
    assert isinstance(support_in("2.13"), Support)
