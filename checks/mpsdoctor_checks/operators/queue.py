"""Sends the probes of a plan in their order, and makes a row of each answer."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from mpsdoctor.check import Answer, Job, typed
from mpsdoctor.worker.shapes import Judgement, PlannedProbe, ProbeResult
from mpsdoctor_checks.operators.deaths import DIED, Deaths
from mpsdoctor_checks.operators.judgements import fill_detail, judgement_of

PROBE = "mpsdoctor_worker.operators.probes:probe"
PROBE_SECONDS = 10.0  # a first call may compile kernels, which takes a second or two
LOST_SECONDS = 15.0  # one hang or a few crashes do not count against the time of the other probes
RESTART_SECONDS = 3.0  # until another worker has torch, on a busy machine


@dataclass
class Queue:
    """Makes each job in its turn, until the time is over.

    Each death costs an import of torch, so further probes of an operator that was deadly wait until all others are
    done, and after two of a kind the rest is not tried.
    """

    plan: list[PlannedProbe]
    device: str
    deadline: float
    sent: deque[PlannedProbe] = field(default_factory=deque)
    deaths: Deaths = field(default_factory=Deaths)
    lost: float = 0.0

    def jobs(self) -> Iterator[Job]:
        later: list[PlannedProbe] = []
        for probe in self.plan:
            if self.deaths.any_of(probe.op):
                later.append(probe)
            elif time.monotonic() <= self.deadline:
                yield self.job(probe)
        for probe in later:
            if time.monotonic() <= self.deadline:
                yield self.job(probe)

    def job(self, probe: PlannedProbe) -> Job:
        self.sent.append(probe)
        args = {
            "entry": probe.entry,
            "device": self.device,
            "dtype": probe.dtype,
            "variant": probe.variant,
            "direction": probe.direction,
        }
        return Job(PROBE, args, PROBE_SECONDS, wanted=lambda: not self.deaths.too_many_of(probe.op))

    def take(self, answer: Answer) -> ProbeResult:
        """The row of the next probe sent; a death prolongs the deadline by the time that it takes."""
        probe = self.sent.popleft()
        if answer.outcome == "withdrawn":
            return make_row(probe, self.device, judgement_of("skipped", self.deaths.too_many_of(probe.op) or ""))
        self.deaths.note(probe.op, answer.outcome)
        if answer.outcome in DIED:
            extension = min(answer.seconds + RESTART_SECONDS, LOST_SECONDS - self.lost)
            self.lost += extension
            self.deadline += extension
        return row_of(probe, self.device, answer)


def row_of(probe: PlannedProbe, device: str, answer: Answer) -> ProbeResult:
    """The result of a probe, also where its worker dies or hangs."""
    if answer.outcome == "ok":
        row = typed(answer, ProbeResult)
        fill_detail(row)
        return row
    outcome = answer.outcome if answer.outcome in DIED else "error"
    return make_row(probe, device, judgement_of(outcome, answer.wording))


def make_row(probe: PlannedProbe, device: str, judgement: Judgement) -> ProbeResult:
    return {
        "entry": probe.entry,
        "op": probe.op,
        "device": device,
        "dtype": probe.dtype,
        "variant": probe.variant,
        "direction": probe.direction,
        **judgement,
    }


def probe_of(row: ProbeResult) -> PlannedProbe:
    """The probe that a row is the result of."""
    return PlannedProbe(row["entry"], row["op"], row["dtype"], row["variant"], row["direction"])
