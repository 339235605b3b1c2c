"""The options of the check-up, which the commands that examine one thing share with it."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import click
from click.core import ParameterSource

from mpsdoctor import language
from mpsdoctor.events import Settings
from mpsdoctor.formats import FORMATS
from mpsdoctor.texts import say

# Options of a check-up that mean the same for a part of it.
SHARED = (
    "as_json", "formats", "files", "devices", "budget", "python", "fail_on", "no_color", "verbose", "quiet",
)  # fmt: skip


@dataclass(frozen=True)
class Outlet:
    """A format, and the file it goes to; None is stdout."""

    form: str
    file: Path | None


@dataclass(frozen=True)
class Options:
    """What was typed."""

    as_json: bool = False
    formats: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    devices: tuple[str, ...] | None = None
    budget: str = "standard"
    python: str = sys.executable
    fail_on: str = "error"
    profile_path: str | None = None
    no_profile: bool = False
    no_color: bool = False
    verbose: int = 0
    quiet: int = 0

    @classmethod
    def of(cls, context: click.Context) -> Self:
        """Those of a command, and what was given before its name."""
        values, parent = dict(context.params), context.find_root()
        for name in values.keys() & parent.params.keys():
            if context.get_parameter_source(name) in (None, ParameterSource.DEFAULT):
                values[name] = parent.params[name]
        return cls(**{field.name: values[field.name] for field in fields(cls) if field.name in values})

    @property
    def verbosity(self) -> int:
        return self.verbose - self.quiet

    def settings(self, *only: str) -> Settings:
        """What a check-up does, or a part of it, which writes no profile."""
        return Settings(
            budget=self.budget,
            only=only or self.only,
            skip=self.skip,
            devices=self.devices,
            python=self.python,
            profile_path=self.profile_path,
            write_profile=not (self.no_profile or only),
        )

    def outlets(self) -> list[Outlet]:
        """Where the report goes; click.UsageError where that is ambiguous."""
        if self.as_json and self.formats and self.files:
            raise click.UsageError(say("cli.json_and_format"))
        named = (*self.formats, *(("json",) if self.as_json else ()))
        try:
            return pair_outlets(named if self.files else tuple(dict.fromkeys(named)), self.files)
        except ValueError as error:
            raise click.UsageError(str(error)) from None


def pair_outlets(forms: Sequence[str], files: Sequence[str]) -> list[Outlet]:
    """Formats paired with files in their order (`-` is stdout), one left over for stdout. ValueError if ambiguous.

    Without any format, the names of the files tell, if all of them do.
    """
    told = [form for form in map(format_of, files) if form]
    forms = forms or (told if len(told) == len(files) else ()) or ("text",)
    if len(files) > len(forms):
        raise ValueError(say("cli.too_many_outputs", outputs=len(files), formats=len(forms)))
    if len(forms) > len(files) + 1:
        raise ValueError(say("cli.one_to_stdout", formats=forms))
    places = [None if file == "-" else Path(file).expanduser() for file in (*files, "-")]
    paired = [Outlet(form, place) for form, place in zip(forms, places, strict=False)]
    if len({outlet.file for outlet in paired}) < len(paired):
        raise ValueError(say("cli.same_output"))
    for outlet in paired:
        if outlet.file and (outlet.file.is_dir() or not outlet.file.absolute().parent.is_dir()):
            raise ValueError(say("cli.no_place", file=outlet.file))
    return paired


def format_of(file: str) -> str | None:
    """The format that a file's name asks for, as in `report.json`."""
    endings = {f".{form.ending}": name for name, form in FORMATS.items()}
    name = Path(file).name.lower()
    return next((endings[ending] for ending in sorted(endings, key=len, reverse=True) if name.endswith(ending)), None)


def make_command(
    parent: click.Group, name: str, callback: Callable[..., Any], own: list[click.Parameter], *more: str, **texts: Any
) -> click.Command:
    """A command with options of its own, those that it shares with the check-up, and `more` of that.

    `texts` are click's: `short_help`, which stands in the list of commands, and `epilog`.
    """
    shared = [parameter for parameter in parent.params if parameter.name in (*SHARED, *more)]
    return click.Command(name, callback=callback, params=[*own, *shared], help=callback.__doc__, **texts)


def examples(*pairs: tuple[str, str]) -> str:
    """Commands and what they do, as the end of a help."""
    width = max(len(command) for command, _ in pairs) + 2
    return "\n".join(["\b", "Examples:", *(f"  {command:{width}}{does}" for command, does in pairs)])


def speak(command: click.Command) -> click.Command:
    """Give it --lang, and all commands below it; not to one that starts another program."""
    if command.name != "run" and not any(parameter.name == "lang" for parameter in command.params):
        command.params.append(language.option())
    for each in getattr(command, "commands", {}).values():
        speak(each)
    return command


def refuse_empty(context: click.Context, option: click.Parameter, value: Any) -> Any:
    """The value; an option given with nothing, as from a shell variable that is not set, is a mistake."""
    for part in value if isinstance(value, tuple) else (value,):
        if part is not None and not part.strip(" ,"):
            raise click.BadParameter(say("cli.it_is_empty"))
    return value


def timeout_option(help: str) -> click.Option:
    """--timeout: seconds, up to a day."""
    limits = click.FloatRange(min=0.1, max=86_400)
    return click.Option(["--timeout"], type=limits, callback=refuse_nan, default=60.0, show_default=True, help=help)


def refuse_nan(context: click.Context, option: click.Parameter, value: float) -> float:
    if math.isnan(value):  # no comparison with a limit refuses it
        raise click.BadParameter(say("cli.no_seconds"))
    return value
