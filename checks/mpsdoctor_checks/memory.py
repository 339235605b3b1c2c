"""Memory before anything is trained: pressure, swap, and the limits that apply."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple, TypedDict

from mpsdoctor import machine
from mpsdoctor.check import Context, Finding, Rule, finding, judged
from mpsdoctor.machine import MemoryFacts
from mpsdoctor.texts import Part, check_title

id = "memory"
title = check_title("memory")
needs: tuple[str, ...] = ()
seconds = {"quick": 1.0, "standard": 1.0, "thorough": 1.0}

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


class SwapRates(TypedDict):
    """Bytes swapped a second between two looks, None where the system does not tell."""

    swapped_in_per_s: int | None
    swapped_out_per_s: int | None


class Facts(MemoryFacts, SwapRates):
    """Memory now, and what is swapped."""


class Case(NamedTuple):
    """One way in which level, swap traffic and compressor go together, how grave it is, and what it means."""

    applies: Callable[[Facts], bool]
    severity: Literal["info", "warning"]
    meaning: str  # a part of the text


def run(context: Context) -> Iterator[Finding | Facts]:
    """Memory, and what was swapped in the second between two looks."""
    before, looked_at = machine.memory(), time.monotonic()
    time.sleep(LOOK)
    now = machine.memory()
    facts: Facts = {**now, **swap_rates(before, now, time.monotonic() - looked_at)}
    yield from judged(facts, RULES)


def swap_rates(before: MemoryFacts, now: MemoryFacts, seconds: float) -> SwapRates:
    """Bytes a second in each way; both counters only grow."""
    return {
        "swapped_in_per_s": swap_rate(before["swap_in_bytes"], now["swap_in_bytes"], seconds),
        "swapped_out_per_s": swap_rate(before["swap_out_bytes"], now["swap_out_bytes"], seconds),
    }


def swap_rate(first: int | None, last: int | None, seconds: float) -> int | None:
    return None if first is None or last is None else round(max(0, last - first) / seconds)


def traffic(facts: Facts) -> int | None:
    """Bytes swapped in a second, both ways; None where it is not known."""
    swapped_in, swapped_out = facts["swapped_in_per_s"], facts["swapped_out_per_s"]
    return None if swapped_in is None or swapped_out is None else swapped_in + swapped_out


def is_swapping(facts: Facts) -> bool:
    return (traffic(facts) or 0) >= SWAPPING


def has_room(facts: Facts) -> bool:
    """Whether more memory can be had without pushing something out.

    macOS counts cached files and what it can compress as free, and that figure is its own; a full compressor is not.
    """
    total, free, left = facts["total_bytes"], facts["free_percent"], facts["available_bytes"]
    if free is None:
        return left is not None and total is not None and total > 0 and left >= LITTLE_SHARE * total
    return free >= FREE_ENOUGH_PERCENT and (facts["compressed_bytes"] or 0) < CROWDED * (total or math.inf)


# The first that applies is reported. What is swapped in and out now is what a training waits for; the level and what
# was swapped out before tell of the past, and macOS keeps both up long after the programs that caused them went idle.
PRESSURE: tuple[Case, ...] = (
    Case(lambda facts: facts["pressure"] == "critical", "warning", "next_to_nothing"),
    Case(is_swapping, "warning", "swapping"),
    Case(lambda facts: not has_room(facts), "warning", "no_room"),
    Case(lambda facts: traffic(facts) is None, "warning", "unknown"),
    Case(lambda facts: True, "info", "past"),
)
SWAP: tuple[Case, ...] = (
    Case(is_swapping, "warning", "swapping"),
    Case(lambda facts: traffic(facts) is None and is_heavy(facts), "warning", "heavy_unknown"),
    Case(lambda facts: is_heavy(facts) and not has_room(facts), "warning", "no_room"),
    Case(lambda facts: traffic(facts) is None, "info", "unknown"),
    Case(lambda facts: True, "info", "idle"),
)
IN_EVIDENCE = (
    "pressure",
    "available_bytes",
    "free_percent",
    "swap_used_bytes",
    "swapped_in_per_s",
    "swapped_out_per_s",
    "compressed_bytes",
)
COLOURS = {"warning": "yellow", "critical": "red"}  # of Memory Pressure in Activity Monitor


def is_heavy(facts: Facts) -> bool:
    return (facts["swap_used_bytes"] or 0) >= SWAP_HEAVY * (facts["total_bytes"] or math.inf)


def evidence_of(facts: Facts) -> dict[str, object]:
    values = dict(facts)
    return {key: values[key] for key in IN_EVIDENCE}


def pressure(facts: Facts) -> Iterator[Finding]:
    """MPS401: the system is short of memory now."""
    level = facts["pressure"]
    if level not in ("warning", "critical"):
        return
    case = next(case for case in PRESSURE if case.applies(facts))
    grave, mac = case.severity == "warning", _is_mac(facts)
    yield finding(
        "MPS401",
        case.severity,
        evidence_of(facts),
        remedy="remedy" if grave else "nothing",
        commands=("top -o mem",) if grave and mac else (),
        level=level,
        colour=Part("drawn" if mac else ""),
        hue=Part(COLOURS[level]),
        meaning=Part(case.meaning),
        shared=Part("shared"),
    )


def swap(facts: Facts) -> Iterator[Finding]:
    """MPS402: much is swapped out, relative to the memory, or is being swapped."""
    used, total = facts["swap_used_bytes"], facts["total_bytes"]
    if not used or not total or (used < SWAP_NOTED * total and not is_swapping(facts)):
        return
    case = next(case for case in SWAP if case.applies(facts))
    yield finding(
        "MPS402",
        case.severity,
        {**evidence_of(facts), "total_bytes": total},
        used=used,
        now=Part("traffic" if is_swapping(facts) else ""),
        per_second=traffic(facts) or 0,
        meaning=Part(case.meaning),
        goes_on=Part("goes_on" if case.severity == "warning" else ""),
    )


def available(facts: Facts) -> Iterator[Finding]:
    """MPS403: little memory is left to train with."""
    left, total = facts["available_bytes"], facts["total_bytes"]
    if left is None or not total or _is_content(facts):
        return
    left = min(left, facts["limit_bytes"] or left)
    if left >= LITTLE_BYTES and left >= LITTLE_SHARE * total:
        return
    evidence = {"available_bytes": left, "total_bytes": total, "free_percent": facts["free_percent"]}
    yield finding("MPS403", "warning" if left < VERY_LITTLE_BYTES else "info", evidence, left=left, total=total)


def container(facts: Facts) -> Iterator[Finding]:
    """MPS404: a container may use less than the machine has."""
    limit, total = facts["limit_bytes"], facts["total_bytes"]
    if limit is not None and total is not None and limit < total:
        yield finding("MPS404", "info", {"limit_bytes": limit, "total_bytes": total}, limit=limit, total=total)


def wired_limit(facts: Facts) -> Iterator[Finding]:
    """MPS405: someone changed how much memory the GPU may hold."""
    limit, total = facts["wired_limit_bytes"], facts["total_bytes"]
    if not limit:
        return
    risky = limit > WIRED_RISKY * (total or math.inf)
    yield finding(
        "MPS405",
        "warning" if risky else "info",
        {"wired_limit_bytes": limit, "total_bytes": total},
        limit=limit,
        risk=Part("risk" if risky else ""),
        ignore=Part("ignore_on_cpu"),
    )


def _is_mac(facts: Facts) -> bool:
    return facts["free_percent"] is not None


def _is_content(facts: Facts) -> bool:
    """macOS has enough by its own count, however few bytes are free: it fills memory with what it can do without."""
    return _is_mac(facts) and facts["pressure"] != "critical" and has_room(facts)


RULES: tuple[Rule[Facts], ...] = (
    pressure,
    swap,
    available,
    container,
    wired_limit,
)
