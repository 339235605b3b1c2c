"""What the formats of a comparison have in common: its changes and speeds in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mpsdoctor import texts
from mpsdoctor.compare.shapes import KINDS, Change, Comparison, Figure, Kind, Side, Speed
from mpsdoctor.figures import duration, figure, times
from mpsdoctor.texts import say, term

TABLE = ("training", "size", "device", "before", "after", "speed")

NAMED = ("device", "system", "python", "python architecture", "gpu cores", "cpu threads")  # the rest stays as it is


class Line(NamedTuple):
    """A change in words; `direction` is the word of the comparison, `told` that of the reader."""

    direction: str
    told: str
    what: str
    ends: str
    detail: str


class Row(NamedTuple):
    """A training in words, by the columns of `TABLE`."""

    training: str
    size: str
    device: str
    before: str
    after: str
    speed: str


def title(comparison: Comparison) -> str:
    old, new = (describe_side(side) for side in (comparison.old, comparison.new))
    return say("compare.title", old=old, new=new)


def describe_side(side: Side) -> str:
    budget, day = term("budget", side.budget), side.generated_at.partition("T")[0]
    return say("compare.made", budget=budget, time=day, version=side.version)


def headline(comparison: Comparison) -> str:
    """How many changes of each direction."""
    count = [change.direction for change in comparison.changes].count
    if not comparison.changes:
        return say("compare.nothing")
    if not count("worse") + count("better"):
        return say("compare.nothing_settled")
    return say("compare.counts", worse=count("worse"), better=count("better"), neutral=count("neutral"))


def groups(comparison: Comparison) -> Iterator[tuple[str, list[Line]]]:
    """Headings with their changes; those of speed stand in the table."""
    for kind in KINDS:
        lines = [put_in_words(change) for change in comparison.changes if change.kind == kind and not is_timed(change)]
        if lines:
            yield say(f"compare.heading_{kind}"), lines


def is_timed(change: Change) -> bool:
    """Whether it is a change of speed, and not one of how a training ends."""
    return change.kind == "speed" and not isinstance(change.before, str)


def put_in_words(change: Change) -> Line:
    told = say(f"compare.direction_{change.direction}")
    before, after = (end(value, change.kind, change.what) for value in (change.before, change.after))
    detail = texts.tell(change.detail, change.detail_values)
    return Line(change.direction, told, name(change), say("compare.arrow", before=before, after=after), detail)


def name(change: Change) -> str:
    """Operators and codes stay as they are."""
    return say(f"compare.name_{change.what}") if change.what in NAMED else change.what


def end(value: Figure, kind: Kind, what: str) -> str:
    """A figure, a severity, an outcome, a version."""
    if value is None:
        return say("compare.none")
    if not isinstance(value, str):
        return texts.size(value) if what == "memory" else f"{value:g}"
    if kind == "version":
        return value
    return term("severity", value) if what.startswith("MPS") else term("outcome", value)


def heads() -> tuple[str, ...]:
    """Those of the columns."""
    return tuple(say(f"compare.{name}") for name in TABLE)


def speeds(comparison: Comparison) -> list[Row]:
    """The trainings that both reports timed."""
    return [describe_speed(row) for row in comparison.speeds]


def describe_speed(row: Speed) -> Row:
    before, after = (duration(value) if value is not None else "" for value in (row.before_ms, row.after_ms))
    return Row(row.workload or say("compare.all"), row.size or "", row.device, before, after, compare_speed(row))


def compare_speed(row: Speed) -> str:
    if row.ratio is None or row.interval is None:
        return say("compare.unknown")
    low, high = map(figure, row.interval)
    span = say("compare.from_to", low=low, high=high)
    if row.answer == "faster":
        return say("compare.faster", ratio=times(row.ratio), interval=span)
    if row.answer == "slower":
        return say("compare.slower", ratio=times(row.ratio), interval=span)
    return say("compare.same") if row.answer == "same" else say("compare.open")


def reasons(comparison: Comparison) -> list[str]:
    """Why speeds cannot be compared."""
    values = comparison.why_not_values
    return [texts.tell(text, data) for text, data in zip(comparison.why_not, values, strict=True)]
