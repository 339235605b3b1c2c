"""What a run of a step on the CPU did not see, in words: branches by device, operators not looked into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mpsdoctor.texts import Each, Part


@dataclass(frozen=True)
class Unseen:
    """The places that ask for a tensor's device, and the operators that were not looked into, with the reason."""

    questions: Sequence[str] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)


def unseen_lines(unseen: Unseen) -> list[Part]:
    """A line for each."""
    questions = [Part("asks_for_device", {"place": place}) for place in unseen.questions]
    return [*questions, *(Part("not_seen", {"op": op, "reason": why}) for op, why in unseen.left_out.items())]


def unseen_part(unseen: Unseen) -> Part:
    """All of them, below a prediction; empty where there is nothing."""
    lines = [{"line": line} for line in unseen_lines(unseen)]
    return Part("unseen", {"lines": Each("unseen_line", lines, "\n")}) if lines else Part("")
