"""Calls whose numbers are the point: large integers, NaN and infinities, empty tensors, bounds, high ranks."""

from __future__ import annotations

from typing import Sequence, Tuple

import torch
from torch import Tensor

from .place import Place

Results = Tuple[Tensor, ...]
NAN, INF = float("nan"), float("inf")
BEYOND = 2**24  # float32 counts so far one by one


def take_absolute(on: Place) -> Results:
    """Of integers that float32 has no number for; what is common to all is taken off."""
    short = on.numbers([-(BEYOND + 1), BEYOND + 1, -(BEYOND + 3)], torch.int32)
    long = on.numbers([-(2**33 + 7), 2**40 + 3, -(2**62 + 9)])
    return short.abs() - BEYOND, long.abs() % 1000


def divide_with_rest(on: Place) -> Results:
    x = on.numbers([42309891, BEYOND + 1, -42309891, 2**31 + 5])
    return x % 31, torch.fmod(x, 31), x.remainder(on.numbers(1000))


def shift_bytes(on: Place) -> Results:
    x = on.numbers([255, 128, 17, 64], torch.uint8)
    return x >> 4, x >> 1, torch.bitwise_left_shift(x & 15, 2)


def add_up_bytes(on: Place) -> Results:
    x = on.numbers([[255, 2, 1], [5, 3, 6]], torch.uint8)
    return x.sum(dtype=torch.uint8), x.sum(dim=1, dtype=torch.uint8), x.sum()


def take_sign_of_number(on: Place) -> Results:
    """Two operands of which the second is a Python number, or one on the CPU."""
    x = on.numbers([1.0, -2.0, 3.0])
    two = on.refine(torch.tensor(2.0))
    return torch.copysign(x, -2.0), torch.fmax(x, two), torch.nextafter(x, x + 1) > x


def divide_infinities(on: Place) -> Results:
    a = on.numbers([INF, -INF, 1.0, -1.0, 7.0, -7.0, 3.5])
    b = on.numbers([1.0, 1.0, -INF, INF, 2.0, 2.0, -1.0])
    return torch.floor_divide(a, b), torch.div(a, b, rounding_mode="floor")


def measure_far_points(on: Place) -> Tensor:
    """Distances near the largest number of float32."""
    largest = torch.finfo(torch.float32).max
    return torch.hypot(on.numbers([largest, 1.0, INF, 3e30]), on.numbers([1.0, largest, 2.0, 4e30]))


def find_extremes_beside_nan(on: Place) -> Results:
    x = on.numbers([1.0, NAN, 3.0])
    return x.max(), x.min(), torch.stack([x, x + 1, torch.nan_to_num(x, 7.0)]).amax(dim=1)


def find_places_beside_nan(on: Place) -> Results:
    x = on.numbers([1.0, 5.0, NAN, 3.0, -2.0])
    return x.argmax(), x.argmin(), torch.stack([x, x.flip(0)]).argmax(dim=1)


def compare_with_nan(on: Place) -> Results:
    x, y = on.numbers([1.0, NAN, 3.0, NAN]), on.numbers([2.0, 0.0, NAN, NAN])
    return torch.maximum(x, y), torch.minimum(x, y)


def find_largest_integers(on: Place) -> Results:
    x = on.numbers([[0, 1], [2, 1], [1, 0]])
    return x.argmax(dim=1), x.float().argmax(dim=1), on.numbers([14, 13, 11], torch.int32).argmax(dim=0)


def clamp_twice(on: Place) -> Results:
    """Two clamps of one shape, whose lower bounds are nearly the same."""
    x = on.put(torch.zeros(5))
    return x.clamp(min=0.0), x.clone().clamp(min=1e-7) * 1e7


def reduce_empty_bools(on: Place) -> Results:
    x = on.put(torch.zeros(0, dtype=torch.bool))
    return x.all(), x.any(), on.put(torch.zeros(0, 3)).all()


def reduce_empty(on: Place) -> Results:
    pair, empty = torch.stack([on.numbers([0.5, 1.0])] * 2, dim=-1), on.put(torch.empty(0, 2, 2))
    return torch.count_nonzero(pair > empty), empty.sum(), empty.prod(), torch.count_nonzero(pair)


def find_in_high_rank(on: Place) -> Results:
    """One NaN in five dimensions."""
    x = torch.zeros(2, 1, 1, 3, 1)
    x[1, 0, 0, 2, 0] = NAN
    bits = on.put(x).isnan()
    return bits.any(), bits.any(dim=0), (~bits).all()


def add_up_leading_axis(on: Place) -> Results:
    x = on.draw(2, 2, 3, 1, 2)
    return torch.cumsum(x, 0), torch.cumprod(x, 0), torch.cumsum(x[None], 1)


def take_median_of_leading_axis(on: Place) -> Tensor:
    return torch.nanmedian(on.put(torch.arange(12.0).reshape(3, 1, 2, 1, 2)), dim=0).values


def flip_single(on: Place) -> Results:
    x = on.put(torch.arange(1.0, 4.0)[None])
    return x.flip(0), x.flip(1), x[..., None].flip(0, 2)


def take_quantiles(on: Place) -> Results:
    """Over an axis that is not sorted; quarters of 101 rows are rows themselves."""
    x = on.draw(101, 4)
    return torch.quantile(x, 0.5, 0, interpolation="nearest"), torch.quantile(x, 0.25, 0, interpolation="lower")


def count_at_edges(on: Place) -> Results:
    """A number just outside the range, at either end."""
    bins = on.numbers([0.0, 1.0, 2.0])
    return tuple(torch.histogram(on.numbers([0.5, value]), bins=bins)[0] for value in (-1e-6, 2.000003))


def look_up_other_dtype(on: Place) -> Tensor:
    return torch.isin(on.numbers([1, 2, 3]), on.numbers([1, 3], torch.int32))


def find_unique(on: Place) -> Results:
    return torch.unique(on.numbers([[[0, 1]]])), torch.unique(on.numbers([[[3, 1], [3, 2]]]))


def transform_back(on: Place, lengths: Sequence[int]) -> Results:
    """Signals through a Fourier transform and back."""
    signals = [on.draw(length, seed=length) for length in lengths]
    return tuple(torch.fft.irfft(torch.fft.rfft(signal), signal.numel()) for signal in signals)


def add_up_conjugates(on: Place) -> Tensor:
    z = on.put(torch.complex(torch.tensor([1.0, -0.5, -0.5]), torch.tensor([0.0, 0.75, -0.75])))
    return torch.view_as_real(torch.einsum("i,i", z, torch.conj(z)))


def find_far_places(on: Place) -> Tensor:
    """The places of five bools, the last beyond what float32 counts."""
    bits = torch.zeros(BEYOND + 4096, dtype=torch.bool)
    bits[[5, BEYOND - 1, BEYOND + 1, BEYOND + 1001, BEYOND + 3001]] = True
    return torch.where(on.put(bits))[0] - BEYOND


def see_last_of_many(on: Place) -> Tensor:
    """Whether one of more than 2**32 bools is true: the last one is."""
    bits = torch.zeros(on.size(2**32 + 128, 1_000), dtype=torch.bool, device=on.device)
    bits[-1:] = True
    return bits.any()
