"""The stages of a race: all start together, first steps are compared, then blocks of steps are timed in turn."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from mpsdoctor.check import UnusableRequestError, timing_lock
from mpsdoctor.facts.conditions import Moments
from mpsdoctor.race import alike, logs, telling
from mpsdoctor.race.company import Cancelled, Say, Scripts, Wish
from mpsdoctor.race.runs import Run
from mpsdoctor.race.scripts import ANY, Over, Script
from mpsdoctor.texts import Part
from mpsdoctor.worker.race_shapes import Answer, Hello
from mpsdoctor_checks.training import quiet, race, stages
from mpsdoctor_checks.training.narrator import sentences

LEARN_STEPS, LEARN_SECONDS = 24, 8.0  # optimizer steps by which their order and the losses are known
PATIENCE = 60.0  # seconds for a block, at least: a validation may lie between two steps
PATIENT = 20.0  # times what a block should take
PAUSE = 3.0  # times as long as other blocks: something else went on
RETRIES = 3  # blocks in a row that a pause may spoil
SHORT_WARM_UP = 0.5  # seconds where a script is started again because it ended too soon
FEWEST = 12  # steps; a script that has fewer tells nothing, however often it is started
ROUNDS_OF_SHORT = 12  # blocks that a second start of a short script aims at
LOOK_EVERY = 6  # rounds between two looks at what other programs do
BEYOND = 3  # steps after the one at which another device's script failed
SLOW = 1.0  # seconds a step: a block of one is not preceded by another that does not count


@dataclass
class Course:
    """A race while it goes on. `runs` by device, the baseline first; `moments` is what others did.

    `approve` is told of the first script's interpreter, and may raise UnusableRequestError.
    """

    wish: Wish
    folder: Path
    say: Say
    approve: Callable[[Hello], object] = lambda hello: None
    scripts: Scripts = field(init=False)
    runs: dict[str, Run] = field(default_factory=dict)
    moments: Moments = field(default_factory=dict)  # type: ignore[assignment]  # of no required key
    stopped: str = ""
    undisturbed: bool = True  # no other timed run of this user went on

    def __post_init__(self) -> None:
        self.scripts = Scripts(self.wish, self.folder, self.say)

    def cancel(self) -> None:
        """From any thread: what is known by then stays."""
        self.scripts.cancel()

    def ask(self, run: Run, do: str, patience: float, **args: Any) -> Answer:
        """What an order brings. Over where the script ends first, or does not come to the end of it."""
        answer = self.scripts.ask(run.script, do, patience, **args)
        run.note(answer)
        return answer

    def enter(self, scripts: Sequence[Script]) -> None:
        """The runs of these scripts, those of an earlier start among them."""
        for script in scripts:
            run = self.runs.setdefault(script.device, Run(script))
            run.script, run.over, run.alone = script, script.over, script.alone
        order = self.wish.devices or ("cpu",)
        self.runs = dict(sorted(self.runs.items(), key=lambda item: order.index(item[0]) if item[0] in order else 99))

    def active(self) -> list[Run]:
        return [run for run in self.runs.values() if run.over is None]

    def attempt(self, run: Run, act: Callable[[Run], object]) -> None:
        """Run an action; a script that is over takes no further turn."""
        try:
            act(run)
        except Over as over:
            run.over = over
            run.script.stop()

    def learn(self, run: Run) -> None:
        """The first steps; Over where it trains elsewhere, or to no numbers."""
        self.say(Part("race_learning", {"device": run.device}))
        answer = self.ask(run, "learn", self.wish.timeout, steps=LEARN_STEPS, seconds=LEARN_SECONDS)
        run.learnt = answer.get("learnt") or run.learnt
        if not follows(run):
            raise Over("not-followed", Part("race_not_followed"))
        self.refuse_wrong(run)

    def refuse_wrong(self, run: Run) -> None:
        """Over where losses are not finite, or not those of the baseline though nothing else explains it."""
        fault = alike.fault_of(next(iter(self.runs.values())), run)
        if fault:
            raise Over(fault.outcome, fault.detail)

    def warm_up(self, run: Run, seconds: float) -> None:
        self.say(Part("race_warming", {"device": run.device}))
        answer = self.ask(run, "warm_up", PATIENCE + PATIENT * seconds, seconds=seconds)
        run.settled = answer.get("settled")
        run.step_seconds = answer.get("step_seconds") or (run.learnt["step_seconds"] if run.learnt else SLOW)

    def time_all(self, warm_up: float, seconds: float, rounds: int = stages.ROUNDS) -> None:
        """Everything from the first steps to the last block, with those that wait at their first step."""
        for act in (self.learn, lambda run: self.warm_up(run, warm_up)):
            for run in self.active():
                if self.worth_timing():
                    self.attempt(run, act)
        if self.active() and self.worth_timing():
            self.time_blocks(seconds, rounds)

    def worth_timing(self) -> bool:
        """Whether anything may come out: an only one is compared with nothing, unless another is to be timed alone."""
        active = self.active()
        others = [run for run in self.runs.values() if run not in active]
        return len(active) > 1 or not others or any(run.alone or run.script.in_the_way() for run in others)

    def time_blocks(self, seconds: float, rounds: int) -> None:
        """Blocks in turn, until who is faster is clear or the time is over."""
        until, names = time.monotonic() + seconds, [run.device for run in self.active()]
        length = stages.COUNTED * seconds / (rounds * len(names))
        for run in self.active():
            step = run.step_seconds
            run.block_steps = max(1, math.ceil(stages.SHORTEST / step), int(min(length, stages.LONGEST) / step))
            if rounds != stages.ROUNDS:  # of a script that is known to be short
                run.block_steps = max(1, min(run.block_steps, run.steps_in_all // (2 * rounds)))
        blocks: dict[str, list[float]] = {}

        def out_of_time() -> bool:
            left = until - time.monotonic()
            self.say(Part("race_timing", {"devices": names, "figures": sentences(blocks, max(0.0, left))}))
            done = len(blocks[names[0]])
            if done and done % LOOK_EVERY == 0:
                self.moments.setdefault("between", []).append(quiet.listen()["percent"] or 0.0)
            return (done >= race.FIRST_LOOK and left < 0) or left < -2 * seconds

        earlier = {name: self.runs[name].blocks for name in names}
        try:
            race.run_race(names, blocks, lambda name: self.time_block(self.runs[name]), out_of_time)
        except Over:
            self.stopped = "ended"
        finally:
            same = min(map(len, blocks.values()), default=0)
            for name, new in blocks.items():  # what has no partner in this start would pair with one of another
                self.runs[name].blocks = [*earlier[name], *new[:same]]

    def time_block(self, run: Run) -> float | None:
        """Seconds a step; None where that failed. Over where the script has just ended, with all it had to give."""
        try:
            return self.take_block(run)
        except Over as over:
            run.over = over
            run.script.stop()
            if over.outcome == "ok":
                raise
            return None

    def take_block(self, run: Run) -> float:
        steps = run.block_steps
        before = 0 if steps == 1 and run.step_seconds > SLOW else steps // 8 + 1
        patience = PATIENCE + PATIENT * run.step_seconds * steps
        for _ in range(RETRIES):
            answer = self.ask(run, "block", patience, steps=steps, before=before)
            seconds = answer["seconds"] / steps
            if run.first_bad_loss():
                self.refuse_wrong(run)
            if not run.is_pause(seconds, PAUSE):
                break
            run.aside.append(("pause", answer["seconds"] - steps * run.step_seconds))
        run.timed_steps += steps
        return seconds

    # The whole.

    def run(self) -> None:
        """All of it; what is left when it ends is nothing. UnusableRequestError."""
        try:
            with contextlib.suppress(Cancelled), timing_lock(self.wish.seconds, self.say) as self.undisturbed:
                self.compete()
        finally:
            if not self.runs:
                self.enter(self.scripts.started)
            self.scripts.end_all()

    def compete(self) -> None:
        if flags := logs.hiding_flags(self.wish.command):
            raise UnusableRequestError(telling.say(Part("race_hidden", {"flags": flags})))
        devices = self.wish.devices or ("cpu", ANY)
        self.enter(self.scripts.start_all(devices))
        self.refuse_nobody()
        for hello in [script.hello for script in self.scripts.started if script.hello][:1]:
            self.approve(hello)
        self.moments["before"] = quiet.idle_conditions()
        share = self.wish.seconds
        warm_up = stages.warm_up_time(share, len(self.runs))
        self.time_all(warm_up, share)
        self.moments["after"] = quiet.idle_conditions()
        self.catch_up()
        self.scripts.stop_all()
        self.time_alone(warm_up)
        self.start_again()

    def refuse_nobody(self) -> None:
        """UnusableRequestError where nothing could be started, or torch has nothing but the CPU."""
        failed = [script for script in self.scripts.started if script.failure]
        if failed:
            raise UnusableRequestError(str(failed[0].why_it_ended().detail))
        if any(script.device == ANY and script.over and script.hello for script in self.scripts.started):
            raise UnusableRequestError(telling.say(Part("race_no_accelerator")))

    def catch_up(self) -> None:
        """Where a script failed at some step: have the others come as far, for it may be the script and no device."""
        failed = [run for run in self.runs.values() if run.over and run.over.outcome in ("error", "crash") and run.done]
        for run in self.active() if failed else ():
            furthest = max(other.furthest for other in failed)
            left = max(0, furthest - run.done) // (run.learnt["round"] if run.learnt else 1) + BEYOND
            if 0 < left * run.step_seconds <= self.wish.seconds:
                self.say(Part("race_catching_up", {"device": run.device}))
                patience = PATIENCE + PATIENT * left * run.step_seconds
                self.attempt(run, partial(self.ask, do="block", patience=patience, steps=left, before=0))

    def time_alone(self, warm_up: float) -> None:
        """Those that did not get along with the others: one after the other, with nothing beside them."""
        runs = list(self.runs.values())
        for run in [run for run in runs if run.over and run.script.in_the_way() and not run.alone]:
            if all(other.over and other.script.status == -9 for other in runs):  # the script kills itself
                return
            self.say(Part("race_alone", {"device": run.device}))
            script = self.scripts.start(run.device, alone=True)
            self.scripts.await_first_steps([script])
            others = {name: other for name, other in self.runs.items() if other is not run}
            whole, self.runs = self.runs, {}
            fresh = Run(script, over=script.over, alone=True)
            self.runs = {run.device: fresh}
            try:
                self.time_all(warm_up, self.wish.seconds / 2)
            finally:
                self.runs = {name: fresh if name == run.device else others[name] for name in whole}
            self.scripts.stop_all()

    def start_again(self) -> None:
        """Once more, where all scripts ended by themselves before it was clear who is faster."""
        runs = list(self.runs.values())
        ended = [run for run in runs if run.over and run.over.outcome == "ok"]
        if not ended or len(runs) < 2 or any(run.over and run.over.outcome != "ok" for run in runs):
            return
        blocks = {run.device: run.blocks for run in runs}
        if min(run.steps_in_all for run in ended) < FEWEST or race.finished(blocks, runs[0].device):
            return
        self.say(Part("race_again"))
        scripts = [self.scripts.start(run.device, alone=False) for run in runs]
        self.scripts.await_first_steps(scripts)
        for run, script in zip(runs, scripts, strict=True):
            run.script, run.over = script, script.over
        self.time_all(SHORT_WARM_UP, self.wish.seconds, ROUNDS_OF_SHORT)
        self.scripts.stop_all()


def follows(run: Run) -> bool:
    """Whether it trains where it was steered to; a part of a model that stays on the CPU is the script's own way."""
    there = {device.partition(":")[0] for device in run.script.ran_on}
    return not there or (run.kind in there and there <= {run.kind, "cpu"})
