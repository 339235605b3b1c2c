"""The kinds of outcomes in words: code, severity, what an operator does, what it means for training, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from mpsdoctor.check import Remedy
from mpsdoctor.support import FALLBACK_ON
from mpsdoctor_checks import installing

Facts = Mapping[str, Any]

UPGRADE: Literal["upgrade"] = "upgrade"
ALWAYS = "always"  # a fallback that no variable asks for
QUIT = (
    "macOS may show “Python quit unexpectedly” for each of them. That is expected: the probe had a process of its own, "
    "and nothing else was lost."
)

REMEDY_TIME = Remedy(
    "Give it more time, or probe the operators that your training uses, by name or by your own step.",
    ("mpsdoctor ops --budget thorough", "mpsdoctor ops --op softmax", "mpsdoctor ops --model FILE.py:FUNC"),
)

# outcome: code, severity, what an operator does, what it means for training, what to do
KINDS: dict[str, tuple[str, Any, str, str, Remedy | Literal["upgrade"] | None]] = {
    "wrong": (
        "MPS311",
        "error",
        "{} differs from the CPU on {device}",
        "The device returned other numbers than the same call on the CPU in float64, beyond what rounding explains. "
        "Nothing raises an error: a training goes on with wrong values.",
        UPGRADE,
    ),
    "nan": (
        "MPS312",
        "error",
        "{} gives numbers that are not finite on {device}",
        "The device returned infinity or NaN where the CPU has a number. A loss that passes here becomes NaN.",
        UPGRADE,
    ),
    "crash": (
        "MPS313",
        "error",
        "{} kills the process on {device}",
        "The process ended during this call. No Python code can catch that; a training ends without a checkpoint.",
        UPGRADE,
    ),
    "timeout": (
        "MPS314",
        "error",
        "{} does not end on {device}",
        "The call gave no answer in time, so a training would stand still here.",
        UPGRADE,
    ),
    "error": (
        "MPS315",
        "warning",
        "{} raises an error on {device}",
        "The call works on the CPU. A training that needs it stops with this error.",
        UPGRADE,
    ),
    "unimplemented": (
        "MPS321",
        "warning",
        "{} is not implemented on {device}",
        "A training that needs it stops with NotImplementedError.",
        Remedy("Upgrade torch, or move these tensors to the CPU for this call."),
    ),
    "fallback": (
        "MPS322",
        "info",
        "{} runs on the CPU instead of {device}",
        f"There is no kernel for the device. With {FALLBACK_ON} torch copies the tensors to the CPU and back, which "
        "costs time at each call; without it the call raises NotImplementedError. The variable is read while torch is "
        "imported: set later it does nothing.",
        Remedy("Set the variable before the program that imports torch starts.", (f"export {FALLBACK_ON}",)),
    ),
    ALWAYS: (
        "MPS324",
        "info",
        "{} always runs on the CPU, not on {device}",
        "torch itself takes the CPU for it, whatever PYTORCH_ENABLE_MPS_FALLBACK says: it works, and copying the "
        "tensors to the CPU and back costs time at each call. No setting changes that.",
        None,
    ),
    "dtype": (
        "MPS323",
        "info",
        "{} is not supported on {device}",
        "Trainings in float32 are not concerned. Under autocast or in a half dtype the call raises an error.",
        None,
    ),
    "oom": (
        "MPS331",
        "warning",
        "{} runs out of memory on {device}",
        "The tensors of a probe are a few kilobytes, so the device has no memory left at all: something else holds it, "
        "or it is a virtual machine whose GPU cannot allocate.",
        Remedy("Close what else uses the device, then examine again."),
    ),
}


def upgrade(build: Facts) -> Remedy:
    """Another torch, for the interpreter that was examined."""
    note, commands = installing.torch(build.get("python") or {}, "--upgrade torch")
    text = "Try the newest torch for this system; if it stays, train on the CPU or avoid these operators."
    return Remedy(f"{text}{note}", commands)


def on_macos(build: Facts) -> bool:
    return (build.get("machine") or {}).get("os") in ("Darwin", "macOS")
