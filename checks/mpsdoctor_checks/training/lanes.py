"""A device with the worker that trains on it: asking it, and telling what became of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from mpsdoctor.check import Answer, Job, Sandbox, UnusableAnswerError, typed
from mpsdoctor.worker import shapes
from mpsdoctor.worker.shapes import Ready

CALLS = "mpsdoctor_worker.training.sessions"
SHAPES: dict[str, type[Any]] = {
    "ready": shapes.Ready,
    "prepare": shapes.Prepared,
    "losses": shapes.Losses,
    "warm_up": shapes.WarmUp,
    "block": shapes.Block,
}
STEP_ERROR = "StepError"  # what a person's own step raised; the message begins with the place in the file
MOST_DEATHS = 2  # a device that died this often is not asked again: each time costs a fresh import of torch
# Read from the messages of torch 2.0 to 2.15, which has no exception of its own for these on MPS.
OUT_OF_MEMORY = re.compile(r"out of memory|can't allocate memory|not enough memory", re.IGNORECASE)
UNSUPPORTED = re.compile(
    r"not (currently )?implemented|not supported|unsupported|doesn't support|does not support"
    r"|could not run '|could not create a primitive|`fused=True` requires",
    re.IGNORECASE,
)


class Failed(Exception):
    """A workload that did not train on a device: the outcome as the report names it, and the evidence."""

    def __init__(self, outcome: str, detail: str) -> None:
        super().__init__(detail)
        self.outcome, self.detail = outcome, detail


class Entrant(Protocol):
    """Who takes part in a race: a device, or one of several ways to train on it.

    `device` is the name it races under, `options` what `prepare` is told of it, and `out` why it is not asked any more.
    """

    device: str
    step: int
    out: str

    @property
    def options(self) -> Mapping[str, Any]: ...
    @property
    def worker(self) -> Sandbox: ...
    def ask(self, function: str, timeout: float, **args: Any) -> Any: ...


@dataclass
class Lane:
    """A device taking part. `options` is how it trains, `step` the last one known to be done.

    `deaths` counts crashes and time-outs. `ready` is False until its worker has imported what a step needs, `told` what
    that answered. `out` tells why it is not asked any more.
    """

    device: str
    worker: Sandbox
    options: Mapping[str, Any] = field(default_factory=dict)
    step: int = 0
    deaths: int = 0
    ready: bool = False
    out: str = ""
    told: Ready | None = None

    def ask(self, function: str, timeout: float, **args: Any) -> Any:
        """What a function of the session answers; Failed if it does not."""
        job = Job(f"{CALLS}:{function}", args, timeout, self._heard)
        answer = next(self.worker.run([job]))
        if answer.outcome == "ok":
            return self._typed(function, answer)
        outcome, detail = what_became(answer)
        if outcome in ("crash", "timeout"):
            self.deaths += 1
            self.ready = False
            detail = f"after step {self.step}, in {function}: {detail}"
            # A hang costs its whole time-out, and the next one would too.
            if self.deaths >= MOST_DEATHS or outcome == "timeout":
                self.out = f"{self.device} was given up after a {outcome} in training"
        raise Failed(outcome, detail)

    def _typed(self, function: str, answer: Answer) -> Any:
        try:
            return typed(answer, SHAPES[function])
        except UnusableAnswerError as error:
            raise Failed("error", str(error)) from None

    def _heard(self, message: Any) -> None:
        self.step = int(message.get("step", self.step))


@dataclass
class Variant:
    """A way to train on the device of `host`: a session of its own, called `device`, in the same worker."""

    device: str
    host: Lane
    options: Mapping[str, Any]
    step: int = 0

    @property
    def worker(self) -> Sandbox:
        return self.host.worker

    @property
    def out(self) -> str:
        return self.host.out

    @out.setter
    def out(self, why: str) -> None:
        self.host.out = why

    def ask(self, function: str, timeout: float, **args: Any) -> Any:
        """As of a lane; the sessions of all variants die with the worker."""
        if not self.host.ready:
            raise Failed("skipped", f"the worker of {self.host.device} died while it was compared with")
        self.host.step = self.step
        try:
            return self.host.ask(function, timeout, name=self.device, **args)
        finally:
            self.step = self.host.step


def variants(host: Lane, ways: Mapping[str, Mapping[str, Any]]) -> dict[str, Variant]:
    """The ways to train, by name, each with its options on top of the host's; others are compared with the first."""
    usual = {"device": host.device, **host.options}
    return {name: Variant(name, host, {**usual, **options}) for name, options in ways.items()}


def what_became(answer: Answer) -> tuple[str, str]:
    """The report's outcome for an answer that is not ok, and its detail in one line or a few."""
    if answer.outcome in ("crash", "timeout"):
        return answer.outcome, answer.detail
    if answer.outcome != "error":
        return "error", f"{answer.outcome}: {answer.detail}"
    kind, message = str(answer.value.get("type")), str(answer.value.get("message"))
    detail = (message if kind == STEP_ERROR else f"{kind}: {message}")[:600]
    return kind_of_error(detail), detail


def kind_of_error(told: str) -> str:
    """The outcome for an error by its type and message, as in `RuntimeError: MPS backend out of memory`."""
    if "OutOfMemoryError: " in told or OUT_OF_MEMORY.search(told):
        return "oom"
    return "unsupported" if "NotImplementedError: " in told or UNSUPPORTED.search(told) else "error"
