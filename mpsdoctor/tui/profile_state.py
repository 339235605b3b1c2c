"""The profile as it is, what made it stale, and what writing would change. It takes time: call it in a thread."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mpsdoctor import prescription
from mpsdoctor.events import Settings
from mpsdoctor.figures import short
from mpsdoctor.report import Forced, Report
from mpsdoctor.runtime import profile
from mpsdoctor.runtime.shapes import Fingerprint, Profile
from mpsdoctor.texts import say, size

ANSWERS = ("recommended", "force_mps", "force_mps_torch", "workloads", "batches")
TakeFingerprint = Callable[[Report], Fingerprint]  # raises NoFingerprintError


@dataclass(frozen=True)
class ProfileState:
    """`content` is None where there is no profile that can be read, `stale` None where that is not known yet.

    `forced` is what it makes trainers use whatever was measured, if anything.
    """

    place: str | None = None
    content: Profile | None = None
    trouble: str | None = None
    stale: tuple[str, ...] | None = None
    proposal: Profile | None = None
    forced: Forced | None = None


def inspect(settings: Settings, report: Report | None, take_fingerprint: TakeFingerprint) -> ProfileState:
    """Read the profile; with a report, compare its machine with this one and prepare what would be written."""
    place = prescription.place(settings)
    content, trouble = _read(settings)
    forced = prescription.forced(report, content)
    if report is None:
        return ProfileState(place, content, trouble, forced=forced)
    try:
        present = take_fingerprint(report)
    except prescription.NoFingerprintError as error:
        return ProfileState(place, content, trouble or str(error), forced=forced)
    stale = profile.changes(content["fingerprint"], present) if content else None
    carries = prescription.carries_a_profile(report)
    proposal = prescription.prescribe(report, present, content) if carries else None
    return ProfileState(place, content, trouble, stale, proposal, forced)


def _read(settings: Settings) -> tuple[Profile | None, str | None]:
    try:
        return profile.read(profile.locate(settings.profile_path)), None
    except FileNotFoundError:
        return None, None
    except profile.ProfileError as error:
        return None, str(error)


def write(settings: Settings, content: Profile) -> None:
    """Put it in its place. ProfileError."""
    profile.write(content, profile.locate(settings.profile_path))


def torch_version(content: Profile, report: Report | None) -> str | None:
    """The torch that trainers have: the examined one, else that of the profile."""
    return report.torch.version if report and report.torch else content["fingerprint"].get("torch")


def override(content: Profile, *, on: bool = False, until_torch: str | None = None) -> Profile:
    """The same profile with MPS forced, or no longer."""
    return {**content, "force_mps": on, "force_mps_torch": until_torch}


def difference(before: Profile | None, after: Profile) -> list[str]:
    """What would change, a line each: `-` before and `+` after, the answers that trainers get first."""
    old, new = dict(_leaves(before or {})), dict(_leaves(profile.validate(after)))
    changed = [place for place in {**new, **old} if old.get(place) != new.get(place)]
    turn = {key: number for number, key in enumerate(ANSWERS)}
    lines = []
    for place in sorted(changed, key=lambda place: turn.get(place.partition(".")[0], len(turn))):
        lines += [f"{sign} {place}: {side[place]}" for sign, side in (("-", old), ("+", new)) if place in side]
    return lines


def _leaves(value: Any, place: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """The values of a profile by where they stand; what belongs to one workload, size or batch stands together."""
    parts: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict) and (depth < 2 or any(isinstance(part, dict) for part in value.values())):
        # The moment of writing always differs, which tells nothing.
        parts = ((key, part) for key, part in value.items() if (depth, key) != (0, "created"))
    elif isinstance(value, list) and not all(isinstance(part, float | int) for part in value):
        parts = enumerate(value)
    elif value != []:
        yield place, size(value) if place.endswith("_bytes") and isinstance(value, int) else _describe(value)
    for key, part in parts:
        yield from _leaves(part, f"{place}.{key}".lstrip("."), depth + 1)


def _join_span(low: str, high: str) -> str:
    return say("report.from_to", low=low, high=high)


def _describe(value: Any) -> str:
    if isinstance(value, dict):
        parts = sorted(value.items(), key=lambda part: (part[0] == "ci95", part[0]))  # a figure, then its interval
        return ", ".join(f"{key} {_describe(part)}" for key, part in parts if part is not None)
    if isinstance(value, list):
        parts_of_span = [_describe(part) for part in value]
        return functools.reduce(_join_span, parts_of_span) if parts_of_span else ""
    if isinstance(value, str):
        return value
    return short(value) if isinstance(value, float) else json.dumps(value)
