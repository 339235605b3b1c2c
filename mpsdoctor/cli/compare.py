"""`mpsdoctor compare`: what changed between two reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from mpsdoctor import clean, console
from mpsdoctor.cli.examine import deliver
from mpsdoctor.cli.options import Options, examples
from mpsdoctor.compare import compare
from mpsdoctor.console import Exit
from mpsdoctor.formats import compared
from mpsdoctor.intake import UnfitError, read_report
from mpsdoctor.report import Report
from mpsdoctor.texts import say

LARGEST = 64 << 20  # bytes; a report of the standard budget has 600 kB a device
KNOWN = 1  # schema_version
SHARED = ("as_json", "files", "no_color", "verbose", "quiet")


class NoReportError(ValueError):
    """A file that cannot be compared; the text tells why, in one line."""


def compare_command(parent: click.Group) -> click.Command:
    """The command, with the options for output that it shares with the check-up."""
    file = click.Path(path_type=Path)
    own: list[click.Parameter] = [
        click.Argument(["old"], type=file, metavar="OLD.json"),
        click.Argument(["new"], type=file, metavar="NEW.json"),
        click.Option(
            ["--format", "formats"], multiple=True, type=click.Choice(sorted(compared.FORMATS)), help="Output format."
        ),
    ]
    shared = [parameter for parameter in parent.params if parameter.name in SHARED]
    epilog = examples(
        ("mpsdoctor --json > before.json", "before an update"),
        ("mpsdoctor --json > after.json", "and after it"),
        ("mpsdoctor compare before.json after.json", "what it changed"),
        ("mpsdoctor compare a.json b.json --output c.html", "as a page"),
    )
    short = "Tell what changed between two reports."
    params = [*own, *shared]
    return click.Command("compare", callback=run, params=params, help=run.__doc__, short_help=short, epilog=epilog)


@click.pass_context
def run(context: click.Context, /, old: Path, new: Path, **options: Any) -> None:
    """Tell what changed between two reports of mpsdoctor --json.

    Versions, verdict, findings, operators, known issues and speed. A training is faster or slower where the interval
    of the ratio leaves out 1 and reaches beyond ±5 %; ~ stands for everything else. Speeds are not compared where that
    would mislead (another machine, another budget, a disturbed run), and the reason is told.

    Exit codes: 0 nothing is worse, 1 something is, 2 a file that is no report.
    """
    context.exit(show(Options.of(context), old, new))


def show(options: Options, old: Path, new: Path) -> Exit:
    """Compare and print; the exit code."""
    into = options.outlets()
    for outlet in into:
        if outlet.form not in compared.FORMATS:
            raise click.UsageError(say("compare.no_format", form=outlet.form, names=list(compared.FORMATS)))
    try:
        comparison = compare(read(old), read(new))
    except NoReportError as error:
        console.complain(str(error))
        return Exit.USAGE
    text = compared.FORMATS["text"].render
    written = [deliver(comparison, outlet, options, text, formats=compared.FORMATS) for outlet in into]
    if not all(written):
        return Exit.USAGE
    return Exit.FINDINGS if comparison.worse else Exit.OK


def read(path: Path) -> Report:
    """The report in a file. NoReportError."""
    file = clean.line(str(path))
    try:
        with path.open("rb") as stream:
            raw = stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise NoReportError(say("compare.unreadable", file=file, reason=reason)) from None
    if len(raw) > LARGEST:
        raise NoReportError(say("compare.too_large", file=file, most=LARGEST))
    try:
        return read_report(raw)
    except UnfitError as error:
        raise NoReportError(explain(file, raw, clean.line(str(error)))) from None


def explain(file: str, raw: bytes, reason: str) -> str:
    """Why this is no report, by what it is instead."""
    try:
        document = json.loads(raw)
    except json.JSONDecodeError as error:
        name = "events" if error.msg == "Extra data" else "no_json"
        return say("compare.events", file=file) if name == "events" else say("compare.no_json", file=file, reason=error)
    except (RecursionError, ValueError):
        return say("compare.no_report", file=file, reason=reason)
    if isinstance(document, dict) and "fingerprint" in document and "schema" in document:
        return say("compare.profile", file=file)
    version = document.get("schema_version", KNOWN) if isinstance(document, dict) else KNOWN
    if isinstance(version, int) and version != KNOWN:
        return say("compare.other_schema", file=file, found=version, known=KNOWN)
    return say("compare.no_report", file=file, reason=reason)
