"""What a failing log has that a good one has not, after numbers, paths and times are levelled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mpsdoctor.explain.lines import Line, Text

# Versions stay: torch 2.7.1 beside 2.8.0 is a difference.
LEVELLED = (
    (re.compile(r"[a-z]:\\\S+|(?:~|\.{1,2})?(?:/[\w.@+~-]+){2,}/?"), "PATH"),
    (re.compile(r"\b0x[0-9a-f]+\b|\b[0-9a-f]{8}-[0-9a-f-]{20,30}\b|\b[0-9a-f]{12,64}\b"), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\d[t ]?|\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d+)?z?"), "TIME"),
    (re.compile(r"(?<![\w.])[-+]?\d+(?:[.,]\d+)?(?:e[-+]?\d+)?(?![\w]*\.\d|\.\w)"), "#"),
    (re.compile(r"\b\d+(?=[a-z%/])"), "#"),
    (re.compile(r"[█▉▊▋▌▍▎▏■#=>-]{4,}"), "BAR"),
)
MATTERS = re.compile(
    r"error|exception|fail|warn|assert|abort|crash|killed|fault|denied|not (?:found|supported|implemented|available)"
    r"|cannot|unable|invalid|fall(?:s|ing)? back|traceback|nan\b|out of memory|version|torch|macos|python|numpy|device"
    r"|mps|=="
)
MOST = 10


@dataclass(frozen=True)
class Comparison:
    """The lines that the failing text has alone; those that matter first, in the order of the text."""

    lines: tuple[Line, ...]
    text: Text


def level(line: str) -> str:
    """A line in small letters, without what differs from run to run."""
    for expression, instead in LEVELLED:
        line = expression.sub(instead, line)
    return " ".join(line.split())


def compare(failing: Text, good: Text) -> Comparison:
    """The difference, and the failing text of these lines alone."""
    known = {level(line.low) for line in good.lines}
    alone = tuple(_alone(failing, known))
    matter = [line for line in alone if MATTERS.search(line.low)]
    others = [line for line in alone if not MATTERS.search(line.low)]
    return Comparison(tuple([*matter, *others][:MOST]), Text(alone))


def _alone(failing: Text, known: set[str]) -> Iterator[Line]:
    """Each kind of line once."""
    seen: set[str] = set()
    for line in failing.lines:
        levelled = level(line.low)
        if levelled not in known and levelled not in seen:
            seen.add(levelled)
            yield line
