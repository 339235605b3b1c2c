"""`mpsdoctor explain`: the long text of a finding's code."""

from __future__ import annotations

import difflib
import sys

import click

from mpsdoctor import console
from mpsdoctor.cli.examine import write_stdout
from mpsdoctor.formats import wrapping
from mpsdoctor.formats.text import ASCII, WIDTH
from mpsdoctor.texts import explain, joined, language, say, texts


def explain_command(parent: click.Group) -> click.Command:
    """The command."""
    argument = click.Argument(["code"], required=False, metavar="[CODE]")
    short = "Explain a finding, or list them all."
    return click.Command("explain", callback=run, params=[argument], help=run.__doc__, short_help=short)


def run(code: str | None) -> None:
    """Explain a finding: what was seen, what it means for training, and what to do.

    CODE is as a report prints it, MPS203 for one. Without it, all codes are listed.

    Codes that a third-party check brings are not known here: their texts are in its code, which is imported for a
    check-up alone, in a process of its own. Its report carries the texts.
    """
    known = texts(language())
    if code is None:
        lines = [f"{name}  {title}" for name, title in explain.titles().items()]
    elif (name := code.strip().upper()) in known:
        lines = long_text(name)
    else:
        close = difflib.get_close_matches(name, known, 3, 0.7)
        names = say("cli.or").join(close)
        hint = say("cli.close_findings", names=names) if close else say("cli.no_close_finding")
        raise click.UsageError(say("cli.no_finding", code=code, hint=hint))
    text = "\n".join(lines) + "\n"
    if not console.unicode(sys.stdout):
        text = text.translate(ASCII).encode("ascii", "replace").decode()
    write_stdout(text.encode("utf-8"))


def long_text(code: str) -> list[str]:
    """Title, three paragraphs, the example and links, in 80 columns."""
    lines = wrapping.wrap(joined(": ", [code, explain.titles()[code]]), WIDTH)
    for paragraph in explain.paragraphs(code):
        lines += ["", *wrapping.wrap(paragraph, WIDTH)]
    lines += ["", say("cli.for_example")]
    for line in explain.example(code):
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        lines += [f"    {line}"] if line.startswith(" ") else wrapping.wrap(line, WIDTH, indent, indent)
    links = texts(language())[code].links
    return [*lines, *([""] if links else []), *links]
