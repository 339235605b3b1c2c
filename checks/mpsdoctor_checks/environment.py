"""Audits the PYTORCH_* variables: unknown to this torch, contradictory, or doing something else than they seem."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from typing import TypedDict

from mpsdoctor.check import Context, Finding, Rule, Severity, finding, judged, neutralised
from mpsdoctor.facts import build_facts
from mpsdoctor.facts.build import PythonFacts
from mpsdoctor.support import FALLBACK
from mpsdoctor.texts import Part, check_title
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
title = check_title("environment")
needs = ()


class Facts(TypedDict):
    """The variables by name, and what of the build says how they are read.

    `ends_import` are those with which torch cannot be imported.
    """

    variables: dict[str, str]
    python: PythonFacts
    torch: str | None
    ends_import: dict[str, str]
    mps_available: bool | None


def run(context: Context) -> Iterator[Finding | Facts]:
    yield from judged(collect(context), RULES)


def collect(context: Context) -> Facts:
    """The variables as trainers started from here would inherit them, and the torch that would read them."""
    build = build_facts(context.facts)
    python, torch = build.get("python") or {}, build.get("torch")
    return {
        "variables": neutralised(
            {name: os.environ[name] for name in sorted(os.environ) if name.startswith("PYTORCH_")}
        ),
        "python": python,
        "torch": (torch and torch.get("version")) or python.get("torch_version"),
        "ends_import": build.get("ends_import", {}),
        "mps_available": torch["mps_available"] if torch else None,
    }


MOST_UNKNOWN = 10  # variables with a finding of their own: something that sets hundreds is one thing to look into


def unknown(facts: Facts) -> Iterator[Finding]:
    """MPS601: a name that no torch reads."""
    names = [
        name for name in facts["variables"] if not (name in MPS_SINCE or name in OTHERS or name.startswith(PREFIXES))
    ]
    for name in names[:MOST_UNKNOWN]:
        rest = [known.removeprefix("PYTORCH_") for known in (*MPS_SINCE, *sorted(OTHERS))]
        close = [f"PYTORCH_{match}" for match in difflib.get_close_matches(name.removeprefix("PYTORCH_"), rest, 1, 0.7)]
        evidence = {"name": name, "value": facts["variables"][name]}
        remedy = "did_you_mean" if close else "remedy"
        yield finding("MPS601", "warning", evidence, remedy=remedy, name=name, close=close[0] if close else None)
    if further := names[MOST_UNKNOWN:]:
        named = {"names": further}
        count = len(further)
        yield finding(
            "MPS601", "warning", named, title="further", detail="names", remedy=None, count=count, names=further
        )


def too_new(facts: Facts) -> Iterator[Finding]:
    """MPS602: a name that only later versions of torch read."""
    present = release(facts["torch"])
    for name in facts["variables"]:
        first = MPS_SINCE.get(name)
        if first and present and present < first:
            since = f"{first[0]}.{first[1]}"
            note, commands = installing.torch(facts["python"], "--upgrade torch")
            yield finding(
                "MPS602",
                "warning",
                {"name": name, "since": since},
                commands=(*commands, f"unset {name}"),
                name=name,
                torch=facts["torch"],
                since=since,
                note=note,
            )


def ends_import(facts: Facts) -> Iterator[Finding]:
    """MPS609: torch cannot be imported with them. The check-up goes on without them, a training does not."""
    for name, value in facts["ends_import"].items():
        evidence = {"name": name, "value": value}
        yield finding("MPS609", "error", evidence, commands=(f"unset {name}",), name=name, value=value)


def watermarks(facts: Facts) -> Iterator[Finding]:
    """MPS603, MPS604: limits of MPS memory that torch refuses, or none at all."""
    ratios = {name: facts["variables"][name] for name in (HIGH, LOW) if name in facts["variables"]}
    for name, reason in refused(ratios).items():
        yield finding(
            "MPS603",
            _severity(facts),
            {"set": ratios, "name": name},
            reason=reason,
            default_high=DEFAULTS[HIGH],
            default_low=DEFAULTS[LOW],
        )
        return
    if HIGH in ratios and strtod(ratios[HIGH]) == 0:
        yield _no_limit(ratios[HIGH])


def _severity(facts: Facts) -> Severity:
    """Of what breaks MPS alone."""
    return "error" if facts["mps_available"] else "warning"


def _no_limit(value: str) -> Finding:
    zero = re.fullmatch(r"\s*[+-]?[0.]+\s*", value)
    misread = Part("" if zero else "misread")
    return finding("MPS604", "warning", {"name": HIGH, "value": value}, misread=misread, value=value)


def options(facts: Facts) -> Iterator[Finding]:
    """MPS610: options of logging that do not exist."""
    settings = {name: facts["variables"][name] for name in (LOG, SIGNPOSTS) if name in facts["variables"]}
    for name, reason in refused(settings).items():
        yield finding(
            "MPS610",
            _severity(facts),
            {"name": name, "value": settings[name]},
            commands=(f"unset {name}",),
            reason=reason,
            name=name,
            value=settings[name],
        )


def fallback(facts: Facts) -> Iterator[Finding]:
    """MPS605, MPS606, MPS607: what happens to operators without an MPS kernel."""
    value = facts["variables"].get(FALLBACK)
    state = fallback_of(value, facts["torch"])
    if state == "dies":
        return  # where it did, the build check saw it; torch without MPS does not read the variable
    if state == "on" and value is not None and _looks_off(value):
        yield finding("MPS605", "warning", {"value": value}, value=value)
    elif state == "on":
        yield finding("MPS606", "info", {"value": value})
    elif facts["mps_available"]:
        how = "not_set" if value is None else "zero" if value == "0" else "read_as_zero"
        yield finding("MPS607", "info", {"value": value}, how=Part(how), value=value)


def _looks_off(value: str) -> bool:
    return value.strip().lower() in {"", "false", "no", "off", "none"} or stoi(value) == 0


# What a variable does that someone who times or compares a training should know, by its template.
SIDE_EFFECTS = {
    "PYTORCH_MPS_FAST_MATH": "rounds_freely",
    LOG: "logs_operators",
    SIGNPOSTS: "traces_operators",
    "PYTORCH_DEBUG_MPS_ALLOCATOR": "logs_allocations",
    "PYTORCH_NO_CUDA_MEMORY_CACHING": "no_cache",
}


def side_effects(facts: Facts) -> Iterator[Finding]:
    """MPS608: variables that slow a training or change its numbers."""
    without_effect = refused(facts["variables"])
    for name, effect in SIDE_EFFECTS.items():
        value = facts["variables"].get(name, "0")
        if value not in {"", "0"} and name not in without_effect:
            evidence = {"name": name, "value": value}
            yield finding("MPS608", "warning", evidence, commands=(f"unset {name}",), name=name, effect=Part(effect))


RULES: tuple[Rule[Facts], ...] = (unknown, too_new, ends_import, watermarks, options, fallback, side_effects)
