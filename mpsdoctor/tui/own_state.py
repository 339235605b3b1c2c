"""How far a person's question about their own file is; one at a time, and never while a check-up times."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace

from mpsdoctor.events import Answer, Busy, Event, Progress, Request, Started

FUNCTION = "build"  # of a file without one


@dataclass(frozen=True)
class OwnState:
    """A question that waits for the check-up's end, runs, is being cancelled, or has its answer."""

    request: Request
    phase: str = "waiting"
    began_at: float = 0.0
    ended_at: float = 0.0
    doing: Progress | Busy | None = None
    answer: Answer | None = None

    @property
    def active(self) -> bool:
        """Whether it is not answered yet."""
        return self.phase != "ended"


def after_event(state: OwnState, event: Event) -> OwnState:
    """The state once the run has said this."""
    if isinstance(event, Progress | Busy):
        return replace(state, doing=event)
    return replace(state, doing=None) if isinstance(event, Started) else state


def read_target(typed: str) -> str:
    """FILE:FUNC of what was typed, pasted or dropped: quotes and escaped spaces of a shell go, FUNC is `build`."""
    text = typed.strip()
    try:
        parts = shlex.split(text)
    except ValueError:  # a quote without its end is part of a name
        parts = []
    text = parts[0] if len(parts) == 1 else text
    return f"{text}:{FUNCTION}" if text.endswith(".py") else text
