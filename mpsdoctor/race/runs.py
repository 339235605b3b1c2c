"""What is known of a run in a race."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from mpsdoctor.race.scripts import Over, Script
from mpsdoctor.worker.race_shapes import Answer, Learnt
from mpsdoctor_checks.training.statistics import median

KEPT = 400  # losses: the first steps, which are compared one by one, and then what comes

WARM_UP = 40  # steps at most, as far as a script that ends in them is worth following


@dataclass
class Run:
    """A device's run. `blocks` are seconds a step; `others` those of an earlier start of the same script."""

    script: Script
    learnt: Learnt | None = None
    step_seconds: float = 0.0
    settled: bool | None = None
    blocks: list[float] = field(default_factory=list)
    block_steps: int = 0
    timed_steps: int = 0
    done: int = 0  # optimizer steps of this start
    losses: dict[int, float] = field(default_factory=dict)
    peak_bytes: int | None = None
    aside: list[tuple[str, float]] = field(default_factory=list)
    over: Over | None = None
    alone: bool = False

    @property
    def device(self) -> str:
        return self.script.device

    @property
    def kind(self) -> str:
        return self.device.partition(":")[0]

    def note(self, answer: Answer) -> None:
        """What every answer tells. Over where a loss is not a number."""
        self.done = answer["done"]
        self.peak_bytes = max(filter(None, (self.peak_bytes, answer["peak_bytes"])), default=None)
        self.script.ran_on = tuple(answer["ran_on"]) or self.script.ran_on
        for step, loss in answer["losses"]:
            if len(self.losses) < KEPT:
                self.losses.setdefault(step, loss)
        self.aside += [(kind, seconds) for kind, _, seconds in answer.get("aside", ())]

    @property
    def steps_in_all(self) -> int:
        """Training steps of this start."""
        return self.done // (self.learnt["round"] if self.learnt else 1)

    @property
    def furthest(self) -> int:
        """The optimizer step that it may have come to with what it was last asked for."""
        asked = self.block_steps + self.block_steps // 8 + 1 if self.block_steps else WARM_UP
        return self.done + asked * (self.learnt["round"] if self.learnt else 1)

    def first_bad_loss(self) -> tuple[int, float] | None:
        """The first step whose loss is not finite."""
        return next(((step, loss) for step, loss in sorted(self.losses.items()) if not math.isfinite(loss)), None)

    def pauses(self) -> Counter[str]:
        return Counter(kind for kind, _ in self.aside)

    def is_pause(self, seconds: float, times: float) -> bool:
        """Whether a block took so many times what others did that something else went on in it."""
        return len(self.blocks) >= 3 and seconds > times * median(self.blocks)
