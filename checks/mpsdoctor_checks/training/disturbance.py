"""What else the machine did while training was timed, from its conditions before and after. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BUSY_PERCENT = 25.0  # of all cores taken by others just before or after: threads that wait for each other stall
SWAPPED = 64 << 20  # bytes in or out during the run; less is idle programs being tidied away


def seen(conditions: Mapping[str, Any]) -> list[str]:
    """One sentence for each condition that spoils a timing; a condition that is unknown spoils nothing."""
    before, after = conditions.get("before") or {}, conditions.get("after") or {}
    return [
        *load(before, after),
        *swapping(before, after),
        *states(before, after),
    ]


def load(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What others took while we did nothing; the average load over a minute would hold our own work."""
    return [
        f"other programs took {each['cpu_percent']:.0f} % of the processor just {moment} the run"
        for moment, each in (("before", before), ("after", after))
        if (each.get("cpu_percent") or 0.0) > BUSY_PERCENT
    ]


def swapping(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    found = []
    for key, way in (("swap_in_bytes", "in"), ("swap_out_bytes", "out")):
        first, last = before.get(key), after.get(key)
        if first is not None and last is not None and last - first > SWAPPED:
            found.append(f"{(last - first) / 2**20:.0f} MiB were swapped {way} meanwhile")
    return found


def states(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    found = []
    for moment, each in (("before", before), ("after", after)):
        if each.get("pressure") in ("warning", "critical"):
            found.append(f"memory pressure was '{each['pressure']}' {moment} the run")
        if each.get("thermal_state") in ("fair", "serious", "critical"):
            found.append(f"the thermal state was '{each['thermal_state']}' {moment} the run")
    if before.get("low_power") or after.get("low_power"):
        found.append("low power mode was on")
    if before.get("on_battery") or after.get("on_battery"):
        found.append("the machine ran on battery")
    return found
