"""Convolutions, pooling, padding, normalization, LSTM: what networks are made of, with its gradients."""

from __future__ import annotations

from typing import Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .gradients import leaf, pull_back, send_back
from .place import Place

Results = Tuple[Tensor, ...]


def channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)


def pool_to_other_size(on: Place) -> Results:
    """Windows that overlap, for the sizes do not divide."""
    x = on.put(torch.arange(25.0).reshape(1, 1, 5, 5))
    values, index = F.adaptive_max_pool2d(x, (3, 3), return_indices=True)
    return values, index, F.adaptive_max_pool2d(on.draw(1, 2, 2, 2), (4, 4))


def pool_beyond_edge(on: Place) -> Results:
    """Windows that hang over the edge."""
    x = on.draw(1, 2, 8, 7, positive=True)
    ways = ((0, True), (1, True), (1, False))
    return tuple(F.avg_pool2d(x, 3, 2, padding, ceil_mode=True, count_include_pad=counted) for padding, counted in ways)


def train_pools(on: Place) -> Results:
    x = channels_last(on.draw(2, 3, 8, 8)).requires_grad_()
    upstream = channels_last(on.draw(2, 3, 4, 4, seed=1))
    (plain,) = pull_back(lambda: F.avg_pool2d(x, 2), [x], upstream)
    (adaptive,) = pull_back(lambda: F.adaptive_avg_pool2d(x, 4), [x], upstream)
    return plain, adaptive


def train_batch_norm(on: Place, frozen: bool = False) -> Results:
    """Its gradients in channels_last, or that of the input alone where the weights are frozen."""
    x, upstream = on.draw(4, 3, 6, 6), on.draw(4, 3, 6, 6, seed=1)
    weight, bias = on.numbers([0.5, 1.5, -1.0]), on.numbers([0.1, 0.0, -0.2])
    if frozen:
        x = leaf(x)
        return pull_back(lambda: F.batch_norm(x, None, None, weight, bias, training=True), [x], upstream)
    x, weight, bias = channels_last(x).requires_grad_(), leaf(weight), leaf(bias)
    return pull_back(lambda: F.batch_norm(x, None, None, weight, bias, training=True), [x, weight, bias], upstream)


def normalize_permuted_volume(on: Place) -> Tensor:
    x = on.draw(3, 4, 2, 5, 6).permute(0, 4, 1, 2, 3)
    return F.batch_norm(x, on.put(torch.zeros(6)), on.put(torch.ones(6)), training=True)


def normalize_half_by_full(on: Place) -> Tensor:
    """float16 with running statistics in float32."""
    x = on.draw(2, 3, 4, dtype=torch.float16)
    return F.batch_norm(x, on.numbers([0.1, -0.2, 0.3]), on.numbers([1.0, 2.0, 0.5])).float()


def normalize_near_constant(on: Place) -> Results:
    """Rows whose spread is below a thousandth."""
    rows = on.numbers([[-9.9e-4, -9.9e-4, 9.9e-4, 9.9e-4]]), on.numbers([[1e-4, 2e-4, -3e-4, 1e-4]])
    return F.layer_norm(rows[0], (4,), eps=1e-12), F.layer_norm(rows[1], (4,), eps=1e-9)


def train_convolution_on_many(on: Place) -> Results:
    """The weight gradients of a large batch of single numbers."""
    x = on.put((torch.arange(65_540) % 5 - 1.0).view(-1, 1, 1))
    w1, w2 = leaf(on.put(torch.ones(1, 1, 1))), leaf(on.put(torch.ones(1, 1, 1, 1)))
    return torch.autograd.grad(F.conv1d(x, w1).mean() + 2 * F.conv2d(x[..., None], w2).mean(), (w1, w2))


def convolve_volumes(on: Place) -> Results:
    sizes = ((4, 4), (8, 16))
    return tuple(
        F.conv3d(on.draw(1, into, 6, 6, 6), on.draw(out, into, 3, 3, 3, seed=1, scale=0.1), padding=1)
        for into, out in sizes
    )


def convolve_upsampled(on: Place) -> Tensor:
    signal = F.interpolate(on.draw(2, 3, 10), scale_factor=2)
    return F.conv1d(signal, on.draw(3, 3, 1, seed=1), on.draw(3, seed=2))


def train_convolution_by_transposed(on: Place) -> Results:
    """The gradient that comes down lies transposed."""
    x, w, b = leaf(on.draw(1, 2, 5)), leaf(on.draw(3, 2, 3, seed=1)), leaf(on.draw(3, seed=2))
    return pull_back(lambda: F.conv1d(x, w, b, padding=1), [x, w, b], on.draw(1, 5, 3, seed=3).transpose(1, 2))


def stretch_single(on: Place) -> Results:
    x = on.numbers([[[1.0]], [[2.0]], [[4.0]]])
    return tuple(F.interpolate(x, size, mode="linear", align_corners=True) for size in (3, 1))


def pad_long(on: Place) -> Results:
    """Some places of long signals of whole numbers."""
    size = 2**17
    whole = F.pad(on.put(torch.arange(size)), [0, 1], value=2)
    real = F.pad(on.put(torch.arange(size)).float(), [2, 0], value=-1.0)
    return whole[[0, 1, 65_535, 65_536, size - 1, size]], real[[0, 1, 2, 65_538, size + 1]]


def train_padding(on: Place, mode: str, shape: Tuple[int, ...], pad: Tuple[int, int], every: int) -> Tensor:
    """The gradient of padding, of which some numbers tell for all; what comes down differs from place to place."""
    x = leaf(on.put(torch.zeros(*shape)))
    upstream = on.put(torch.arange(shape[-1] + sum(pad)) % 17 + 1.0).expand(*shape[:-1], -1)
    gradient = pull_back(lambda: F.pad(x, list(pad), mode=mode), [x], upstream)[0]
    return gradient[0, 0, ::every] if mode == "reflect" else gradient[::every]


def make_lstm(on: Place, width: int, layers: int, dropout: float) -> nn.LSTM:
    lstm = nn.LSTM(4, width, num_layers=layers, dropout=dropout)
    lstm = lstm.double() if on.precise else lstm
    with torch.no_grad():
        for seed, parameter in enumerate(lstm.parameters()):
            numbers = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(seed))
            parameter.copy_(on.refine(numbers) * 0.4)
    return lstm.to(on.device)


def evaluate_lstm_after_training(on: Place) -> Results:
    lstm, x = make_lstm(on, 5, 2, 0.5), on.draw(6, 3, 4, seed=99)
    lstm.train()(x)
    lstm.eval()
    return lstm(x)[0].detach(), lstm(x)[0].detach()


def train_lstm_on_permuted(on: Place) -> Tensor:
    lstm, x = make_lstm(on, 6, 1, 0.0), leaf(on.draw(3, 5, 4, seed=50))
    return torch.autograd.grad(lstm(x.permute(1, 0, 2))[0].square().sum(), x)[0]


def train_lstm_with_dropout(on: Place) -> Tensor:
    """How far a gradient is off the slope that two forward passes with the same dropout show; 0 where it fits."""
    lstm, x = make_lstm(on, 5, 2, 0.5).train(), leaf(on.draw(3, 2, 4, seed=9))

    def total(inputs: Tensor) -> Tensor:
        torch.manual_seed(42)
        result: Tensor = lstm(inputs)[0]
        return result.sum()

    send_back(total(x))
    assert x.grad is not None
    step = torch.zeros(3, 2, 4)
    step[:, 0, :] = 1e-2
    with torch.no_grad():
        slope = (total(x + on.put(step)) - total(x - on.put(step))) / 2e-2
    gradient = x.grad[:, 0, :].sum()
    return (gradient - slope) / (gradient.abs() + slope.abs() + 1e-3)
