"""Rank 0: takes what each machine hands over, and tells of the others what became of them.

Clocks of two machines are never compared: a machine is alive while this process sees its beat change, and silence is
counted here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from mpsdoctor.fleet import reach
from mpsdoctor.fleet.here import CLOSING
from mpsdoctor.fleet.store import Store
from mpsdoctor.fleet.world import World
from mpsdoctor.intake import UnfitError
from mpsdoctor.merging.reading import read_machine
from mpsdoctor.merging.shapes import FleetMachine, Outcome
from mpsdoctor.texts import Part, as_values

LOOK = 0.2  # seconds between two looks at all machines
SILENT = 3.0  # seconds without a beat, after which its port is looked at
GRACE = 1.0  # seconds beyond the time of a machine that lives, for what it hands over at its end


@dataclass
class Watched:
    """What was seen of a machine: its last beat, when that changed here, the port that it told."""

    beat: bytes | None = None
    at: float = 0.0
    port: reach.Port | None = None

    def silence(self) -> float:
        return time.monotonic() - self.at


@dataclass
class Gathering:
    """All machines. `found` has those of which the end is known; `run` may be called once."""

    world: World
    store: Store
    limit: float
    stop: threading.Event
    tell: Callable[[int], None] = lambda count: None
    found: dict[int, FleetMachine] = field(default_factory=dict)
    watched: dict[int, Watched] = field(default_factory=dict)
    looked_at: float = 0.0

    def run(self) -> None:
        """Until all have answered, the time is over, or it is stopped. NoStoreError."""
        until, closing = time.monotonic() + self.limit, False
        while self.pending() and not self.stop.is_set():
            if time.monotonic() > until and not closing:
                closing = True
                self.store.set(CLOSING, b"1")
            if time.monotonic() > until + (GRACE if any(map(self.lives, self.pending())) else 0.0):
                return
            for machine in self.pending():
                self.look(machine)
            self.look_closer()
            self.tell(len(self.found))
            self.stop.wait(LOOK)

    def pending(self) -> list[int]:
        return [machine for machine in range(self.world.machines) if machine not in self.found]

    def lives(self, machine: int) -> bool:
        watched = self.watched.get(machine)
        return bool(watched and watched.beat is not None and watched.silence() <= SILENT)

    def look(self, machine: int) -> None:
        """Take what it handed over, or note its beat."""
        try:
            raw = self.store.take(f"machine/{machine}")
            if raw is not None:
                self.found[machine] = self.fit(machine, read_machine(raw))
                return
        except (UnfitError, ValueError) as error:
            self.settle(machine, "error", Part("fleet_unfit", {"why": str(error)}))
            return
        watched = self.watched.setdefault(machine, Watched())
        watched.port = watched.port or self.port_of(machine)
        beat = self.store.get(f"beat/{machine}")
        if beat != watched.beat:
            watched.beat, watched.at = beat, time.monotonic()

    def look_closer(self) -> None:
        """Whether those that came and went silent have gone; at most once a second, for a port may not answer."""
        silent = [machine for machine in self.pending() if self.watched[machine].beat and not self.lives(machine)]
        if silent and time.monotonic() - self.looked_at > 1.0:
            self.looked_at = time.monotonic()
            for machine in self.gone_of(silent):
                seconds = self.watched[machine].silence()
                self.settle(machine, "killed", Part("fleet_gone", {"seconds": seconds}))

    def port_of(self, machine: int) -> reach.Port | None:
        try:
            raw = self.store.get(f"here/{machine}")
            return reach.read_port(raw) if raw else None
        except ValueError:
            return None

    def fit(self, machine: int, sent: FleetMachine) -> FleetMachine:
        """What it sent, as long as it tells of itself: no machine answers for another one. UnfitError."""
        if any(other.rank == sent.rank for other in self.found.values()):
            raise UnfitError(f"rank {sent.rank} has answered already")
        return sent

    def settle(self, machine: int, outcome: Outcome, why: Part) -> None:
        self.found[machine] = self.without_report(machine, outcome, why)

    def without_report(self, machine: int, outcome: Outcome, why: Part) -> FleetMachine:
        port = self.watched.get(machine, Watched()).port
        rank, ranks = (port.rank, port.ranks) if port else (self.world.usual_rank(machine), ())
        return FleetMachine(rank, outcome, None, str(why), as_values(why), ranks)

    def all(self, after: float) -> dict[int, FleetMachine]:
        """What is known of every machine after so many seconds, also while `run` still waits for one."""
        found, silent = dict(self.found), [machine for machine in self.pending() if not self.lives(machine)]
        gone = self.gone_of(silent)
        for machine in range(self.world.machines):
            if machine not in found:
                found[machine] = self.without_report(machine, *self.judge(machine, after, machine in gone))
        return found

    def gone_of(self, machines: Sequence[int]) -> set[int]:
        """Those whose port is closed, tried all at once."""
        ports = {machine: port for machine in machines if (port := self.watched.get(machine, Watched()).port)}
        with ThreadPoolExecutor(max(1, min(32, len(ports)))) as pool:
            closed = pool.map(reach.is_closed, ports.values())
            return {machine for machine, is_closed in zip(ports, closed, strict=True) if is_closed}

    def judge(self, machine: int, after: float, gone: bool) -> tuple[Outcome, Part]:
        """What became of one that has not answered, by what was seen of it."""
        watched = self.watched.get(machine, Watched())
        if watched.beat is None:
            return "unreachable", Part("fleet_never_came", {"seconds": after})
        if gone:
            return "killed", Part("fleet_gone", {"seconds": watched.silence()})
        if not self.lives(machine):
            return "hung", Part("fleet_quiet", {"seconds": watched.silence()})
        if self.stop.is_set():
            return "late", Part("fleet_ended_first")
        return "late", Part("fleet_beating", {"seconds": after})
