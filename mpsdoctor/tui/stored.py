"""A person's own scripts and steps that the profile holds: who won, and which batch sizes fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpsdoctor.facts.training import STEP
from mpsdoctor.figures import figure, times
from mpsdoctor.formats import rows as figures
from mpsdoctor.texts import say
from mpsdoctor.tui import words
from mpsdoctor.tui.widgets.rows import Cell, Row
from mpsdoctor.tui.words import Piece

if TYPE_CHECKING:
    from mpsdoctor.runtime.shapes import BatchSizes, Measured, Profile

ALIKE = {True: ("alike", "pass"), False: ("not_alike", "fail"), None: ("alike_unknown", "warn")}
BEYOND = 1e9  # after every size of the workloads


@dataclass(frozen=True)
class Stored:
    """What the profile keeps under a name; `winner` is None where batch sizes alone are known."""

    name: str
    winner: Measured | None
    batches: Mapping[str, BatchSizes]

    @property
    def kind(self) -> str:
        """A raced script, or a step."""
        return say("screen.stored_script" if self.winner and "alike" in self.winner else "screen.stored_step")


def of_profile(content: Profile | None) -> dict[str, Stored]:
    """By the key of its row."""
    if content is None:
        return {}
    winners = {name: sizes[STEP] for name, sizes in content["workloads"].items() if STEP in sizes}
    batches = content["batch_sizes"]
    names = dict.fromkeys([*winners, *batches])
    return {f"stored {name}": Stored(name, winners.get(name), batches.get(name, {})) for name in names}


def row(key: str, stored: Stored, devices: Sequence[str], columns: int) -> Row:
    """A row like those of the workloads, without step times; the winner stands where they have their ratios."""
    blank: Cell = ("", "muted")
    ratios = columns - 2 - len(devices)
    cells = (*[blank] * len(devices), winner(stored), *[blank] * (ratios - 1))
    speed = stored.winner["speedup"] if stored.winner else None
    places = (*[0.0] * len(devices), speed or 0.0, *[0.0] * (ratios - 1))
    return Row(key, ((stored.name, "plain"), (stored.kind, "muted"), *cells), (stored.name, BEYOND, *places))


def winner(stored: Stored) -> Cell:
    """`mps 1.97× (1.9 to 2.0)`; where the CPU won, how fast the accelerator was."""
    entry = stored.winner
    if entry is None:
        return "", "muted"
    ends, speedup = entry["ci95"], entry["speedup"]
    if entry["device"] == "tie" or speedup is None or not ends:
        return (say("report.not_settled") if entry["device"] == "tie" else entry["device"]), "muted"
    span = say("report.from_to", low=figure(ends[0]), high=figure(ends[1]))
    if figures.is_wide(ends):
        return entry["device"], "muted"
    told = say("screen.winner_other", device=entry["device"], speedup=f"{times(speedup)} ({span})")
    if entry["device"] == "cpu":
        told = say("screen.winner_cpu", device="cpu", speedup=f"{times(speedup)}, {span}")
    return told, "warn" if entry["device"] == "cpu" else "pass"


def describe(stored: Stored, stale: Sequence[str]) -> Iterator[Piece]:
    """All that is kept, and how a script asks for it."""
    yield words.styled((stored.name, "strong"), (f" · {stored.kind}", "muted"))
    if stale:
        yield words.styled((f"! {say('screen.stale')} ", "warn"), "; ".join(stale))
    if stored.winner:
        text, tone = winner(stored)
        yield words.styled((f"{say('screen.label_winner')} ", "title"), (text, tone))
        if "alike" in stored.winner:
            name, tone = ALIKE[stored.winner["alike"]]
            yield (say(f"screen.{name}"), tone)
    for device, sizes in stored.batches.items():
        largest = f"{sizes['largest']:,}"
        most = largest if sizes["settled"] else say("screen.or_more", batch=largest)
        rate = {"fastest": sizes["fastest"], "rate": sizes["samples_per_s"]}
        yield say("screen.batches_of", device=device, largest=most, **rate)
    if stored.winner:
        yield ""
        yield words.command_line(f"device, info = get_optimal_device(workload={stored.name!r})")
