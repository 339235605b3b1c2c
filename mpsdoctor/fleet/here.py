"""What a machine does for the fleet: check-up, ports of the others, collectives; then it hands itself over."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from mpsdoctor.fleet import check_up, reach
from mpsdoctor.fleet.store import NoStoreError, Store
from mpsdoctor.fleet.world import World
from mpsdoctor.merging.reading import as_json
from mpsdoctor.merging.shapes import Collective, FleetMachine, FleetReport, Reach
from mpsdoctor.report import Report
from mpsdoctor.sandbox import Answer, Sandbox
from mpsdoctor.sentences import shortened
from mpsdoctor.texts import Part, as_values
from mpsdoctor.worker import collectives

BEAT, EARS = 1.0, 5  # seconds, and how often it listens meanwhile
CLOSING = "closing"  # the key that rank 0 sets when its time is over: machines may have begun later than it did
REDUCE = f"{collectives.__file__}:reduce_alone"
ALL_REDUCE, SHORTEST = 40.0, 10.0  # seconds of one, importing torch included, at most and at least
BACKENDS = {"cuda": ("gloo", "nccl"), "xpu": ("gloo", "xccl")}  # to try; of another device gloo alone


@dataclass(frozen=True)
class Wish:
    """What the person asked for: options of the check-up, the seconds that a machine has, where it keeps its report."""

    options: Sequence[str]
    limit: float
    python: str
    keep: Path
    hear: Callable[[str], None]


@dataclass
class Here:
    """This machine. `machine` is there once its check-up has ended, `kept` the file that has it."""

    world: World
    wish: Wish
    store: Store | None
    listener: reach.Listener | None
    stop: threading.Event
    closing: threading.Event = field(default_factory=threading.Event)
    machine: FleetMachine | None = None
    kept: Path | None = None
    trouble: str = ""
    began: float = field(default_factory=time.monotonic)

    def beat(self) -> None:
        """A sign of life each second, until the store has gone; and an ear for rank 0's word that time is over."""
        with contextlib.suppress(NoStoreError):
            for count in itertools.count():
                if self.store and count % EARS == 0:
                    self.store.set(f"beat/{self.world.machine}", str(count).encode())
                if self.store and self.store.get(CLOSING):
                    self.closing.set()
                time.sleep(BEAT / EARS)

    def examine(self) -> None:
        """Make the check-up, keep it, hand it over."""
        if self.store and self.listener:
            with contextlib.suppress(NoStoreError):
                self.store.set(f"here/{self.world.machine}", msgspec.json.encode(self.listener.port))
        ended = check_up.run(self.wish.options, self.wish.limit, self.over, self.wish.hear)
        if self.stop.is_set() and not ended.report:
            ended = check_up.Ended("killed", Part("fleet_asked_to_end"))
        machine = FleetMachine(
            rank=self.world.rank,
            outcome=ended.outcome,
            report=ended.report,
            detail=str(ended.detail),
            detail_values=as_values(ended.detail),
            ranks=self.world.ranks,
            interface=self.listener.interface if self.listener else None,
        )
        if ended.report:
            tried = self.try_peers() if self.left() > reach.PATIENCE else ()
            machine = msgspec.structs.replace(machine, reach=tried, collectives=self.try_collectives(ended.report))
        self.machine = machine
        self.keep(machine)
        if self.store:
            try:
                self.store.hand_over(f"machine/{self.world.machine}", as_json(machine))
            except NoStoreError as error:
                self.trouble = str(error)

    def try_peers(self) -> tuple[Reach, ...]:
        """The ports that others have told by now; one that tells nonsense is not tried."""
        ports = []
        for peer in reach.peers_of(self.world.machine, self.world.machines) if self.store else ():
            with contextlib.suppress(NoStoreError, ValueError):
                raw = self.store.get(f"here/{peer}") if self.store else None
                ports += [reach.read_port(raw)] if raw else []
        return reach.try_all(ports)

    def keep(self, machine: FleetMachine) -> None:
        """A report of many machines with this one alone, for `fleet merge`; a disk that is full costs that alone."""
        file = self.wish.keep / f"rank-{self.world.rank}-of-{self.world.size}.json"
        temporary = file.with_suffix(".tmp")
        try:
            self.wish.keep.mkdir(mode=0o700, parents=True, exist_ok=True)
            temporary.write_bytes(as_json(FleetReport((machine,), (), (), size=self.world.size)))
            temporary.replace(file)
            self.kept = file
        except OSError as error:
            self.trouble = f"{file}: {error.strerror}"

    def try_collectives(self, report: Report) -> tuple[Collective, ...]:
        """An all-reduce of one process on each usable device, by each backend; in a worker that may die."""
        sandbox, rows = Sandbox(self.wish.python), []
        usable = [device.device for device in report.devices if device.usable]
        wanted = [(device, backend) for device in usable for backend in BACKENDS.get(device, ("gloo",))]
        for device, backend in wanted:
            if self.left() > SHORTEST:
                timeout = min(ALL_REDUCE, self.left())
                answer = sandbox.call(REDUCE, timeout=timeout, backend=backend, device=device)
                rows.append(as_collective(backend, device, answer))
        sandbox.close()
        return tuple(rows)

    def over(self) -> bool:
        """Whether somebody asked to end."""
        return self.stop.is_set() or self.closing.is_set()

    def left(self) -> float:
        """Seconds for what is good to know besides; a report must not be late for it."""
        return 0.0 if self.over() else self.began + self.wish.limit - time.monotonic()


def as_collective(backend: str, device: str, answer: Answer) -> Collective:
    if answer.outcome == "ok":
        return Collective(backend, device, "ok" if answer.value else "unavailable")
    outcome = answer.outcome if answer.outcome in ("error", "crash", "timeout") else "unavailable"
    return Collective(backend, device, outcome, shortened(answer.detail))
