"""What a check is, and what it may use. Everything a third-party check needs is importable from here.

A check is any object, a module or an instance, with `id`, `title` and `run(context)`; `needs` (ids of checks) and
`seconds` (its share of each budget) are optional, and so are `patience`: how many seconds beyond three times its share
it may take before it counts as hanging; and `timed`: True has the check-up wait for a quiet machine first. `run`
returns or yields findings, and dicts, which are facts.
"""

from __future__ import annotations

import contextlib
import errno
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from mpsdoctor import texts
from mpsdoctor.clean import strings as neutralised
from mpsdoctor.process import Watcher
from mpsdoctor.report import Finding, Remedy, Severity
from mpsdoctor.sandbox import AHEAD, Answer, Job, Sandbox
from mpsdoctor.texts import Part, Wording

__all__ = [
    "Answer",
    "Budget",
    "Collected",
    "Context",
    "Finding",
    "Job",
    "OwnCodeError",
    "Remedy",
    "Rule",
    "Sandbox",
    "Severity",
    "Skip",
    "UnusableAnswerError",
    "UnusableRequestError",
    "devices_of",
    "finding",
    "judged",
    "neutralised",
    "typed",
    "worker_wording",
]

Budget = Literal["quick", "standard", "thorough"]
Shape = TypeVar("Shape")
Rule = Callable[[Shape], Iterator[Finding]]  # of the facts that a check collects
Collected = tuple[dict[str, Any], list[Finding]]  # facts and findings
PATIENCE = 5.0
SECONDS: dict[str, float] = {"quick": 2.0, "standard": 10.0, "thorough": 60.0}
# The first import of torch from a cold disk was seen to take over a minute.
IMPORT_TORCH = Job("mpsdoctor_worker.torch_facts:load", timeout=180.0)


class Skip(Exception):
    """Raised by a check that has nothing to examine; its text is the reason, a sentence of ours as a Part."""

    @property
    def wording(self) -> Wording:
        """The reason."""
        return self.args[0] if self.args and isinstance(self.args[0], Part) else str(self)


class UnusableRequestError(ValueError):
    """What was asked for does not exist or cannot be done here; its text tells the person why."""


class OwnCodeError(UnusableRequestError):
    """A file of the person's failed; its text begins with the place, `traceback` begins with their code."""

    def __init__(self, message: str, traceback: str = "") -> None:
        super().__init__(message)
        self.traceback = traceback


@dataclass
class Workers:
    """The workers of a check-up, one for each device and environment, shared by its checks.

    `unset` names variables that none of them inherits, for torch cannot be imported with their values.
    """

    python: str
    watch: Watcher | None = None
    unset: tuple[str, ...] = ()
    _open: dict[tuple[str, tuple[tuple[str, str], ...]], Sandbox] = field(default_factory=dict)

    def get(self, device: str, env: Mapping[str, str]) -> Sandbox:
        key = (device, tuple(sorted(env.items())))
        if key not in self._open:
            self._open[key] = self.sandbox(env, IMPORT_TORCH)
        return self._open[key]

    def lane(self, device: str, number: int, env: dict[str, str], prelude: Job) -> Sandbox:
        """One of several workers that work at once, made by its first use; the first one is what `get` gives too."""
        more = (("lane", str(number)),) if number else ()
        key = (device, (*tuple(sorted(env.items())), *more))
        if key not in self._open:
            self._open[key] = self.sandbox(env, prelude, ahead=2)
        return self._open[key]

    def close_others(self, kept: Iterable[Sandbox]) -> None:
        """End all but these, so that none takes memory or time from what is timed; who asks again gets a new one."""
        staying = list(kept)
        for key, sandbox in list(self._open.items()):
            if sandbox not in staying:
                del self._open[key]
                sandbox.close()

    def sandbox(self, env: Mapping[str, str], prelude: Job, ahead: int = AHEAD) -> Sandbox:
        """One more worker's sandbox, which belongs to the caller."""
        surroundings = {**dict.fromkeys(self.unset), **env}
        return Sandbox(self.python, surroundings, prelude=prelude, watch=self.watch, ahead=ahead)

    def leave_out(self, names: tuple[str, ...]) -> None:
        """Unset these variables, and no others, for all workers from here on; those that run are ended."""
        self.close()
        self._open.clear()
        self.unset = names

    def close(self) -> None:
        for sandbox in list(self._open.values()):
            sandbox.close()


@dataclass
class Context:
    """What a check is given: the person's choices, the facts of earlier checks, and workers that have torch.

    `seconds` is this check's share of the budget; `devices` is None where all usable ones are meant; `waited_s` is how
    many seconds the check-up has waited for other programs.
    """

    budget: Budget
    seconds: float
    devices: tuple[str, ...] | None
    facts: Mapping[str, Mapping[str, Any]]
    workers: Workers
    say: Callable[[dict[str, Any]], None]
    waited_s: float = 0.0
    begun: float = field(default_factory=time.monotonic)

    def remaining(self) -> float:
        """Seconds left of this check's share."""
        return self.begun + self.seconds - time.monotonic()

    def worker(self, device: str = "cpu", env: Mapping[str, str] | None = None) -> Sandbox:
        """The interpreter under examination, torch imported, with these environment variables on top."""
        return self.workers.get(device, env or {})

    def progress(
        self,
        text: Wording,
        done: int | None = None,
        total: int | None = None,
        figures: Iterable[Mapping[str, Any]] = (),
        share: float | None = None,
    ) -> None:
        """Tell the person what is going on and how far it is.

        `figures` are rows of `training` so far: workload, size, device, step_ms and ci95_ms, None where there is no
        figure yet. `share` is how much of the whole check is done, of 1, where `done` and `total` count a part of it.
        """
        word = {"text": str(text), "values": texts.as_values(text), "done": done, "total": total, "share": share}
        self.say({**word, "figures": list(figures)})

    @contextlib.contextmanager
    def timing(self) -> Iterator[bool]:
        """Hold the lock that keeps timed runs of this user apart; False if another one did not end in time.

        Where no lock can be had, the run goes on without one.
        """
        from filelock import FileLock, Timeout

        try:
            lock = FileLock(lock_path())
            lock.acquire(timeout=self.seconds)
        except Timeout:
            yield False
            return
        except OSError as error:
            self.progress(Part("timing_unprotected", {"why": error.strerror or str(error)}))
            yield True
            return
        try:
            yield True
        finally:
            lock.release()


class UnusableAnswerError(ValueError):
    """A worker answered something else than it should; the text names the job and the field."""


def typed(answer: Answer, shape: type[Shape]) -> Shape:
    """The value of an answer that is ok, as its shape. UnusableAnswerError."""
    try:
        return msgspec.convert(answer.value, shape)
    except msgspec.ValidationError as error:
        raise UnusableAnswerError(f"{answer.job.call}: unusable answer: {error}") from None


def worker_wording(text: str, values: Mapping[str, Any] | None) -> Wording:
    """What a worker says: a text of others, or the sentence of ours that it names. UnusableAnswerError.

    A worker has no texts; what cannot be filled is refused here, before it is part of a finding.
    """
    if values is None:
        return text
    wording = texts.from_values("", values)
    try:
        str(wording)
    except texts.UNFILLABLE as error:
        raise UnusableAnswerError(f"unusable sentence: {type(error).__name__}: {error}") from None
    if not isinstance(wording, Part):
        raise UnusableAnswerError("unusable sentence: it names no part")
    return wording


def finding(
    code: str,
    severity: Severity,
    evidence: Mapping[str, Any] | None = None,
    *,
    title: str = "title",
    detail: str = "detail",
    remedy: str | None = "remedy",
    commands: Iterable[str] | None = None,
    **values: Any,
) -> Finding:
    """A finding in the words of `mpsdoctor.texts`: `title`, `detail` and `remedy` name other templates of the code.

    `commands` replaces those of the text; `remedy=None` leaves the remedy out. KeyError where a value is missing.
    """
    text = texts.texts(texts.LANGUAGES[0])[code]
    names = {"title": title, "detail": detail, "remedy": remedy}
    others = {"templates": {key: name for key, name in names.items() if name != key}}
    words = {key: texts.fill(code, name, values) for key, name in names.items() if name is not None}
    given = tuple(text.commands if commands is None else commands)
    return Finding(
        code,
        severity,
        words["title"],
        words["detail"],
        dict(evidence or {}),
        Remedy(words["remedy"], given) if words.get("remedy") else None,
        text.links,
        texts.as_data({**values, **(others if others["templates"] else {})}),
    )


def title_of(found: Finding) -> Wording:
    """Its title, as it can be told in another language."""
    if found.values is None:
        return found.title
    values = texts.from_data(dict(found.values))
    name = values.pop("templates", {}).get("title", "title")
    title = Part(f"{found.code}.{name}", values)
    try:
        return title if str(title) == found.title else found.title
    except texts.UNFILLABLE:  # the texts of a third-party check are in its own process
        return found.title


def devices_of(context: Context, *, cpu: bool) -> list[str]:
    """The devices to examine: those that were chosen and can be used, or all; with the CPU where it is wanted too."""
    offered = [device["device"] for device in context.facts["build"].get("devices", ()) if device["usable"]]
    if context.devices is not None:
        return [device for device in offered if device in context.devices]
    others = [device for device in offered if device != "cpu"]
    return ["cpu", *others] if cpu or not others else others


def judged(facts: Shape, rules: Iterable[Rule[Shape]]) -> Iterator[Finding | Shape]:
    """What a check yields that is a collection and its rules: the facts, then what the rules make of them."""
    yield facts
    for rule in rules:
        yield from rule(facts)


def lock_path() -> Path:
    """One lock file a user, wherever their profile is: the machine is what two timed runs share.

    It lies in the user's own folder of caches, where nobody else can plant a link in its place. OSError.
    """
    from platformdirs import user_cache_path

    folder = user_cache_path("mpsdoctor")
    if not folder.is_absolute():
        raise FileNotFoundError(errno.ENOENT, "no home folder is known")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / "timing.lock"
