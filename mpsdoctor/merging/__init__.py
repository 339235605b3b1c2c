"""Many machines in one report: what came of each goes in, what they tell together comes out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from mpsdoctor.compare import compare
from mpsdoctor.merging import findings, speeds
from mpsdoctor.merging.differences import list_differences
from mpsdoctor.merging.shapes import Changed, FleetMachine, FleetReport
from mpsdoctor.texts import Part, as_values


def merge(
    machines: Iterable[FleetMachine], size: int | None = None, baseline: FleetReport | None = None
) -> FleetReport:
    """One report of them, by rank; with a baseline also what changed on each machine that is in both.

    Of `size` ranks those that no machine has are told as machines of which nothing was heard.
    """
    heard = list(machines)
    ordered = tuple(sorted((*heard, *unheard(heard, size or 0)), key=lambda machine: machine.rank))
    reported = findings.reported_of(ordered)
    fleet = FleetReport(
        machines=ordered,
        differences=tuple(list_differences(reported)),
        findings=(),
        paces=tuple(speeds.list_paces(reported)),
        shares=tuple(speeds.list_shares(reported)),
        changes=tuple(compare_with(baseline, ordered)) if baseline else (),
        size=size,
    )
    return msgspec.structs.replace(fleet, findings=findings.find_all(fleet))


def unheard(machines: Iterable[FleetMachine], size: int) -> Iterator[FleetMachine]:
    why = Part("fleet_unheard")
    for rank in sorted({*range(size)} - {rank for machine in machines for rank in (machine.rank, *machine.ranks)}):
        yield FleetMachine(rank, "unreachable", None, str(why), as_values(why), (rank,))


def compare_with(baseline: FleetReport, machines: Iterable[FleetMachine]) -> Iterator[Changed]:
    """Machines that changed, each compared with the one of its rank then."""
    before = {machine.rank: machine.report for machine in baseline.machines}
    for machine in machines:
        old = before.get(machine.rank)
        if old and machine.report:
            changes = compare(old, machine.report).changes
            if changes:
                yield Changed(machine.rank, changes)
