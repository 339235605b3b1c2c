"""`mpsdoctor run --watch`: starts a training, samples it each second, and tells at its end what was seen."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from mpsdoctor import __version__, clean, machine
from mpsdoctor.runtime import running
from mpsdoctor.texts import say
from mpsdoctor.watch import log, telling
from mpsdoctor.watch.history import History
from mpsdoctor.watch.inbox import Inbox
from mpsdoctor.watch.parent import Training, end_as, passing_on
from mpsdoctor.watch.sampling import EVERY, Sampler
from mpsdoctor.watch.shapes import Begin, End, Line

NICE = 10  # what samples takes second place to what is sampled


class Record:
    """Where lines go: into memory for the summary, and into a file if one was asked for."""

    def __init__(self, path: Path | None) -> None:
        """OSError where the file cannot be written."""
        self.history = History()
        self.path, self.writer = path, log.Writer(path) if path else None

    def add(self, line: Line) -> None:
        """A file that takes no more is told of once."""
        self.history.add(line)
        try:
            if self.writer:
                self.writer.write(line)
        except OSError as error:
            complain(say("watch.file_failed", file=self.path, why=error.strerror))
            self.close()

    def close(self) -> None:
        if self.writer:
            with suppress(OSError):
                self.writer.close()
        self.writer = None


def start(command: Sequence[str], device: str | None, profile: str | None, output: Path | None) -> int:
    """Run the command, watched; its exit code, or the end by the signal that ended it."""
    try:
        record = Record(output)
    except OSError as error:
        complain(say("watch.no_file", file=output, why=error.strerror))
        return running.USAGE
    inbox = open_inbox()
    try:
        status = run(command, variables(device, profile, inbox), record, inbox)
    finally:
        record.close()
        if inbox:
            inbox.close()
    return end_as(status)


def open_inbox() -> Inbox | None:
    try:
        return Inbox()
    except OSError as error:
        complain(say("watch.no_hook", why=error.strerror or error))
        return None


def variables(device: str | None, profile: str | None, inbox: Inbox | None) -> dict[str, str]:
    steered = running.environment(running.read_valid(profile), device)
    return {**steered, "MPSDOCTOR_WATCH": inbox.path} if inbox else steered


def run(command: Sequence[str], environment: dict[str, str], record: Record, inbox: Inbox | None) -> int:
    """The exit status of the command; the summary stands on stderr by then."""
    with passing_on() as signals:
        try:
            training = Training(command, environment)
        except (OSError, ValueError) as error:
            running.complain_of_start(command[0], error)
            return running.USAGE
        signals.pass_to(training)
        with suppress(OSError, AttributeError):
            os.nice(NICE)
        try:
            watch(training, command, record, inbox)
        except Exception as error:  # a fault of ours must not take a training down
            complain(say("watch.sampling_failed", why=repr(error)))
        return training.status


def watch(training: Training, command: Sequence[str], record: Record, inbox: Inbox | None) -> None:
    """Sample until the training has ended, then tell."""
    started = time.monotonic()
    record.add(begin(command))
    sampler = Sampler(training.process.pid, inbox, started)
    due = started
    while not training.ended.wait(max(0.0, due - time.monotonic())):
        record.add(sampler.take())
        due = max(due + EVERY, time.monotonic())
    record.add(sampler.take())
    record.add(End(round(time.monotonic() - started, 2), training.status))
    for line in telling.lines(record.history):
        complain(line)


def begin(command: Sequence[str]) -> Begin:
    facts = machine.facts()
    return Begin(
        schema=1,
        tool=f"mpsdoctor {__version__}",
        started=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        command=log.clean_command(tuple(command)),
        os=facts.get("os"),
        os_version=facts.get("os_version"),
        chip=facts.get("chip"),
        memory_bytes=facts.get("memory_bytes"),
    )


def complain(text: str) -> None:
    """A line on stderr, which may be closed or gone."""
    with suppress(OSError, ValueError, AttributeError):
        stream = sys.stderr
        encoding = stream.encoding or "ascii"
        line = clean.inert(f"mpsdoctor: {clean.line(text)}")
        print(line.encode(encoding, "replace").decode(encoding), file=stream, flush=True)
