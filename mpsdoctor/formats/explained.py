"""The answer to a text, for a person: causes with their lines and remedies, or what would help. Lines of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator

from mpsdoctor.explain.answer import Told, environment_as_json, tell_cause
from mpsdoctor.explain.compare import Comparison
from mpsdoctor.explain.engine import Diagnosis
from mpsdoctor.explain.private import public
from mpsdoctor.formats import wrapping
from mpsdoctor.texts import joined, language, say

WIDTH = 80
SURE = 0.5  # of a cause that is told unasked
QUOTED = 160  # characters of a line of a difference


def told_difference(difference: Comparison) -> Iterator[str]:
    """The lines of the difference, those that matter first."""
    if not difference.lines:
        yield from wrap(say("explained.no_difference"))
        return
    yield from wrap(say("explained.difference", number=difference.lines[0].number))
    for line in difference.lines:
        yield from quoted(line.number, public(line.shown)[:QUOTED])
    yield ""


def told_diagnosis(diagnosis: Diagnosis) -> Iterator[str]:
    """The likeliest cause whole, the others in a line each."""
    told = [tell_cause(found, diagnosis, language()) for found in diagnosis.causes]
    if told:
        yield from told_cause(told[0])
    else:
        yield from wrap(say("explained.unknown"))
        yield from wrap(say("explained.ask"))
    if told[1:]:
        yield from ("", say("explained.also"))
    for other in told[1:]:
        line = say("explained.other", what=other.what, cause=other.name, percent=100 * other.confidence)
        yield from wrap(line, "    ", "    ")
    if facts := told_facts(diagnosis):
        yield from ("", *wrap(say("explained.environment", facts=facts)))


def told_in_brief(diagnosis: Diagnosis) -> Iterator[str]:
    """The likeliest cause in a few lines; nothing where none is likely, for nobody asked."""
    likeliest = next((tell_cause(found, diagnosis, language()) for found in diagnosis.causes), None)
    if likeliest and likeliest.confidence >= SURE:
        yield f"mpsdoctor: {likeliest.explanation}"
        yield f"-> {likeliest.remedy}"
        yield from (f"   {command}" for command in likeliest.commands)
        yield say("explained.more", cause=likeliest.name)


def told_cause(cause: Told) -> Iterator[str]:
    """What it is, how sure, the lines that gave it away, what it means, what to do."""
    yield from wrap(say("explained.title", what=cause.what, cause=cause.name, percent=100 * cause.confidence))
    for number, line in cause.evidence:
        yield from quoted(number, line)
    yield from ("", *wrap(cause.explanation), "", *wrap(f"→ {cause.remedy}"))
    yield from (f"    {command}" for command in cause.commands)
    if cause.versions:
        yield from ("", *wrap(say("explained.concerned", versions=joined("; ", cause.versions))))
    yield from ("", *cause.links)


def told_facts(diagnosis: Diagnosis) -> str:
    """What is known of the environment, in words."""
    facts = environment_as_json(diagnosis)
    words = {True: say("explained.yes"), False: say("explained.no")}
    known = [(name, value) for name, value in (facts or {}).items() if value is not None]
    return joined(
        ", ",
        (
            say(f"explained.fact_{name}", value=words[value] if isinstance(value, bool) else value)
            for name, value in known
        ),
    )


def quoted(number: int, line: str) -> list[str]:
    """A line of the text, indented."""
    return wrap(say("explained.evidence", number=number, line=line), "    ", "      ")


def wrap(text: str, first: str = "", later: str = "") -> list[str]:
    return wrapping.wrap(text, WIDTH, first, later)
