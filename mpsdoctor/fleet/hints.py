"""What rank 0 tells every machine at the end, and what its profile keeps of it: the kinds of device of all ranks."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import msgspec

from mpsdoctor.merging.shapes import FleetMachine, FleetReport
from mpsdoctor.runtime import profile
from mpsdoctor.runtime.profile_format import DEVICE

Count = Annotated[int, msgspec.Meta(ge=1, lt=1 << 20)]
Kind = Annotated[str, msgspec.Meta(pattern=f"^{DEVICE}$")]
Devices = Annotated[dict[Kind, Count], msgspec.Meta(max_length=16)]


def summarize(fleet: FleetReport) -> bytes:
    """How many ranks would train on each kind of device."""
    kinds = Counter(row.device.partition(":")[0] for row in fleet.shares)
    return msgspec.json.encode(dict(sorted(kinds.items())))


def keep(told: bytes, machine: FleetMachine | None, path: str | None) -> None:
    """Write it into the profile that this check-up wrote; nothing where it wrote none, or what was told is no such
    thing."""
    report = machine.report if machine else None
    if report is None or not report.profile.written:
        return
    try:
        devices = msgspec.json.decode(told, type=Devices)
        place = profile.locate(path)
        content = profile.read(place)
        profile.write({**content, "fleet": {"created": report.generated_at, "devices": devices}}, place)
    except (OSError, ValueError):  # a profile is an answer without it too
        return
