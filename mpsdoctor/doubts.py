"""What lowers the confidence in a verdict, each with its reason and what would help. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

from mpsdoctor.facts.operators import Operators
from mpsdoctor.facts.training import STEP, TimedFacts
from mpsdoctor.report import Confidence
from mpsdoctor.texts import Each, Part, Wording, from_both
from mpsdoctor.thresholds import FASTER
from mpsdoctor.winners import Score

Row = TypeVar("Row")

FEW_STEPS = 20  # timed on a device; fewer may all fall into one disturbance
FAMILIES = 4  # that the check trains
LONG = 1.5  # the upper end of an interval this many times its lower end says little
# What helps, in the order in which it is done.
REMEDIES = (
    *("help_arm64", "help_plug", "help_power", "help_cool", "help_wait", "help_quiet", "help_memory"),
    *("help_findings", "help_probe", "help_measure", "help_thorough", "help_seconds"),
)
OF_DISTURBANCE = {  # by the first word of the phrase's name: how it is told here, and what helps
    "busy": ("doubt_busy", "help_quiet"),
    "swapped": ("doubt_memory", "help_memory"),
    "pressure": ("doubt_memory", "help_memory"),
    "heat": ("doubt_hot", "help_cool"),
    "low": ("doubt_low_power", "help_power"),
    "on": ("doubt_battery", "help_plug"),
}
NAMED = 3  # doubts and remedies in a sentence


class Doubt(NamedTuple):
    """Reasons to be less sure, by how many steps of high, medium, low, and which of REMEDIES help."""

    weight: int
    reasons: tuple[Part, ...]
    remedies: tuple[str, ...] = ("help_thorough",)


NOTHING_COMPARED = Doubt(2, (Part("doubt_not_compared"),))
NOTHING_TIMED = Doubt(2, (Part("doubt_not_timed"),), ("help_measure",))
TRANSLATED = Doubt(2, (Part("doubt_translated"),), ("help_arm64",))


def confidence(doubts: Sequence[Doubt]) -> Confidence:
    total = sum(doubt.weight for doubt in doubts)
    return "high" if total <= 0 else "medium" if total == 1 else "low"


def explain(doubts: Sequence[Doubt]) -> Part:
    """Why the confidence is no higher, and what to do about it."""
    needed = {name for doubt in doubts for name in doubt.remedies}
    reasons = [{"doubt": reason} for doubt in doubts for reason in doubt.reasons]
    remedies = [{"doubt": Part(name)} for name in REMEDIES if name in needed]
    more = len(reasons) - NAMED
    return Part(
        "why_not_sure",
        {
            "confidence": Part(f"confidence_{confidence(doubts)}"),
            "doubts": Each("doubt", reasons[:NAMED], ", "),
            "rest": Part("rest" if more > 0 else "", {"more_count": more}),
            "remedies": Each("doubt", remedies[:NAMED], ", "),
        },
    )


def doubts(score: Score, operators: Operators | None, training: TimedFacts, device: str) -> list[Doubt]:
    """Everything that speaks against trusting a score; `device` is what is recommended by it."""
    return [
        *spread(score),
        *untimed(score),
        *sizes(score),
        *few_steps(score, training),
        *disturbances(training),
        *unprobed(operators, device),
    ]


def spread(score: Score) -> Iterator[Doubt]:
    low, high = score.ci95
    if not score.rows:
        yield Doubt(2, (Part("doubt_unsettled"),))
    elif low <= FASTER < high:
        yield Doubt(1, (Part("doubt_open"),))
    elif high > LONG * low:
        yield Doubt(1, (Part("doubt_wide"),))


def untimed(score: Score) -> Iterator[Doubt]:
    settled = len(score.rows)
    if 0 < settled < FAMILIES and score.rows[0]["size"] != STEP:
        yield Doubt(
            1 if 2 * settled >= FAMILIES else 2, (Part("doubt_families", {"settled": settled, "all": FAMILIES}),)
        )


def sizes(score: Score) -> Iterator[Doubt]:
    other = [row["workload"] for row in score.rows if row["size"] not in ("medium", STEP)]
    if other:
        part = "doubt_small" if len(other) == len(score.rows) else "doubt_sizes"
        yield Doubt(1, (Part(part, {"families": other}),))


def few_steps(score: Score, training: TimedFacts) -> Iterator[Doubt]:
    wanted = {(row["workload"], row["size"]) for row in score.rows}
    few = [
        row
        for row in training["results"]
        if (row["workload"], row["size"]) in wanted
        and row["device"] in ("cpu", score.device)
        and row["outcome"] == "ok"
        and (row["steps"] or 0) < FEW_STEPS
    ]
    # Ten steps tell a ratio of ten from one: only where most rest on few steps is the verdict in doubt.
    if len(few) > len(wanted):
        yield Doubt(1, (Part("doubt_steps"),))


def disturbances(training: TimedFacts) -> Iterator[Doubt]:
    if training.get("alone") is False:
        yield Doubt(1, (Part("doubt_alone"),), ("help_wait",))
    spoiled = training.get("disturbances") or ()
    if spoiled:
        sentences = from_both(spoiled, training.get("disturbances_values") or ())
        yield Doubt(1, *describe_disturbances(sentences))


def describe_disturbances(sentences: Sequence[Wording]) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """Disturbances in few words, a kind once, and what helps against them; those of older reports as they are."""
    kinds: dict[object, Part] = {}
    remedies = []
    for sentence in sentences:
        name = sentence.name.partition("_")[0] if isinstance(sentence, Part) else ""
        known = OF_DISTURBANCE.get(name)
        short, remedy = known or ("doubt_other", "help_quiet")
        who = sentence.values.get("who") if isinstance(sentence, Part) else None
        names = [row["name"] for row in who.rows if "name" in row] if isinstance(who, Each) else []
        if names:
            kinds[short] = Part("doubt_busy_by", {"names": names})
        kinds.setdefault(short if known else str(sentence), Part(short, {"disturbance": sentence}))
        remedies.append(remedy)
    return tuple(kinds.values()), tuple(remedies)


def unprobed(operators: Operators | None, device: str) -> Iterator[Doubt]:
    """Only what is recommended has to be right; the CPU is what others are compared with."""
    if device != "cpu" and not (operators and operators.get("results")):
        yield Doubt(1, (Part("doubt_unprobed", {"device": device}),), ("help_probe",))


def unique(rows: Sequence[Row]) -> list[Row]:
    """Rows that differ, each once."""
    return [row for place, row in enumerate(rows) if row not in rows[:place]]
