"""Memory that a process never gets back: how many MiB it grows by while the same is done with new sizes or numbers."""

from __future__ import annotations

import time
from typing import Callable, Dict

import torch
import torch.nn.functional as F
from torch import Tensor

from ..training.memory import give_back, read_figure
from .place import Place
from .process_memory import held_bytes

MIB = float(1 << 20)
LONGEST = 2.0  # seconds of calls
LEAST = 0.2  # of the calls; a growth by chance must not be multiplied by more
# What the driver holds now: a peak would hide what an earlier canary held.
NOW = ("driver_allocated_memory", "memory_reserved", "current_allocated_memory", "memory_allocated")


def held_mib(on: Place) -> Tensor:
    """What this process holds, and the device for it; a figure that nobody tells is 0."""
    give_back(on.device)
    of_device = 0 if on.is_cpu else read_figure(on.device, NOW) or 0
    return torch.tensor([held_bytes() / MIB, of_device / MIB])


def watch(on: Place, call: Callable[[int], object], warm: int, times: int) -> Tensor:
    """The larger growth of both, after some calls that are none of them.

    Where calls are slow, since each compiles a graph, fewer are made, and the growth is that of all by proportion.
    NotImplementedError where too few are made to tell.
    """
    with torch.no_grad():
        for count in range(warm):
            call(-1 - count)
        before, until = held_mib(on), time.monotonic() + LONGEST
        planned = on.size(times, times // 20)
        done = 0
        while done < planned and time.monotonic() < until:
            call(done)
            done += 1
        if done < planned * LEAST:
            raise NotImplementedError(f"{done} of {planned} calls in {LONGEST:g} s are too few to tell")
        return (held_mib(on) - before).max() * planned / done


def clip_to_new_bounds(on: Place) -> Tensor:
    x = on.put(torch.zeros(()))
    return watch(on, lambda count: x.clip(1 - count / 977, 1 + count / 983), 10, 200)


def apply_to_new_sizes(on: Place) -> Tensor:
    w = on.draw(32, 32)
    # Below zero the largest one, so that the allocator has seen it before anything counts.
    return watch(on, lambda n: F.linear(w.new_zeros(n + 1 if n >= 0 else 600, 32), w), 10, 599)


def attend_to_new_lengths(on: Place) -> Tensor:
    def attend(count: int) -> Tensor:
        x = torch.zeros(1, 2, count + 9 if count >= 0 else 320, 40, device=on.device)
        return F.scaled_dot_product_attention(x, x, x)

    return watch(on, attend, 3, 300)


def apply_to_view(on: Place) -> Tensor:
    x, w = on.put(torch.zeros(64, 64)), on.put(torch.zeros(64, 64))
    return watch(on, lambda count: F.linear(x.t(), w), 20, 10_000)


WAYS: Dict[str, Callable[[Place], Tensor]] = {
    "bounds": clip_to_new_bounds,
    "sizes": apply_to_new_sizes,
    "lengths": attend_to_new_lengths,
    "views": apply_to_view,
}


def grow(on: Place, way: str) -> Tensor:
    return WAYS[way](on)
