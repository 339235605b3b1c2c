"""Help in the language of who reads. English stands with the commands, and is the key of what another language says."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from mpsdoctor.formats.wrapping import pad, wrap
from mpsdoctor.texts import helps, language

TEXT, OPTION = 76, 44  # cells of a line, and of one beside an option, in 80 columns
EXAMPLE = re.compile(r"(  \S.*?)  +(\S.*)")
STOP = re.compile(r"(?<=[\u3000-\u303f\uff00-\uffef])\n")  # no space follows a wide one
RAW = "\b\n"  # click leaves the lines of such a paragraph as they are: it counts characters, not cells


def translate(command: click.Command) -> click.Command:
    """The command with its help, and that of all below it, in the language of who reads."""
    if helps(language()):
        for each in commands(command):
            translate_one(each)
    return command


def commands(command: click.Command) -> Iterator[click.Command]:
    """It, and all below it."""
    yield command
    for each in getattr(command, "commands", {}).values():
        yield from commands(each)


def translate_one(command: click.Command) -> None:
    words = helps(language())
    command.help = in_lines(command.help, TEXT)
    command.short_help = words.get(command.short_help or "", command.short_help) or first_line(command.help)
    command.epilog = "\n".join(map(example, (command.epilog or "").splitlines()))
    own_help = command.get_help_option(click.Context(command))
    for option in [*command.params, own_help]:
        if isinstance(option, click.Option):
            translate_option(option)


def translate_option(option: click.Option) -> None:
    """Commands share options: this may be in Chinese already."""
    told = in_lines(option.help, OPTION)
    if told != option.help:
        option.help = f"{told}\n" if option.show_default else told  # click adds the default


def in_lines(english: str | None, width: int) -> str | None:
    """A help in lines of so many cells; English where it is not translated."""
    text = helps(language()).get(inspect.cleandoc(english or ""))
    if text is None:
        return english
    paragraphs = [STOP.sub("", paragraph) for paragraph in text.split("\n\n")]
    return "\n\n".join(RAW + "\n".join(wrap(paragraph, width)) for paragraph in paragraphs)


def first_line(text: str | None) -> str:
    return (text or "").removeprefix(RAW).partition("\n")[0]


def example(line: str) -> str:
    """A line of the examples: the command stays, what it does is told."""
    words, match = helps(language()), EXAMPLE.fullmatch(line)
    if not match:
        return words.get(line, line)
    column = match.start(2)
    return pad(match[1], column) + words.get(match[2], match[2])
