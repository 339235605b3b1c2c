"""Which batch size to try next: doubling, then halving the gap; no size that clearly takes too much memory. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

START = 8  # samples; layers that normalise over a batch refuse a single one
MOST = 1 << 17  # samples; beyond it no training gets faster
CLOSE = 8  # the gap, in parts of the largest size that fits, at which it is known well enough


class Tried(NamedTuple):
    """A size that was run, whether it fits, and the most bytes that it took, where that is known."""

    batch: int
    fits: bool
    bytes: int | None


class Next(NamedTuple):
    """The size to try, None where the answer is known; `clear` is the least size that growth rules out, with bytes."""

    batch: int | None
    clear: tuple[int, float] | None = None


def choose(tries: Sequence[Tried], limit: int | None) -> Next:
    """The next size; growth is read anew each time, as a jump between small sizes says little of large ones."""
    if not tries:
        return Next(START)
    high = min((tried.batch for tried in tries if not tried.fits), default=None)
    low = largest(tries)
    clear = None
    if high is None:
        double = min(2 * low, MOST)
        if double <= low:
            return Next(None)
        if not (clear := rule_out(tries, double, limit)):
            return Next(double)
        high = clear[0]
    while high - low > max(1, low // CLOSE):
        middle = between(low, high)
        if not (ruled := rule_out(tries, middle, limit)):
            return Next(middle, clear)
        high, clear = middle, ruled
    return Next(None, clear)


def largest(tries: Sequence[Tried]) -> int:
    """The largest size that fits, below the least that does not; 0 where none does."""
    high = min((tried.batch for tried in tries if not tried.fits), default=MOST + 1)
    return max((tried.batch for tried in tries if tried.fits and tried.batch < high), default=0)


def between(low: int, high: int) -> int:
    """About the middle, and as round as the answer has to be close."""
    unit = 1 << max(0, (low // CLOSE).bit_length() - 1)
    middle = (low + high) // 2 // unit * unit
    return middle if low < middle < high else (low + high) // 2


def rule_out(tries: Sequence[Tried], batch: int, limit: int | None) -> tuple[int, float] | None:
    """The size and what it will take, if that is more than the limit."""
    expected = predict(tries, batch)
    return (batch, expected) if limit is not None and expected is not None and expected > limit else None


def predict(tries: Sequence[Tried], batch: int) -> float | None:
    """Bytes by the line through the two largest smaller sizes that were measured, else through the two smallest.

    None without two, or without a rise between them.
    """
    known = sorted((tried.batch, tried.bytes) for tried in tries if tried.bytes is not None)
    smaller = [size for size in known if size[0] < batch]
    if len(known) < 2:
        return None
    (few, less), (many, more) = smaller[-2:] if len(smaller) > 1 else known[:2]
    return more + (more - less) * (batch - many) / (many - few) if more > less else None
