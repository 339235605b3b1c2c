"""Strangers' texts inside our sentences: cut to what matters, and ended once."""

from __future__ import annotations

import re
from collections.abc import Callable

from mpsdoctor.texts import Part, Wording

# A full stop before a capital: the stops inside figures, file names and "e.g." end nothing.
NEXT_SENTENCE = re.compile(r"(?<=[^.\s])\.\s+(?=[\"'(]?[A-Z])")


def ended(text: str) -> str:
    """The text as the end of a sentence: one full stop, whatever it came with; ! and ? stay."""
    bare = text.rstrip(" \n\t.")
    return bare if bare.endswith(("!", "?", "…")) else f"{bare}."


def first(text: str) -> str:
    """The first sentence of the first line, without its full stop: what torch goes on to say is for everybody."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return NEXT_SENTENCE.split(line, maxsplit=1)[0].rstrip(" .")


def shortened(text: str, limit: int = 200) -> str:
    """The first sentence in at most `limit` characters, cut between words."""
    sentence = first(text)
    if len(sentence) <= limit:
        return sentence
    head, _, _ = sentence[: limit - 1].rpartition(" ")
    return f"{head or sentence[: limit - 2]} …"


def ended_wording(wording: Wording) -> Wording:
    """As `ended`."""
    return Part("ended", {"sentence": wording}) if isinstance(wording, Part) else ended(wording)


def first_line(wording: Wording) -> Wording:
    """The first line; in a sentence of ours that of each text of others that it is filled with."""
    return _change_texts(wording, lambda text: (text.splitlines() or [""])[0])


def shortened_wording(wording: Wording, limit: int = 200) -> Wording:
    """As `shortened`; in a sentence of ours the texts of others that it is filled with."""
    return _change_texts(wording, lambda text: shortened(text, limit))


def _change_texts(wording: Wording, change: Callable[[str], str]) -> Wording:
    """Text that begins on a line of its own is left out, as it is where the whole is one text."""

    def changed(value: object) -> object:
        if isinstance(value, str) and value.startswith("\n"):
            return ""
        return _change_texts(value, change) if isinstance(value, str | Part) else value

    if not isinstance(wording, Part):
        return change(wording)
    return Part(wording.name, {name: changed(value) for name, value in wording.values.items()})
