"""`mpsdoctor ops`: operator probes alone, by name, all of PyTorch's own, or those of a person's model."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from mpsdoctor import console
from mpsdoctor.check import UnusableRequestError
from mpsdoctor.checkup import CheckUp, Settings
from mpsdoctor.cli.alone import command, filled, merged, outlets_of, performed, timeout_option
from mpsdoctor.cli.examine import Outlet, exit_code, show, write_stdout
from mpsdoctor.cli.session import Collect, Session
from mpsdoctor.console import Exit
from mpsdoctor.formats import Style
from mpsdoctor.report import Report


def ops_command(parent: click.Group) -> click.Command:
    """The command, with the options it shares with the check-up."""
    own: list[click.Parameter] = [
        click.Option(
            ["--op", "ops"],
            multiple=True,
            metavar="NAME",
            callback=filled,
            help="These operators alone: aten::cumsum or sum.",
        ),
        click.Option(
            ["--all", "every"], is_flag=True, help="PyTorch's own operator database (needs numpy, expecttest)."
        ),
        click.Option(
            ["--model"], metavar="FILE.py:FUNC", callback=filled, help="The operators of your own training step."
        ),
        timeout_option("Seconds that the step of --model may take on the CPU."),
        click.Option(["--predict"], type=click.Choice(["mps"]), help="Tell from declarations, on any machine."),
        click.Option(
            ["--torch", "version"],
            metavar="X.Y",
            callback=filled,
            help="Predict for this torch, not for the installed one.",
        ),
    ]
    return command(parent, "ops", ops, own)


@click.pass_context
def ops(context: click.Context, /, **options: Any) -> None:
    """Probe operators alone: which are right, wrong, missing or deadly on each device.

    Without an option: the catalogue, as far as --budget goes. --op: every variant, dtype and direction of some
    operators. --all: every sample of PyTorch's OpInfo database. --model: FUNC() of your file returns a module and
    example inputs, or a function that makes one training step; each operator it calls is replayed on each device.
    --predict: what MPS has for these operators, from PyTorch's declarations, without a Mac.
    """
    options = merged(context, options)
    try:
        context.exit(run(options, settings_of(options)))
    except (UnusableRequestError, ValueError) as error:
        if isinstance(error, click.ClickException):
            raise
        raise click.UsageError(str(error)) from None


def settings_of(options: dict[str, Any]) -> Settings:
    return Settings(
        budget=options["budget"],
        only=("operators",),
        devices=options["devices"],
        python=options["python"],
        write_profile=False,
    )


def run(options: dict[str, Any], settings: Settings) -> Exit:
    """Examine and report; the exit code. UnusableRequestError for what cannot be done."""
    collect = collector(options)
    into = outlets_of(options)

    def begin(session: Session | CheckUp) -> None:
        if isinstance(session, Session) and options["every"]:
            from mpsdoctor_checks.operators import exhaustive

            exhaustive.start(session.workers)

    session, report = performed(
        lambda emit: Session(settings, emit, collect) if collect else CheckUp(settings, emit), into, options, begin
    )
    shown = [deliver(report, outlet, options) for outlet in into]
    if session.cancelled:
        console.complain("interrupted")
        return Exit.INTERRUPTED
    return exit_code(report, options["fail_on"], configured=all(shown))


def collector(options: dict[str, Any]) -> Collect | None:
    """What to do, by the options; None for the check as it is. UnusableRequestError if they do not go together."""
    names = tuple(part.strip() for value in options["ops"] for part in value.split(",") if part.strip())
    if options["version"] and not options["predict"]:
        raise UnusableRequestError("--torch goes with --predict mps")
    if options["predict"]:
        return prediction(options, names)
    if options["model"] and (names or options["every"]):
        raise UnusableRequestError("--model goes with neither --op nor --all")
    if options["model"]:
        from mpsdoctor_checks.operators import model

        return partial(model.examine, wanted=model.target(options["model"]), seconds=options["timeout"])
    if options["every"]:
        from mpsdoctor_checks.operators import exhaustive

        return partial(exhaustive.examine, names=names)
    if names:
        from mpsdoctor_checks.operators import named

        return partial(named.examine, names=names)
    return None


def prediction(options: dict[str, Any], names: tuple[str, ...]) -> Collect:
    """What --predict does: of the model's operators, of those named, or of the catalogue's."""
    from mpsdoctor_checks.operators import model, predicted

    if options["every"] or (options["model"] and names):
        raise UnusableRequestError("--predict goes with --model or --op, or with neither")
    wanted = model.target(options["model"]) if options["model"] else None
    more = {"version": options["version"], "seconds": options["timeout"]}
    return partial(predicted.examine, wanted=wanted, names=names, **more)


def deliver(report: Report, outlet: Outlet, options: dict[str, Any]) -> bool:
    """Print or write one format; the text is a table of operators, all others are those of a check-up."""
    if outlet.form != "text":
        return show(report, outlet, options)
    from mpsdoctor.formats import operators

    verbosity = options["verbose"] - options["quiet"]
    if outlet.file:
        return write(outlet.file, operators.render(report, Style(verbosity=verbosity)))
    style = Style(console.colours(sys.stdout, options["no_color"]), console.unicode(sys.stdout), verbosity)
    write_stdout(operators.render(report, style).encode("utf-8"))
    return True


def write(file: Path, text: str) -> bool:
    """Write a report to its file, or print it where that fails."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        console.complain(f"{file} cannot be written: {error.strerror}; here is the text report")
        write_stdout(text.encode("utf-8"))
        return False
    console.complain(f"text report written to {file}")
    return True
