"""Patterns of printed lines: words, `*` for anything, `[a|b]` for either, `{kind:name}` for what is read out of them.

A star never backtracks: the pieces between stars are looked for one after the other, each in a text that is cut to
`ROOM` characters, so a pattern costs the same on any text.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

ROOM = 2000  # characters of a line that are looked at; messages of torch have up to 700
KINDS = {
    "op": r"[\w]{1,60}::[\w.]{1,80}|[\w.]{1,80}",
    "size": r"[0-9][0-9.,]{0,15} ?(?:[kmgt]i?b|bytes)\b",
    "number": r"-?[0-9][0-9.,_]{0,20}",
    "version": r"[0-9][0-9.,]{0,20}",
    "word": r"[\w.:+-]{1,60}",
    "text": r"[^']{1,120}?",
    "dtype": r"(?:bf|f|si|ui|i|c)[0-9]{1,3}",
}
TOKEN = re.compile(r"\{(\w+)(?::(\w+))?\}|\[([^\]]*)\]")


@dataclass(frozen=True)
class Pattern:
    """A pattern as it is written; a line must hold one of the words of each group of `needed`, in small letters."""

    text: str
    needed: tuple[tuple[str, ...], ...]

    def may_fit(self, low: str) -> bool:
        """Whether a text in small letters has the words; quick."""
        return all(any(word in low for word in group) for group in self.needed)

    def search(self, line: str) -> dict[str, str] | None:
        """What it reads out of a line, None where it does not fit."""
        values: dict[str, str] = {}
        at = 0
        for piece in _pieces(self.text):
            match = piece.search(line, at, ROOM)
            if match is None:
                return None
            values.update(match.groupdict())
            at = match.end()
        return values


@functools.cache
def pattern(text: str) -> Pattern:
    """The pattern that a text describes. ValueError for one without a word of two letters to look for."""
    low = text.lower()
    plain = re.split(r"\{[^}]*\}|\[[^\]]*\]|\*", low)
    groups = [(chunk.strip(),) for chunk in plain if len(chunk.strip()) > 1]
    groups += [tuple(choices.split("|")) for choices in re.findall(r"\[([^\]]*)\]", low)]
    groups = [group for group in groups if all(len(word) > 1 for word in group)]
    if not groups:
        raise ValueError(f"the pattern {text!r} has no word that a line must hold")
    return Pattern(text, tuple(sorted(groups, key=lambda group: (len(group), -len(group[0])))))


@functools.cache
def _pieces(text: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(_expression(piece.strip()), re.IGNORECASE) for piece in text.split("*") if piece.strip())


def _expression(piece: str) -> str:
    parts, at = [], 0
    for token in TOKEN.finditer(piece):
        parts += [_escaped(piece[at : token.start()]), _group(token)]
        at = token.end()
    return "".join([*parts, _escaped(piece[at:])])


def _group(token: re.Match[str]) -> str:
    kind, name, choices = token.groups()
    if choices is not None:
        return "(?:" + "|".join(_escaped(choice) for choice in choices.split("|")) + ")"
    return f"(?P<{name}>{KINDS[kind]})" if name else f"(?:{KINDS[kind]})"


def _escaped(text: str) -> str:
    """Letters as they are; a word at an end of the pattern may go on in the line."""
    return re.escape(text)


def quantity(text: str) -> float | None:
    """A figure in bytes, or as a number where it has no unit; a comma may stand for the point. None for no figure."""
    match = re.fullmatch(r"(-?[0-9][0-9.,_]*?)[.,]? ?([kmgt]?)(i?b|bytes)?", text.strip().lower())
    if match is None:
        return None
    digits = match[1].replace("_", "")
    last = max(digits.rfind("."), digits.rfind(","))
    groups = last >= 0 and len(digits) - last - 1 == 3 and (digits.count(",") + digits.count(".")) > 1
    whole, part = (digits, "") if last < 0 or groups else (digits[:last], digits[last + 1 :])
    try:
        value = float(f"{whole.replace(',', '').replace('.', '')}.{part or 0}")
    except ValueError:
        return None
    return value * 1024.0 ** " kmgt".index(match[2] or " ")


def quantities(values: Mapping[str, str]) -> dict[str, float]:
    """Those of the values that are figures."""
    read = {name: quantity(value) for name, value in values.items()}
    return {name: value for name, value in read.items() if value is not None}
