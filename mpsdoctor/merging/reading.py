"""Machines out of files and messages that anybody may have made. Data alone: nothing is unpickled or run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from mpsdoctor import clean, intake
from mpsdoctor.intake import UnfitError
from mpsdoctor.merging import merge
from mpsdoctor.merging.shapes import FleetMachine, FleetReport
from mpsdoctor.report import Report

LARGEST = 64 << 20  # bytes of a machine; a report of the standard budget has 600 kB a device
MOST = 4096  # machines of a fleet
SCHEMA = 1  # schema_version of reports, of one machine and of many


def read_machine(raw: bytes) -> FleetMachine:
    """One machine as it sends itself. UnfitError."""
    if len(raw) > LARGEST:
        raise UnfitError(f"{len(raw):,} bytes, and a report has {LARGEST:,} at most")
    return fit_machine(parse(raw))


class Read(NamedTuple):
    """What a file holds: machines, and how many ranks there are to be, where it tells that."""

    machines: list[FleetMachine]
    size: int | None = None


def read_file(raw: bytes, rank: int) -> Read:
    """A machine with that rank, if it is the report of a check-up, or all of a report of many. UnfitError."""
    document = parse(raw)
    if not isinstance(document, dict) or "machines" not in document:
        return Read([FleetMachine(rank, "ok", fit_report(document), ranks=(rank,))])
    refuse_other_schema(document)
    machines, size = document["machines"], document.get("size")
    if not isinstance(machines, list) or len(machines) > MOST:
        raise UnfitError("its machines are no list of machines")
    fits = isinstance(size, int) and 1 <= size <= MOST
    return Read([fit_machine(machine) for machine in machines], size if fits else None)


def parse(raw: bytes) -> Any:
    """JSON data with its texts fit to be shown. UnfitError."""
    try:
        return clean.data(json.loads(raw))
    except (RecursionError, ValueError) as error:
        raise UnfitError(f"no JSON document: {clean.line(str(error))}") from None


def fit_machine(document: Any) -> FleetMachine:
    """UnfitError."""
    if not isinstance(document, dict):
        raise UnfitError("no machine of a fleet")
    report = document.get("report")
    read = fit_report(report) if report is not None else None
    try:
        machine = msgspec.convert(intake.on_lines({**document, "report": None}), FleetMachine)
    except msgspec.ValidationError as error:
        raise UnfitError(f"no machine of a fleet: {error}") from None
    if (machine.outcome == "ok") != (read is not None):
        raise UnfitError("a machine that is ok has a report, and no other one has")
    return msgspec.structs.replace(machine, report=read)


def fit_report(document: Any) -> Report:
    """UnfitError, which tells of another schema first."""
    refuse_other_schema(document)
    return intake.fit_report(document)


def refuse_other_schema(document: Any) -> None:
    found = document.get("schema_version", SCHEMA) if isinstance(document, dict) else SCHEMA
    if isinstance(found, int) and found != SCHEMA:
        raise UnfitError(f"schema_version {found}, and this mpsdoctor reads {SCHEMA}; have the same everywhere")


def unite(machines: Iterable[FleetMachine]) -> list[FleetMachine]:
    """Each rank once: the file that a machine kept stands for what nobody heard of it. UnfitError."""
    united: dict[int, FleetMachine] = {}
    for machine in machines:
        known = united.get(machine.rank)
        if known and known.report and machine.report and known != machine:
            raise UnfitError(f"two different reports of rank {machine.rank}")
        if known is None or known.report is None:
            united[machine.rank] = machine
    return list(united.values())


def merge_files(files: Iterable[Read], baseline: FleetReport | None = None) -> FleetReport:
    """One report of what several files hold. UnfitError."""
    listed = list(files)
    size = max((read.size for read in listed if read.size), default=None)
    return merge(unite(machine for read in listed for machine in read.machines), size, baseline)


def as_json(fleet: FleetReport | FleetMachine) -> bytes:
    return msgspec.json.encode(fleet)
