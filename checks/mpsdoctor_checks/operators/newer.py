"""What is known of newer versions of torch where an operator is missing or not right."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mpsdoctor import support
from mpsdoctor.facts.build import Build
from mpsdoctor.facts.operators import OperatorRow, OperatorUse
from mpsdoctor.support.history import load_history, minor, order
from mpsdoctor.texts import Part
from mpsdoctor_checks import installing

NAMED = re.compile(r"The operator '(aten::\w+)")


def newer_torch(ops: Sequence[str], device: str, build: Build, *, missing: bool) -> tuple[Part, Part, tuple[str, ...]]:
    """What a newer torch would change, a note on installing, and the commands, where one is known to help.

    Only kernels that are `missing` on MPS can be looked up; whether numbers became right is recorded nowhere.
    """
    torch = build.get("torch")
    version = minor(torch["version"] or "") if torch else None
    nothing = Part("pip_works")
    if version and is_newest(version, build):
        return Part("newer_none", {"have": version}), nothing, ()
    if not (missing and version and device.partition(":")[0] == "mps"):
        return Part("newer_unknown"), nothing, ()
    since = kernel_since(ops, version)
    if not since:
        return Part("newer_unknown" if since is None else "newer_lacks_it", {"last": newest_known()}), nothing, ()
    newest = support.newest_torch(macos_of(build))
    if newest is not None and order(since) > order(newest or "0"):
        return Part("newer_needs_macos", {"since": since, "needed": support.macos_needed(since)}), nothing, ()
    note, commands = installing.torch(build.get("python") or {}, f"--upgrade 'torch>={since}'")
    return Part("newer_has_it", {"since": since}), note, commands


def lacking(row: OperatorRow | OperatorUse) -> str:
    """The operator that has no kernel, as the message names it; the one that was called where it names none."""
    named = NAMED.search(row["detail"])
    return named[1] if named else row["op"]


def kernel_since(ops: Sequence[str], version: str) -> str | None:
    """The torch after `version` from which on MPS has all of these operators; empty for none, None if not known."""
    predictions = support.predict(list(dict.fromkeys(ops)), support.support_in(version))
    if not predictions or any(prediction.verdict != "missing" for prediction in predictions):
        return None
    since = [prediction.since or "" for prediction in predictions]
    return max(since, key=order) if all(since) else ""


def newest_known() -> str:
    return load_history().versions[-1]


def is_newest(version: str, build: Build) -> bool:
    """Whether no newer torch is known that runs on this system."""
    newest = support.newest_torch(macos_of(build)) or newest_known()
    return order(version) >= order(newest)


def macos_of(build: Build) -> str | None:
    machine = build.get("machine") or {}
    return machine.get("os_version") if machine.get("os") in ("Darwin", "macOS") else None
