"""The state of one workload while it is timed on all devices."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from mpsdoctor.texts import Part, Wording
from mpsdoctor.worker.shapes import Block, Losses, Prepared, WarmUp
from mpsdoctor_checks.training.correctness import ON_THE_CPU
from mpsdoctor_checks.training.lanes import Entrant, Failed
from mpsdoctor_checks.training.plan import Workload


class Failure(NamedTuple):
    """How a workload failed: the outcome as the report names it, and the evidence; a traceback of a person's step."""

    outcome: str
    detail: Wording
    traceback: str = ""


@dataclass
class DeviceRun:
    """The state of an entrant; a stage that it has not reached is None.

    `curve` are `losses` that are right; `compiling` is seconds of the first step beyond the others; `blocks` are
    seconds a step, over `block_steps` each, as long as it is in the race; `memory` is bytes in use after so many steps.
    """

    lane: Entrant
    failure: Failure | None = None
    prepared: Prepared | None = None
    losses: list[float] | None = None
    curve: Losses | None = None
    compiling: float | None = None
    warm_up: WarmUp | None = None
    block_steps: int | None = None
    last_block: Block | None = None
    blocks: list[float] | None = None
    memory: list[tuple[int, int]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.lane.name

    def step_seconds(self) -> float:
        """Seconds of a step, as the warm-up tells, else the first steps; 0 where neither does."""
        if self.warm_up and self.warm_up["step_seconds"]:
            return self.warm_up["step_seconds"]
        return statistics.median(self.curve["seconds"]) if self.curve else 0.0

    def remember_memory(self, answer: WarmUp | Block) -> None:
        """Keep the bytes in use that an answer of the worker tells, if any."""
        if answer["used_bytes"] is not None:
            self.memory.append((answer["done"], answer["used_bytes"]))


@dataclass
class Trial:
    """A workload and its entrants by name; the first is the baseline.

    `against` tells where the losses come from that are held to be right; a block has `fewest` steps or more; `failed`
    is in the order of time.
    """

    workload: Workload
    runs: dict[str, DeviceRun]
    patience: float
    against: Part = ON_THE_CPU
    fewest: int = 1
    stopped: str = ""
    failed: list[DeviceRun] = field(default_factory=list)

    def __post_init__(self) -> None:
        for run in self.runs.values():
            if run.lane.out:
                self.fail(run, "skipped", run.lane.out)

    @property
    def baseline(self) -> DeviceRun:
        return next(iter(self.runs.values()))

    def active(self) -> list[DeviceRun]:
        return [run for run in self.runs.values() if run.failure is None]

    def fail(self, run: DeviceRun, outcome: str, detail: Wording, traceback: str = "") -> None:
        """It takes no further part."""
        run.failure = Failure(outcome, detail, traceback)
        self.failed.append(run)

    def attempt(self, run: DeviceRun, act: Callable[[DeviceRun], None]) -> None:
        """Run an action for an entrant, which takes no further part if the action fails."""
        try:
            act(run)
        except Failed as failed:
            self.fail(run, failed.outcome, failed.detail, failed.traceback)

    def attempt_all(self, act: Callable[[DeviceRun], None]) -> None:
        """Run an action for all active entrants; where one fails, the others go on."""
        for run in self.active():
            self.attempt(run, act)

    def compiling(self) -> dict[str, float]:
        """Seconds that first steps took beyond the others, by name."""
        return {name: run.compiling for name, run in self.runs.items() if run.compiling is not None}


def runs_of(lanes: Iterable[Entrant]) -> dict[str, DeviceRun]:
    return {lane.name: DeviceRun(lane) for lane in lanes}
