"""Which checks run, and in which order."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

import msgspec

from mpsdoctor import clean, intake
from mpsdoctor.texts import say


class Planned(msgspec.Struct, frozen=True):
    """A check that is installed.

    `error` tells why it cannot be run, `ours` whether mpsdoctor brings it, `control_characters` whether what it says
    of itself held some, `timed` whether it times what other programs may spoil.
    """

    id: str
    title: str
    needs: tuple[str, ...]
    seconds: dict[str, float]
    patience: float
    source: str
    error: str | None
    ours: bool = False
    control_characters: bool = False
    timed: bool = False


class UnknownCheckError(ValueError):
    """A check was named that is not installed, or cannot be run without another that is left out."""


def neutral(check: Planned) -> Planned:
    """A check as it may be shown, each of its texts on one line."""
    return msgspec.structs.replace(
        check,
        id=intake.line(check.id, 100),
        title=intake.line(check.title),
        needs=tuple(intake.line(need, 100) for need in check.needs),
        source=intake.line(check.source),
        error=check.error and intake.cut(clean.text(check.error), intake.DETAIL),
        control_characters=clean.has_controls([check.id, check.title, check.needs]),
    )


def refuse_unknown(names: Iterable[str], known: Collection[str]) -> None:
    """UnknownCheckError for a name that is not installed."""
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = say("cli.close_findings", names=close[0]) if close else ""
            raise UnknownCheckError(say("cli.no_check", name=name, hint=hint, names=known))


def needed(only: Iterable[str], known: Mapping[str, Planned]) -> set[str]:
    """The checks named, and what they need, and what that needs, as far as it is known."""
    wanted = set(only)
    frontier = list(wanted & known.keys())
    while frontier:
        needs = set(known[frontier.pop()].needs) - wanted
        wanted |= needs
        frontier += needs & known.keys()
    return wanted


def chosen(checks: tuple[Planned, ...], only: tuple[str, ...], skip: tuple[str, ...]) -> list[Planned]:
    """The checks to run: those named and what they need, or all; less those to be skipped."""
    known = {check.id: check for check in checks}
    wanted = needed(only or known, known)
    for name in only if known else ():
        if name in skip:
            raise UnknownCheckError(say("cli.only_and_skip", name=name))
        if lacking := [need for need in known[name].needs if need in skip]:
            raise UnknownCheckError(say("cli.needs_skipped", name=name, names=lacking))
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
