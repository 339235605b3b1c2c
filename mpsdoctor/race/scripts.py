"""A script of a race: started in its keeper, steered to its device, asked for steps, ended."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import msgspec

from mpsdoctor import clean, process
from mpsdoctor.process import STARTED, STARTED_LOCK
from mpsdoctor.race import logs
from mpsdoctor.race.hub import Connection, Event, Hub
from mpsdoctor.runtime.running import injection
from mpsdoctor.texts import Part, Wording
from mpsdoctor.worker.race_shapes import Answer, Hello

KEEPER = Path(__file__).with_name("keeper.py")
ANY = "accelerator"  # a device in place of which the script takes the first one that torch has beside the CPU
# What a person may have set, and what would outdo the race's own choice.
CHOICES = (
    *("ACCELERATE_TORCH_DEVICE", "ACCELERATE_USE_CPU", "PL_TRAINER_ACCELERATOR", "LT_ACCELERATOR"),
    *("KERAS_TORCH_DEVICE", "MPSDOCTOR_DEVICE"),
)
ENDED = 10.0  # seconds for a keeper to tell of the end of its script


class Over(Exception):
    """A script makes no more steps: the outcome as the report names it ("ok" where it just ended), and why."""

    def __init__(self, outcome: str, detail: Wording) -> None:
        super().__init__(str(detail))
        self.outcome, self.detail = outcome, detail


def variables(device: str) -> dict[str, str | None]:
    """What steers libraries to a device before they are imported; what is None is unset."""
    chosen = {} if device == ANY else {"KERAS_TORCH_DEVICE": device, "MPSDOCTOR_DEVICE": device}
    return {
        **dict.fromkeys(CHOICES),
        "MPSDOCTOR_FORCE_MPS": "0",
        **chosen,
        **injection(device, os.environ.get("PYTHONPATH")),
    }


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@dataclass
class Script:
    """One run. `status` is its exit status once it has ended; `over` says why it takes no further part."""

    device: str
    command: tuple[str, ...]
    log: Path
    hub: Hub
    alone: bool = False
    offered: tuple[str, ...] = ()
    hello: Hello | None = None
    stepping: Connection | None = None
    ran_on: tuple[str, ...] = ()
    others_step: int = 0
    done: int = 0  # optimizer steps, by its last answer
    status: int | None = None
    failure: str = ""
    gone: bool = False  # the process that stepped
    over: Over | None = None
    started_at: float = field(default_factory=time.monotonic)
    stepped_at: float | None = None
    answers: list[Any] = field(default_factory=list)
    cpu: tuple[float, float] = (0.0, 0.0)  # seconds of processor time when it last grew, and when that was

    def __post_init__(self) -> None:
        self.token = self.hub.new_token()
        env = process.environment(
            {
                "PYTHONHASHSEED": os.environ.get("PYTHONHASHSEED", "0"),
                "PYTHONUNBUFFERED": "1",
                "PET_MASTER_PORT": str(free_port()),  # of torchrun, which all runs would else want
                **variables(self.device),
                "MPSDOCTOR_RACE": self.hub.address(self.token),
            }
        )
        with self.log.open("wb") as log:
            self._keeper = process.STARTER.submit(start_keeper, self.command, env, log).result()
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def pid(self) -> int:
        return self._keeper.pid

    def _listen(self) -> None:
        """Hand on what the keeper tells, until it has gone."""
        with contextlib.suppress(OSError, ValueError):
            for line in process._stream(self._keeper.stdout):
                self.hub.events.put(Event(self.token, None, json.loads(line)))
        self._keeper.wait()
        STARTED.discard(self._keeper.pid)
        self.hub.events.put(Event(self.token, None, {"ended": None}))

    # What happens to it.

    def take(self, event: Event) -> None:
        """Note an event."""
        message = event.message
        if event.connection is None:
            self._take_from_keeper(message or {})
        elif message is None:
            self.gone = self.gone or event.connection is self.stepping
        elif "hello" in message:
            self._greet(message)
        elif "unfit" in message:
            self.over = Over("error", Part("race_unfit", {"why": clean.line(str(message["unfit"]))}))
            self.stop()
        elif "first" in message:
            self._let_step(event.connection, message["first"])
        elif event.connection is self.stepping:
            self.answers.append(message.get("answer"))

    def _take_from_keeper(self, message: dict[str, Any]) -> None:
        if "failed" in message:
            self.failure = str(message["failed"])
        if "ended" in message and self.status is None:
            self.status = message["ended"] if isinstance(message["ended"], int) else -9

    def _greet(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(msgspec.ValidationError):
            hello = msgspec.convert(message, Hello)
            if self.hello is None:
                self.hello, self.offered = hello, tuple(hello["offered"])
                if self.device == ANY and hello["device"] == "cpu":
                    self.over = Over("error", Part("race_no_accelerator"))
                    self.stop()
                elif self.device == ANY:
                    self.device = hello["device"]

    def _let_step(self, connection: Connection, devices: Any) -> None:
        """The first process that steps is the one that is timed; others go on untimed."""
        if self.stepping is None:
            self.stepping = connection
            self.ran_on = tuple(map(str, devices)) if isinstance(devices, list) else ()
            self.stepped_at = time.monotonic()
        else:
            self.others_step += 1
            connection.send({"do": "free"})

    @property
    def ready(self) -> bool:
        """Whether it waits at the end of its first step."""
        return self.stepping is not None and not self.gone

    @property
    def ended(self) -> bool:
        return self.status is not None or bool(self.failure)

    # What it is told.

    def order(self, do: str, **args: Any) -> None:
        self.answers.clear()
        if self.stepping:
            self.stepping.send({"do": do, **args})

    def answer(self) -> Answer | None:
        """What the last order brought, if it is there. Over for what no script of ours says."""
        if not self.answers:
            return None
        try:
            return msgspec.convert(self.answers.pop(0), Answer)
        except msgspec.ValidationError as error:
            raise Over("error", Part("race_unusable", {"why": str(error)})) from None

    def stop(self) -> None:
        """End it the way Ctrl+C does; its keeper sees to the rest."""
        with contextlib.suppress(OSError, ValueError):
            stream = process._stream(self._keeper.stdin)
            stream.write(b"stop\n")
            stream.flush()

    def kill(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            process._stream(self._keeper.stdin).close()

    def wait(self, timeout: float) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._keeper.wait(timeout)
        return self._keeper.poll() is not None

    def why_it_ended(self) -> Over:
        """What its end means for the race."""
        if self.failure:
            return Over("error", Part("race_not_started", {"command": self.command[0], "why": self.failure}))
        log = logs.read_end(self.log)
        words = logs.last_words(log)
        if self.status == 0 or self.status is None:
            return Over("ok", Part("race_ended"))
        if logs.TERMINAL.search(log):
            return Over("error", Part("race_terminal", {"words": str(words)}))
        end = process.how_it_ended(self.status if self.status < 128 else 128 - self.status)
        outcome = "crash" if self.status < 0 or self.status > 128 else "error"
        return Over(outcome, Part("race_died" if str(words) else "race_died_silent", {"end": end, "words": str(words)}))

    def in_the_way(self) -> bool:
        """Whether another run beside it may be why it ended: it says so, or was killed as memory ran out."""
        return self.status == -9 or bool(logs.IN_THE_WAY.search(logs.read_end(self.log)))

    def idle_for(self) -> float:
        """Seconds since its processes last took time of a processor."""
        now, spent = time.monotonic(), processor_seconds(self.pid)
        if spent > self.cpu[0] + 0.05 or not self.cpu[1]:
            self.cpu = (spent, now)
        return now - self.cpu[1]


def start_keeper(command: tuple[str, ...], env: dict[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    with STARTED_LOCK:
        keeper = subprocess.Popen(
            [sys.executable, "-I", str(KEEPER), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=env,
            start_new_session=True,
        )
        STARTED.add(keeper.pid)
    return keeper


def processor_seconds(pid: int) -> float:
    """What a process and its descendants have taken; those that have ended do not count."""
    import psutil

    try:
        parent = psutil.Process(pid)
        family = [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return 0.0
    seconds = 0.0
    for one in family:
        with contextlib.suppress(psutil.Error):
            times = one.cpu_times()
            seconds += times.user + times.system
    return seconds
