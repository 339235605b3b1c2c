"""Facts about the machine. What the system does not tell is None, with no guess in its place.

Only `platform.system()` decides whom to ask, so a machine can be replayed at its edge. Host and user names,
serial numbers and hardware identifiers are never asked for.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from types import ModuleType
from typing import Any, TypeVar

from mpsdoctor.machine import linux, load, macos, other
from mpsdoctor.machine.load import Look, taken_by_others
from mpsdoctor.machine.shapes import Conditions, CoreLevel, GpuMemory, Load, MachineFacts, MemoryFacts, Program

__all__ = [
    "Conditions",
    "CoreLevel",
    "GpuMemory",
    "Load",
    "Look",
    "MachineFacts",
    "MemoryFacts",
    "Program",
    "conditions",
    "cpu_percent",
    "facts",
    "look",
    "memory",
    "taken_by_others",
]

Shape = TypeVar("Shape")


def facts(patient: bool = False) -> MachineFacts:
    """What the machine is, with every key; `patient` permits a source that takes seconds."""
    return _complete(MachineFacts, _system().facts(patient))


def memory() -> MemoryFacts:
    """Memory and swap now, with every key."""
    return _complete(MemoryFacts, _system().memory())


def conditions() -> Conditions:
    """What may spoil a timing, with every key: read it before and after.

    `cpu_percent` is the whole machine's since the call before this one, None at the first.
    """
    return _complete(Conditions, {"cpu_percent": other.cpu_percent(), **_system().conditions()})


def cpu_percent() -> float | None:
    """The whole machine's busy share since the call before this one; None at the first, or within 0.1 s."""
    return other.cpu_percent()


def look() -> Look:
    """Who has taken how much of the processors by now; `taken_by_others` tells what lies between two looks."""
    own = _system()
    processes = own.processes() if own is macos else other.processes()
    return load.look(other.processor_times(), processes)


def _system() -> ModuleType:
    return {"Darwin": macos, "Linux": linux}.get(platform.system(), other)


def _complete(shape: type[Shape], known: Mapping[str, object]) -> Shape:
    """Every key of the shape in its order, None where it is not known."""
    whole: Any = {key: known.get(key) for key in shape.__annotations__}
    checked: Shape = whole
    return checked
