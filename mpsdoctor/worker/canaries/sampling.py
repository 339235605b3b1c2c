"""Random numbers whose values are determined: by zero probabilities, or by what was drawn before."""

from __future__ import annotations

from typing import Callable, Tuple

import torch
from torch import Tensor

from .place import Place

Results = Tuple[Tensor, ...]


def draw_the_only_one(on: Place) -> Tensor:
    """How often a draw is not the one index whose probability is not zero."""
    rows, words = on.size(32, 2), on.size(151_936, 4_000)
    chances = torch.zeros(words)
    chances[123] = 1.0
    chances = chances.to(on.device).expand(rows, words).contiguous()
    torch.manual_seed(0)
    return torch.stack([(torch.multinomial(chances, 1) != 123).sum() for _ in on.repeat(40)]).sum()


def draw_second_or_first(on: Place) -> Tensor:
    chances = on.numbers([[0.0, 0.5], [0.5, 0.0]])
    return torch.stack([torch.multinomial(chances, 1, True).flatten() for _ in range(8)])


def draw_from_many(on: Place) -> Tensor:
    chances = torch.zeros(1, 32_768)
    chances[0, 30_000] = 1.0
    return torch.multinomial(on.put(chances), 3, replacement=True)


def repeat_from_state(on: Place) -> Tensor:
    """What a second generator draws from the state of a first one, less what that drew itself."""

    def draw(generator: torch.Generator) -> Tensor:
        return torch.empty(9, device=on.device).exponential_(1, generator=generator)

    first = torch.Generator(device=on.device).manual_seed(42)
    draw(first)
    draw(first)
    state = first.get_state()
    drawn = draw(first)
    second = torch.Generator(device=on.device)
    second.set_state(state)
    return draw(second) - drawn


def draw_after_fork(on: Place) -> Results:
    """Whether the state moves on at a draw after fork_rng, and whether the next numbers are others."""
    state = state_of(on)
    torch.randn(1, device=on.device)
    with torch.random.fork_rng(devices=[]) if on.is_cpu else torch.random.fork_rng(device_type=on.kind):
        pass
    before = state()
    first = torch.randn(4, device=on.device)
    return (state() != before).any(), (torch.randn(4, device=on.device) != first).any()


def state_of(on: Place) -> Callable[[], Tensor]:
    read: Callable[[], Tensor] = torch.get_rng_state if on.is_cpu else getattr(torch, on.kind).get_rng_state
    return read
