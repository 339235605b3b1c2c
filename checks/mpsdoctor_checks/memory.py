"""Memory before anything is trained: pressure, swap, and the limits that apply."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from mpsdoctor import machine
from mpsdoctor.check import Context, Finding, Remedy, Rule, judged

id = "memory"
title = "Memory and swap"
needs: tuple[str, ...] = ()
seconds = {"quick": 1.0, "standard": 1.0, "thorough": 1.0}

Facts = Mapping[str, Any]
GIB, MIB = 1 << 30, 1 << 20
# Our own choices. macOS parks idle programs in swap at leisure, so a little swap means nothing.
SWAP_NOTED, SWAP_HEAVY = 0.25, 0.5  # of the memory
LITTLE_BYTES, LITTLE_SHARE = 2 * GIB, 0.1
VERY_LITTLE_BYTES = GIB
FREE_ENOUGH_PERCENT = 15  # where macOS itself still sees no pressure
CROWDED = 1 / 3  # of the memory held by the compressor: what is needed next pushes something out
WIRED_RISKY = 0.85  # of the memory; what macOS needs for itself does not fit into the rest
LOOK = 1.0  # seconds between two looks at the swap counters
SWAPPING = 4 * MIB  # bytes a second: 256 pages of 16 KiB, which at 0.1 ms each cost 3 % of the time


class Case(NamedTuple):
    """One way in which level, swap traffic and compressor go together, how grave it is, and what it means."""

    applies: Callable[[Facts], bool]
    severity: Literal["info", "warning"]
    meaning: str


def run(context: Context) -> Iterator[Finding | dict[str, Any]]:
    """Facts: those of `mpsdoctor.machine.memory`, and what was swapped in the second between two looks.

    `swapped_in_per_s` and `swapped_out_per_s` are in bytes, None where the system does not tell.
    """
    before, begun = machine.memory(), time.monotonic()
    time.sleep(LOOK)
    now = machine.memory()
    yield from judged({**now, **swap_rates(before, now, time.monotonic() - begun)}, RULES)


def swap_rates(before: Facts, now: Facts, seconds: float) -> dict[str, float | None]:
    """Bytes a second in each way; both counters only grow."""
    rates: dict[str, float | None] = {}
    for way in ("in", "out"):
        first, last = before[f"swap_{way}_bytes"], now[f"swap_{way}_bytes"]
        known = first is not None and last is not None
        rates[f"swapped_{way}_per_s"] = round(max(0, last - first) / seconds) if known else None
    return rates


def traffic(facts: Facts) -> float | None:
    """Bytes swapped in a second, both ways; None where it is not known."""
    ways = (facts["swapped_in_per_s"], facts["swapped_out_per_s"])
    return None if None in ways else sum(ways)


def is_swapping(facts: Facts) -> bool:
    return (traffic(facts) or 0) >= SWAPPING


def has_room(facts: Facts) -> bool:
    """Whether more memory can be had without pushing something out.

    macOS counts cached files and what it can compress as free, and that figure is its own; a full compressor is not.
    """
    total, free, left = facts["total_bytes"], facts["free_percent"], facts["available_bytes"]
    if free is None:
        return left is not None and bool(total) and left >= LITTLE_SHARE * total
    return free >= FREE_ENOUGH_PERCENT and (facts["compressed_bytes"] or 0) < CROWDED * (total or math.inf)


# The first that applies is told. What is swapped in and out now is what a training waits for; the level and what was
# swapped out before tell of the past, and macOS keeps both up long after the programs that caused them went idle.
PRESSURE: tuple[Case, ...] = (
    Case(
        lambda facts: facts["pressure"] == "critical",
        "warning",
        "The system has next to nothing left to give, and may end programs. Timings taken now are not to be trusted.",
    ),
    Case(
        is_swapping,
        "warning",
        "The system swaps to serve what runs already, and a training waits for the disk with the others. Timings taken"
        " now are not to be trusted.",
    ),
    Case(
        lambda facts: not has_room(facts),
        "warning",
        "What a training needs is taken from other programs, by compressing or swapping theirs. Timings taken now are"
        " not to be trusted.",
    ),
    Case(
        lambda facts: traffic(facts) is None,
        "warning",
        "The system compresses and swaps to serve what runs already; how much is not known. Timings taken now are not"
        " to be trusted.",
    ),
    Case(
        lambda facts: True,
        "info",
        "Yet enough memory is free by the system's own count and nothing is being swapped: the level tells of what was"
        " before. It is no reason to distrust timings taken now.",
    ),
)
SWAP: tuple[Case, ...] = (
    Case(
        is_swapping,
        "warning",
        "Programs in use hold more than the memory does. A training step that touches swapped pages waits for the"
        " disk.",
    ),
    Case(
        lambda facts: traffic(facts) is None and is_heavy(facts),
        "warning",
        "Whether that is in use is not known. If it is, a training step that touches it waits for the disk.",
    ),
    Case(
        lambda facts: is_heavy(facts) and not has_room(facts),
        "warning",
        "That is not in use now, but there is no room either: what a training needs pushes out more.",
    ),
    Case(
        lambda facts: traffic(facts) is None,
        "info",
        "Whether that is in use is not known; so much may belong to idle programs alone.",
    ),
    Case(
        lambda facts: True,
        "info",
        "That belongs to idle programs, for next to nothing is being swapped now. It does not slow a training until"
        " they wake.",
    ),
)
TOLD = (
    "pressure",
    "available_bytes",
    "free_percent",
    "swap_used_bytes",
    "swapped_in_per_s",
    "swapped_out_per_s",
    "compressed_bytes",
)
SHARED = " The GPU of a Mac shares the memory, so this holds on MPS as on the CPU."
GOES_ON = " This holds on the CPU as on MPS, whose allocator goes on into swap where others report that memory is out."
COLOURS = {"warning": "yellow", "critical": "red"}  # of Memory Pressure in Activity Monitor


def is_heavy(facts: Facts) -> bool:
    return bool(facts["swap_used_bytes"] >= SWAP_HEAVY * facts["total_bytes"])


def pressure(facts: Facts) -> Iterator[Finding]:
    """MPS401: the system is short of memory now."""
    level = facts["pressure"]
    if level not in ("warning", "critical"):
        return
    case = next(case for case in PRESSURE if case.applies(facts))
    close = Remedy("Close what uses most memory, then measure again.", ("top -o mem",) if _mac(facts) else ())
    yield Finding(
        "MPS401",
        case.severity,
        f"Memory pressure is at {level}",
        (f"Activity Monitor draws it {COLOURS[level]}. " if _mac(facts) else "") + case.meaning + SHARED,
        {key: facts[key] for key in TOLD},
        close if case.severity == "warning" else Remedy("Nothing needs to be done; if training slows, look again."),
    )


def swap(facts: Facts) -> Iterator[Finding]:
    """MPS402: much is swapped out, relative to the memory, or is being swapped."""
    used, total = facts["swap_used_bytes"], facts["total_bytes"]
    if not used or not total or (used < SWAP_NOTED * total and not is_swapping(facts)):
        return
    case = next(case for case in SWAP if case.applies(facts))
    now = f", and {(traffic(facts) or 0) / MIB:.0f} MiB a second go in and out now" * is_swapping(facts)
    yield Finding(
        "MPS402",
        case.severity,
        f"{gib(used)} are swapped out{now}",
        case.meaning + (GOES_ON if case.severity == "warning" else ""),
        {key: facts[key] for key in (*TOLD, "total_bytes")},
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
    """macOS has enough by its own count, however few bytes are free: it fills memory with what it can do without."""
    return _mac(facts) and facts["pressure"] != "critical" and has_room(facts)


RULES: tuple[Rule, ...] = (
    pressure,
    swap,
    available,
    container,
    wired_limit,
)
