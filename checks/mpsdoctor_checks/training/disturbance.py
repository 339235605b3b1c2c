"""What else the machine did while training was timed, from its conditions before, between and after. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

BUSY_PERCENT = 25.0  # of all cores taken by others just before or after: threads that wait for each other stall
SWAPPED = 64 << 20  # bytes in or out during the run; less is idle programs being tidied away


def seen(conditions: Mapping[str, Any]) -> list[str]:
    """One sentence for each condition that spoils a timing; a condition that is unknown spoils nothing."""
    before, after = conditions.get("before") or {}, conditions.get("after") or {}
    return [*disorder(conditions), *states(before, after)]


def disorder(conditions: Mapping[str, Any]) -> list[str]:
    """Those among them in which a figure says nothing about the machine as it usually is, so that none is kept."""
    before, after = conditions.get("before") or {}, conditions.get("after") or {}
    return [
        *load(before, conditions.get("between") or (), after),
        *swapping(before, after),
        *pressing(before, after),
    ]


def load(before: Mapping[str, Any], between: Sequence[float], after: Mapping[str, Any]) -> list[str]:
    """What others took while we did nothing; the average load over a minute would hold our own work."""
    moments = (
        ("just before the run", before.get("cpu_percent")),
        ("between workloads", lasting(between)),
        ("just after the run", after.get("cpu_percent")),
    )
    return [
        f"other programs took {busy:.0f} % of the processor {moment}"
        for moment, busy in moments
        if busy is not None and busy > BUSY_PERCENT
    ]


def lasting(between: Sequence[float]) -> float | None:
    """The second highest of several short looks: a single one may meet a daemon that is gone at once."""
    return sorted(between)[-2:][0] if between else None


def swapping(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    found = []
    for key, way in (("swap_in_bytes", "in"), ("swap_out_bytes", "out")):
        first, last = before.get(key), after.get(key)
        if first is not None and last is not None and last - first > SWAPPED:
            found.append(f"{(last - first) / 2**20:.0f} MiB were swapped {way} meanwhile")
    return found


def pressing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Memory and heat, where the system itself acts upon them."""
    found = []
    for moment, each in (("before", before), ("after", after)):
        if each.get("pressure") == "critical":
            found.append(f"memory pressure was 'critical' {moment} the run")
        if each.get("thermal_state") in ("serious", "critical"):
            found.append(f"the thermal state was '{each['thermal_state']}' {moment} the run")
    return found


def states(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What a machine may always be in: a level that tells of the past, warmth, a battery."""
    found = []
    for moment, each in (("before", before), ("after", after)):
        if each.get("pressure") == "warning":
            found.append(f"memory pressure was 'warning' {moment} the run")
        if each.get("thermal_state") == "fair":
            found.append(f"the thermal state was 'fair' {moment} the run")
    if before.get("low_power") or after.get("low_power"):
        found.append("low power mode was on")
    if before.get("on_battery") or after.get("on_battery"):
        found.append("the machine ran on battery")
    return found
