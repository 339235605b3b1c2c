"""`mpsdoctor explain`: the long text of a finding or a cause, or what a text of the person tells.

It stands outside of `cli`, whose modules for check-ups take longer to import than a text takes to explain.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from mpsdoctor import clean, console, language, texts
from mpsdoctor.explain.answer import answer_as_json, fill_known, links, plain_commands, versions_of
from mpsdoctor.explain.compare import compare
from mpsdoctor.explain.engine import diagnose
from mpsdoctor.explain.environment import read_environment
from mpsdoctor.explain.lines import Text
from mpsdoctor.explain.private import public
from mpsdoctor.explain.rules import causes
from mpsdoctor.explain.sieve import read_stream
from mpsdoctor.formats.explained import told_diagnosis, told_difference, told_in_brief, wrap
from mpsdoctor.runtime.shapes import Issue
from mpsdoctor.texts import explain, joined, say

ASCII = str.maketrans("·…–→±×≥—’µ", "|.->~x>-'u")
SHORT = "Explain an error or a log, a finding, a cause or a known issue."


def explain_command() -> click.Command:
    """The command."""
    return click.Command(
        "explain",
        callback=run,
        params=[
            click.Argument(["what"], required=False, metavar="[CODE|CAUSE|ID|FILE|-]"),
            click.Option(["--against"], metavar="GOOD.log", help="A log of a run that went well, to compare with."),
            click.Option(["as_json", "--json"], is_flag=True, help="Print one JSON document."),
            click.Option(["--in-brief"], is_flag=True, hidden=True),  # after an error under `run`
        ],
        help=run.__doc__,
        short_help=SHORT,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )


def main() -> None:
    """The command alone, as `mpsdoctor explain` starts it."""
    command = explain_command()
    command.params.append(language.option())
    if texts.language() != texts.LANGUAGES[0]:
        from mpsdoctor.translated import translate  # of no use to most

        translate(command)
    with command.make_context("mpsdoctor explain", sys.argv[2:]) as context:
        command.invoke(context)


def run(what: str | None, against: str | None, as_json: bool, in_brief: bool) -> None:
    """Explain an error, a log, a crash report or an environment; or a finding, a cause or a known issue by its name.

    FILE, or - for what is pasted, is any text: a traceback, a log of a CI job, a crash report of macOS (.ips, .panic),
    what collect_env prints, or a description in words. The answer names causes with how sure they are, the lines that
    gave them away, and what to do; or says that none is known. CODE is as a report prints it, MPS203 for one; ID is
    that of a known issue. Without it, all codes and causes are listed.

    Codes that a third-party check brings are not known here: their texts are in its code, which is imported for a
    check-up alone, in a process of its own. Its report carries the texts.
    """
    if against is not None and what is None:
        raise click.UsageError(say("cli.against_needs_log"))
    if in_brief and what is not None:
        write(list(told_in_brief(diagnose(read(what)))))
    else:
        write(list(answer(what, against, as_json)))


def answer(what: str | None, against: str | None, as_json: bool) -> Iterator[str]:
    """The lines that are printed."""
    if what is None:
        yield from listing()
    elif what.strip().upper() in texts.texts(texts.language()):
        yield from long_text(what.strip().upper())
    elif what in causes():
        yield from entry(what)
    elif what == "-" or Path(what).exists() or os.sep in what:
        yield from explained(read(what), None if against is None else read(against), as_json)
    elif issue := issues().get(what.strip().lower()):
        yield from known_issue(issue)
    else:
        raise unknown(what)


def issues() -> dict[str, Issue]:
    """The known issues by id."""
    from mpsdoctor.issues import read_issues  # a text is explained without them

    return {issue["id"]: issue for issue in read_issues()}


def unknown(what: str) -> click.UsageError:
    """The error for a name that is none, with those that are close."""
    import difflib  # 5 ms

    known = [*texts.texts(texts.language()), *causes(), *issues()]
    close = [
        name for word in (what.strip().upper(), what.lower()) for name in difflib.get_close_matches(word, known, 3, 0.7)
    ]
    names = say("cli.or").join(close)
    hint = say("cli.close_findings", names=names) if close else say("cli.no_close_finding")
    kind = "cli.no_finding" if what.strip().upper().startswith("MPS") else "cli.nothing_explained"
    return click.UsageError(say(kind, code=what, hint=hint))


def read(name: str) -> Text:
    """A file as far as it is now, or stdin to its end. UsageError."""
    if name == "-":
        return read_stream(sys.stdin.buffer)
    try:
        with Path(name).open("rb") as file:
            state = os.fstat(file.fileno())
            return read_stream(file, state.st_size if stat.S_ISREG(state.st_mode) else None)
    except OSError as error:
        raise click.UsageError(say("cli.cannot_read", file=name, why=error.strerror)) from None


def explained(failing: Text, good: Text | None, as_json: bool) -> Iterator[str]:
    """What a text tells, beside a good one if there is one."""
    difference = None if good is None else compare(failing, good)
    diagnosis = diagnose(failing) if difference is None else diagnose(difference.text, read_environment(failing))
    if as_json:
        data = dict(answer_as_json(diagnosis))
        if difference is not None:
            data["differences"] = [public(line.shown) for line in difference.lines]
        yield json.dumps(data, ensure_ascii=False, indent=2)
        return
    if difference is not None:
        yield from told_difference(difference)
    yield from told_diagnosis(diagnosis)


def listing() -> list[str]:
    """All codes with their titles, and all causes."""
    codes = [f"{name}  {title}" for name, title in explain.titles().items()]
    return codes + [f"{name}  {say(f'causes.{name}_what')}" for name in sorted(causes())]


def long_text(code: str) -> Iterator[str]:
    """Title, three paragraphs, the example and links, in 80 columns."""
    yield from wrap(joined(": ", [code, explain.titles()[code]]))
    for paragraph in explain.paragraphs(code):
        yield from ("", *wrap(paragraph))
    yield from ("", say("cli.for_example"))
    for line in explain.example(code):
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        yield from [f"    {line}"] if line.startswith(" ") else wrap(line, indent, indent)
    found = texts.texts(texts.language())[code].links
    yield from [*([""] if found else []), *found]


def entry(cause: str) -> Iterator[str]:
    """A cause: what it is, what it means, what to do, what gives it away."""
    yield from wrap(joined(": ", [cause, say(f"causes.{cause}_what")]))
    means, do = (fill_known(say(f"causes.{cause}_{part}"), {}) for part in ("means", "do"))
    yield from ("", *wrap(means), "", *wrap(do), *(f"    {command}" for command in plain_commands(cause)))
    if versions := list(versions_of(cause, texts.language())):
        yield from ("", *wrap(say("explained.concerned", versions=joined("; ", versions))))
    printed = [sign.text for sign in causes()[cause].signs if sign.line is not None]
    if printed:
        yield from ("", say("explained.gives_away"), *(f"    {text}" for text in printed))
    yield from ("", *links(cause))


def known_issue(issue: Issue) -> Iterator[str]:
    """All that is recorded of a known issue, with its links."""
    from mpsdoctor.texts import entries  # a text is explained without them

    yield from wrap(entries.title(issue))
    for paragraph in entries.paragraphs(issue):
        yield from ("", *wrap(paragraph))
    yield from ("", *entries.links(issue))


def write(lines: list[str]) -> None:
    """To stdout, whatever the locale."""
    text = clean.inert("\n".join(lines)) + "\n"
    if not console.unicode(sys.stdout):
        text = text.translate(ASCII).encode("ascii", "replace").decode()
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    sys.stdout.flush()
