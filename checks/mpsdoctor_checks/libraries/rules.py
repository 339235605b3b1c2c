"""Libraries that would train elsewhere than they should, without a word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mpsdoctor.check import Finding, Rule, finding
from mpsdoctor.facts.libraries import LibraryFacts, LibraryRow
from mpsdoctor.texts import Each, Part
from mpsdoctor_checks.libraries.collect import TRUE
from mpsdoctor_checks.libraries.table import PARTING

RUN = "mpsdoctor run -- python train.py"


def elsewhere(facts: LibraryFacts) -> Iterator[Finding]:
    """MPS801: libraries that take another device than is recommended; a finding for each device that they take."""
    recommended = facts["recommended"]
    if recommended is None:
        return
    device = recommended["device"].partition(":")[0]
    for picks, rows in by_device(facts, set(facts["unusable"])):
        if picks != device:
            yield finding(
                "MPS801",
                "warning",
                {"names": [row["name"] for row in rows], "picks": picks, **recommended},
                commands=commands(rows),
                names=[row["name"] for row in rows],
                picks=picks,
                device=device,
                source=Part(recommended["source"]),
                lines=lines(rows),
                by_hand=by_hand(rows),
            )


def unusable(facts: LibraryFacts) -> Iterator[Finding]:
    """MPS802: libraries that take a device which failed when it was tried, and so end at their first step."""
    for picks, rows in by_device(facts):
        if picks in facts["unusable"]:
            yield finding(
                "MPS802",
                "warning",
                {"names": [row["name"] for row in rows], "picks": picks},
                commands=commands(rows),
                names=[row["name"] for row in rows],
                picks=picks,
                lines=lines(rows),
                by_hand=by_hand(rows),
            )


def parted(facts: LibraryFacts) -> Iterator[Finding]:
    """MPS803: a variable that moves the batches of Trainer, and leaves its model on the accelerator."""
    trainer = next((row for row in facts["libraries"] if row["name"] == "transformers"), None)
    if trainer is None or trainer["picks"] in (None, "cpu"):
        return
    for name in PARTING:
        value = facts["variables"].get(name)
        to = "cpu" if name == "ACCELERATE_USE_CPU" else (value or "").partition(":")[0]
        moves = value is not None and (name != "ACCELERATE_USE_CPU" or value.lower() in TRUE)
        if moves and to != trainer["picks"]:
            evidence = {"name": name, "value": value, "picks": trainer["picks"]}
            yield finding(
                "MPS803",
                "warning",
                evidence,
                commands=(f"unset {name}",),
                name=name,
                value=value,
                to=to,
                picks=trainer["picks"],
                how=trainer["how"],
            )


def by_device(facts: LibraryFacts, but: Iterable[str] = ()) -> Iterator[tuple[str, list[LibraryRow]]]:
    """The libraries by what they take."""
    rows = [row for row in facts["libraries"] if row["picks"] not in (None, *but)]
    for picks in dict.fromkeys(row["picks"] for row in rows):
        if picks:
            yield picks, [row for row in rows if row["picks"] == picks]


def commands(rows: list[LibraryRow]) -> tuple[str, ...]:
    return (RUN,) if any(row["follows_run"] for row in rows) else ()


def by_hand(rows: list[LibraryRow]) -> Part:
    """Which of them `mpsdoctor run` does not steer."""
    names = [row["name"] for row in rows if not row["follows_run"]]
    return Part("by_hand" if names else "", {"names": names})


def lines(rows: list[LibraryRow]) -> Each:
    return Each("line", [dict(row) for row in rows])


RULES: tuple[Rule[LibraryFacts], ...] = (elsewhere, unusable, parted)
