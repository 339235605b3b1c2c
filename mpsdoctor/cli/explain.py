"""`mpsdoctor explain`: the long text of a finding's code."""

from __future__ import annotations

import difflib
import sys

import click

from mpsdoctor import console
from mpsdoctor.cli.examine import write_stdout
from mpsdoctor.formats import wrapping
from mpsdoctor.formats.text import ASCII, WIDTH
from mpsdoctor.issues import read_issues
from mpsdoctor.runtime.shapes import Issue
from mpsdoctor.texts import entries, explain, language, texts


def explain_command(parent: click.Group) -> click.Command:
    """The command."""
    argument = click.Argument(["code"], required=False, metavar="[CODE]")
    short = "Explain a finding or a known issue, or list all findings."
    return click.Command("explain", callback=run, params=[argument], help=run.__doc__, short_help=short)


def run(code: str | None) -> None:
    """Explain a finding: what was seen, what it means for training, and what to do; or a known issue.

    CODE is as a report prints it, MPS203 for one, or the id of a known issue. Without it, all codes are listed.

    Codes that a third-party check brings are not known here: their texts are in its code, which is imported for a
    check-up alone, in a process of its own. Its report carries the texts.
    """
    known = texts(language())
    if code is None:
        lines = [f"{name}  {title}" for name, title in explain.titles().items()]
    elif (name := code.strip().upper()) in known:
        lines = long_text(name)
    elif issue := {issue["id"]: issue for issue in read_issues()}.get(code.strip().lower()):
        lines = entry_text(issue)
    else:
        raise click.UsageError(explain_unknown(code.strip()))
    text = "\n".join(lines) + "\n"
    if not console.unicode(sys.stdout):
        text = text.translate(ASCII).encode("ascii", "replace").decode()
    write_stdout(text.encode("utf-8"))


def explain_unknown(code: str) -> str:
    """The message for what is neither a code nor the id of a known issue, with those nearest to it."""
    ids = [issue["id"] for issue in read_issues()]
    close = difflib.get_close_matches(code.upper(), texts(language()), 3, 0.7)
    close = close or difflib.get_close_matches(code.lower(), ids, 3, 0.5)
    hint = f"; did you mean {' or '.join(close)}?" if close else ";"
    return f"there is no finding {code!r}{hint} 'mpsdoctor explain' lists all"


def entry_text(issue: Issue) -> list[str]:
    """All that is recorded of a known issue, with its links."""
    lines = wrapping.wrap(entries.title(issue), WIDTH)
    for paragraph in entries.paragraphs(issue):
        lines += ["", *wrapping.wrap(paragraph, WIDTH)]
    return [*lines, "", *entries.links(issue)]


def long_text(code: str) -> list[str]:
    """Title, three paragraphs, the example and links, in 80 columns."""
    lines = wrapping.wrap(f"{code}: {explain.titles()[code]}", WIDTH)
    for paragraph in explain.paragraphs(code):
        lines += ["", *wrapping.wrap(paragraph, WIDTH)]
    lines += ["", "For example:"]
    for line in explain.example(code):
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        lines += [f"    {line}"] if line.startswith(" ") else wrapping.wrap(line, WIDTH, indent, indent)
    links = texts(language())[code].links
    return [*lines, *([""] if links else []), *links]
