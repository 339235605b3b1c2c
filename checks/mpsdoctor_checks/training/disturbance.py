"""What disturbs the timing of training, judged by the machine's conditions before, between and after. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from mpsdoctor.facts.conditions import Conditions, Moments
from mpsdoctor.quiet import BUSY_PERCENT, describe_taken
from mpsdoctor.texts import Part

SWAPPED = 64 << 20  # bytes in or out during the run; less is idle programs being tidied away


def find_disturbances(moments: Moments) -> list[Part]:
    """One sentence for each condition that spoils a timing; a condition that is unknown spoils nothing."""
    before, after = before_and_after(moments)
    return [*find_disorder(moments), *states(before, after)]


def before_and_after(moments: Moments) -> tuple[Conditions, Conditions]:
    return moments.get("before") or {}, moments.get("after") or {}


def find_disorder(moments: Moments) -> list[Part]:
    """Those among them in which a figure says nothing about the machine as it usually is, so that none is kept."""
    before, after = before_and_after(moments)
    return [
        *load(before, moments.get("between") or (), after),
        *swapping(before, after),
        *pressing(before, after),
    ]


def load(before: Conditions, between: Sequence[float], after: Conditions) -> list[Part]:
    """Processor time of other programs while we do nothing; the average load of a minute includes our own work."""
    looks = (
        ("before", before.get("cpu_percent"), before.get("programs")),
        ("between", lasting(between), None),
        ("after", after.get("cpu_percent"), after.get("programs")),
    )
    return [
        Part(f"busy_{moment}", {"who": describe_taken(busy, programs or ()), "percent": busy})
        for moment, busy, programs in looks
        if busy is not None and busy > BUSY_PERCENT
    ]


def find_remedies(moments: Moments) -> list[Part]:
    """What to do about them, a sentence each."""
    before, after = before_and_after(moments)
    busy = [now for now in (before, after) if (now.get("cpu_percent") or 0.0) > BUSY_PERCENT]
    names = list(dict.fromkeys(program["name"] for now in busy for program in now.get("programs", ())))
    sentences = [Part("close_these", {"names": names})] if names else []
    if not names and find_disorder(moments):
        sentences.append(Part("close_others"))
    if before.get("low_power") or after.get("low_power"):
        sentences.append(Part("leave_low_power"))
    if before.get("on_battery") or after.get("on_battery"):
        sentences.append(Part("plug_in"))
    return sentences


def lasting(between: Sequence[float]) -> float | None:
    """The second highest of several short looks: a single one may meet a daemon that is gone at once."""
    return sorted(between)[-2:][0] if between else None


def swapping(before: Conditions, after: Conditions) -> list[Part]:
    moved = {
        "swapped_in": (before.get("swap_in_bytes"), after.get("swap_in_bytes")),
        "swapped_out": (before.get("swap_out_bytes"), after.get("swap_out_bytes")),
    }
    return [
        Part(name, {"bytes": last - first})
        for name, (first, last) in moved.items()
        if first is not None and last is not None and last - first > SWAPPED
    ]


def pressing(before: Conditions, after: Conditions) -> list[Part]:
    """Memory and heat, where the system itself acts upon them."""
    sentences = []
    for moment, conditions in (("before", before), ("after", after)):
        if conditions.get("pressure") == "critical":
            sentences.append(Part(f"pressure_{moment}", {"level": "critical"}))
        if conditions.get("thermal_state") in ("serious", "critical"):
            sentences.append(Part(f"heat_{moment}", {"level": conditions["thermal_state"]}))
    return sentences


def states(before: Conditions, after: Conditions) -> list[Part]:
    """What a machine may always be in: a level that tells of the past, warmth, a battery."""
    sentences = []
    for moment, conditions in (("before", before), ("after", after)):
        if conditions.get("pressure") == "warning":
            sentences.append(Part(f"pressure_{moment}", {"level": "warning"}))
        if conditions.get("thermal_state") == "fair":
            sentences.append(Part(f"heat_{moment}", {"level": "fair"}))
    if before.get("low_power") or after.get("low_power"):
        sentences.append(Part("low_power"))
    if before.get("on_battery") or after.get("on_battery"):
        sentences.append(Part("on_battery"))
    return sentences
