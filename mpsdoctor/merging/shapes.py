"""What a report of many machines says: one declaration for the JSON document, its schema and those who show it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from mpsdoctor.compare.shapes import Change
from mpsdoctor.report import Finding, Report
from mpsdoctor.texts import WordingData

Outcome = Literal["ok", "killed", "hung", "late", "unreachable", "error"]
OUTCOMES: tuple[Outcome, ...] = ("killed", "hung", "late", "unreachable", "error", "ok")  # in the order of telling
# The first number of a version that differs; "build" beyond the third.
Step = Literal["major", "minor", "patch", "build"]
Rank = Annotated[int, msgspec.Meta(ge=0, lt=1 << 20)]
Size = Annotated[int, msgspec.Meta(ge=1, le=1 << 20)]
Ranks = Annotated[tuple[Rank, ...], msgspec.Meta(max_length=4096)]


class Reach(msgspec.Struct, frozen=True):
    """Whether another machine's port takes connections from this one, and the milliseconds until it did."""

    to: Rank
    reached: bool
    ms: float | None = None
    detail: str = ""


class Collective(msgspec.Struct, frozen=True):
    """What came of an all-reduce of one process on a device: the backend takes its tensors, or does not."""

    backend: str
    device: str
    outcome: Literal["ok", "error", "crash", "timeout", "unavailable"]
    detail: str = ""


class FleetMachine(msgspec.Struct, frozen=True):
    """One machine: what came of its check-up.

    `rank` is that of the process that made it, `ranks` are all that run there; `interface` is the network interface
    towards the store, None where it is not known; `detail_values` are what the detail was filled with.
    """

    rank: Rank
    outcome: Outcome
    report: Report | None = None
    detail: str = ""
    detail_values: WordingData | None = None
    ranks: Ranks = ()
    interface: str | None = None
    reach: tuple[Reach, ...] = ()
    collectives: tuple[Collective, ...] = ()


class Held(msgspec.Struct, frozen=True):
    """A value, and the machines that have it, by rank."""

    value: str | float
    ranks: tuple[Rank, ...]


class Difference(msgspec.Struct, frozen=True):
    """A version or a part of the machine that is not the same everywhere, the commonest value first.

    `step` is None where numbers tell no risk.
    """

    what: str
    step: Step | None
    values: tuple[Held, ...]


class Pace(msgspec.Struct, frozen=True):
    """How many times as long a machine takes as the median machine, over trainings that others timed on such a device.

    `trainings` is how many they are; `slowest` the one in which it is furthest behind, with that ratio.
    """

    rank: Rank
    ratio: float
    trainings: int
    slowest: str
    slowest_ratio: float


class Share(msgspec.Struct, frozen=True):
    """The device of a rank, and the part of a batch with which all ranks take equally long, of 1.

    None where the machines have no training in common, timed on the devices that are recommended.
    """

    rank: Rank
    device: str
    share: float | None
    samples_per_s: float | None


class Changed(msgspec.Struct, frozen=True):
    """What is another on a machine than in the baseline."""

    rank: Rank
    changes: tuple[Change, ...]


class FleetReport(msgspec.Struct, frozen=True):
    """All machines, by rank. It is the same whether they were gathered or merged from files.

    `size` is how many ranks there are to be, None where only files tell.
    """

    machines: tuple[FleetMachine, ...]
    differences: tuple[Difference, ...]
    findings: tuple[Finding, ...]
    paces: tuple[Pace, ...] = ()
    shares: tuple[Share, ...] = ()
    changes: tuple[Changed, ...] = ()
    size: Size | None = None
    schema_version: Literal[1] = 1


def spans(ranks: tuple[int, ...] | list[int]) -> str:
    """Ranks as people write them: `0-3, 7`."""
    runs: list[list[int]] = []
    for rank in sorted(set(ranks)):
        if runs and rank == runs[-1][-1] + 1:
            runs[-1][1:] = [rank]
        else:
            runs.append([rank])
    return ", ".join("-".join(map(str, run)) for run in runs)
