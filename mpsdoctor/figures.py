"""Figures as people read them, in every format and sentence: three digits, a unit that fits, no powers of ten. Pure."""

from __future__ import annotations

import math


def figure(value: float, digits: int = 3) -> str:
    """Three digits: `0.525`, `12.5`, `1,430`; what is not finite as Python tells it."""
    if not math.isfinite(value):
        return str(value)
    places = digits - 1 - int(f"{value:.{digits - 1}e}".partition("e")[2])
    return f"{round(value, places):,.{max(0, places)}f}"


def times(ratio: float) -> str:
    """A ratio of speeds: `0.525×`."""
    return f"{figure(ratio)}×"


def times_short(ratio: float) -> str:
    """The same where it need not be exact: `2×`."""
    return f"{short(ratio)}×"


def duration(ms: float) -> str:
    """Milliseconds: `83.2 µs`, `9.69 ms`, `1.43 s`."""
    if ms < 0.1:
        return f"{figure(1000 * ms)} µs"
    return f"{figure(ms)} ms" if ms < 999.5 else f"{figure(ms / 1000)} s"


def count(number: float) -> str:
    """`19.9k`, `1.2M`: three digits at most, of what need not be exact."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= 0.9995 * limit:
            return f"{short(number / limit)}{unit}"
    return short(number)


def rough(value: float) -> str:
    """As `short`, two digits: `1.9`, `24`, `1,400`."""
    return short(value, 2)


def short(value: float, digits: int = 3) -> str:
    """As `figure`, without zeros that end a fraction: `2`, `0.5`."""
    text = figure(value, digits)
    return text.rstrip("0").rstrip(".") if "." in text else text
