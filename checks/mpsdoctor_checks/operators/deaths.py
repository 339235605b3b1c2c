"""Counts how often an operator kills or hangs its worker, and says when to skip the rest of its probes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from mpsdoctor.texts import Part

MOST_DEATHS = 2  # of one kind; each costs a time-out or an import of torch, and the next is of the same cause
DIED = ("crash", "timeout")


def family(op: str) -> str:
    """The name without its underscore: an in-place form fails for the same reason."""
    return op.rstrip("_")


@dataclass
class Deaths:
    """Counted by operator and outcome."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def note(self, op: str, outcome: str) -> None:
        """Count a probe that kills or hangs its worker."""
        if outcome in DIED:
            self.counts[family(op), outcome] += 1

    def any_of(self, op: str) -> bool:
        return any(self.counts[family(op), outcome] for outcome in DIED)

    def too_many_of(self, op: str) -> Part | None:
        """Why further probes of an operator are skipped; None while they are not."""
        for outcome in DIED:
            if self.counts[family(op), outcome] >= MOST_DEATHS:
                return Part(f"given_up_on_{outcome}", {"count": MOST_DEATHS, "op": family(op)})
        return None
