"""One check-up from the command line: run it, write the profile, hand the report to streams and files."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

import click
import msgspec

from mpsdoctor import clean, console, prescription
from mpsdoctor.check import OwnCodeError
from mpsdoctor.checkup import CheckUp
from mpsdoctor.cli.options import Options, Outlet
from mpsdoctor.console import Exit, Narrator
from mpsdoctor.events import Emit, Event
from mpsdoctor.formats import FORMATS, Format, Style, told
from mpsdoctor.report import Report
from mpsdoctor.texts import say

GRAVE = {"never": (), "error": ("error",), "warning": ("error", "warning")}


class Engine(Protocol):
    """A check-up, or whatever else runs once, can be cancelled, and ends with a report."""

    cancelled: bool

    def run(self) -> Report: ...
    def cancel(self) -> None: ...


E = TypeVar("E", bound=Engine)
Document = TypeVar("Document")  # a report, or what compares two
Keep = Callable[[Report], tuple[Report, str | None]]  # the report with what was written, and what went wrong
Render = Callable[[Report, Style], str]
Streams = dict[Outlet, BinaryIO]


def check_up(options: Options) -> Exit:
    """A check-up, and the profile of it; the exit code."""
    settings = options.settings()

    def record(report: Report) -> tuple[Report, str | None]:
        report, trouble = prescription.record(report, settings)
        return report, trouble and say("cli.profile_not_written", why=trouble)

    return examine(partial(CheckUp, settings), options, keep=record, interrupted="cli.interrupted_no_profile")


def exit_code_of(run: Callable[[], Exit], *, verbose: bool) -> Exit:
    """The exit code of a command that takes something of the person's. click.UsageError for what cannot be done.

    What their own code raised is no wrong use: a line with its place, and with `verbose` its traceback.
    """
    try:
        return run()
    except OwnCodeError as error:
        for line in error.traceback.splitlines() if verbose else ():
            console.say(line)
        console.complain(say("cli.code_failed", error=clean.line(str(error))))
        return Exit.USAGE
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def examine(
    make: Callable[[Emit], E],
    options: Options,
    *,
    begin: Callable[[E], None] = lambda engine: None,
    keep: Keep | None = None,
    text: Render = FORMATS["text"].render,
    interrupted: str = "cli.interrupted",
) -> Exit:
    """Run an engine, keep what it found, show its report; the exit code.

    `begin` is called when it can be cancelled already, `keep` only if it was not; `text` renders the format for people.
    """
    into = options.outlets()
    with contextlib.ExitStack() as stack:
        streams = open_streams(into, stack)
        engine, report = perform(make, streams, options, begin)
        trouble = None
        if keep and not engine.cancelled:
            report, trouble = keep(report)
        if trouble:
            console.complain(trouble)
        written = [deliver(report, outlet, options, text, streams.get(outlet)) for outlet in into]
    if engine.cancelled:
        console.complain(say(interrupted))
        return Exit.INTERRUPTED
    return exit_code(report, options.fail_on, configured=not trouble and all(written))


def open_streams(into: list[Outlet], stack: contextlib.ExitStack) -> Streams:
    """What takes a line for each event; a file that cannot be opened is told of when the report is to go there."""
    streams: Streams = {}
    for outlet in into:
        if FORMATS[outlet.form].streams and outlet.file is None:
            streams[outlet] = sys.stdout.buffer
        elif FORMATS[outlet.form].streams and outlet.file:
            with contextlib.suppress(OSError):
                streams[outlet] = stack.enter_context(outlet.file.open("wb", buffering=0))
    return streams


def write_all(stream: BinaryIO, data: bytes) -> int:
    """Write and flush: a file without a buffer, whose failed write nobody meets again, may take a part at a time."""
    done = 0
    while done < len(data):
        done += stream.write(data[done:])
    stream.flush()
    return done


def write_event(event: Event, streams: Streams) -> None:
    """A line into each stream; a file that takes no more is told of when the report is to go there."""
    line = clean.inert_json(msgspec.json.encode(event).decode()).encode() + b"\n"
    for outlet, stream in streams.items():
        try:
            write_all(stream, line)
        except OSError:
            if outlet.file is None:
                raise


def perform(
    make: Callable[[Emit], E], streams: Streams, options: Options, begin: Callable[[E], None]
) -> tuple[E, Report]:
    """Run it, telling what goes on; Ctrl+C cancels it."""
    narrator = Narrator(quiet=bool(options.quiet))

    def emit(event: Event) -> None:
        narrator(event)
        if streams:
            write_event(event, streams)

    engine = make(emit)
    with console.interrupts(engine.cancel):
        try:
            begin(engine)
            return engine, engine.run()
        finally:
            narrator.close()


def exit_code(report: Report, fail_on: str, *, configured: bool) -> Exit:
    """What the report means for the one who waits: broken before misconfigured before findings."""
    if any(check.status == "error" for check in report.checks):
        return Exit.BROKEN
    if not configured:
        return Exit.USAGE
    severities = {finding.severity for check in report.checks for finding in check.findings}
    return Exit.FINDINGS if severities.intersection(GRAVE[fail_on]) else Exit.OK


def deliver(
    report: Document,
    outlet: Outlet,
    options: Options,
    text: Callable[[Document, Style], str],
    stream: BinaryIO | None = None,
    formats: Mapping[str, Format] = FORMATS,
) -> bool:
    """Print the report, or write its file; what cannot be written is printed, so that nothing is lost.

    `stream` is the file where the events stand in it already.
    """
    style, form = Style(verbosity=options.verbosity), formats[outlet.form]
    render = (lambda report, style: clean.inert(text(told(report), style))) if form.for_people else form.render
    if outlet.file:
        try:
            data = render(report, style).encode("utf-8")
            _ = write_all(stream, data) if stream else outlet.file.write_bytes(data)
        except OSError as error:
            console.complain(say("cli.cannot_write", file=outlet.file, why=error.strerror, form=outlet.form))
            return deliver(report, Outlet(outlet.form, None), options, text, formats=formats) and False
        console.complain(say("cli.written", form=outlet.form, file=outlet.file))
        return True
    if form.for_people:
        style = Style(console.colours(sys.stdout, options.no_color), console.unicode(sys.stdout), style.verbosity)
    write_stdout(render(report, style).encode("utf-8"))
    return not (form.job_summary and isinstance(report, Report)) or append_job_summary(report, style)


def append_job_summary(report: Report, style: Style) -> bool:
    """Append the Markdown to the job's summary, where GitHub Actions names a file for it; whether that went well."""
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    try:
        if place:
            with Path(place).open("a", encoding="utf-8") as file:
                file.write(FORMATS["markdown"].render(report, style))
    except OSError as error:
        console.complain(say("cli.no_summary", file=place, why=error.strerror))
        return False
    return True


def write_stdout(data: bytes) -> None:
    """The same bytes into a terminal, a file or a pipe, whatever the locale."""
    sys.stdout.buffer.write(data)
    sys.stdout.flush()
