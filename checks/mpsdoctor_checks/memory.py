"""Memory before anything is trained: pressure, swap, and the limits that apply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mpsdoctor import machine
from mpsdoctor.check import Context, Finding, Remedy, Rule, judged

id = "memory"
title = "Memory and swap"
needs: tuple[str, ...] = ()
seconds = {"quick": 1.0, "standard": 1.0, "thorough": 1.0}

Facts = Mapping[str, Any]
GIB = 1 << 30
# Our own choices. macOS parks idle programs in swap at leisure, so a little swap means nothing.
SWAP_NOTED, SWAP_HEAVY = 0.25, 0.5  # of the memory
LITTLE_BYTES, LITTLE_SHARE = 2 * GIB, 0.1
VERY_LITTLE_BYTES = GIB
FREE_ENOUGH_PERCENT = 15  # where macOS itself still sees no pressure
WIRED_RISKY = 0.85  # of the memory; what macOS needs for itself does not fit into the rest


def run(context: Context) -> Iterator[Finding | dict[str, Any]]:
    """Facts: those of `mpsdoctor.machine.memory`."""
    yield from judged(machine.memory(), RULES)


def pressure(facts: Facts) -> Iterator[Finding]:
    """MPS401: the system is short of memory now."""
    level = facts["pressure"]
    if level not in ("warning", "critical"):
        return
    yield Finding(
        "MPS401",
        "warning",
        f"Memory pressure is at {level}",
        "The system compresses and swaps to serve what runs already. Training will be slowed by it on any "
        "device, since the GPU of a Mac shares this memory, and timings taken now are not to be trusted.",
        {key: facts[key] for key in ("pressure", "available_bytes", "swap_used_bytes", "compressed_bytes")},
        Remedy("Close what uses most memory, then measure again.", ("top -o mem",) if _mac(facts) else ()),
    )


def swap(facts: Facts) -> Iterator[Finding]:
    """MPS402: much is swapped out, relative to the memory."""
    used, total = facts["swap_used_bytes"], facts["total_bytes"]
    if not used or not total or used < SWAP_NOTED * total:
        return
    yield Finding(
        "MPS402",
        "warning" if used >= SWAP_HEAVY * total else "info",
        f"{gib(used)} are swapped out, {used / total:.0%} of the memory",
        "Programs hold more than the memory does. A training step that touches swapped pages waits for the "
        "disk, on the CPU as on MPS, whose allocator goes on into swap where others "
        "would report that memory is out.",
        {"swap_used_bytes": used, "total_bytes": total},
        Remedy("Close programs that are not needed, or restart, and train with a smaller batch."),
    )


def available(facts: Facts) -> Iterator[Finding]:
    """MPS403: little memory is left to train with."""
    left, total = facts["available_bytes"], facts["total_bytes"]
    if left is None or not total or _content(facts):
        return
    left = min(left, facts["limit_bytes"] or left)
    if left >= LITTLE_BYTES and left >= LITTLE_SHARE * total:
        return
    yield Finding(
        "MPS403",
        "warning" if left < VERY_LITTLE_BYTES else "info",
        f"{gib(left)} of {gib(total)} are available",
        "Weights, gradients, optimizer state and activations must fit into this on the CPU, and on the GPU "
        "of a Mac, which shares the memory. What does not fit is swapped, or ends the training.",
        {"available_bytes": left, "total_bytes": total, "free_percent": facts["free_percent"]},
        Remedy("Close what uses most memory, or train a smaller batch or model."),
    )


def container(facts: Facts) -> Iterator[Finding]:
    """MPS404: a container may use less than the machine has."""
    limit, total = facts["limit_bytes"], facts["total_bytes"]
    if limit is None or total is None or limit >= total:
        return
    yield Finding(
        "MPS404",
        "info",
        f"This process may use {gib(limit)} of the machine's {gib(total)}",
        "A control group limits it, as containers and job schedulers do. A training that exceeds it is "
        "killed without a word from Python; libraries that look at the machine's memory "
        "choose too large a batch or cache.",
        {"limit_bytes": limit, "total_bytes": total},
        Remedy("Give the container or the job more memory, or train a smaller batch."),
    )


def wired_limit(facts: Facts) -> Iterator[Finding]:
    """MPS405: someone changed how much memory the GPU may hold."""
    limit, total = facts["wired_limit_bytes"], facts["total_bytes"]
    if not limit:
        return
    risky = bool(total) and limit > WIRED_RISKY * total
    yield Finding(
        "MPS405",
        "warning" if risky else "info",
        f"The GPU's memory limit is set to {gib(limit)}",
        "By default macOS leaves it 67 to 84 % of the memory, the more the larger that is. "
        + ("So high a limit leaves too little for macOS, which can freeze. " if risky else "")
        + "Figures measured here hold for this limit, which is lost at the next start. "
        "If you train on the CPU you can ignore this.",
        {"wired_limit_bytes": limit, "total_bytes": total},
        Remedy("Go back to macOS's default.", ("sudo sysctl iogpu.wired_limit_mb=0",)),
    )


def gib(count: int) -> str:
    """Bytes as people read them."""
    return f"{count / GIB:.1f} GiB"


def _mac(facts: Facts) -> bool:
    return facts["free_percent"] is not None


def _content(facts: Facts) -> bool:
    """macOS counts cached files and what it can compress as free, and by that has enough."""
    free = facts["free_percent"]
    return facts["pressure"] == "normal" and free is not None and free >= FREE_ENOUGH_PERCENT


RULES: tuple[Rule, ...] = (
    pressure,
    swap,
    available,
    container,
    wired_limit,
)
