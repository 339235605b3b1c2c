"""Which canaries are tried on a device, in which order, and why the others are not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mpsdoctor.facts.issues import IssueRow, Recorded
from mpsdoctor.issues import Surroundings, device_kind_of, recorded_of
from mpsdoctor.runtime.shapes import Issue
from mpsdoctor.texts import Part, Wording, as_values

MIB = 1 << 20
LARGE_MIB = 500  # what takes more has to fit into half of what is free
ROOM = 2.0
FATAL = ("crash", "hang")
LENGTHY = ("leak", "slow")  # kinds whose canaries make many calls
COMPILED = "compiled:"  # canaries that take a compiler, seconds each
RANKS: dict[Recorded, int] = {"bad": 0, "unknown": 1, "good": 2}


@dataclass(frozen=True)
class Limits:
    """What a run may take: `free_bytes` of memory (None is not known), `thorough` ones seconds for one canary.

    `dangerous` is what may outlast its process.
    """

    free_bytes: int | None
    thorough: bool = False
    dangerous: bool = False


@dataclass(frozen=True)
class Candidate:
    """A canary to be tried on a device, and what the data says of it here."""

    issue: Issue
    device: str
    recorded: Recorded

    def row(self, outcome: str, detail: Wording = "") -> IssueRow:
        """What came of it."""
        row: IssueRow = {
            "id": self.issue["id"],
            "kind": self.issue["kind"],
            "device": self.device,
            "recorded": self.recorded,
            "outcome": outcome,
            "detail": str(detail),
            "op": self.issue["op"],
            "core": self.issue["core"],
        }
        if values := as_values(detail):
            row["detail_values"] = values
        return row


def candidates(issues: Iterable[Issue], device: str, here: Surroundings) -> list[Candidate]:
    """The canaries for a device, those first that are recorded for what is here, then those of core operators.

    What kills its worker, makes many calls or takes much memory comes last of its kind. Of other accelerators than
    MPS nothing is recorded.
    """
    kind = device.partition(":")[0]
    found = []
    for issue in issues:
        of_kind = device_kind_of(issue)
        if (of_kind == "cpu") == (kind == "cpu"):
            recorded: Recorded = recorded_of(issue, here) if of_kind == kind else "unknown"
            found.append(Candidate(issue, device, recorded))
    return sorted(found, key=order)


def order(candidate: Candidate) -> tuple[bool, int, bool, bool, bool, float, str]:
    issue = candidate.issue
    memory = issue["memory_mib"] or 0.0
    fatal, late = issue["kind"] in FATAL, is_large(issue) or issue["canary"].startswith(COMPILED)
    lengthy = issue["kind"] in LENGTHY
    return late, RANKS[candidate.recorded], lengthy, fatal, not issue["core"], memory, issue["id"]


def is_large(issue: Issue) -> bool:
    """Whether a canary fills gigabytes, which takes its time."""
    return (issue["memory_mib"] or 0.0) > LARGE_MIB


def why_not(candidate: Candidate, limits: Limits) -> Part | None:
    """Why a canary is not tried; None where it is."""
    issue = candidate.issue
    if issue["dangerous"] and not limits.dangerous:
        return Part("canary_dangerous", {"why": issue["dangerous"]})
    if issue["canary"].startswith(COMPILED) and not limits.thorough:
        return Part("canary_compiles")
    if is_large(issue) and candidate.recorded != "bad" and not limits.thorough:
        return Part("canary_large")
    needed = (issue["memory_mib"] or 0.0) * MIB
    if needed <= LARGE_MIB * MIB and (limits.free_bytes is None or ROOM * needed <= limits.free_bytes):
        return None
    if limits.free_bytes is None:
        return Part("canary_free_unknown", {"needed": needed})
    fits = ROOM * needed <= limits.free_bytes
    return None if fits else Part("canary_too_large", {"needed": needed, "free": limits.free_bytes})


def arguments_of(candidate: Candidate, seconds: float) -> Mapping[str, object]:
    """What the worker's `try_canary` is called with."""
    issue = candidate.issue
    return {
        "canary": issue["canary"],
        "arguments": issue["arguments"],
        "rule": issue["judge"],
        "device": candidate.device,
        "seconds": seconds,
        "lucky": issue["chance"] is not None,
        "memory_mib": issue["memory_mib"],
        "may_raise": issue["kind"] == "error",
    }
