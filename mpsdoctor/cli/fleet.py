"""`mpsdoctor fleet merge`: one report of many machines, from files; and how that report is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from mpsdoctor import clean, console
from mpsdoctor.cli.compare import NoReportError
from mpsdoctor.cli.examine import GRAVE, deliver
from mpsdoctor.cli.options import Options, Outlet, examples
from mpsdoctor.console import Exit
from mpsdoctor.formats import merged
from mpsdoctor.intake import UnfitError
from mpsdoctor.merging.reading import LARGEST, Read, merge_files, read_file
from mpsdoctor.merging.shapes import FleetReport, spans
from mpsdoctor.texts import say

SHARED = ("as_json", "files", "fail_on", "no_color", "verbose", "quiet")


def fleet_command(parent: click.Group) -> click.Command:
    """The command, with its one subcommand."""
    short = "Many machines in one report, to be trained on together."
    group = click.Group("fleet", help=group_help.__doc__, short_help=short, epilog=EXAMPLES)
    group.add_command(merge_command(parent))
    return group


def group_help() -> None:
    """Examine many machines, and say what they tell together: who did not answer, what differs, who is slow.

    torchrun starts it on all of them and gathers: torchrun --nnodes N --node-rank I --master-addr HOST -m
    mpsdoctor.fleet [options of a check-up] [--timeout S]. Where machines do not reach each other, or under srun, ssh or
    CI, make a report on each and merge them.
    """


EXAMPLES = examples(
    ("torchrun --nnodes 4 … -m mpsdoctor.fleet", "gather"),
    ("mpsdoctor --json > $(hostname).json", "or on each machine,"),
    ("mpsdoctor fleet merge *.json", "and then once"),
    ("mpsdoctor fleet merge *.json --baseline old.json", "what changed"),
)


def output_options(parent: click.Group) -> list[click.Parameter]:
    """Where the report goes, in which formats, compared with what, and which finding is a failure."""
    formats = click.Option(
        ["--format", "formats"], multiple=True, type=click.Choice(sorted(merged.FORMATS)), help="Output format."
    )
    baseline = click.Option(
        ["--baseline"], type=click.Path(path_type=Path), metavar="OLD", help="Name machines that changed since OLD."
    )
    return [formats, baseline, *(parameter for parameter in parent.params if parameter.name in SHARED)]


def merge_command(parent: click.Group) -> click.Command:
    files = click.Argument(
        ["reports"], nargs=-1, required=True, type=click.Path(path_type=Path), metavar="REPORT.json..."
    )
    params = [files, *output_options(parent)]
    short = "Make one report of the reports of many machines."
    return click.Command("merge", callback=run, params=params, help=run.__doc__, short_help=short, epilog=EXAMPLES)


@click.pass_context
def run(context: click.Context, /, reports: tuple[Path, ...], baseline: Path | None, **options: Any) -> None:
    """Make one report of the reports of many machines.

    REPORT.json is what mpsdoctor --json prints, the n-th one becoming rank n, or what a machine kept of itself when
    torchrun gathered, or a whole report of many machines. --baseline OLD is such a whole report.

    Exit codes: 0 no finding at or above --fail-on, 1 there is one, 2 a file that is no report, 3 a check failed.
    """
    choices = Options.of(context)
    into = outlets(choices)
    try:
        fleet = merge_files(read_all(reports, quiet=bool(choices.quiet)), read_baseline(baseline))
    except (NoReportError, UnfitError) as error:
        console.complain(str(error))
        context.exit(Exit.USAGE)
    context.exit(show(fleet, choices, into))


def outlets(options: Options) -> list[Outlet]:
    """click.UsageError for a format that a fleet has not."""
    into = options.outlets()
    for outlet in into:
        if outlet.form not in merged.FORMATS:
            raise click.UsageError(say("many.no_format", form=outlet.form, names=list(merged.FORMATS)))
    return into


def read_baseline(path: Path | None) -> FleetReport | None:
    """NoReportError, UnfitError."""
    return merge_files([read_path(path, 0)]) if path else None


def read_all(paths: Sequence[Path], *, quiet: bool) -> Iterator[Read]:
    """All files; which one is which rank is told, as no report names its machine. NoReportError."""
    rank = 0
    for path in paths:
        read = read_path(path, rank)
        rank += len(read.machines)
        if not quiet:
            ranks = spans([machine.rank for machine in read.machines])
            console.complain(say("many.is_rank", ranks=ranks, file=clean.line(str(path))))
        yield read


def read_path(path: Path, rank: int) -> Read:
    """What a file holds. NoReportError."""
    file = clean.line(str(path))
    try:
        with path.open("rb") as stream:
            raw = stream.read(64 * LARGEST)
        return read_file(raw, rank)
    except (OSError, ValueError) as error:
        why = (isinstance(error, OSError) and error.strerror) or str(error)
        raise NoReportError(say("many.unfit", file=file, why=clean.line(why))) from None


def show(fleet: FleetReport, options: Options, into: list[Outlet]) -> Exit:
    """Print the report, write its files; the exit code."""
    text = merged.FORMATS["text"].render
    written = [deliver(fleet, outlet, options, text, formats=merged.FORMATS) for outlet in into]
    return exit_code(fleet, options.fail_on) if all(written) else Exit.USAGE


def exit_code(fleet: FleetReport, fail_on: str) -> Exit:
    """What it means for the one who waits: a check that failed before findings, of the fleet and of its machines."""
    checks = [check for machine in fleet.machines if machine.report for check in machine.report.checks]
    if any(check.status == "error" for check in checks):
        return Exit.BROKEN
    found = [*fleet.findings, *(finding for check in checks for finding in check.findings)]
    return Exit.FINDINGS if {finding.severity for finding in found}.intersection(GRAVE[fail_on]) else Exit.OK
