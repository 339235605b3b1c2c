"""Which checks run, and in which order."""

from __future__ import annotations

import difflib
from graphlib import CycleError, TopologicalSorter

import msgspec

from mpsdoctor import clean


class Planned(msgspec.Struct, frozen=True):
    """A check that is installed. `error` tells why it cannot be run."""

    id: str
    title: str
    needs: tuple[str, ...]
    seconds: dict[str, float]
    patience: float
    source: str
    error: str | None


class UnknownCheckError(ValueError):
    """A check was named that is not installed, or cannot be run without another that is left out."""


def neutral(check: Planned) -> Planned:
    """A check as it may be shown."""
    return msgspec.structs.replace(check, title=clean.text(check.title), error=clean.data(check.error))


def chosen(checks: tuple[Planned, ...], only: tuple[str, ...], skip: tuple[str, ...]) -> list[Planned]:
    """The checks to run: those named and what they need, or all; less those to be skipped."""
    known = {check.id: check for check in checks}
    for name in (*only, *skip):
        if checks and name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise UnknownCheckError(f"there is no check {name!r}{hint} (there are: {', '.join(known)})")
    wanted = set(only or known)
    frontier = list(wanted)
    while frontier:
        needs = {need for need in known[frontier.pop()].needs if need in known} - wanted
        wanted |= needs
        frontier += needs
    for name in only:
        if name in skip:
            raise UnknownCheckError(f"{name} is asked for by --only and left out by --skip")
        if lacking := [need for need in known[name].needs if need in skip]:
            raise UnknownCheckError(f"{name} needs {', '.join(lacking)}, which --skip leaves out")
    return [check for check in checks if check.id in wanted and check.id not in skip]


def in_order(checks: list[Planned]) -> list[Planned]:
    """As they stand, but for needs, which come before; checks that need each other in a circle get an error."""
    known = {check.id: check for check in checks}
    try:
        TopologicalSorter({check.id: check.needs for check in checks}).prepare()
    except CycleError as error:
        circle = error.args[1]
        note = f"these checks need each other: {' → '.join(circle)}"
        broken = [msgspec.structs.replace(c, needs=(), error=note) if c.id in circle else c for c in checks]
        return in_order(broken)
    placed: dict[str, Planned] = {}

    def place(check: Planned) -> None:
        for need in check.needs:
            if need in known and need not in placed:
                place(known[need])
        placed[check.id] = check

    for check in checks:
        place(check)
    return list(placed.values())
