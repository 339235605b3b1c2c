"""Sends the probes of a plan in their order, and makes a row of each answer."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mpsdoctor.check import Answer, Job
from mpsdoctor_checks.operators.deaths import DIED, Deaths

Row = dict[str, Any]
Probe = list[str]  # entry, aten name, dtype, variant, direction

PROBE = "mpsdoctor_worker.operators.probes:probe"
PROBE_SECONDS = 10.0  # a first call may compile kernels, which takes a second or two
LOST_SECONDS = 15.0  # one hang or a few crashes do not count against the time of the other probes
RESTART_SECONDS = 3.0  # until another worker has torch, on a busy machine


@dataclass
class Queue:
    """Jobs made when their turn comes, until the time is over.

    Each death costs an import of torch, so further probes of an operator that was deadly wait until all others are
    done, and after two of a kind the rest is not tried.
    """

    plan: list[Probe]
    device: str
    deadline: float
    sent: deque[Probe] = field(default_factory=deque)
    deaths: Deaths = field(default_factory=Deaths)
    lost: float = 0.0

    def jobs(self) -> Iterator[Job]:
        later: list[Probe] = []
        for probe in self.plan:
            if self.deaths.any_of(probe[1]):
                later.append(probe)
            elif time.monotonic() <= self.deadline:
                yield self.job(probe)
        for probe in later:
            if time.monotonic() <= self.deadline:
                yield self.job(probe)

    def job(self, probe: Probe) -> Job:
        self.sent.append(probe)
        entry, op, dtype, variant, direction = probe
        args = {"entry": entry, "device": self.device, "dtype": dtype, "variant": variant, "direction": direction}
        return Job(PROBE, args, PROBE_SECONDS, wanted=lambda: not self.deaths.too_many_of(op))

    def take(self, answer: Answer) -> Row:
        """The row of the next probe that was sent; after a death the others get back the time that it took."""
        probe = self.sent.popleft()
        if answer.outcome == "withdrawn":
            detail = self.deaths.too_many_of(probe[1])
            return {**described(probe, self.device), "outcome": "skipped", "detail": detail}
        self.deaths.note(probe[1], answer.outcome)
        if answer.outcome in DIED:
            given = min(answer.seconds + RESTART_SECONDS, LOST_SECONDS - self.lost)
            self.lost += given
            self.deadline += given
        return row_of(probe, self.device, answer)


def described(probe: Probe, device: str) -> Row:
    entry, op, dtype, variant, direction = probe
    return {"entry": entry, "op": op, "device": device, "dtype": dtype, "variant": variant, "direction": direction}


def row_of(probe: Probe, device: str, answer: Answer) -> Row:
    """The result of one probe, also of one whose worker died or hung."""
    if answer.outcome == "ok":
        return dict(answer.value)
    outcome = answer.outcome if answer.outcome in DIED else "error"
    return {**described(probe, device), "outcome": outcome, "detail": answer.detail}


def names(row: Row) -> Probe:
    return [row["entry"], row["op"], row["dtype"], row["variant"], row["direction"]]
