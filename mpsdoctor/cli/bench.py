"""`mpsdoctor bench`: timed training alone, of the small models or of a person's own training step."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from mpsdoctor import bench as engine
from mpsdoctor import console, profile
from mpsdoctor.checkup import CheckUp, Settings
from mpsdoctor.cli.alone import command, filled, merged, outlets_of, performed, timeout_option
from mpsdoctor.cli.examine import Outlet, exit_code, show
from mpsdoctor.console import Exit
from mpsdoctor.ops import model
from mpsdoctor.ops.session import Session, UnusableRequestError
from mpsdoctor.report import Report


def bench_command(parent: click.Group) -> click.Command:
    """The command, with the options it shares with the check-up."""
    own: list[click.Parameter] = [
        click.Option(["--step"], metavar="FILE.py:FUNC", callback=filled, help="Time your own training step instead."),
        click.Option(["--store", "name"], metavar="NAME", help="Keep the winner of --step in the profile as NAME."),
        timeout_option("Seconds that one step may take, on any device."),
    ]
    return command(parent, "bench", bench, own, "profile_path")


@click.pass_context
def bench(context: click.Context, /, **options: Any) -> None:
    """Time training alone: small models on every device, or your own training step.

    --step: FUNC(device) of your file returns a function that makes one training step on that device, or that
    function and the number of samples it takes. It is called in a process of its own for each device, which take
    turns. --store NAME: get_optimal_device(workload="NAME") gives the winner from then on. Nothing else is written
    to the profile.
    """
    try:
        context.exit(run(merged(context, options)))
    except (UnusableRequestError, ValueError) as error:
        if isinstance(error, click.ClickException):
            raise
        raise click.UsageError(str(error)) from None


def run(options: dict[str, Any]) -> Exit:
    """Time and report; the exit code. UnusableRequestError for what cannot be done."""
    if options["name"] is not None and not options["step"]:
        raise UnusableRequestError("--store goes with --step")
    shared = {name: options[name] for name in ("budget", "devices", "python")}
    settings = Settings(only=("training",), write_profile=False, **shared)
    into = outlets_of(options)
    if options["step"]:
        return run_step(options, settings, into)
    checkup, report = performed(partial(CheckUp, settings), into, options)
    return ended(report, into, options, cancelled=checkup.cancelled)


def run_step(options: dict[str, Any], settings: Settings, into: list[Outlet]) -> Exit:
    wanted = model.target(options["step"], "--step")
    name = None if options["name"] is None else engine.usable_name(options["name"])
    path = profile.locate(options["profile_path"])
    called = name or f"{wanted.file.name}:{wanted.function}"
    collect = partial(
        engine.examine, wanted=wanted, name=called, seconds=options["timeout"], store=path if name else None
    )
    session, report = performed(lambda emit: Session(settings, emit, collect, engine.ABOUT), into, options)
    report, trouble = engine.judged(report, cancelled=session.cancelled), None
    if name and not session.cancelled:
        report, trouble = kept(report, name, path)
    return ended(report, into, options, cancelled=session.cancelled, trouble=trouble)


def kept(report: Report, name: str, path: Path) -> tuple[Report, str | None]:
    """The report with the place of the profile in it, and in words what went wrong, if anything did."""
    try:
        report = engine.stored(report, name, path)
    except (profile.ProfileError, FileNotFoundError) as error:
        return report, str(error)
    console.complain(f"stored in {profile.shown(path)}; trainers ask for get_optimal_device(workload={name!r})")
    return report, None


def ended(
    report: Report, into: list[Outlet], options: dict[str, Any], *, cancelled: bool, trouble: str | None = None
) -> Exit:
    """Show the report; the exit code."""
    if trouble:
        console.complain(f"nothing was stored: {trouble}")
    shown = [show(report, outlet, options) for outlet in into]
    if cancelled:
        console.complain("interrupted")
        return Exit.INTERRUPTED
    return exit_code(report, options["fail_on"], configured=not trouble and all(shown))
