"""Versions and devices that are others, those that explain most first. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from mpsdoctor.compare import obstacles
from mpsdoctor.compare.shapes import Change, Figure, change, turned
from mpsdoctor.facts import build_facts
from mpsdoctor.report import Device, Report
from mpsdoctor.texts import Part
from mpsdoctor.versions import numbers

SYSTEMS = {"Darwin": "macOS"}
# These have no version numbers, or none that tell a risk.
WITHOUT = ("system", "python architecture", "chip", "model", "gpu cores", "memory", "cpu threads", "virtual machine")
RISKS = ("major", "minor", "patch", "build")  # by the place of the first number that differs


def compare_versions(old: Report, new: Report) -> Iterator[Change]:
    before, after = list_versions(old), list_versions(new)
    for name in dict.fromkeys((*before, *after)):
        ends = before.get(name), after.get(name)
        alike = name == "memory" and not list(obstacles.other_memory(old, new))
        if ends[0] != ends[1] and None not in ends and not alike:
            yield change(name, "version", ends, "neutral", explain(*map(str, ends)) if name not in WITHOUT else None)
    yield from compare_torch(old, new)
    yield from compare_devices(old, new)


def list_versions(report: Report) -> dict[str, Figure]:
    """By name, in the order of risk."""
    machine, python, torch = report.machine, report.python, report.torch
    return {
        "torch": torch.version if torch else None,
        "system": machine.os,
        SYSTEMS.get(machine.os or "", machine.os or "system"): machine.os_version,
        "python architecture": python.arch,
        "python": python.version,
        "chip": machine.chip,
        "model": machine.model,
        "gpu cores": None if machine.gpu_cores is None else str(machine.gpu_cores),
        "memory": obstacles.known_size(report),
        "cpu threads": threads_of(report),
        "virtual machine": None if machine.virtual_machine is None else str(machine.virtual_machine).lower(),
        "mpsdoctor": report.tool.version,
    }


def threads_of(report: Report) -> str | None:
    """How many threads torch takes on the CPU, as OMP_NUM_THREADS may tell it."""
    threads = build_facts({check.id: check.facts for check in report.checks}).get("num_threads")
    return str(threads) if isinstance(threads, int) and 0 < threads < 1 << 20 else None


def explain(before: str, after: str) -> Part | None:
    """How much of a step it is, of what has numbers."""
    first, second = numbers(before), numbers(after)
    if not (first and second):
        return None
    place = next((place for place, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1]), 3)
    return Part(f"step_{RISKS[min(place, 3)]}")


def compare_torch(old: Report, new: Report) -> Iterator[Change]:
    """Whether torch can be imported, where both reports looked."""
    if not (old.python.version and new.python.version):
        return
    before, after = (state_of_torch(report) for report in (old, new))
    if before != after:
        first, second = (state == "works" for state in (before, after))
        yield change("import torch", "version", (before, after), turned(second - first))


def state_of_torch(report: Report) -> str:
    if report.torch is None:
        return "not installed"
    return "cannot be imported" if report.torch.error else "works"


def compare_devices(old: Report, new: Report) -> Iterator[Change]:
    """What can be used now and could not, and the other way round; other names of what is there in both."""
    before, after = ({device.device: device for device in report.devices} for report in (old, new))
    if not (before and after):
        return
    for name in sorted(before.keys() | after.keys()):
        first, second = before.get(name), after.get(name)
        ends = usability(first), usability(second)
        if ends[0] != ends[1]:
            detail = Part("device_reason", {"reason": reason}) if (reason := reason_of(first, second)) else None
            direction = turned((ends[1] == "usable") - (ends[0] == "usable"))
            yield change(f"device {name}", "version", ends, direction, detail)
        elif first and second and first.name and second.name and first.name != second.name:
            yield change(f"device {name}", "version", (first.name, second.name), "neutral")


def usability(device: Device | None) -> str | None:
    return None if device is None else "usable" if device.usable else "not usable"


def reason_of(*sides: Device | None) -> str | None:
    """Why it is not usable, on the side where it is not."""
    return next((side.reason for side in sides if side and side.reason and not side.usable), None)
