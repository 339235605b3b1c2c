"""One check-up from the command line: run it, write the profile, hand the report to streams and files."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from mpsdoctor import console, prescription
from mpsdoctor.checkup import CheckUp, Event, Settings
from mpsdoctor.console import Exit, Narrator
from mpsdoctor.formats import FORMATS, Style
from mpsdoctor.report import Report

GRAVE = {"never": (), "error": ("error",), "warning": ("error", "warning")}


@dataclass(frozen=True)
class Outlet:
    """A format, and the file it goes to; None is stdout."""

    form: str
    file: Path | None


def outlets(forms: Sequence[str], files: Sequence[str]) -> list[Outlet]:
    """Formats paired with files in their order (`-` is stdout), one left over for stdout. ValueError if ambiguous."""
    forms = forms or ("text",)
    if len(files) > len(forms):
        raise ValueError(f"{len(files)} times --output, but {len(forms)} times --format; give them in pairs")
    if len(forms) > len(files) + 1:
        raise ValueError(f"only one of {', '.join(forms)} can go to stdout; give the others an --output")
    places = [None if file == "-" else Path(file).expanduser() for file in (*files, "-")]
    paired = [Outlet(form, place) for form, place in zip(forms, places, strict=False)]
    if len({outlet.file for outlet in paired}) < len(paired):
        raise ValueError("two formats cannot go to the same --output")
    for outlet in paired:
        if outlet.file and (outlet.file.is_dir() or not outlet.file.absolute().parent.is_dir()):
            raise ValueError(f"{outlet.file} cannot be written: it is a folder, or lies in none")
    return paired


def check_up(settings: Settings, into: list[Outlet], options: dict[str, Any]) -> Exit:
    """Run it and report; the exit code."""
    narrator = Narrator(quiet=bool(options["quiet"]))
    streams = any(outlet == Outlet("jsonl", None) for outlet in into)

    def emit(event: Event) -> None:
        narrator(event)
        if streams:
            write_stdout(msgspec.json.encode(event) + b"\n")

    checkup = CheckUp(settings, emit)
    with console.interrupts(checkup.cancel):
        report = checkup.run()
    narrator.close()
    trouble = None
    if not checkup.cancelled:
        report, trouble = prescription.record(report, settings)
    if trouble:
        console.complain(f"the profile was not written: {trouble}")
    shown = [show(report, outlet, options) for outlet in into]
    if checkup.cancelled:
        console.complain("interrupted; no profile was written")
        return Exit.INTERRUPTED
    return exit_code(report, options["fail_on"], configured=not trouble and all(shown))


def exit_code(report: Report, fail_on: str, *, configured: bool) -> Exit:
    """What the report means for the one who waits: broken before misconfigured before findings."""
    if any(check.status == "error" for check in report.checks):
        return Exit.BROKEN
    if not configured:
        return Exit.USAGE
    severities = {finding.severity for check in report.checks for finding in check.findings}
    return Exit.FINDINGS if severities.intersection(GRAVE[fail_on]) else Exit.OK


def show(report: Report, outlet: Outlet, options: dict[str, Any]) -> bool:
    """Print the report, or write its file; what cannot be written is printed, so that nothing is lost."""
    style = Style(verbosity=options["verbose"] - options["quiet"])
    if outlet.file:
        try:
            outlet.file.write_text(FORMATS[outlet.form](report, style), encoding="utf-8")
        except OSError as error:
            console.complain(f"{outlet.file} cannot be written: {error.strerror}; here is the {outlet.form} report")
            return show(report, Outlet(outlet.form, None), options) and False
        console.complain(f"{outlet.form} report written to {outlet.file}")
        return True
    if outlet.form == "text":
        style = Style(console.colours(sys.stdout, options["no_color"]), console.unicode(sys.stdout), style.verbosity)
    text = FORMATS[outlet.form](report, style)
    write_stdout(text.encode("utf-8"))
    return outlet.form != "github" or step_summary(report, style)


def step_summary(report: Report, style: Style) -> bool:
    """Append the Markdown to the job's summary, where GitHub Actions names a file for it; whether that went well."""
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    try:
        if place:
            with Path(place).open("a", encoding="utf-8") as file:
                file.write(FORMATS["markdown"](report, style))
    except OSError as error:
        console.complain(f"{place}, which GITHUB_STEP_SUMMARY names, cannot be written: {error.strerror}")
        return False
    return True


def write_stdout(data: bytes) -> None:
    """The same bytes into a terminal, a file or a pipe, whatever the locale."""
    sys.stdout.buffer.write(data)
    sys.stdout.flush()
