"""Writes docs/commands.md from the help of the commands: what each does, its options, its examples.

python tools/write_commands.py
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import click

from mpsdoctor.cli import GROUPS, cli
from mpsdoctor.texts import say

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
HEAD = """# Commands

What `mpsdoctor --help` and `mpsdoctor COMMAND --help` print. Written by `python tools/write_commands.py`: change the
help, not this page. Options of a check-up that `ops`, `bench` and `known-issues` have too mean the same there, and may
stand before the name of the command as well.
"""


def page() -> str:
    """The whole page, Markdown."""
    return "\n".join(lines()) + "\n"


def lines() -> Iterator[str]:
    context = cli.make_context("mpsdoctor", [], resilient_parsing=True)
    yield HEAD
    yield "| command | does |"
    yield "|---|---|"
    yield "| [`mpsdoctor`](#mpsdoctor) | A check-up, on a screen or as text. |"
    for command in described(context):
        path = command.command_path
        yield f"| [`{path}`](#{path.replace(' ', '-')}) | {command.command.get_short_help_str(200)} |"
    yield from section(context)
    for group in GROUPS:
        yield from ("", f"## {say(f'cli.group_{group}')}")
        for command in described(context, group):
            yield from section(command)


def described(root: click.Context, *groups: str) -> Iterator[click.Context]:
    """The commands of these groups, of all unless told, each before those below it."""
    for name in (name for group in groups or GROUPS for name in GROUPS[group]):
        command = cli.get_command(root, name)
        assert command is not None, name
        context = click.Context(command, parent=root, info_name=name)
        yield context
        for below, each in getattr(command, "commands", {}).items():
            yield click.Context(each, parent=context, info_name=below)


def section(context: click.Context) -> Iterator[str]:
    command = context.command
    yield from ("", f"{'##' if context.parent is None else '###'} {context.command_path}", "", "```text")
    yield command.get_usage(context).removeprefix("Usage: ")
    yield "```"
    yield from ("", paragraphs(command.help or ""), "", "| option | does |", "|---|---|")
    for parameter in command.get_params(context):
        if record := parameter.get_help_record(context):
            yield f"| `{cell(record[0])}` | {cell(record[1])} |"
    if command.epilog:
        heading, *examples = command.epilog.removeprefix("\b\n").splitlines()
        yield from ("", heading, "", "```text", *(line.strip() for line in examples), "```")


def paragraphs(text: str) -> str:
    """What click makes of a docstring: lines of a paragraph belong together."""
    return "\n\n".join(" ".join(part.split()) for part in inspect.cleandoc(text).split("\n\n")).replace("<", "&lt;")


def cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
