"""The kinds of outcomes: which code and severity an outcome has on a device."""

from __future__ import annotations

from mpsdoctor.check import Severity
from mpsdoctor.facts.build import Build

ALWAYS = "always"  # a fallback that no variable asks for
ASK_YOUR_STEP = "mpsdoctor ops --model FILE.py:FUNC"  # whether a training calls these operators
# In the order of the findings.
KINDS: dict[str, tuple[str, Severity]] = {
    "wrong": ("MPS311", "error"),
    "nan": ("MPS312", "error"),
    "crash": ("MPS313", "error"),
    "timeout": ("MPS314", "error"),
    "error": ("MPS315", "warning"),
    "unimplemented": ("MPS321", "warning"),
    "fallback": ("MPS322", "info"),
    ALWAYS: ("MPS324", "info"),
    "dtype": ("MPS323", "info"),
    "oom": ("MPS331", "warning"),
}


def on_macos(build: Build) -> bool:
    return (build.get("machine") or {}).get("os") in ("Darwin", "macOS")
