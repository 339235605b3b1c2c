"""How often an operator killed or held up its worker, and when to leave the rest of its probes alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

MOST_DEATHS = 2  # of one kind; each costs a time-out or an import of torch, and the next is of the same cause
DIED = {"crash": "killed the process", "timeout": "did not end"}


def family(op: str) -> str:
    """What an operator dies of, its in-place form dies of too."""
    return op.rstrip("_")


@dataclass
class Deaths:
    """Counted by operator and outcome."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def note(self, op: str, outcome: str) -> None:
        """Count a probe, if it is one that took its worker with it."""
        if outcome in DIED:
            self.counts[family(op), outcome] += 1

    def any_of(self, op: str) -> bool:
        return any(self.counts[family(op), outcome] for outcome in DIED)

    def too_many_of(self, op: str) -> str:
        """Why an operator is not tried any more; empty as long as it is."""
        for outcome, did in DIED.items():
            if self.counts[family(op), outcome] >= MOST_DEATHS:
                return f"not tried: {MOST_DEATHS} calls of {family(op)} {did} before"
        return ""
