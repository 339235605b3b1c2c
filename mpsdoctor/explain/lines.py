"""A text as lines that patterns can be compared with: no escapes, one kind of quotes, one blank between words."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from mpsdoctor.explain.pattern import ROOM
from mpsdoctor.explain.source import load_causes

ESCAPES = re.compile(
    r"\x1b\[[0-9;:?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]?|[\x00-\x08\x0e-\x1a]"
)
STRAIGHT = str.maketrans(
    {
        **dict.fromkeys("‘’“”`´\"＂＇", "'"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2009\u202f\u3000", " "),
        **dict.fromkeys("\u200b\u200c\u200d\ufeff", None),
        **{chr(0xFF01 + at): chr(0x21 + at) for at in range(94) if chr(0x21 + at) not in "\"'"},
        "–": "-", "—": "-", "−": "-", "…": "...", "×": "x", "。": ". ", "、": ", ",
    }
)  # fmt: skip
MOST = 6000  # lines; what a large log is sieved to has fewer


@dataclass(frozen=True)
class Line:
    """A line as it is shown, and as it is compared; `number` counts from one in the text as it came."""

    number: int
    shown: str
    plain: str
    low: str


@dataclass(frozen=True)
class Text:
    """The lines that are not empty."""

    lines: tuple[Line, ...]

    @functools.cached_property
    def low(self) -> str:
        """All lines in small letters, a blank between them."""
        return " ".join(line.low for line in self.lines)

    @functools.cached_property
    def words(self) -> str:
        """The words alone, a blank before and after each."""
        return f" {' '.join(re.findall(r'[a-z0-9_]+(?:[.+][a-z0-9_]+)*', self.low))} "


def decode(data: bytes) -> str:
    """Text of bytes, whatever they hold."""
    return data.decode(encoding(data), "replace")


def encoding(data: bytes) -> str:
    """UTF-16, which Windows writes, where a mark or zeros tell so; else UTF-8."""
    sample = data[:4000]
    zeros = sample[1::2].count(0), sample[::2].count(0)
    if sample[:2] in (b"\xff\xfe", b"\xfe\xff") and (
        any(zeros) or sum(byte > 127 for byte in sample) > len(sample) // 4
    ):
        return "utf-16"
    if max(zeros) * 5 > len(sample):
        return "utf-16-le" if zeros[0] > zeros[1] else "utf-16-be"
    return "utf-8"


def read_lines(numbered: Iterable[tuple[int, str]]) -> Text:
    """Lines with their numbers, made fit to be compared."""
    lines = []
    noise = [tuple(part.strip() for part in text.split("*")) for text in load_causes()["settings"]["noise"]]
    for number, line in numbered:
        shown = ESCAPES.sub("", line[: 4 * ROOM]).strip()[:ROOM]
        plain = without_noise(" ".join(shown.translate(STRAIGHT).split()), noise)
        if plain:
            lines.append(Line(number, shown, plain, plain.lower()))
        if len(lines) == MOST:
            break
    return Text(tuple(lines))


def without_noise(line: str, noise: Iterable[tuple[str, ...]]) -> str:
    """A line without advice that messages carry along, from its first words to its last ones or the line's end."""
    for first, last in noise:
        at = line.find(first)
        while at >= 0:
            end = line.find(last, at + len(first)) if last else at
            line = line[:at] + (line[end + len(last or first) :] if end >= 0 else "")
            at = line.find(first)
    return line.strip()


def split(text: str) -> Text:
    """The lines of a text."""
    return read_lines(enumerate(re.split(r"\r\n?|\n|\x0b|\x0c|\u2028|\u2029", text), 1))
