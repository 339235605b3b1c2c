"""What strangers may send: any JSON value, a report with something changed in it, an interpreter that says anything."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ESCAPES = "\x1b]0;owned\x07\x1b[2J\u202e"
COMMANDS = "\n::error title=x::forged\n  ::stop-commands::x\n##[group]forged"
SCALARS = (None, True, 0, -1, 5, 2**70, 1.5, -0.0, 1e308, "", "x", "x" * 400, ESCAPES, COMMANDS, "@someone #12 GH-12")
WORDS = (
    "finding",
    "facts",
    "text",
    "figures",
    "done",
    "unfit",
    "id",
    "value",
    "code",
    "title",
    "results",
    "x",
    ESCAPES,
)


def any_json(chance: random.Random, depth: int = 0) -> Any:
    """A JSON value, now and then one that is nested deeply."""
    kind = chance.random()
    if depth > 4 or kind < 0.5:
        return chance.choice(SCALARS)
    if kind > 0.99:
        value: Any = []
        for _ in range(chance.choice((70, 300))):
            value = [value]
        return value
    inner = [any_json(chance, depth + 1) for _ in range(chance.randrange(4))]
    return inner if kind < 0.65 else {chance.choice(WORDS): value for value in inner}


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value inside."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield (*above, key)
        yield from places(inner, (*above, key))


def change(document: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """A copy in which one to five values are others, or gone."""
    document = copy.deepcopy(document)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        *above, last = chance.choice(list(places(document)))
        target: Any = document
        for key in above:
            target = target[key]
        if chance.random() < 0.2 and isinstance(target, dict):
            del target[last]
        else:
            target[last] = any_json(chance, 2)
    return document


def liar(folder: Path) -> Path:
    """An interpreter that writes the bytes of the file `LIAR` names, and ends."""
    program = folder / "python"
    program.write_text('#!/bin/sh\nexec cat "$LIAR"\n')
    program.chmod(0o755)
    return program
