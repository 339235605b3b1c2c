"""The scripts of a race: started, waited for, asked, ended."""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mpsdoctor.race.hub import Event, Hub
from mpsdoctor.race.scripts import ENDED, Over, Script
from mpsdoctor.texts import Part
from mpsdoctor.worker.race_shapes import Answer

IDLE = 60.0  # seconds without any time of a processor: who waits so long waits for nothing

Say = Callable[[Part], None]


class Cancelled(Exception):
    """The person has had enough; what is known stays."""


@dataclass(frozen=True)
class Wish:
    """What is to be raced: `seconds` of timing, at most `timeout` until a first step."""

    command: tuple[str, ...]
    devices: tuple[str, ...] | None = None
    seconds: float = 30.0
    timeout: float = 300.0


@dataclass
class Scripts:
    """All that were started for a wish; `folder` gets their logs."""

    wish: Wish
    folder: Path
    say: Say
    hub: Hub = field(init=False)
    started: list[Script] = field(default_factory=list)
    cancelled: bool = False

    def __post_init__(self) -> None:
        self.hub = Hub(self.folder)

    def cancel(self) -> None:
        """From any thread."""
        self.cancelled = True
        self.hub.events.put(Event("", None, None))

    def pump(self, timeout: float) -> None:
        """Take what happens next, if anything does within this time. Cancelled."""
        with contextlib.suppress(queue.Empty):
            event = self.hub.events.get(timeout=timeout)
            for script in self.started:
                if script.token == event.token:
                    script.take(event)
        if self.cancelled:
            raise Cancelled

    def ask(self, script: Script, do: str, patience: float, **args: Any) -> Answer:
        """What an order brings. Over where the script ends first, or does not come to the end of it."""
        script.order(do, **args)
        until = time.monotonic() + patience
        while (answer := script.answer()) is None:
            self.pump(0.2)
            if script.answers:
                continue
            if script.gone or script.ended:
                raise self.end_of(script)
            if time.monotonic() > until:
                raise Over("timeout", Part("race_no_end", {"seconds": patience, "step": script.done}))
        script.done = answer["done"]
        return answer

    def end_of(self, script: Script) -> Over:
        """Why it ended; the process that stepped may end a little before the script."""
        until = time.monotonic() + ENDED
        while not script.ended and time.monotonic() < until:
            self.pump(0.2)
        return script.why_it_ended()

    def start(self, device: str, alone: bool = False) -> Script:
        log = self.folder / f"{device.replace(':', '-')}{'-again' * alone}.log"
        script = Script(device, self.wish.command, log, self.hub, alone)
        self.started.append(script)
        return script

    def start_all(self, devices: Sequence[str]) -> list[Script]:
        """All at the same time, up to their first steps, and those of accelerators that only they know of."""
        scripts = [self.start(device) for device in devices]
        self.await_first_steps(scripts)
        if self.wish.devices is None:
            known = {script.device for script in scripts} | {"cpu"}
            more = [device for script in scripts[:1] for device in script.offered if device not in known]
            late = [self.start(device) for device in more]
            self.await_first_steps(late)
            scripts += late
        return scripts

    def await_first_steps(self, scripts: Sequence[Script]) -> None:
        """Until each of them has made a step or will make none, with the reason in its `over`."""
        while waiting := [script for script in scripts if not (script.ready or script.over)]:
            names = [script.device for script in waiting]
            self.say(Part("race_loading", {"devices": names, "seconds": time.monotonic() - waiting[0].started_at}))
            self.pump(0.5)
            for script in waiting:
                script.over = script.over or (None if script.ready else self.hopeless(script))
                if script.over:
                    script.stop()

    def hopeless(self, script: Script) -> Over | None:
        """Why a script will not come to its first step; None while it may."""
        age = time.monotonic() - script.started_at
        if script.ended:
            end = script.why_it_ended()
            if end.outcome != "ok":
                return end
            return Over("no-steps", Part("race_without_torch" if script.hello is None else "race_without_steps"))
        if age > self.wish.timeout or (age > 5.0 and script.idle_for() > min(IDLE, self.wish.timeout)):
            late = "race_late" if age > self.wish.timeout else "race_idle"
            return Over("timeout", Part(late, {"seconds": age}))
        return None

    def stop_all(self) -> None:
        """End every script as Ctrl+C does, and wait until nothing of them is left."""
        for script in self.started:
            if not script.wait(0):
                script.stop()
        until = time.monotonic() + ENDED
        for script in self.started:
            if not script.wait(max(0.0, until - time.monotonic())):
                script.kill()
                script.wait(ENDED)

    def end_all(self) -> None:
        try:
            self.stop_all()
        finally:
            for script in self.started:
                script.kill()
            self.hub.close()
