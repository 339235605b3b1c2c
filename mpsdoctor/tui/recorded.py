"""The profile as it is, what made it stale, and what writing would change. It takes time: call it in a thread."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mpsdoctor import prescription, profile
from mpsdoctor.checkup import Settings
from mpsdoctor.report import Report

Fingerprint = Callable[[Report], dict[str, Any]]  # raises NoFingerprintError


@dataclass(frozen=True)
class Recorded:
    """`content` is None where there is no profile that can be read, `stale` None where that is not known yet."""

    place: str | None = None
    content: Mapping[str, Any] | None = None
    trouble: str | None = None
    stale: tuple[str, ...] | None = None
    proposal: Mapping[str, Any] | None = None


def look(settings: Settings, report: Report | None, fingerprint: Fingerprint) -> Recorded:
    """Read the profile; with a report, compare its machine with this one and prepare what would be written."""
    place = prescription.place(settings)
    content, trouble = _read(settings)
    if report is None:
        return Recorded(place, content, trouble)
    try:
        present = fingerprint(report)
    except prescription.NoFingerprintError as error:
        return Recorded(place, content, trouble or str(error))
    stale = profile.changes(content["fingerprint"], present) if content else None
    carries = prescription.carries_a_profile(report)
    proposal = prescription.prescribe(report, present, content) if carries else None
    return Recorded(place, content, trouble, stale, proposal)


def _read(settings: Settings) -> tuple[dict[str, Any] | None, str | None]:
    try:
        return profile.read(profile.locate(settings.profile_path)), None
    except FileNotFoundError:
        return None, None
    except profile.ProfileError as error:
        return None, str(error)


def write(settings: Settings, content: Mapping[str, Any]) -> None:
    """Put it in its place. ProfileError."""
    profile.write(dict(content), profile.locate(settings.profile_path))


def difference(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[str]:
    """Lines of the file that would change, `-` before and `+` after, with those around them."""
    after = profile.validate(dict(after))  # as it is read back, optional parts filled in
    told = difflib.unified_diff(_lines(before), _lines(after), n=1, lineterm="")
    return [line for line in told if not line.startswith(("---", "+++", "@@"))]


def _lines(content: Mapping[str, Any] | None) -> list[str]:
    # The moment of writing always differs, which tells nothing.
    shown = {key: value for key, value in (content or {}).items() if key != "created"}
    return json.dumps(shown, indent=1, ensure_ascii=False, sort_keys=True).splitlines()[1:-1] if shown else []
