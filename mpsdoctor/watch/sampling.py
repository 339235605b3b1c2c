"""One sample a second of the machine and of a training. What runs programs of the system is read less often."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection

import psutil
from msgspec.structs import replace

from mpsdoctor import machine
from mpsdoctor.machine import Conditions, Load, Look
from mpsdoctor.machine.load import Processes, taken
from mpsdoctor.watch.inbox import Inbox
from mpsdoctor.watch.shapes import Sample

EVERY = 1.0  # seconds
SELDOM = 10  # samples: on a Mac power, heat and other programs take seven programs to ask
NO_LOAD: Load = {"percent": None, "programs": []}


class Sampler:
    """Of a training whose first process is `child`; `inbox` is None where its steps cannot be seen."""

    def __init__(self, child: int, inbox: Inbox | None, started: float) -> None:
        self.child, self.inbox, self.started = child, inbox, started
        self.count, self.last = 0, started
        self.family: set[int] = {child}
        self.conditions: Conditions = {}
        self.load = NO_LOAD
        self.look: Look | None = None
        self.swapped: int | None = None

    def take(self) -> Sample:
        """The next one; it takes milliseconds, on a Mac some tens of them."""
        if self.count % SELDOM == 0:
            self.look_around()
        self.count += 1
        memory, now = machine.memory(), time.monotonic()
        moved = _sum(memory.get("swap_in_bytes"), memory.get("swap_out_bytes"))
        swapped = None if moved is None or self.swapped is None else max(0, moved - self.swapped)
        self.swapped, before, self.last = moved, self.last, now
        sample = Sample(
            at=round(now - self.started, 2),
            seconds=round(now - before, 2),
            resident_bytes=resident(self.family | set(self.inbox.living() if self.inbox else ())),
            pressure=memory.get("pressure"),
            available_bytes=memory.get("available_bytes"),
            swap_used_bytes=memory.get("swap_used_bytes"),
            swapped_bytes=swapped,
            cpu_percent=machine.cpu_percent(),
            others_percent=self.load["percent"],
            programs=tuple(program["name"] for program in self.load["programs"]),
            thermal_state=self.conditions.get("thermal_state"),
            low_power=self.conditions.get("low_power"),
            on_battery=self.conditions.get("on_battery"),
        )
        return self.with_steps(sample)

    def with_steps(self, sample: Sample) -> Sample:
        """With what the training told since the sample before."""
        if self.inbox is None:
            return sample

        self.inbox.read()
        new = self.inbox.take_steps()
        return replace(
            sample,
            done=self.inbox.done,
            steps=new.steps,
            step_seconds=round(new.seconds, 4),
            longest_s=round(new.longest, 4),
            aside={kind: round(seconds, 3) for kind, seconds in new.aside.items()},
            devices=self.inbox.devices(),
        )

    def look_around(self) -> None:
        """Power and heat, who belongs to the training, and what all others took since the last time."""
        self.conditions = machine.conditions()
        before, self.look = self.look, machine.look()
        self.family = descendants(self.look.processes, self.child)
        own = self.family | descendants(self.look.processes, os.getpid())
        self.load = taken(before, self.look, own) if before else NO_LOAD


def descendants(processes: Processes, first: int) -> set[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for pid, process in processes.items():
        children.setdefault(process.parent, []).append(pid)
    family, frontier = {first}, [first]
    while frontier:
        fresh = [child for parent in frontier for child in children.get(parent, ()) if child not in family]
        family.update(fresh)
        frontier = fresh
    return family


def resident(pids: Collection[int]) -> int | None:
    """Bytes that processes take, what they share counted for each; None where none can be asked."""
    sizes = []
    for pid in pids:
        with contextlib.suppress(psutil.Error, OSError):
            sizes.append(psutil.Process(pid).memory_info().rss)
    return sum(sizes) if sizes else None


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
