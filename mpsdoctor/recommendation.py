"""The device that trainers are told, as far as it is known while a check-up still runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from mpsdoctor import verdict
from mpsdoctor.facts import assume_shapes, build_facts
from mpsdoctor.facts.libraries import Recommended
from mpsdoctor.runtime import fingerprint, measured, profile, profile_format
from mpsdoctor.runtime.shapes import Fingerprint, Profile
from mpsdoctor.sandbox import Sandbox

JOB = f"{Path(fingerprint.__file__)}:fingerprint"


def recommend(facts: Mapping[str, Mapping[str, Any]], interpreter: Sandbox) -> Recommended | None:
    """What the profile forces; else what this check-up has timed, else what a profile of this machine records.

    None where nothing was measured: what a trainer is told then is caution, not knowledge.
    """
    torch = build_facts(facts).get("torch")
    version = torch["version"] if torch else None
    recorded = read_recorded(interpreter, version)
    if recorded and measured.force_holds(recorded, version):
        return {"device": "mps", "source": "forced"}
    training = assume_shapes(facts).get("training")
    timed = training is not None and any(row["outcome"] == "ok" for row in training.get("results", ()))
    judged = verdict.judge_checkup({name: dict(content) for name, content in facts.items()}) if timed else None
    if judged:
        return {"device": judged.device, "source": "measured"}
    return {"device": recorded["recommended"]["device"], "source": "profile"} if recorded else None


def read_recorded(interpreter: Sandbox, version: str | None) -> Profile | None:
    """The profile in its place, if it can be read and its measurements hold here."""
    try:
        recorded = profile.read(profile.locate(None))
        answer = interpreter.call(JOB, timeout=30.0, torch_version=version)
        present = msgspec.convert(answer.value, Fingerprint)
    except (OSError, profile_format.ProfileError, msgspec.ValidationError):
        return None
    return None if profile.changes(recorded["fingerprint"], present) else recorded
