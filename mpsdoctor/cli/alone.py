"""What the commands that examine one thing alone share with a check-up: options, streams, the run."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import click
import msgspec
from click.core import ParameterSource

from mpsdoctor import console
from mpsdoctor.checkup import Emit, Event
from mpsdoctor.cli.examine import Outlet, outlets, write_stdout
from mpsdoctor.console import Narrator
from mpsdoctor.report import Report

# Options of a check-up that mean the same here.
SHARED = (
    "as_json", "formats", "files", "devices", "budget", "python", "fail_on", "no_color", "verbose", "quiet",
)  # fmt: skip


class Engine(Protocol):
    """A check-up, or whatever else runs once, can be cancelled, and ends with a report."""

    cancelled: bool

    def run(self) -> Report: ...
    def cancel(self) -> None: ...


E = TypeVar("E", bound=Engine)


def command(
    parent: click.Group, name: str, callback: Callable[..., Any], own: list[click.Parameter], *more: str
) -> click.Command:
    """A command with options of its own, those that it shares with the check-up, and `more` of that."""
    shared = [parameter for parameter in parent.params if parameter.name in (*SHARED, *more)]
    return click.Command(name, callback=callback, params=[*own, *shared], help=callback.__doc__)


def filled(context: click.Context, option: click.Parameter, value: Any) -> Any:
    """The value; an option given with nothing, as from a shell variable that is not set, is a mistake."""
    for one in value if isinstance(value, tuple) else (value,):
        if one is not None and not one.strip(" ,"):
            raise click.BadParameter("it is empty")
    return value


def timeout_option(help: str) -> click.Option:
    """--timeout: seconds, up to a day."""
    limits = click.FloatRange(min=0.1, max=86_400)
    return click.Option(["--timeout"], type=limits, callback=_number, default=60.0, show_default=True, help=help)


def _number(context: click.Context, option: click.Parameter, value: float) -> float:
    if math.isnan(value):  # no comparison with a limit refuses it
        raise click.BadParameter("nan is no number of seconds")
    return value


def merged(context: click.Context, options: dict[str, Any]) -> dict[str, Any]:
    """The options of this command, and those given before its name."""
    given = {**options}
    parent = context.find_root()
    for name in options.keys() & parent.params.keys():
        if context.get_parameter_source(name) in (None, ParameterSource.DEFAULT):
            given[name] = parent.params[name]
    return given


def outlets_of(options: dict[str, Any]) -> list[Outlet]:
    """Where the report goes. ValueError where that is ambiguous."""
    named = (*options["formats"], *(("json",) if options["as_json"] else ()))
    return outlets(tuple(dict.fromkeys(named)) if not options["files"] else named, options["files"])


def performed(
    make: Callable[[Emit], E], into: list[Outlet], options: dict[str, Any], begin: Callable[[E], None] | None = None
) -> tuple[E, Report]:
    """Run it, telling what goes on; Ctrl+C cancels it. `begin` is called when it can be cancelled already."""
    narrator = Narrator(quiet=bool(options["quiet"]))

    def emit(event: Event) -> None:
        narrator(event)
        if Outlet("jsonl", None) in into:
            write_stdout(msgspec.json.encode(event) + b"\n")

    engine = make(emit)
    with console.interrupts(engine.cancel):
        try:
            if begin:
                begin(engine)
            return engine, engine.run()
        finally:
            narrator.close()
