"""Why the speeds of two reports cannot be compared: another machine, another budget, disturbed timings. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mpsdoctor import intake
from mpsdoctor.facts import read_facts
from mpsdoctor.report import Report
from mpsdoctor.texts import Part

MACHINE = ("os", "chip", "model", "gpu_cores", "virtual_machine")
ALIKE = 0.02  # of the memory: what a system keeps for itself differs from start to start
LARGEST = 1 << 60  # bytes of memory
POWER = ("low_power", "on_battery")
UNDER_PRESSURE = ("warning", "critical")
HOT = ("fair", "serious", "critical")
MOST = 2  # disturbances of a report that are told


def find_obstacles(old: Report, new: Report) -> Iterator[Part]:
    """A sentence each; what is unknown in one of them is none."""
    yield from other_machine(old, new)
    if old.budget != new.budget:
        yield Part("other_budget", {"before": old.budget, "after": new.budget})
    first, second = conditions_of(old), conditions_of(new)
    for name in POWER:
        ends = any_of(first, name), any_of(second, name)
        if None not in ends and ends[0] != ends[1]:
            yield Part(f"other_{name}", {"side": Part("old_report" if ends[0] else "new_report")})
    for side, report, moments in (("old", old, first), ("new", new, second)):
        yield from disturbed(Part(f"{side}_report"), report, moments)


def other_machine(old: Report, new: Report) -> Iterator[Part]:
    for name in MACHINE:
        before, after = getattr(old.machine, name), getattr(new.machine, name)
        if before is not None and after is not None and before != after:
            yield Part("other_machine", {"what": Part(f"machine_{name}"), "before": before, "after": after})
    yield from other_memory(old, new)
    names: dict[str, str | None] = {device.device: device.name for device in old.devices}
    for device in new.devices:
        known = names.get(device.device)
        if known and device.name and known != device.name:
            what = Part("machine_device", {"device": device.device})
            yield Part("other_machine", {"what": what, "before": known, "after": device.name})


def other_memory(old: Report, new: Report) -> Iterator[Part]:
    first, second = known_size(old), known_size(new)
    if first and second and abs(second - first) > ALIKE * max(first, second):
        yield Part("other_memory", {"before": first, "after": second})


def known_size(report: Report) -> int | None:
    """Bytes of memory; None of a figure that no machine has."""
    size = report.machine.memory_bytes
    return size if size and 0 < size < LARGEST else None


def conditions_of(report: Report) -> list[Mapping[str, Any]]:
    """Before and after the timings."""
    facts: Any = read_facts(report).get("training") or {}
    moments = facts.get("conditions")
    ends = [moments.get(name) for name in ("before", "after")] if isinstance(moments, dict) else []
    return [end for end in ends if isinstance(end, dict)]


def any_of(moments: list[Mapping[str, Any]], name: str) -> bool | None:
    """Whether it was so at one of these moments; None where nobody knows."""
    known = [moment[name] for moment in moments if isinstance(moment.get(name), bool)]
    return any(known) if known else None


def disturbed(side: Part, report: Report, moments: list[Mapping[str, Any]]) -> Iterator[Part]:
    facts: Any = read_facts(report).get("training") or {}
    if facts.get("doubtful") is True:
        said = facts.get("disturbances")
        reasons = [intake.line(str(reason)) for reason in said[:MOST]] if isinstance(said, list) else []
        why = Part("disturbed_by", {"reasons": reasons}) if reasons else Part("")
        yield Part("timings_disturbed", {"side": side, "why": why})
    elif any(moment.get("pressure") in UNDER_PRESSURE for moment in moments):
        yield Part("timed_under_pressure", {"side": side})
    if any(moment.get("thermal_state") in HOT for moment in moments):
        yield Part("timed_hot", {"side": side})
