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


def _home() -> str:
    try:
        home = str(Path.home())
    except RuntimeError:  # no HOME and no such user
        return ""
    return home if len(home) > 1 else ""


HOME = _home()


def has_controls(value: Any) -> bool:
    """Whether a terminal would act upon any string in it."""
    if isinstance(value, str):
        return CONTROL.search(LINE_ENDS.sub("\n", value)) is not None
    if isinstance(value, dict):
        return any(has_controls(part) for item in value.items() for part in item)
    return isinstance(value, list | tuple) and any(map(has_controls, value))


def text(value: str) -> str:
    """A string with control characters spelled out (`\\x1b`) and home folders as `~`."""
    if HOME and HOME in value:
        value = value.replace(HOME, "~")
    if "/Users/" in value or "/home/" in value:
        value = HOMES.sub("~", value)
    if "\r" in value:
        value = LINE_ENDS.sub("\n", value)
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), value)


def strings(value: Any) -> Any:
    """The same JSON value with every string made fit to be shown."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        return {text(key): strings(part) for key, part in value.items()}
    return [strings(part) for part in value] if isinstance(value, list) else value


def data(value: Any) -> Any:
    """A JSON value of Python's kind as JSON proper: strings made fit, NaN and infinity null."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {text(key): data(part) for key, part in value.items()}
    return [data(part) for part in value] if isinstance(value, list) else value
