"""What gives causes away, as the data file says it: signs, what must hold beside them, what speaks against a cause."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mpsdoctor.explain.pattern import Pattern, pattern
from mpsdoctor.explain.source import load_causes

TABLES = ("words", "settings")  # of the data file, that are no causes
# What a sign is, the strongest first: the message of a failure; what is printed around one; a warning; facts of the
# environment alone; what a person says in own words.
KINDS = ("error", "sign", "warning", "fact", "say")


@dataclass(frozen=True)
class Sign:
    """One thing that gives a cause away: a printed line, facts alone, or words that stand together.

    `says` are names of word lists; all must occur, those with a minus must not. `when` are conditions.
    """

    cause: str
    kind: str
    text: str
    line: Pattern | None = None
    says: tuple[str, ...] = ()
    when: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Its name in the record of how often it was right."""
        condition = f" if {', '.join(self.when)}" if self.when and self.kind != "fact" else ""
        return f"{self.cause}/{self.kind}: {self.text}{condition}"


@dataclass(frozen=True)
class Cause:
    """A cause: `over` names those that it is the narrower form of, `unless` what speaks against it."""

    name: str
    signs: tuple[Sign, ...]
    over: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    lasting: bool = False  # a later success does not speak against it


@functools.cache
def causes() -> dict[str, Cause]:
    """All causes, by name. ValueError for a sign that cannot be read."""
    return {name: _cause(name, table) for name, table in load_causes().items() if name not in TABLES}


@functools.cache
def word_lists() -> Mapping[str, tuple[str, ...]]:
    """Words that mean the same, by the name of what they mean."""
    return {name: tuple(words) for name, words in load_causes()["words"].items()}


def setting(name: str) -> tuple[str, ...]:
    """A list of the table `settings`."""
    return tuple(load_causes()["settings"][name])


def _cause(name: str, table: Mapping[str, Any]) -> Cause:
    signs = [sign for kind in KINDS for entry in table.get(f"{kind}s", ()) for sign in _signs(name, kind, entry)]
    return Cause(
        name, tuple(signs), tuple(table.get("over", ())), tuple(table.get("unless", ())), bool(table.get("lasting"))
    )


def _signs(cause: str, kind: str, entry: str | Mapping[str, Any]) -> Iterable[Sign]:
    """The signs of an entry: a text, or a table with one or several texts and a condition for all of them."""
    if isinstance(entry, str):
        entry = {"text": entry}
    texts, when = entry.get("text", ""), tuple(entry.get("when", ()))
    for text in [texts] if isinstance(texts, str) else texts:
        if kind in ("say", "fact"):
            yield Sign(cause, kind, text or ", ".join(when), None, tuple(text.split()), when)
        else:
            yield Sign(cause, kind, text, pattern(text), (), when)
