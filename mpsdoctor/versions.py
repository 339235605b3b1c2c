"""Version numbers, of torch and of macOS."""

from __future__ import annotations

import re


def numbers(text: str | None) -> tuple[int, ...]:
    """The leading numbers of a version: (2, 13, 0) of "2.13.0+cpu"; empty for what is no version."""
    match = re.match(r"\s*([0-9]{1,9}(?:\.[0-9]{1,9})*)", text or "")
    return tuple(map(int, match[1].split("."))) if match else ()


def release(text: str | None) -> tuple[int, int] | None:
    """Major and minor: (2, 7) of "2.7.1+cpu"; None of what does not tell both."""
    found = numbers(text)[:2]
    return (found[0], found[1]) if len(found) == 2 else None
