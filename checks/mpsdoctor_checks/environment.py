"""Audits the PYTORCH_* variables: unknown to this torch, contradictory, or doing something else than they seem."""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Iterator
from typing import Any

from mpsdoctor.check import Context, Finding, Remedy, Rule, judged, neutralised
from mpsdoctor_checks.variables import MPS_SINCE, OTHERS, PREFIXES

id = "environment"
title = "Environment variables"
needs = ()

Facts = dict[str, Any]

FALLBACK = "PYTORCH_ENABLE_MPS_FALLBACK"
HIGH = "PYTORCH_MPS_HIGH_WATERMARK_RATIO"
LOW = "PYTORCH_MPS_LOW_WATERMARK_RATIO"
# The allocator's own defaults and bounds, on unified memory (PyTorch documentation, MPS environment variables).
DEFAULTS = {HIGH: 1.7, LOW: 1.4}
MOST = 2.0
DOCUMENTATION = "https://docs.pytorch.org/docs/stable/mps_environment_variables.html"


def run(context: Context) -> Iterator[Finding | Facts]:
    yield from judged(collect(context), RULES)


def collect(context: Context) -> Facts:
    """The variables as trainers started from here would inherit them, and the torch that would read them."""
    build = context.facts.get("build", {})
    return {
        "variables": neutralised(
            {name: os.environ[name] for name in sorted(os.environ) if name.startswith("PYTORCH_")}
        ),
        "torch": (build.get("torch") or {}).get("version"),
        "mps_available": (build.get("torch") or {}).get("mps_available"),
    }


def unknown(facts: Facts) -> Iterator[Finding]:
    for name in facts["variables"]:
        if name in MPS_SINCE or name in OTHERS or name.startswith(PREFIXES):
            continue
        rest = [known.removeprefix("PYTORCH_") for known in (*MPS_SINCE, *sorted(OTHERS))]
        close = [f"PYTORCH_{found}" for found in difflib.get_close_matches(name.removeprefix("PYTORCH_"), rest, 1, 0.7)]
        yield Finding(
            "MPS601",
            "warning",
            f"no known torch reads {name}",
            "It is set, but has no effect in any torch from 2.0 to 2.15.",
            {"name": name, "value": facts["variables"][name]},
            Remedy(f"Did you mean {close[0]}?" if close else f"Unset it: 'unset {name}'."),
        )


def too_new(facts: Facts) -> Iterator[Finding]:
    present = _release(facts["torch"])
    for name in facts["variables"]:
        since = MPS_SINCE.get(name)
        if since and present and present < since:
            yield Finding(
                "MPS602",
                "warning",
                f"{name} is not read by torch {facts['torch']}",
                f"Torch reads it from {since[0]}.{since[1]} on; here it has no effect.",
                {"name": name, "since": f"{since[0]}.{since[1]}"},
                Remedy("Upgrade torch, or unset it.", ("python -m pip install --upgrade torch", f"unset {name}")),
            )


def _release(version: str | None) -> tuple[int, int] | None:
    try:
        major, minor = (version or "").split(".")[:2]
        return int(major), int(minor)
    except ValueError:
        return None


def watermarks(facts: Facts) -> Iterator[Finding]:
    ratios = {}
    for name in (HIGH, LOW):
        ratio = _ratio(facts["variables"].get(name), DEFAULTS[name])
        if ratio is None:
            yield _bad_watermark(facts, f"{name} is not a ratio between 0 and {MOST:g}", name)
            return
        ratios[name] = ratio
    if ratios[HIGH] == 0 and HIGH in facts["variables"]:
        yield Finding(
            "MPS604",
            "warning",
            "the limit of MPS memory is switched off",
            f"With {HIGH}=0 a training that outgrows memory takes the system into swap, and may take it down.",
            {"name": HIGH},
            Remedy(f"Unset it, or set {HIGH} and {LOW} below 1 to stay out of swap.", (f"unset {HIGH}",)),
            (DOCUMENTATION,),
        )
    elif ratios[LOW] > (ratios[HIGH] or MOST):
        text = f"the low watermark {ratios[LOW]:g} lies above the high watermark {ratios[HIGH]:g}"
        yield _bad_watermark(facts, text, LOW)


def _ratio(text: str | None, default: float) -> float | None:
    """A watermark as torch takes it, or None where torch refuses it."""
    if text is None:
        return default
    try:
        ratio = float(text)
    except ValueError:
        return None
    return ratio if math.isfinite(ratio) and 0 <= ratio <= MOST else None


def _bad_watermark(facts: Facts, what: str, name: str) -> Finding:
    given = {key: facts["variables"][key] for key in (HIGH, LOW) if key in facts["variables"]}
    return Finding(
        "MPS603",
        "error" if facts["mps_available"] else "warning",
        what,
        "The first allocation on MPS fails with 'invalid low watermark ratio' or 'invalid high watermark ratio'. The"
        f" defaults are {DEFAULTS[HIGH]} and {DEFAULTS[LOW]}: lowering the high one below {DEFAULTS[LOW]} needs the"
        " low one as well. Training on the CPU is not affected.",
        {"set": given, "name": name},
        Remedy("Set both, the low one not above the high one.", (f"export {HIGH}=0.9 {LOW}=0.8",)),
        (DOCUMENTATION,),
    )


def fallback(facts: Facts) -> Iterator[Finding]:
    value = facts["variables"].get(FALLBACK)
    if value is not None and value.strip().lower() in {"", "false", "no", "off", "00"}:
        yield Finding(
            "MPS605",
            "warning",
            f"{FALLBACK}={value!r} switches the fallback on",
            "Torch takes anything but exactly 0 as on: operators without an MPS kernel run on the CPU, slowly.",
            {"value": value},
            Remedy("Set it to 0 to get an error for such operators instead.", (f"export {FALLBACK}=0",)),
        )
    elif value not in (None, "0"):
        yield Finding(
            "MPS606",
            "info",
            "operators without an MPS kernel run on the CPU",
            f"{FALLBACK} is set, so missing operators cost time instead of raising an error.",
            {"value": value},
        )
    elif facts["mps_available"]:
        yield Finding(
            "MPS607",
            "info",
            "operators without an MPS kernel raise an error",
            f"{FALLBACK} is {'0' if value else 'not set'}. It is read while torch loads: set it before Python starts.",
            {"value": value},
        )


# What a variable does that someone who times or compares a training should know.
SIDE_EFFECTS = {
    "PYTORCH_MPS_FAST_MATH": "Metal may round and reorder freely: results differ more from the CPU's.",
    "PYTORCH_MPS_LOG_PROFILE_INFO": "Every operator is logged, which slows training and falsifies timings.",
    "PYTORCH_MPS_TRACE_SIGNPOSTS": "Every operator is traced, which slows training and falsifies timings.",
    "PYTORCH_DEBUG_MPS_ALLOCATOR": "Every allocation is logged, which slows training and falsifies timings.",
    "PYTORCH_NO_CUDA_MEMORY_CACHING": "Every CUDA allocation goes to the driver, which slows training.",
}


def side_effects(facts: Facts) -> Iterator[Finding]:
    for name, effect in SIDE_EFFECTS.items():
        if facts["variables"].get(name, "0") not in {"", "0"}:
            yield Finding(
                "MPS608",
                "warning",
                f"{name} is set",
                effect,
                {"name": name, "value": facts["variables"][name]},
                Remedy("Unset it for real training.", (f"unset {name}",)),
            )


RULES: tuple[Rule, ...] = (unknown, too_new, watermarks, fallback, side_effects)
