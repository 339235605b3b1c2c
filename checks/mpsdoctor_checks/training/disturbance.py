"""What disturbs the timing of training, judged by the machine's conditions before, between and after. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from mpsdoctor.facts.conditions import Conditions, Moments

BUSY_PERCENT = 25.0  # of all cores taken by others just before or after: threads that wait for each other stall
SWAPPED = 64 << 20  # bytes in or out during the run; less is idle programs being tidied away


def find_disturbances(moments: Moments) -> list[str]:
    """One sentence for each condition that spoils a timing; a condition that is unknown spoils nothing."""
    before, after = before_and_after(moments)
    return [*find_disorder(moments), *states(before, after)]


def before_and_after(moments: Moments) -> tuple[Conditions, Conditions]:
    return moments.get("before") or {}, moments.get("after") or {}


def find_disorder(moments: Moments) -> list[str]:
    """Those among them in which a figure says nothing about the machine as it usually is, so that none is kept."""
    before, after = before_and_after(moments)
    return [
        *load(before, moments.get("between") or (), after),
        *swapping(before, after),
        *pressing(before, after),
    ]


def load(before: Conditions, between: Sequence[float], after: Conditions) -> list[str]:
    """Processor time of other programs while we do nothing; the average load of a minute includes our own work."""
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


def swapping(before: Conditions, after: Conditions) -> list[str]:
    moved = {
        "in": (before.get("swap_in_bytes"), after.get("swap_in_bytes")),
        "out": (before.get("swap_out_bytes"), after.get("swap_out_bytes")),
    }
    return [
        f"{(last - first) / 2**20:.0f} MiB were swapped {way} meanwhile"
        for way, (first, last) in moved.items()
        if first is not None and last is not None and last - first > SWAPPED
    ]


def pressing(before: Conditions, after: Conditions) -> list[str]:
    """Memory and heat, where the system itself acts upon them."""
    sentences = []
    for moment, conditions in (("before", before), ("after", after)):
        if conditions.get("pressure") == "critical":
            sentences.append(f"memory pressure was 'critical' {moment} the run")
        if conditions.get("thermal_state") in ("serious", "critical"):
            sentences.append(f"the thermal state was '{conditions['thermal_state']}' {moment} the run")
    return sentences


def states(before: Conditions, after: Conditions) -> list[str]:
    """What a machine may always be in: a level that tells of the past, warmth, a battery."""
    sentences = []
    for moment, conditions in (("before", before), ("after", after)):
        if conditions.get("pressure") == "warning":
            sentences.append(f"memory pressure was 'warning' {moment} the run")
        if conditions.get("thermal_state") == "fair":
            sentences.append(f"the thermal state was 'fair' {moment} the run")
    if before.get("low_power") or after.get("low_power"):
        sentences.append("low power mode was on")
    if before.get("on_battery") or after.get("on_battery"):
        sentences.append("the machine ran on battery")
    return sentences
