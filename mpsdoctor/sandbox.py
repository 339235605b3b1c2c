"""Runs jobs in a worker process that may die: each job gets an outcome, and nothing answered is lost."""

from __future__ import annotations

import contextlib
import itertools
import queue
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

import msgspec

from mpsdoctor import clean
from mpsdoctor.messages import Failure, Message, Progress, Ready, Start, Unfit, Value
from mpsdoctor.process import Process, Watcher, how_it_ended
from mpsdoctor.texts import Part, Wording

AHEAD = (
    32  # jobs sent before their turn, half of them at once: a wake-up of the worker's reader costs as much as a probe
)
START_TIMEOUT = 30.0  # seconds; an interpreter on a cold disk needs a few
MOST_PROGRESS = 16 << 20  # bytes: what one job may send before its answer
POLL = 0.25  # seconds between looks at a silent process, whose pipe an orphan may hold open

Kind = TypeVar("Kind", bound=Message)
Outcome = Literal["ok", "error", "crash", "timeout", "unavailable", "cancelled", "withdrawn"]


@dataclass(frozen=True)
class Job:
    """A function to call in a worker: `module:function` or `file.py:function`, with JSON arguments.

    `wanted` is asked before a job is sent, also when it is sent again to the next worker, since one before it ended
    the first: where it says no, the outcome is `withdrawn`. `on_unfit` is told what the worker sends that is no
    message, or too much; without it a message of another shape is the end of the job, as an error.
    """

    call: str
    args: dict[str, Any] = field(default_factory=dict)
    timeout: float = 60.0
    on_progress: Callable[[Any], None] | None = None
    wanted: Callable[[], bool] | None = None
    on_unfit: Callable[[str], None] | None = None


@dataclass(frozen=True)
class Answer:
    """What came of a job. `value` is what the function returned, or the error as type, message, traceback.

    `detail` begins with the `ending` where the worker died or was too late; its last words follow.
    """

    job: Job
    outcome: Outcome
    value: Any = None
    detail: str = ""
    seconds: float = 0.0
    ending: Part | None = None

    @property
    def wording(self) -> Wording:
        """The detail, its first line for any language where it is ours."""
        if not self.ending:
            return self.detail
        return Part("ended_so", {"ending": self.ending, "words": self.detail[len(str(self.ending)) :]})

    @property
    def reason(self) -> str:
        """The first line of what went wrong, or the outcome where nothing more is known."""
        return (self.detail or self.outcome).splitlines()[0]


@dataclass
class _Pending:
    number: int
    job: Job
    started: bool = False
    retried: bool = False
    withdrawn: bool = False
    received: int = 0  # bytes of progress


class Sandbox:
    """One interpreter with one environment. Its worker is started when needed and again after a death.

    `env` comes on top of this process' own; None unsets a variable.
    `prelude` runs first in each worker (importing torch, for one); if that fails, so does every job, with the
    outcome `unavailable`. Text in answers is fit to be shown unless `neutralise` is False. `ahead` is how many
    jobs are sent before their turn; of long ones few suffice, and other workers may take the rest.
    """

    def __init__(
        self,
        python: str,
        env: Mapping[str, str | None] | None = None,
        *,
        prelude: Job | None = None,
        watch: Watcher | None = None,
        neutralise: bool = True,
        ahead: int = AHEAD,
    ) -> None:
        self.python = python
        self._ahead = ahead
        self._env = dict(env or {})
        self._prelude = prelude
        self._watch = watch
        self._neutralise = neutralise
        self._numbers = itertools.count(1)
        self._process: Process | None = None
        self._spare: Process | None = None
        self._broken = ""
        self._error: Any = None
        self._closed = False

    def call(self, call: str, timeout: float = 60.0, **args: Any) -> Answer:
        """Run one job."""
        return next(self.run([Job(call, args, timeout)]))

    def run(self, jobs: Iterable[Job]) -> Iterator[Answer]:
        """Answers in the order of the jobs, which are taken as they are needed."""
        source = iter(jobs)
        pending: deque[_Pending] = deque()
        try:
            while True:
                if len(pending) <= self._ahead // 2:
                    fresh = [
                        _Pending(next(self._numbers), job)
                        for job in itertools.islice(source, self._ahead - len(pending))
                    ]
                    withdraw(fresh)
                    pending.extend(fresh)
                    self._send(fresh)
                if not pending:
                    return
                yield self._settle(pending)
        finally:
            self._end("_spare")

    def start(self) -> None:
        """Start the worker ahead of its first job."""
        if not (self._process or self._closed or self._broken):
            self._process = self._launch()

    def close(self) -> None:
        """Kill the worker; jobs under way end as `cancelled`. May be called from any thread."""
        self._closed = True
        self._end("_process")
        self._end("_spare")

    def leave(self, timeout: float = 5.0) -> str:
        """Let the worker end as a program ends, and tell what it printed meanwhile; the next job starts another."""
        words = clean.text(self._process.leave(timeout)) if self._process else ""
        self._bury()
        return words

    def _send(self, items: Iterable[_Pending]) -> None:
        if self._process:
            sent = (item for item in items if not item.withdrawn)
            self._process.send(as_request(item.number, item.job) for item in sent)

    def _settle(self, pending: deque[_Pending]) -> Answer:
        """The answer to the first of the pending jobs."""
        while True:
            if not self._process:
                withdraw(pending)
            if pending[0].withdrawn:
                return Answer(pending.popleft().job, "withdrawn")
            if not self._process and not self._closed:
                self._restart(pending)
            elif self._process and not self._process.ready:  # started ahead; its prelude may fail
                self._get_ready(self._process)
            if self._closed or self._broken or not self._process:
                return self._refuse(pending.popleft().job)
            begun = time.monotonic()
            answer = self._listen(self._process, pending[0])
            if answer:
                pending.popleft()
                return self._presentable(replace(answer, seconds=time.monotonic() - begun))

    def _presentable(self, answer: Answer) -> Answer:
        detail = clean.text(answer.detail)
        if not self._neutralise:
            return replace(answer, detail=detail)
        try:
            return replace(answer, value=clean.strings(answer.value), detail=detail)
        except clean.TooDeepError as error:
            return replace(answer, outcome="error", value=_as_error("ProtocolError", str(error)), detail=str(error))

    def _refuse(self, job: Job) -> Answer:
        if self._closed:
            return Answer(job, "cancelled")
        return self._presentable(Answer(job, "unavailable", self._error, self._broken))

    def _restart(self, pending: deque[_Pending]) -> None:
        """A fresh worker with all pending jobs sent; a death in a batch is a reason to keep a spare ready."""
        died_before = pending[0].number > 1 and len(pending) > 1
        self._process, self._spare = self._spare or self._launch(), None
        if self._process and self._get_ready(self._process):
            self._send(pending)
            if died_before:
                self._spare = self._launch()

    def _launch(self) -> Process | None:
        try:
            process = Process(self.python, self._env, self._watch)
        except (OSError, ValueError) as error:
            self._broken = f"{self.python} cannot be started: {getattr(error, 'strerror', None) or error}"
            return None
        if self._closed:  # by another thread, meanwhile
            process.end()
            return None
        if self._prelude:
            process.send([as_request(0, self._prelude)])
        return process

    def _get_ready(self, process: Process) -> bool:
        """Wait for the worker's first word and its prelude; sets `_broken` if they do not come."""
        if process.ready:
            return True
        if not _await(process, (Ready,), START_TIMEOUT):
            self._give_up(f"{self.python} did not start as a Python 3.9 or later", process)
        elif self._prelude:
            answer = _await(process, (Value, Failure), self._prelude.timeout)
            if not answer:
                self._give_up(f"{self._prelude.call} did not end", process)
            elif isinstance(answer, Failure):
                failed = _failed(self._prelude, answer)
                self._broken, self._error = failed.detail, failed.value
        process.ready = not self._broken
        return process.ready

    def _give_up(self, what: str, process: Process) -> None:
        late = not process.exited_or_closed
        status, words = self._bury()
        how = "no answer in time" if late else str(how_it_ended(status))
        self._broken = f"{what}: {how}" + (f"\n{words}" if words else "")

    def _listen(self, process: Process, item: _Pending) -> Answer | None:
        """Messages until this job is settled; None if it is to be sent again to a fresh worker."""
        deadline = time.monotonic() + item.job.timeout
        while received := _next(process, deadline):
            message, size = received
            if isinstance(message, Start) and message.start == item.number and not item.started:
                item.started = True
                deadline = time.monotonic() + item.job.timeout
            elif isinstance(message, Value) and message.id == item.number:
                return Answer(item.job, "ok", message.value)
            elif isinstance(message, Failure) and message.id == item.number:
                return _failed(item.job, message)
            elif isinstance(message, Progress) and message.id == item.number:
                _take_progress(item, message.progress, size)
            elif isinstance(message, Unfit) and item.job.on_unfit:
                item.job.on_unfit(message.problem)
            elif isinstance(message, Unfit) and not message.noise:
                return Answer(item.job, "error", _as_error("ProtocolError", message.problem), message.problem)
        return self._lost(item, late=time.monotonic() >= deadline and not process.exited_or_closed)

    def _lost(self, item: _Pending, *, late: bool) -> Answer | None:
        """The worker died, or was too late and is killed."""
        status, words = self._bury()
        if self._closed:
            return self._refuse(item.job)
        if late:
            return _ended(item.job, "timeout", Part("no_answer_within", {"seconds": item.job.timeout}), words)
        if not item.started and not item.retried:
            item.retried = True
            return None
        return _ended(item.job, "crash", how_it_ended(status), words)

    def _bury(self) -> tuple[int, str]:
        """End the worker; its exit status and last words."""
        process, self._process = self._process, None
        if not process:
            return 0, ""
        status = process.end()
        return status, process.last_words()

    def _end(self, name: Literal["_process", "_spare"]) -> None:
        process: Process | None = getattr(self, name)
        if process:
            setattr(self, name, None)
            process.end()


def withdraw(pending: Iterable[_Pending]) -> None:
    """Mark the jobs that nobody wants any more; none of them may be with a worker."""
    for item in pending:
        item.withdrawn = item.withdrawn or (item.job.wanted is not None and not item.job.wanted())


def as_request(number: int, job: Job) -> dict[str, Any]:
    """A job as a worker reads it."""
    return {"id": number, "call": job.call, "args": job.args, "timeout": job.timeout}


def _next(process: Process, deadline: float) -> tuple[Message | Unfit, int] | None:
    """The next message and its size in bytes; None at the end of the process or of the time."""
    while (left := deadline - time.monotonic()) > 0:
        with contextlib.suppress(queue.Empty):
            return process.messages.get(timeout=min(left, POLL))
        if process.exited() and process.messages.empty():
            return None
    return None


def _await(process: Process, kinds: tuple[type[Kind], ...], timeout: float) -> Kind | None:
    """The next message of these kinds; None if the worker ends or the time is over."""
    deadline = time.monotonic() + timeout
    while received := _next(process, deadline):
        if isinstance(received[0], kinds):
            return received[0]
    return None


def _take_progress(item: _Pending, progress: Any, size: int) -> None:
    """Hand it on, as long as the job has not sent more than it may; the first message beyond that is told of."""
    within = item.received <= MOST_PROGRESS
    item.received += size
    if item.received <= MOST_PROGRESS:
        if item.job.on_progress:
            item.job.on_progress(progress)
    elif within and item.job.on_unfit:
        item.job.on_unfit(f"more than {MOST_PROGRESS >> 20} MiB in all: the rest was left out")


def _ended(job: Job, outcome: Outcome, ending: Part, words: str) -> Answer:
    return Answer(job, outcome, detail=f"{ending}\n{words}".strip(), ending=ending)


def _failed(job: Job, message: Failure) -> Answer:
    error = message.error
    return Answer(job, "error", msgspec.to_builtins(error), f"{error.type}: {error.message}")


def _as_error(kind: str, text: str) -> dict[str, str]:
    return {"type": kind, "message": text, "traceback": ""}
