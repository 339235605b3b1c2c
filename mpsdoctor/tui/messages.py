"""One line above the keys that tells something for a moment. A later message takes its place; all stay readable."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from rich.cells import cell_len
from textual.content import Content

from mpsdoctor.formats import wrapping
from mpsdoctor.texts import say
from mpsdoctor.tui import words

SHOWN = 6.0  # seconds
LOOKS = {"information": ("i", "accent"), "warning": ("!", "warn"), "error": ("✗", "fail")}


class Message(NamedTuple):
    """A text of ours or of a report, never read as markup; `severity` as Textual calls it."""

    text: str
    severity: str


def line(message: Message, width: int) -> Content:
    """The message in so many cells; where it is longer, with the key that shows the whole."""
    sign, tone = LOOKS[message.severity]
    text, room = " ".join(message.text.split()), width - 4
    if cell_len(text) > room:
        hint = f" {say('screen.message_cut')}"
        text = wrapping.clip(text, room - cell_len(hint)) + hint
    return words.styled((f" {sign} ", tone), text)


def read(log: deque[Message]) -> Content:
    """All that was told, the latest first."""
    if not log:
        return words.styled((say("screen.no_messages"), "muted"))
    return words.lines(words.styled((f"{LOOKS[m.severity][0]} ", LOOKS[m.severity][1]), m.text) for m in reversed(log))
