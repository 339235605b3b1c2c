"""Text in lines of a terminal: widths in cells, breaks between words, cuts where a sentence can end. Pure."""
# ruff: noqa: RUF001 -- there is wide punctuation in it

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from unicodedata import category

from rich.cells import cell_len, set_cell_size

CUT = " …"
PATH = re.compile(r"\w[./\\]\w")
# What may follow a cut is an explanation. Where it says one of these, the words before mean something else without it.
TURNS = re.compile(
    r"\b(but|unless|except|although|though|however|only|if|not|no|none|never|neither|nor|without|until|while|instead"
    r"|cannot|can't|isn't|doesn't|fails?|doubtful)\b"
    r"|[不没未无非否别勿但仅只除]|失败|存疑"
)
ASIDE = re.compile(r" \([^()]*\)|（[^（）]*）")
LAST = re.compile(r" \([^()]*\)(?=$|[,;:.])|（[^（）]*）(?=$|[，；：。])")  # an aside at the end of a clause
EXPLAINS = re.compile(r", (?=(the mean|measured|which|because|since|so|as) )|，(?=因为|所以|因此)")
STOPS = re.compile(r"[;:.!?](?= )|[；：。！？](?=.)")
CLAUSE = re.compile(r"[.;,] |[。；，、]")


def wrap(text: str, width: int, first: str = "", later: str = "") -> list[str]:
    """Lines of at most `width` cells with their indents; only a word that is longer than a line exceeds it."""
    lines, line, used, indent = [], first, cell_len(first), cell_len(later)
    empty = True
    for gap, part in _parts(text, width - indent):
        size = cell_len(part)
        space = "" if empty else gap
        if not empty and used + len(space) + size > width:
            lines.append(line)
            line, used, space = later, indent, ""
        line, used, empty = line + space + part, used + len(space) + size, False
    return [*lines, line.rstrip()] if not empty else []


def _parts(text: str, room: int) -> Iterator[tuple[str, str]]:
    """What stays together, each with the space before it."""
    for word in text.split():
        whole = cell_len(word) <= room
        pieces = [word] if whole and word.isascii() else _pieces(word)
        parts = [part for piece in pieces for part in _apart(piece, room)]
        if not whole:  # a path or an address breaks after its separators
            parts = [piece for part in parts for piece in re.findall(r"[^/\\,;&]*[/\\,;&]+|[^/\\,;&]+", part)]
        yield " ", parts[0]
        yield from (("", part) for part in parts[1:])


def _pieces(word: str) -> list[str]:
    """A word in pieces that end with wide punctuation."""
    return re.findall(r"[^，。；：、！？）]*[，。；：、！？）]+|[^，。；：、！？）]+", word)


def _apart(piece: str, room: int) -> list[str]:
    """A path that fits stays together, whatever its characters."""
    return [piece] if cell_len(piece) <= room and (piece.isascii() or PATH.search(piece)) else _characters(piece)


def _characters(word: str) -> list[str]:
    """A word in pieces between which a line may break: beside wide characters."""
    parts = [word[0]]
    for before, after in pairwise(word):
        if 2 in (cell_len(before), cell_len(after)) and _may_part(before, after):
            parts.append(after)
        else:
            parts[-1] += after
    return parts


def _may_part(before: str, after: str) -> bool:
    """Not around what joins characters, nor before a comma or after an opening bracket, in any script."""
    joined = cell_len(after) == 0 or before == "\u200d"
    return not joined and category(before) not in ("Ps", "Pi") and category(after) not in ("Po", "Pe", "Pf")


def pad(text: str, width: int) -> str:
    """Text filled up with spaces to so many cells."""
    return text + " " * (width - cell_len(text))


def clip(text: str, width: int) -> str:
    """Exactly so many cells: filled up, or cut with a sign for it."""
    return pad(text, width) if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"


def pad_left(text: str, width: int) -> str:
    """The same, at the right end of its cells."""
    return " " * (width - cell_len(text)) + text


def shorten(text: str, width: int) -> str:
    """The longest beginning that fits and says the same, marked as cut; the whole text where there is none.

    Where no beginning does, what stands in brackets is left out.
    """
    text = " ".join(text.split())
    if cell_len(text) <= width:
        return text
    bare = ASIDE.sub(lambda aside: aside[0] if TURNS.search(aside[0]) else CUT, text)
    candidates = [*_beginnings(text), bare, *_beginnings(bare)]
    return next((candidate for candidate in candidates if cell_len(candidate) <= width), text)


def _beginnings(text: str) -> Iterator[str]:
    """What comes before an explanation that a reader can do without, the longest first."""
    asides = [match.span() for match in ASIDE.finditer(text)]
    ends = [match.start() for pattern in (LAST, EXPLAINS) for match in pattern.finditer(text)]
    ends += [match.end() for match in STOPS.finditer(text)]
    for end in sorted(ends, reverse=True):
        if not (TURNS.search(text, end) or any(low < end < high for low, high in asides)):
            yield text[:end].rstrip(" ,;:…，；：") + CUT


def begin(text: str, most: int) -> str:
    """The beginning of what somebody else wrote, so many characters of it, to the end of a word."""
    return text if len(text) <= most else (text[:most].rpartition(" ")[0] or text[:most]) + CUT


def fit(lines: list[str], count: int, width: int, mark: str) -> list[str]:
    """The first `count` lines; where that leaves some out, the last one ends in `mark`, after a clause or a word."""
    if len(lines) <= count:
        return lines
    last = lines[count - 1]
    indent = last[: len(last) - len(last.lstrip())]
    head = wrap(last, width - cell_len(mark), indent, indent)[0]
    clause = max((match.start() for match in CLAUSE.finditer(head)), default=-1)
    head = head[: clause + 1] if clause > len(head) // 2 else head
    return [*lines[: count - 1], head + mark]
