"""Audits the PYTORCH_* variables: unknown to this torch, contradictory, or doing something else than they seem."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from typing import Any

from mpsdoctor.check import Context, Finding, Remedy, Rule, judged, neutralised
from mpsdoctor.support import FALLBACK
from mpsdoctor.versions import release
from mpsdoctor_checks import installing
from mpsdoctor_checks.variables import (
    DEFAULTS,
    HIGH,
    LOG,
    LOW,
    MPS_SINCE,
    OTHERS,
    PREFIXES,
    SIGNPOSTS,
    refused,
    stoi,
    strtod,
)
from mpsdoctor_checks.variables import fallback as fallback_of

id = "environment"
title = "Environment variables"
needs = ()

Facts = dict[str, Any]

DOCUMENTATION = "https://docs.pytorch.org/docs/stable/mps_environment_variables.html"


def run(context: Context) -> Iterator[Finding | Facts]:
    yield from judged(collect(context), RULES)


def collect(context: Context) -> Facts:
    """The variables as trainers started from here would inherit them, and the torch that would read them."""
    build = context.facts.get("build", {})
    python = build.get("python") or {}
    return {
        "variables": neutralised(
            {name: os.environ[name] for name in sorted(os.environ) if name.startswith("PYTORCH_")}
        ),
        "python": python,
        "torch": (build.get("torch") or {}).get("version") or python.get("torch_version"),
        "ends_import": build.get("ends_import", {}),
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
    present = release(facts["torch"])
    for name in facts["variables"]:
        since = MPS_SINCE.get(name)
        if since and present and present < since:
            note, commands = installing.torch(facts["python"], "--upgrade torch")
            yield Finding(
                "MPS602",
                "warning",
                f"{name} is not read by torch {facts['torch']}",
                f"Torch reads it from {since[0]}.{since[1]} on; here it has no effect.",
                {"name": name, "since": f"{since[0]}.{since[1]}"},
                Remedy(f"Upgrade torch, or unset it.{note}", (*commands, f"unset {name}")),
            )


def ends_import(facts: Facts) -> Iterator[Finding]:
    """What the build check saw by leaving them out; the check-up went on without them, a training would not."""
    for name, value in facts["ends_import"].items():
        yield Finding(
            "MPS609",
            "error",
            f"{name}={value!r} ends every program that imports torch here",
            "MPS202 tells how. What this check-up measured holds once the variable is unset.",
            {"name": name, "value": value},
            Remedy("Unset it.", (f"unset {name}",)),
        )


def watermarks(facts: Facts) -> Iterator[Finding]:
    given = {name: facts["variables"][name] for name in (HIGH, LOW) if name in facts["variables"]}
    for name, reason in refused(given).items():
        yield Finding(
            "MPS603",
            "error" if facts["mps_available"] else "warning",
            reason,
            "The first allocation on MPS fails with 'invalid low watermark ratio' or 'invalid high watermark ratio'."
            f" The defaults of {HIGH} and {LOW} are {DEFAULTS[HIGH]} and {DEFAULTS[LOW]}: lowering the high one below"
            f" {DEFAULTS[LOW]} needs the low one as well. Training on the CPU is not affected.",
            {"set": given, "name": name},
            Remedy("Set both, the low one not above the high one.", (f"export {HIGH}=0.9 {LOW}=0.8",)),
            (DOCUMENTATION,),
        )
        return
    if HIGH in given and strtod(given[HIGH]) == 0:
        yield _no_limit(given[HIGH])


def _no_limit(value: str) -> Finding:
    misread = "" if re.fullmatch(r"\s*[+-]?[0.]+\s*", value) else f"Torch reads {value!r} as 0. "
    return Finding(
        "MPS604",
        "warning",
        "the limit of MPS memory is switched off",
        f"{misread}With {HIGH}=0 a training that outgrows memory takes the system into swap, and may take it down.",
        {"name": HIGH, "value": value},
        Remedy(f"Unset it, or set {HIGH} and {LOW} below 1 to stay out of swap.", (f"unset {HIGH}",)),
        (DOCUMENTATION,),
    )


def options(facts: Facts) -> Iterator[Finding]:
    given = {name: facts["variables"][name] for name in (LOG, SIGNPOSTS) if name in facts["variables"]}
    for name, reason in refused(given).items():
        yield Finding(
            "MPS610",
            "error" if facts["mps_available"] else "warning",
            reason,
            f"With {name}={given[name]} the first operator on MPS fails. Training on the CPU is not affected.",
            {"name": name, "value": given[name]},
            Remedy("Unset it.", (f"unset {name}",)),
        )


def fallback(facts: Facts) -> Iterator[Finding]:
    value = facts["variables"].get(FALLBACK)
    state = fallback_of(value, facts["torch"])
    if state == "dies":
        return  # where it did, the build check saw it; torch without MPS does not read the variable
    if state == "on" and value is not None and _looks_off(value):
        yield Finding(
            "MPS605",
            "warning",
            f"{FALLBACK}={value!r} switches the fallback on",
            "Torch 2.8 and later take anything but exactly 0 as on: operators without an MPS kernel run on the CPU,"
            " slowly.",
            {"value": value},
            Remedy("Set it to 0 to get an error for such operators instead.", (f"export {FALLBACK}=0",)),
        )
    elif state == "on":
        yield Finding(
            "MPS606",
            "info",
            "operators without an MPS kernel run on the CPU",
            f"{FALLBACK} is set, so missing operators cost time instead of raising an error.",
            {"value": value},
        )
    elif facts["mps_available"]:
        how = "not set" if value is None else "0" if value == "0" else f"{value!r}, which this torch reads as 0"
        yield Finding(
            "MPS607",
            "info",
            "operators without an MPS kernel raise an error",
            f"{FALLBACK} is {how}. It is read while torch loads: set it before Python starts.",
            {"value": value},
        )


def _looks_off(value: str) -> bool:
    return value.strip().lower() in {"", "false", "no", "off", "none"} or stoi(value) == 0


# What a variable does that someone who times or compares a training should know.
SIDE_EFFECTS = {
    "PYTORCH_MPS_FAST_MATH": "Metal may round and reorder freely: results differ more from the CPU's.",
    LOG: "Every operator is logged, which slows training and falsifies timings.",
    SIGNPOSTS: "Every operator is traced, which slows training and falsifies timings.",
    "PYTORCH_DEBUG_MPS_ALLOCATOR": "Every allocation is logged, which slows training and falsifies timings.",
    "PYTORCH_NO_CUDA_MEMORY_CACHING": "Every CUDA allocation goes to the driver, which slows training.",
}


def side_effects(facts: Facts) -> Iterator[Finding]:
    without_effect = refused(facts["variables"])
    for name, effect in SIDE_EFFECTS.items():
        if facts["variables"].get(name, "0") not in {"", "0"} and name not in without_effect:
            yield Finding(
                "MPS608",
                "warning",
                f"{name} is set",
                effect,
                {"name": name, "value": facts["variables"][name]},
                Remedy("Unset it for real training.", (f"unset {name}",)),
            )


RULES: tuple[Rule, ...] = (unknown, too_new, ends_import, watermarks, options, fallback, side_effects)
