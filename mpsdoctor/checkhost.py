"""Runs inside a process that hosts checks: finds them, describes them, and runs one at a time.

A check may be anybody's code. It runs here, not in the doctor, so that one that crashes, hangs or prints costs
that check only. What it finds is sent as it comes, so that nothing is lost when it dies. Ours share a process; a
third party's is imported in a process of its own and nowhere else.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, distributions
from typing import Any, cast

import msgspec

from mpsdoctor import clean, texts
from mpsdoctor.check import PATIENCE, SECONDS, Budget, Context, Finding, Skip, Workers

GROUP = "mpsdoctor.checks"
OUR_PACKAGE = "mpsdoctor_checks"
# The order of the report; a wheel sorts its entry points by name.
BUILT_IN = ("chip", "build", "environment", "operators", "known-issues", "memory", "training", "libraries")
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")  # shown everywhere, and typed on command lines
LONGEST = 86_400  # seconds: a check that may take longer than a day is one that may hang
MOST_ITEMS = 1000  # a check without an end must not fill the report


def list_checks() -> dict[str, list[dict[str, Any]]]:
    """`ours`: our checks, described; `others`: id and source of each check of a third party, none of them imported."""
    entries = _entries()
    return {
        "ours": [describe(check_id) for check_id, entry in entries.items() if _is_ours(entry)],
        "others": [_known(check_id, entry) for check_id, entry in entries.items() if not _is_ours(entry)],
    }


def describe(check_id: str) -> dict[str, Any]:
    """What is known of a check before it runs, importing it; one that cannot be loaded is described by its error."""
    entry = _entries()[check_id]
    known = _known(check_id, entry)
    if known["error"]:
        return known
    try:
        return {**known, **_as_told(entry, _load(entry))}
    except BaseException as error:  # anybody's module may raise anything, SystemExit too
        return {**known, "error": _in_words(error)}


def run_check(
    check_id: str, python: str, budget: Budget, devices: list[str] | None, facts: dict[str, Any], waited_s: float
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
        waited_s=waited_s,
    )
    printed = _Printed(sys.stdout)
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            for count, item in enumerate(_items(check.run(context)), 1):
                if count > MOST_ITEMS:
                    raise ValueError(f"more than {MOST_ITEMS} findings and facts")
                _send(item)
        except Skip as reason:
            return {"skip": str(reason), "skip_values": texts.as_values(reason.wording)}
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
            _channel().group(group, alive)

    workers = Workers(python, watch)
    _channel().at_hangup.append(workers.close)
    return workers


@cache
def _entries() -> dict[str, EntryPoint]:
    """Entry points by name, ours first, then as they were found.

    A name that is taken is told apart by its distribution, so that the report can say that it is.
    """
    named: dict[str, EntryPoint] = {}
    for entry in sorted(_all_entries(), key=_place):
        named[entry.name if entry.name not in named else f"{entry.name}@{_source(entry)}"] = entry
    return named


def _all_entries() -> Iterator[EntryPoint]:
    """Those of our group, the first distribution of each name that has any, as an import would find it."""
    seen = set()
    for distribution in distributions():
        try:
            entries = [entry for entry in distribution.entry_points if entry.group == GROUP]
            name = distribution.metadata["Name"] if entries else None
        except Exception:  # any package's metadata may be broken, and it is not ours to judge
            continue
        if entries and name not in seen:
            seen.add(name)
            yield from entries


def _is_ours(entry: EntryPoint) -> bool:
    """Whether an entry point is one that mpsdoctor itself installs."""
    package = entry.value.partition(".")[0]
    return bool(entry.dist and entry.dist.name == "mpsdoctor" and entry.name in BUILT_IN) and package == OUR_PACKAGE


def _place(entry: EntryPoint) -> int:
    return BUILT_IN.index(entry.name) if _is_ours(entry) else len(BUILT_IN)


def _source(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "unknown"


def _load(entry: EntryPoint) -> Any:
    loaded = entry.load()
    return loaded() if inspect.isclass(loaded) else loaded


def _seconds(check: Any) -> dict[str, float]:
    return {**SECONDS, **{name: float(value) for name, value in getattr(check, "seconds", {}).items()}}


def _known(check_id: str, entry: EntryPoint) -> dict[str, Any]:
    return {
        "id": check_id,
        "source": _source(entry),
        "ours": _is_ours(entry),
        "title": entry.name,
        "needs": [],
        "seconds": SECONDS,
        "patience": PATIENCE,
        "timed": False,
        "error": _misnamed(check_id, entry.name),
    }


def _misnamed(check_id: str, name: str) -> str | None:
    if not ID.fullmatch(name):
        return f"its id {name!r} is not of the pattern {ID.pattern}"
    return None if check_id == name else f"another check has the id {name!r}"


def _as_told(entry: EntryPoint, check: Any) -> dict[str, Any]:
    """What a check says of itself. ValueError, TypeError, AttributeError, or whatever its attributes raise."""
    needs = getattr(check, "needs", ())
    if check.id != entry.name:
        raise ValueError(f"its id is {check.id!r}, its entry point is named {entry.name!r}")
    if isinstance(needs, str):
        raise TypeError(f"needs is {needs!r}, not a tuple of ids")
    if not callable(check.run):
        raise TypeError("run is not callable")
    seconds, patience = _seconds(check), float(getattr(check, "patience", PATIENCE))
    if not all(0 <= value <= LONGEST for value in (*seconds.values(), patience)):
        raise ValueError(f"seconds and patience are from 0 to {LONGEST}, not {seconds} and {patience}")
    return {
        "title": str(check.title),
        "needs": [str(need) for need in needs],
        "seconds": seconds,
        "patience": patience,
        "timed": bool(getattr(check, "timed", False)),
    }


def _in_words(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except BaseException:  # its text is anybody's code too
        return type(error).__name__


def _items(result: Any) -> Iterator[Finding | Mapping[str, Any]]:
    if result is None:
        return
    if isinstance(result, Finding | Mapping):
        yield result
        return
    yield from cast("Iterable[Finding | Mapping[str, Any]]", result)


def _send(item: Any) -> None:
    """Send a finding, or facts one by one; what cannot be sent is told of, and costs nothing else."""
    parts = [{key: value} for key, value in item.items()] if isinstance(item, Mapping) else [item]
    for part in parts:
        try:
            _channel().progress(_as_message(part))
        except BrokenPipeError:
            raise
        except Exception as error:  # anybody's objects may raise anything when they are looked at
            what = f"the fact {next(iter(part))!r}" if isinstance(part, dict) else "a finding"
            _channel().progress({"unfit": f"{what}: {_in_words(error)}"[:2000]})


def _as_message(item: Any) -> dict[str, Any]:
    if isinstance(item, Finding):
        # Encoded and decoded, so that a wrong type is the check's error here and not the report's later.
        return {"finding": msgspec.to_builtins(msgspec.convert(msgspec.to_builtins(item), Finding))}
    if isinstance(item, Mapping):
        return {"facts": {str(key): _plain(value) for key, value in item.items()}}
    raise TypeError(f"a check yields findings and dicts of facts, not {type(item).__name__}")


def _plain(value: Any) -> Any:
    """Facts as JSON; control characters are left in for the doctor to see and neutralise."""
    return msgspec.to_builtins(value, enc_hook=str, str_keys=True)
