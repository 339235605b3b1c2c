"""What one torch version has for MPS: from the history, or from what the installed wheel declares."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from mpsdoctor.support.declared import read_letters, yaml_of
from mpsdoctor.support.dtype_gaps import Gaps, gaps_in, gaps_of
from mpsdoctor.support.history import ABSENT, History, load_history, minor, operator, order
from mpsdoctor.support.known_failures import known_failures
from mpsdoctor.texts import Part

OUTSIDE = frozenset("XPF")  # registered outside the yaml


@dataclass(frozen=True)
class Support:
    """The letters of one torch version, by overload.

    `version` is X.Y, or what was asked where that is no version. `letters` is empty for a version that is not known.
    `source` is "history", or "installed" for the wheel's own native_functions.yaml. `note` says what is not known.
    `reference` is the version of the history to count from, None where there is none. `gaps` are the dtypes that
    kernels lack, by operator. `macos` is the macOS that is asked about, None for any.
    """

    version: str
    letters: Mapping[str, str]
    source: str = "history"
    note: Part | None = None
    reference: str | None = None
    history: History = field(default_factory=load_history, repr=False)
    gaps: Gaps = field(default_factory=dict, repr=False)
    macos: str | None = None

    def letter(self, overload: str) -> str:
        """The letter of an overload, "-" where this version has none."""
        return self.letters.get(overload, ABSENT)

    def since(self, overload: str) -> str | None:
        """The version from which an overload works; None for none, or where the history does not reach."""
        return None if self.reference is None else self.history.since(overload, self.reference)

    @functools.cached_property
    def overloads(self) -> dict[str, list[str]]:
        """By operator, its overloads in this version or any other that return new tensors; all, if none does."""
        by_operator: dict[str, list[str]] = defaultdict(list)
        for overload in sorted({*self.letters, *self.history.letters}):
            by_operator[operator(overload)].append(overload)
        return {
            name: [overload for overload in overloads if not overload.endswith("out")] or overloads
            for name, overloads in by_operator.items()
        }


def support_for(version: str | None, torch_folder: Path, installed: str, macos: str | None) -> Support:
    """What a torch version has for MPS on a macOS: by the wheel that is installed, where that is of the version."""
    same = version is None or minor(version) == minor(installed)
    support = support_of_installed(torch_folder, installed) if same or version is None else support_in(version)
    return replace(support, macos=macos)


def support_in(version: str) -> Support:
    """What a torch version has for MPS, by the history; a version that the history lacks has no letters."""
    history = load_history()
    known = minor(version)
    if known not in history.versions:
        span = {"first": history.versions[0], "last": history.versions[-1]}
        return Support(known or version, {}, note=Part("version_unknown", {**span, "version": version}))
    return Support(known, column(history, known), reference=known, gaps=gaps_in(known))


def column(history: History, version: str) -> dict[str, str]:
    """The letters of one version that the history knows; overloads it does not have are left out."""
    at = history.versions.index(version)
    return {overload: row[at] for overload, row in history.letters.items() if row[at] != ABSENT}


def support_of_installed(torch_folder: Path, version: str) -> Support:
    """What the wheel that holds a torch package has for MPS, whichever platform it was built for.

    A wheel without a native_functions.yaml is taken for what the history says of its version.
    """
    try:
        letters = read_letters(yaml_of(torch_folder).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        letters = {}
    if not letters:
        return support_in(version)
    history = load_history()
    known = minor(version)
    reference = reference_of(known, history)
    registered = {} if reference is None else column(history, reference)
    note = None if known in history.versions else outside_note(known or version, reference, history)
    listed = known_failures(torch_folder)
    gaps = gaps_in(reference or "") if listed is None and reference else gaps_of(listed or {})
    return Support(known or version, overlay(letters, registered), "installed", note, reference, history, gaps)


def reference_of(version: str | None, history: History) -> str | None:
    """The version of the history to count from: itself, or the last one for a newer torch."""
    if version in history.versions:
        return version
    newer = version is not None and order(version) > order(history.versions[-1])
    return history.versions[-1] if newer else None


def overlay(letters: Mapping[str, str], registered: Mapping[str, str]) -> dict[str, str]:
    """What a yaml declares, and over it what is known to be registered elsewhere."""
    outside = {
        name: letter
        for name, letter in registered.items()
        if name in letters and (letter in OUTSIDE or (letter == "D" and letters[name] == "S"))
    }
    return {**letters, **outside}


def outside_note(version: str, reference: str | None, history: History) -> Part:
    if reference is None:
        span = {"first": history.versions[0], "last": history.versions[-1]}
        return Part("version_outside", {**span, "version": version})
    return Part("version_newer", {"version": version, "reference": reference})
