"""Makes text from strangers fit to be shown: no terminal escapes, no home folders, only what JSON can hold."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

# C0 but tab and newline, DEL, C1, the marks that reverse the order of text, lone surrogates.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
LINE_ENDS = re.compile("\r\n?")
HOMES = re.compile(r"/(?:Users|home)/[^/\s:'\"]+")


DEEPEST = 64  # levels of a value; what people read has fewer, and Python's own stack ends at about 900


class TooDeepError(ValueError):
    """A value is nested too deeply; the text tells the limit."""


def _home() -> str:
    try:
        home = str(Path.home())
    except RuntimeError:  # no HOME and no such user
        return ""
    return home if len(home) > 1 else ""


HOME = _home()


def has_controls(value: Any, depth: int = 0) -> bool:
    """Whether a terminal would act upon any string in it, as far as it may be nested."""
    if isinstance(value, str):
        return CONTROL.search(LINE_ENDS.sub("\n", value)) is not None
    if depth > DEEPEST:
        return False
    if isinstance(value, dict):
        return any(has_controls(part, depth + 1) for item in value.items() for part in item)
    return isinstance(value, list | tuple) and any(has_controls(part, depth + 1) for part in value)


def text(value: str) -> str:
    """A string with control characters spelled out (`\\x1b`) and home folders as `~`."""
    if HOME and HOME in value:
        value = value.replace(HOME, "~")
    if "/Users/" in value or "/home/" in value:
        value = HOMES.sub("~", value)
    if "\r" in value:
        value = LINE_ENDS.sub("\n", value)
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), value)


def line(value: str) -> str:
    """A string fit to be shown, on one line: a second one could be taken for a line of ours."""
    return " ".join(text(value).split("\n"))


def strings(value: Any, depth: int = 0) -> Any:
    """The same JSON value with every string made fit to be shown. TooDeepError."""
    if isinstance(value, str):
        return text(value)
    if not isinstance(value, dict | list):
        return value
    if depth > DEEPEST:
        raise TooDeepError(f"a value of more than {DEEPEST} levels")
    if isinstance(value, dict):
        return {text(key): strings(part, depth + 1) for key, part in value.items()}
    return [strings(part, depth + 1) for part in value]


def data(value: Any, depth: int = 0) -> Any:
    """A JSON value of Python's kind as JSON proper: strings made fit, NaN and infinity null. TooDeepError."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if not isinstance(value, dict | list):
        return value
    if depth > DEEPEST:
        raise TooDeepError(f"a value of more than {DEEPEST} levels")
    if isinstance(value, dict):
        return {text(key): data(part, depth + 1) for key, part in value.items()}
    return [data(part, depth + 1) for part in value]


# A job of GitHub Actions reads commands from everything that it prints: `::name …::` at the begin of a line, blanks
# before it or not, and `##[name …]` anywhere. Each of these functions keeps the runner from seeing one.
COMMAND = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
SPLIT = "\u200b"  # takes no room


def inert(text: str, split: str = SPLIT) -> str:
    """Text in which a CI runner finds no command."""
    return COMMAND.sub(rf"\1:{split}", split_commands(text, split))


def split_commands(text: str, split: str = SPLIT) -> str:
    """Text in which a CI runner finds no command of the kind that may stand anywhere."""
    return text.replace("##[", f"#{split}#[")


def inert_json(text: str) -> str:
    """The same JSON, spelled so that a CI runner finds no command in it."""
    return text.replace("##[", "\\u0023#[")


def inert_markup(text: str) -> str:
    """The same XML or HTML, spelled so that a CI runner finds no command in it."""
    return COMMAND.sub(r"\1&#58;", text).replace("##[", "&#35;#[")
