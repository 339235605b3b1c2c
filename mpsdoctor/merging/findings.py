"""What many machines tell together: rules over the merged report and its machines' reports. Pure."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from mpsdoctor import texts, verdict
from mpsdoctor.check import finding
from mpsdoctor.compare.obstacles import HOT, UNDER_PRESSURE, any_of, conditions_of
from mpsdoctor.facts import read_facts
from mpsdoctor.faulty import operators_of, wrong_issues
from mpsdoctor.merging.differences import Reported, is_risky
from mpsdoctor.merging.shapes import OUTCOMES, FleetMachine, FleetReport, spans
from mpsdoctor.report import Finding, Report, Values
from mpsdoctor.texts import Each, Part
from mpsdoctor.winners import ruled_out

# Twice what two check-ups of one machine may differ by without a word (±5 %), and a synchronous step waits for it.
STRAGGLES = 1.1
NAMED = 5  # of a kind, in a sentence
T = TypeVar("T")
Rule = Callable[[FleetReport, Reported], Iterator[Finding]]


def find_all(fleet: FleetReport) -> tuple[Finding, ...]:
    """The findings of all rules, in their order."""
    reported = reported_of(fleet.machines)
    return tuple(found for rule in RULES for found in rule(fleet, reported))


def reported_of(machines: Sequence[FleetMachine]) -> Reported:
    """The machines that have a report, with it."""
    return [(machine, machine.report) for machine in machines if machine.report]


def no_report(fleet: FleetReport, reported: Reported) -> Iterator[Finding]:
    for outcome in OUTCOMES[:-1]:
        machines = [machine for machine in fleet.machines if machine.outcome == outcome]
        if machines:
            ranks = [machine.rank for machine in machines]
            rows = [
                {"rank": machine.rank, "detail": texts.as_told(machine.detail, machine.detail_values)}
                for machine in machines[:NAMED]
            ]
            values: Values = {"ranks": spans(ranks), "how": Part(outcome), "rows": Each("row", rows)}
            yield finding("FLEET101", "error", {"ranks": ranks, "outcome": outcome}, **values)


def other_versions(fleet: FleetReport, reported: Reported) -> Iterator[Finding]:
    for difference in fleet.differences:
        if is_risky(difference):
            rows = [{"value": held.value, "ranks": spans(held.ranks)} for held in difference.values[:NAMED]]
            evidence = {"values": {str(held.value): list(held.ranks) for held in difference.values}}
            values: Values = {"what": difference.what, "step": Part(str(difference.step)), "rows": Each("row", rows)}
            yield finding("FLEET102", "warning", evidence, **values)


def slow_machines(fleet: FleetReport, reported: Reported) -> Iterator[Finding]:
    slow = [row for row in fleet.paces if row.ratio >= STRAGGLES]
    if slow:
        rows = [
            {"rank": row.rank, "ratio": row.ratio, "training": row.slowest, "most": row.slowest_ratio}
            for row in slow[:NAMED]
        ]
        evidence = {"ratios": {str(row.rank): row.ratio for row in slow}}
        values: Values = {"rank": slow[0].rank, "ratio": slow[0].ratio, "rows": Each("row", rows)}
        yield finding("FLEET103", "warning", evidence, **values)


def wrong_devices(fleet: FleetReport, reported: Reported) -> Iterator[Finding]:
    """Devices that are out, with the first reason; the same device on several machines is one finding."""
    groups: dict[str, list[tuple[int, Part]]] = {}
    for rank, (device, why) in of_each(reported, devices_out):
        groups.setdefault(device, []).append((rank, why))
    for device, rows in groups.items():
        ranks = [rank for rank, _ in rows]
        named = [{"rank": rank, "why": why} for rank, why in rows[:NAMED]]
        values: Values = {"device": device, "ranks": spans(ranks), "rows": Each("row", named)}
        yield finding("FLEET104", "error", {"ranks": ranks, "device": device}, **values)


def devices_out(report: Report) -> Iterator[tuple[str, Part]]:
    facts = read_facts(report)
    for device, proof in ruled_out(operators_of(facts), facts.get("training")).items():
        yield device, verdict.why_out(device, proof)[0]


def of_each(reported: Reported, look: Callable[[Report], Iterable[T]]) -> Iterator[tuple[int, T]]:
    """What is seen in each report, with the rank; facts that somebody changed tell nothing."""
    for machine, report in reported:
        with contextlib.suppress(*texts.UNFILLABLE):
            yield from [(machine.rank, row) for row in look(report)]


def known_issues(fleet: FleetReport, reported: Reported) -> Iterator[Finding]:
    groups: dict[str, list[int]] = {}
    for rank, row in of_each(reported, lambda report: wrong_issues(read_facts(report))):
        ranks = groups.setdefault(row["id"], [])
        ranks += [] if rank in ranks else [rank]
    if groups:
        rows = [{"id": name, "ranks": spans(ranks)} for name, ranks in groups.items()]
        values: Values = {"count": len(groups), "rows": Each("row", rows[:NAMED])}
        yield finding("FLEET105", "warning", {"issues": groups}, **values)


def conditions(fleet: FleetReport, reported: Reported) -> Iterator[Finding]:
    """Machines that were timed under memory pressure, hot, or short of power: others than those are not to blame."""
    groups: dict[str, list[int]] = {}
    for rank, name in of_each(reported, conditions_in):
        groups.setdefault(name, []).append(rank)
    if groups:
        rows = [{"ranks": spans(ranks), "what": Part(name)} for name, ranks in groups.items()]
        everyone = {rank for ranks in groups.values() for rank in ranks}
        values: Values = {"ranks": spans(list(everyone)), "rows": Each("row", rows)}
        yield finding("FLEET106", "warning", dict(groups), **values)


def conditions_in(report: Report) -> Iterator[str]:
    moments = conditions_of(report)
    facts: Any = read_facts(report).get("training") or {}
    if any(moment.get("pressure") in UNDER_PRESSURE for moment in moments):
        yield "pressure"
    if any(moment.get("thermal_state") in HOT for moment in moments) or report.machine.thermal_state in HOT:
        yield "hot"
    if any_of(moments, "low_power") or report.machine.low_power:
        yield "low_power"
    if any_of(moments, "on_battery"):
        yield "on_battery"
    if facts.get("doubtful") is True:
        yield "disturbed"


def unreached(fleet: FleetReport, reported: Reported) -> Iterator[Finding]:
    there = {machine.rank for machine, _ in reported}  # what is dead is told of already
    tried = [(machine, row) for machine in fleet.machines for row in machine.reach if row.to in there]
    failed = [(machine, row) for machine, row in tried if not row.reached]
    if failed:
        rows = [
            {"rank": machine.rank, "to": row.to, "interface": machine.interface or "?", "detail": row.detail}
            for machine, row in failed[:NAMED]
        ]
        values: Values = {"count": len(failed), "all": len(tried), "rows": Each("row", rows)}
        evidence = {"failed": [[machine.rank, row.to] for machine, row in failed]}
        yield finding("FLEET107", "warning", evidence, **values)


def refused_collectives(fleet: FleetReport, reported: Reported) -> Iterator[Finding]:
    """Backends that do not take a device; a warning where ranks would train on it."""
    groups: dict[tuple[str, str], list[tuple[FleetMachine, str]]] = {}
    for machine in fleet.machines:
        for row in machine.collectives:
            if row.outcome not in ("ok", "unavailable"):
                groups.setdefault((row.backend, row.device), []).append((machine, row.detail or row.outcome))
    chosen = {row.device for row in fleet.shares}
    for (backend, device), rows in groups.items():
        ranks = [machine.rank for machine, _ in rows]
        grave = device in chosen and len(fleet.machines) > 1
        values: Values = {"backend": backend, "device": device, "ranks": spans(ranks), "words": rows[0][1]}
        yield finding("FLEET108", "warning" if grave else "info", {"ranks": ranks}, **values)


def unequal_devices(fleet: FleetReport, reported: Reported) -> Iterator[Finding]:
    groups: dict[str, list[int]] = {}
    for row in fleet.shares:
        groups.setdefault(row.device.partition(":")[0], []).append(row.rank)
    if len(groups) > 1:
        rows = [{"device": device, "ranks": spans(ranks)} for device, ranks in groups.items()]
        yield finding("FLEET109", "warning", dict(groups), rows=Each("row", rows), devices=list(groups))


def since_baseline(fleet: FleetReport, reported: Reported) -> Iterator[Finding]:
    for changed in fleet.changes:
        worse = [change for change in changed.changes if change.direction == "worse"]
        told = worse or [change for change in changed.changes if change.direction == "better"] or changed.changes
        rows = [
            {"what": change.what, "before": str(change.before), "after": str(change.after)} for change in told[:NAMED]
        ]
        values: Values = {
            "rank": changed.rank,
            "count": len(changed.changes),
            "worse": len(worse),
            "rows": Each("row", rows),
        }
        yield finding("FLEET110", "error" if worse else "info", {"rank": changed.rank}, **values)


RULES: tuple[Rule, ...] = (
    *(no_report, wrong_devices, slow_machines, other_versions, unequal_devices, known_issues),
    *(unreached, refused_collectives, conditions, since_baseline),
)
