"""What is known of the message with which something failed on MPS, for the finding that tells it."""

from __future__ import annotations

from mpsdoctor.explain.engine import diagnose
from mpsdoctor.explain.lines import split
from mpsdoctor.texts import Part

PRINTED = ("error", "warning")


def known_cause(message: str, device: str, phrase: str = "known_cause") -> Part:
    """The cause that the message is a sign of, in words; says nothing where there is none, or on another device."""
    if device.partition(":")[0] != "mps":
        return Part("")
    found = [cause.name for cause in diagnose(split(message)).causes if cause.hit.sign.kind in PRINTED]
    return Part(phrase, {"what": Part(f"{found[0]}_what"), "cause": found[0]}) if found else Part("")
