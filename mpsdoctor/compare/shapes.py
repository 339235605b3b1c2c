"""What a comparison of two reports says: one declaration for the JSON document, its schema and those who show it."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import msgspec

from mpsdoctor import texts
from mpsdoctor.texts import Part

Kind = Literal["version", "finding", "operator", "speed", "verdict"]
Direction = Literal["better", "worse", "neutral"]
# "same" lies inside ±5 %; "open" is not settled; "unknown" cannot be told.
Answer = Literal["faster", "slower", "same", "open", "unknown"]
Figure = str | float | None  # None where there was nothing
KINDS: tuple[Kind, ...] = ("verdict", "version", "finding", "operator", "speed")  # in the order in which they are told
DIRECTIONS: dict[Direction, int] = {"worse": 0, "better": 1, "neutral": 2}


class Change(msgspec.Struct, frozen=True):
    """Something that is another in the new report. `detail_values` are what the detail was filled with."""

    what: str
    kind: Kind
    before: Figure
    after: Figure
    direction: Direction
    detail: str = ""
    detail_values: dict[str, Any] | None = None


class Speed(msgspec.Struct, frozen=True):
    """A training in both reports, or without a workload all of a device.

    `ratio` is how many times as fast the new run is; its interval is meant to hold for
    all rows together with 99 %, where runs differ by no more than is allowed for (docs/compare.md).
    """

    workload: str | None
    size: str | None
    device: str
    before_ms: float | None
    after_ms: float | None
    ratio: float | None
    interval: tuple[float, float] | None
    answer: Answer


class Side(msgspec.Struct, frozen=True):
    """The report that is on one side."""

    generated_at: str
    version: str
    budget: str


class Comparison(msgspec.Struct, frozen=True):
    """What changed; `comparable` is whether speeds could be compared, `why_not` the reasons."""

    comparable: bool
    why_not: tuple[str, ...]
    changes: tuple[Change, ...]
    speeds: tuple[Speed, ...]
    old: Side
    new: Side
    why_not_values: tuple[dict[str, Any], ...] = ()
    schema_version: Literal[1] = 1

    @property
    def worse(self) -> bool:
        return any(change.direction == "worse" for change in self.changes)


class Grades(NamedTuple):
    """How bad each outcome is; those that are missing say nothing."""

    levels: dict[str, int]

    def direction(self, before: str, after: str) -> Direction | None:
        """None where one of them says nothing, or nothing changed."""
        if before == after or before not in self.levels or after not in self.levels:
            return None
        step = self.levels[after] - self.levels[before]
        return "worse" if step > 0 else "better" if step < 0 else "neutral"


def change(
    what: str, kind: Kind, ends: tuple[Figure, Figure], direction: Direction, detail: Part | None = None
) -> Change:
    """A change with its detail in words."""
    return Change(what, kind, *ends, direction, str(detail or ""), texts.as_values(detail) if detail else None)


def turned(value: int | float) -> Direction:
    """More is better."""
    return "better" if value > 0 else "worse" if value < 0 else "neutral"
