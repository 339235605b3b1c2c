"""`mpsdoctor watch FILE`: what `run --watch --watch-output FILE` sampled, on the screen or in words."""

from __future__ import annotations

import time
from pathlib import Path

import click

from mpsdoctor import clean, console, tui
from mpsdoctor.cli.options import examples
from mpsdoctor.console import Exit
from mpsdoctor.texts import say
from mpsdoctor.watch import log, telling
from mpsdoctor.watch.history import History

RECENT = 10.0  # seconds; a training that is watched writes each second


def watch_command(parent: click.Group) -> click.Command:
    """The command."""
    epilog = examples(
        ("mpsdoctor run --watch --watch-output w.jsonl -- python train.py", "sample a training"),
        ("mpsdoctor watch w.jsonl", "look at it, now or later"),
        ("mpsdoctor watch w.jsonl | less", "the summary in words"),
    )
    return click.Command(
        "watch",
        callback=watch,
        params=[
            click.Argument(["file"], type=click.Path(path_type=Path)),
            *(option for option in parent.params if option.name == "no_color"),
        ],
        help=watch.__doc__,
        short_help="Show what run --watch samples.",
        epilog=epilog,
    )


@click.pass_context
def watch(context: click.Context, /, file: Path, no_color: bool = False) -> None:
    """Show what run --watch --watch-output FILE sampled, while it runs or afterwards.

    In a terminal on a screen that follows the file, elsewhere as the summary in words.

    Exit codes: 0 shown, 2 a file that cannot be read or holds no samples.
    """
    context.exit(show(file, no_color=no_color))


def show(file: Path, *, no_color: bool) -> Exit:
    history, name = History(), clean.line(str(file))
    try:
        reader = log.Reader(file)
    except OSError as error:
        console.complain(say("watch.unreadable", file=name, why=error.strerror))
        return Exit.USAGE
    try:
        for line in reader.lines():
            history.add(line)
        if not history.begin and not history.samples:
            console.complain(say("watch.no_samples", file=name))
            return Exit.USAGE
        if tui.possible():
            from mpsdoctor.tui import watched

            watched.show(reader, history, no_color=no_color)
            return Exit.OK
        for text in telling.lines(history, lives=reader.age(time.time()) < RECENT):
            click.echo(clean.inert(clean.line(text)))
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        console.complain(say("watch.unreadable", file=name, why=error.strerror))
        return Exit.USAGE
    finally:
        reader.close()
    if reader.unread:
        console.complain(say("watch.unread", count=reader.unread, file=name))
    return Exit.OK
