"""Which language a person reads: what they asked for, by an option, a variable or the locale."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # importing it takes longer than all of this
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TextIO

    import click

VARIABLE = "MPSDOCTOR_LANG"
LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")  # the first that is set tells, as everywhere on POSIX
NAMES = {"en": ("en", "c", "posix", "english"), "zh": ("zh", "cn", "chinese", "cmn", "yue")}
SAMPLE = "中文、。×"


class UnknownLanguageError(ValueError):
    """A language that mpsdoctor does not speak was asked for."""


def named(name: str) -> str | None:
    """The language of ours that a name such as `zh_CN.UTF-8`, `zh-Hans` or `C` means; None for another one."""
    first = name.strip().lower().replace("-", "_").partition(".")[0].partition("@")[0].partition("_")[0]
    return next((ours for ours, names in NAMES.items() if first in names), None)


def parse(name: str, where: str) -> str:
    """The same. UnknownLanguageError, which says where it was asked for."""
    ours = named(name)
    if ours is None:
        raise UnknownLanguageError(f"{where}: there is no language {name!r}; there are {', '.join(NAMES)}")
    return ours


def from_environment(environ: Mapping[str, str]) -> str:
    """That of MPSDOCTOR_LANG, else of the locale; English for a locale that is none of ours. UnknownLanguageError."""
    if asked := environ.get(VARIABLE, "").strip():
        return parse(asked, VARIABLE)
    locale = next((environ[name] for name in LOCALE if environ.get(name)), "")
    return named(locale) or "en"


def can_show(stream: TextIO | None) -> bool:
    """Whether it takes Chinese: what we write is UTF-8."""
    return stream is None or (stream.encoding or "").lower().replace("-", "").startswith("utf")


def in_arguments(arguments: Sequence[str]) -> str | None:
    """What `--lang` asks for, before the command line is read; what a trainer is started with is not ours."""
    ours = arguments[: arguments.index("--")] if "--" in arguments else arguments
    for number, argument in enumerate(ours):
        if argument in ("run", "race") and "--" not in arguments:
            return None
        if argument == "--lang":
            return next(iter(ours[number + 1 :]), None)
        if argument.startswith("--lang="):
            return argument.removeprefix("--lang=")
    return None


def choose(asked: str | None = None) -> str | None:
    """Speak the language that was asked for, else that of the environment; what to say where it cannot be shown.

    UnknownLanguageError.
    """
    language = asked or from_environment(os.environ)
    shown = language == "en" or all(map(can_show, (sys.stdout, sys.stderr)))
    from mpsdoctor import texts

    texts.choose_language(language if shown else "en")
    if shown or not (asked or os.environ.get(VARIABLE)):
        return None
    return texts.say("cli.no_chinese")


def option() -> click.Option:
    """--lang, for every command."""
    import click

    return click.Option(
        ["--lang"],
        metavar="en|zh",
        callback=_take,
        expose_value=False,
        is_eager=True,
        help="Language of what people read (also: MPSDOCTOR_LANG, the locale).",
    )


def _take(context: click.Context, option: click.Parameter, value: str | None) -> None:
    """Told here only where it is wrong, or where the command was not started as a program: that chooses before."""
    import click

    if value is not None:
        try:
            choose(parse(value, "--lang"))
        except UnknownLanguageError as error:
            raise click.UsageError(str(error), context) from None
