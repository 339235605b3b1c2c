"""What MPS asks of the system, and the variable that lets the CPU step in."""

from __future__ import annotations

from mpsdoctor import versions

FALLBACK = "PYTORCH_ENABLE_MPS_FALLBACK"
FALLBACK_ON = f"{FALLBACK}=1"
# From this torch on MPS needs this macOS, by the wheels' own minimum.
MACOS_NEEDED = (((2, 0), (12, 3)), ((2, 6), (13, 0)), ((2, 9), (14, 0)), ((2, 15), (15, 0)))


def macos_needed(torch: str) -> str | None:
    """The first macOS whose MPS this torch supports; None before torch 2.0."""
    release = versions.release(torch) or (0, 0)
    needed = [macos for since, macos in MACOS_NEEDED if release >= since]
    return f"{needed[-1][0]}.{needed[-1][1]}" if needed else None


def newest_torch(macos: str | None) -> str | None:
    """The newest torch whose MPS runs on this macOS; empty for none, None where no limit is known."""
    present = versions.numbers(macos)
    above = [since for since, needed in MACOS_NEEDED if present and (*present, 0)[:2] < needed]
    if not above:
        return None
    major, minor = above[0]
    return f"{major}.{minor - 1}" if minor else ""
