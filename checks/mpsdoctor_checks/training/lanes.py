"""A device with the worker that trains on it: asking it, and what its answers mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypedDict

from mpsdoctor import clean
from mpsdoctor.check import Answer, Context, Job, Sandbox, UnusableAnswerError, typed
from mpsdoctor.texts import Part, Wording
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
IMPORT = 180.0  # seconds; torch's optimizers import its compiler, from a cold disk over a minute
MOST_DEATHS = 2  # a device that died this often is not asked again: each time costs a fresh import of torch
# Read from the messages of torch 2.0 to 2.15, which has no exception of its own for these on MPS.
OUT_OF_MEMORY = re.compile(r"out of memory|can't allocate memory|not enough memory", re.IGNORECASE)
UNSUPPORTED = re.compile(
    r"not (currently )?implemented|not supported|unsupported|doesn't support|does not support"
    r"|could not run '|could not create a primitive|`fused=True` requires",
    re.IGNORECASE,
)


class Failed(Exception):
    """A workload that did not train on a device: the outcome as the report names it, and the evidence.

    `traceback` is of a person's own step.
    """

    def __init__(self, outcome: str, detail: Wording, traceback: str = "") -> None:
        super().__init__(str(detail))
        self.outcome, self.detail, self.traceback = outcome, detail, traceback


class Options(TypedDict, total=False):
    """How to train: what `prepare` is given besides the workload and the device."""

    dtype: str
    num_threads: int
    batch: int
    reading: bool
    resident: bool
    channels_last: bool
    fused: bool
    nnpack: bool


class Entrant(Protocol):
    """Who takes part in a race under a name: a device, or one of several ways to train on it.

    `step` is the last one known to be done, `out` says why it gets no more jobs.
    """

    step: int
    out: Wording

    @property
    def name(self) -> str: ...
    @property
    def device(self) -> str: ...

    @property
    def options(self) -> Options: ...
    @property
    def worker(self) -> Sandbox: ...
    def ask(self, function: str, timeout: float, **args: Any) -> Any: ...


@dataclass
class Lane:
    """A device taking part under its own name.

    `deaths` counts crashes and time-outs. `ready` is False until its worker has imported what a step needs; `torch` is
    what it answered then.
    """

    device: str
    worker: Sandbox
    options: Options = field(default_factory=Options)
    step: int = 0
    deaths: int = 0
    ready: bool = False
    out: Wording = ""
    torch: Ready | None = None

    @property
    def name(self) -> str:
        return self.device

    def ask(self, function: str, timeout: float, **args: Any) -> Any:
        """What a function of the session answers; Failed if it does not."""
        job = Job(f"{CALLS}:{function}", args, timeout, self._note_progress)
        answer = next(self.worker.run([job]))
        if answer.outcome == "ok":
            return self._check(function, answer)
        outcome, detail = explain(answer)
        if outcome in ("crash", "timeout"):
            self.deaths += 1
            self.ready = False
            detail = Part("failed_after_step", {"step": self.step, "function": function, "cause": detail})
            # A hang costs its whole time-out, and the next one would too.
            if self.deaths >= MOST_DEATHS or outcome == "timeout":
                self.out = Part("given_up_in_training", {"device": self.device, "end": Part(f"end_{outcome}")})
        raise Failed(outcome, detail, traceback_of(answer))

    def _check(self, function: str, answer: Answer) -> Any:
        try:
            return typed(answer, SHAPES[function])
        except UnusableAnswerError as error:
            raise Failed("error", str(error)) from None

    def _note_progress(self, message: Any) -> None:
        self.step = int(message.get("step", self.step))


@dataclass
class Variant:
    """A way to train on the device of `host`: a session of its own, of that name, in the same worker."""

    name: str
    host: Lane
    options: Options
    step: int = 0

    @property
    def device(self) -> str:
        return self.host.device

    @property
    def worker(self) -> Sandbox:
        return self.host.worker

    @property
    def out(self) -> Wording:
        return self.host.out

    @out.setter
    def out(self, why: Wording) -> None:
        self.host.out = why

    def ask(self, function: str, timeout: float, **args: Any) -> Any:
        """As of a lane; the sessions of all variants die with the worker."""
        if not self.host.ready:
            raise Failed("skipped", Part("worker_died", {"device": self.host.device}))
        self.host.step = self.step
        try:
            return self.host.ask(function, timeout, name=self.name, **args)
        finally:
            self.step = self.host.step


def variants(host: Lane, ways: Mapping[str, Options]) -> list[Variant]:
    """The ways to train, by name, each with its options on top of the host's; others are compared with the first."""
    return [Variant(name, host, {**host.options, **options}) for name, options in ways.items()]


def explain(answer: Answer) -> tuple[str, Wording]:
    """The report's outcome for an answer that is not ok, and its detail in one line or a few."""
    if answer.outcome in ("crash", "timeout"):
        return answer.outcome, answer.wording
    if answer.outcome != "error":
        return "error", f"{answer.outcome}: {answer.detail}"
    kind, message = str(answer.value.get("type")), str(answer.value.get("message"))
    detail = (message if kind == STEP_ERROR else f"{kind}: {message}")[:600]
    return kind_of_error(detail), detail


def traceback_of(answer: Answer) -> str:
    """The traceback of a person's own step that raised, without that of the error which tells its place."""
    if answer.outcome != "error" or answer.value.get("type") != STEP_ERROR:
        return ""
    return clean.text(str(answer.value.get("traceback")).partition("\nThe above exception was")[0])


def kind_of_error(message: str) -> str:
    """The outcome for an error by its type and message, as in `RuntimeError: MPS backend out of memory`."""
    if "OutOfMemoryError: " in message or OUT_OF_MEMORY.search(message):
        return "oom"
    return "unsupported" if "NotImplementedError: " in message or UNSUPPORTED.search(message) else "error"


def get_ready(context: Context, lanes: Mapping[str, Lane]) -> None:
    """Import what a step needs into each new worker, also after a death; counted against no workload."""
    waiting = [lane for lane in lanes.values() if not lane.ready and not lane.out]
    for lane in waiting:
        lane.worker.start()
    for lane in waiting:
        context.progress(Part("getting_ready", {"device": lane.device}))
        try:
            lane.torch = lane.ask("ready", IMPORT)
            lane.ready = True
        except Failed as failed:
            lane.out = Part("worker_did_not_start", {"device": lane.device, "cause": failed.detail})
