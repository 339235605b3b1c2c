"""Who forces MPS, and what was measured of it. The standard library alone, for trainers import it."""

from __future__ import annotations

import os

from mpsdoctor.runtime.availability import unavailable
from mpsdoctor.runtime.measured import choose_measured, force_holds, list_wrong, rows_of, speed_of
from mpsdoctor.runtime.profile_format import printable

TYPE_CHECKING = False  # typing's own constant costs 3 ms of the 15 that `import mpsdoctor` has
if TYPE_CHECKING:
    from typing import Any

    from mpsdoctor.runtime.device import Choice, Question


def choose_forced(torch: Any, question: Question) -> Choice:
    """MPS where somebody forces it and it is available; what was measured otherwise is told."""
    source, wish = _who_forces_mps(torch, question)
    if not source:
        return None
    trouble = unavailable(torch, "mps")
    if trouble:
        question.warnings.append(f"{wish} asks for MPS, but {trouble}")
        return None
    named = os.environ.get("MPSDOCTOR_DEVICE")
    if named and named != "mps":
        question.warnings.append(f"MPSDOCTOR_DEVICE={printable(named, 40)} is outranked by {wish}")
    question.against = _measured_against(question)
    if not question.against:
        return "mps", source, f"{wish} asks for it", ""
    question.warnings.append(f"{wish} is against the measurement: {question.against}")
    return "mps", source, f"{wish} asks for it, against the measurement: {question.against}", ""


def _who_forces_mps(torch: Any, question: Question) -> tuple[str, str]:
    """Who wants MPS forced, and in which words; empty if nobody does."""
    variable, profile = os.environ.get("MPSDOCTOR_FORCE_MPS") or "", question.profile
    if variable not in ("", "0", "1"):
        question.warnings.append(f"MPSDOCTOR_FORCE_MPS={printable(variable, 40)} is neither 1 nor 0, so not used")
    if question.force_mps:
        return "argument", "force_mps=True"
    if variable == "1":
        return "environment", "MPSDOCTOR_FORCE_MPS=1"
    if variable == "0" or profile is None or not profile["force_mps"]:
        return "", ""
    version = str(getattr(torch, "__version__", "")) or None
    if force_holds(profile, version):
        return "profile", "force_mps in the profile"
    since = f"{printable(profile['force_mps_torch'] or '', 40)} → {printable(version or '', 40)}"
    question.warnings.append(f"force_mps in the profile held until torch changed ({since}), so it is not used")
    return "", ""


def _measured_against(question: Question) -> str:
    """`0.5×, softmax wrong`: what speaks against MPS in a profile that holds and recommends another device; else ""."""
    profile = question.profile
    if profile is None or question.stale:
        return ""
    device = choose_measured(profile, question.without_warnings())[0]
    if device.partition(":")[0] == "mps":
        return ""
    speed, rows = speed_of(profile, question, "mps"), rows_of(profile, "mps")
    parts = [speed, f"{list_wrong(rows)} wrong" if rows else ""]
    return ", ".join(filter(None, parts)) or f"{device} is recommended"
