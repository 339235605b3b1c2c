"""What the formats of a report of many machines have in common: its tables in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mpsdoctor import retold, texts
from mpsdoctor.compare.versions import SYSTEMS
from mpsdoctor.figures import times
from mpsdoctor.merging.shapes import FleetMachine, FleetReport, spans
from mpsdoctor.report import Finding
from mpsdoctor.texts import say, term

MACHINES = ("rank", "outcome", "chip", "memory", "system", "device", "share", "pace")
DIFFERENCES = ("what", "step", "values")
COLLECTIVES = ("backend", "device", "takes", "ranks")
CHANGES = ("rank", "direction", "what", "values")
MOST_VALUES = 8  # of a difference, that are told
OF_DIRECTION = {"worse": "error", "better": "ok", "neutral": "note"}
GRAVE = ("error", "warning", "info")


class Table(NamedTuple):
    """A heading, columns by their names in the texts, and what stands below; `signs`, by row: ok, note or error."""

    heading: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, ...]]
    signs: list[str]
    below: str = ""


def headline(fleet: FleetReport) -> str:
    count, answered = len(fleet.machines), sum(machine.report is not None for machine in fleet.machines)
    number = [finding.severity for finding in fleet.findings].count
    worst = say("many.worst", errors=number("error"), warnings=number("warning")) if fleet.findings else ""
    alone = count == answered == 1
    return (say("many.title_one") if alone else say("many.title", answered=answered, count=count)) + worst


def findings(fleet: FleetReport) -> list[Finding]:
    """The gravest first, in the language of who reads."""
    return [retold.finding(found) for found in sorted(fleet.findings, key=lambda found: GRAVE.index(found.severity))]


def tables(fleet: FleetReport) -> Iterator[Table]:
    """That of the machines, and of the others those that have rows."""
    yield list_machines(fleet)
    others = (list_changes(fleet), list_differences(fleet), list_collectives(fleet))
    yield from (table for table in others if table.rows)


def list_machines(fleet: FleetReport) -> Table:
    paces = {row.rank: times(row.ratio) for row in fleet.paces}
    rows = [describe_machine(machine, fleet, paces.get(machine.rank)) for machine in fleet.machines]
    below = say("many.about_pace") if fleet.paces or any(row.share for row in fleet.shares) else ""
    signs = ["ok" if machine.outcome == "ok" else "error" for machine in fleet.machines]
    return Table("machines", MACHINES, rows, signs, below)


def describe_machine(machine: FleetMachine, fleet: FleetReport, pace: str | None) -> tuple[str, ...]:
    outcome, ranks = say(f"many.outcome_{machine.outcome}"), spans(machine.ranks or (machine.rank,))
    shares = [row for row in fleet.shares if row.rank in (machine.ranks or (machine.rank,))]
    share = sum(row.share or 0.0 for row in shares)
    cells = (*about(machine), shares[0].device if shares else None, percent(share) if share else None, pace)
    return (ranks, outcome, *(cell or say("many.unknown") for cell in cells))


def about(machine: FleetMachine) -> tuple[str | None, ...]:
    """Chip, memory, system."""
    if machine.report is None:
        return None, None, None
    told = machine.report.machine
    size = texts.size(told.memory_bytes) if told.memory_bytes else None
    system = " ".join(filter(None, (SYSTEMS.get(told.os or "", told.os), told.os_version)))
    return told.chip, size, system


def percent(share: float) -> str:
    return say("many.percent", value=100 * share)


def list_differences(fleet: FleetReport) -> Table:
    rows = []
    for difference in fleet.differences:
        held = [
            say("many.held", value=describe(difference.what, held.value), ranks=spans(held.ranks))
            for held in difference.values[:MOST_VALUES]
        ]
        left = len(difference.values) - MOST_VALUES
        held += [say("many.more", count=left)] if left > 0 else []
        step = say(f"many.step_{difference.step}") if difference.step else say("many.unknown")
        rows.append((name_of(difference.what), step, texts.joined("; ", held)))
    return Table("differences", DIFFERENCES, rows, ["note"] * len(rows))


def name_of(what: str) -> str:
    from mpsdoctor.formats.compared.rows import NAMED

    if what in ("chip", "memory"):
        return say(f"many.{what}")
    return say(f"compare.name_{what}") if what in NAMED else what


def describe(what: str, value: str | float) -> str:
    if what == "memory" and not isinstance(value, str):
        return texts.size(value)
    return SYSTEMS.get(str(value), str(value)) if what == "system" else str(value)


def list_collectives(fleet: FleetReport) -> Table:
    groups: dict[tuple[str, str, str], list[int]] = {}
    for machine in fleet.machines:
        for row in machine.collectives:
            groups.setdefault((row.backend, row.device, row.outcome), []).append(machine.rank)
    rows = [
        (backend, device, say(f"many.collective_{outcome}"), spans(ranks))
        for (backend, device, outcome), ranks in groups.items()
    ]
    signs = ["ok" if outcome in ("ok", "unavailable") else "error" for _, _, outcome in groups]
    return Table("collectives", COLLECTIVES, rows, signs, connections(fleet.machines))


def connections(machines: Iterable[FleetMachine]) -> str:
    """How many of those that were tried succeed, and through which interfaces; nothing where none was."""
    listed = list(machines)
    tried = [row.reached for machine in listed for row in machine.reach]
    names = sorted({machine.interface for machine in listed if machine.interface})
    interfaces = say("many.interfaces", names=names) if names else ""
    return say("many.reached", reached=sum(tried), tried=len(tried), interfaces=interfaces) if tried else ""


def list_changes(fleet: FleetReport) -> Table:
    from mpsdoctor.formats.compared import rows as compared

    rows, signs = [], []
    for changed in fleet.changes:
        for change in changed.changes:
            line = compared.put_in_words(change)
            rows.append((str(changed.rank), line.told, line.what, line.ends))
            signs.append(OF_DIRECTION[change.direction])
    return Table("changes", CHANGES, rows, signs)


def severity(finding: Finding) -> str:
    return term("severity", finding.severity)
