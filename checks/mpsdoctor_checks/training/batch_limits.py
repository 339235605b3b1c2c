"""How much memory a training may take on a device before the machine swaps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mpsdoctor.machine.shapes import MemoryFacts
from mpsdoctor.worker.shapes import MemoryLimits

ROOM = 0.95  # of what the system calls available: other programs go on meanwhile
SWAPPED = 64 << 20  # bytes; less is what any system moves out now and then


class Limit(NamedTuple):
    """The most bytes without swapping, and whose limit that is; None where nobody tells."""

    bytes: int | None
    source: str | None


def of_device(device: str, told: MemoryLimits, memory: MemoryFacts, given: int | None = None) -> Limit:
    """The least of all limits; `given` is the person's own.

    MPS raises at its high watermark alone, which is 1.7 times what it recommends and far in swap.
    """
    limits = [(count, source) for count, source in _limits(device, told, memory) if count]
    if given is not None:
        limits.append((given, "given"))
    return Limit(*min(limits)) if limits else Limit(None, None)


def _limits(device: str, told: MemoryLimits, memory: MemoryFacts) -> Iterator[tuple[int | None, str]]:
    kind = device.partition(":")[0]
    yield told["recommended_bytes"], "recommended"
    if kind not in ("cpu", "mps"):
        yield told["free_bytes"], "device"
        return
    yield int(ROOM * (memory.get("available_bytes") or 0)), "available"
    yield memory.get("limit_bytes"), "container"
    if kind == "mps":
        yield memory.get("wired_limit_bytes"), "wired"


def swapped_bytes(before: MemoryFacts, after: MemoryFacts) -> int:
    """What the machine moved out between the two, 0 where that is little or not known."""
    first, last = before.get("swap_out_bytes"), after.get("swap_out_bytes")
    moved = last - first if first is not None and last is not None else 0
    return moved if moved > SWAPPED else 0
