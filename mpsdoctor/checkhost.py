"""Runs inside the process that hosts the checks: finds them, and runs one at a time.

A check may be anybody's code. It runs here, not in the doctor, so that one that crashes, hangs or prints costs
that check only. What it finds is sent as it comes, so that nothing is lost when it dies.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

import msgspec

from mpsdoctor import clean
from mpsdoctor.check import PATIENCE, SECONDS, Budget, Context, Finding, Skip, Workers

GROUP = "mpsdoctor.checks"
# The order of the report; a wheel sorts its entry points by name.
BUILT_IN = ("chip", "build", "environment", "operators", "memory", "training")
MOST_FINDINGS = 1000  # a check without an end must not fill the report


def catalogue() -> list[dict[str, Any]]:
    """Every check that is installed, the built-in ones first: id, title, needs, seconds, source, error."""
    return [_describe(check_id, entry) for check_id, entry in _entries().items()]


def run_check(
    check_id: str, python: str, budget: Budget, devices: list[str] | None, facts: dict[str, Any]
) -> dict[str, Any]:
    """Run one check; findings and facts go out as progress, `skip` or `control_characters` in the answer."""
    check = _load(_entries()[check_id])
    workers = _workers(python)
    if left_out := tuple(facts.get("build", {}).get("ends_import", ())):
        workers.unset = left_out
    context = Context(
        budget=budget,
        seconds=_seconds(check)[budget],
        devices=None if devices is None else tuple(devices),
        facts=facts,
        workers=workers,
        say=lambda message: _channel().progress(message),
    )
    printed = _Printed(sys.stdout)
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            for count, item in enumerate(_items(check.run(context)), 1):
                if count > MOST_FINDINGS:
                    raise ValueError(f"more than {MOST_FINDINGS} findings and facts")
                _channel().progress(_as_message(item))
        except Skip as reason:
            return {"skip": str(reason)}
    return {"control_characters": printed.seen}


class _Printed(io.TextIOBase):
    """Passes on what a check prints, and remembers whether a terminal would have acted upon it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.seen = False

    def write(self, text: str) -> int:
        self.seen = self.seen or clean.has_controls(text)
        self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        self._stream.flush()


def _channel() -> Any:
    return importlib.import_module("mpsdoctor_worker.channel")


@cache
def _workers(python: str) -> Workers:
    def watch(group: int, alive: bool) -> None:
        with contextlib.suppress(BrokenPipeError):  # the doctor is gone, and this process is ending its workers
            _channel().progress({"group": group, "alive": alive})

    workers = Workers(python, watch)
    _channel().at_hangup.append(workers.close)
    return workers


@cache
def _entries() -> dict[str, EntryPoint]:
    """Entry points by name, ours first, then as they were found.

    A name that is taken is told apart by its distribution, so that the report can say that it is.
    """
    found = sorted(entry_points(group=GROUP), key=_place)
    named: dict[str, EntryPoint] = {}
    for entry in found:
        named[entry.name if entry.name not in named else f"{entry.name}@{_source(entry)}"] = entry
    return named


def _place(entry: EntryPoint) -> int:
    ours = _source(entry).startswith("mpsdoctor ") and entry.name in BUILT_IN
    return BUILT_IN.index(entry.name) if ours else len(BUILT_IN)


def _source(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "unknown"


def _load(entry: EntryPoint) -> Any:
    loaded = entry.load()
    return loaded() if inspect.isclass(loaded) else loaded


def _seconds(check: Any) -> dict[str, float]:
    return {**SECONDS, **{name: float(value) for name, value in getattr(check, "seconds", {}).items()}}


def _describe(check_id: str, entry: EntryPoint) -> dict[str, Any]:
    """What is known of a check before it runs; one that cannot be loaded is described by its error."""
    known = {"id": check_id, "source": _source(entry)}
    nothing = {"title": entry.name, "needs": [], "seconds": SECONDS, "patience": PATIENCE}
    try:
        check = _load(entry)
        told = {
            "title": str(check.title),
            "needs": [str(need) for need in getattr(check, "needs", ())],
            "seconds": _seconds(check),
            "patience": float(getattr(check, "patience", PATIENCE)),
        }
        if check_id != entry.name:
            raise ValueError(f"another check has the id {entry.name!r}")
        if check.id != entry.name:
            raise ValueError(f"its id is {check.id!r}, its entry point is named {entry.name!r}")
        if isinstance(getattr(check, "needs", ()), str):
            raise TypeError(f"needs is {check.needs!r}, not a tuple of ids")
        if not callable(check.run):
            raise TypeError("run is not callable")
    except BaseException as error:  # anybody's module may raise anything, SystemExit too
        return {**known, **nothing, "error": f"{type(error).__name__}: {error}"}
    return {**known, **told, "error": None}


def _items(result: Any) -> Iterator[Finding | Mapping[str, Any]]:
    if result is None:
        return
    if isinstance(result, Finding | Mapping):
        yield result
        return
    yield from cast("Iterable[Finding | Mapping[str, Any]]", result)


def _as_message(item: Any) -> dict[str, Any]:
    if isinstance(item, Finding):
        # Encoded and decoded, so that a wrong type is the check's error here and not the report's later.
        return {"finding": msgspec.to_builtins(msgspec.convert(msgspec.to_builtins(item), Finding))}
    if isinstance(item, Mapping):
        return {"facts": {key: _plain(value) for key, value in item.items()}}
    raise TypeError(f"a check yields findings and dicts of facts, not {type(item).__name__}")


def _plain(value: Any) -> Any:
    """Facts as JSON; control characters are left in for the doctor to see and neutralise."""
    return msgspec.to_builtins(value, enc_hook=str, str_keys=True)
