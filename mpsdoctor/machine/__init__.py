"""Facts about the machine. What the system does not tell is None, with no guess in its place.

Only `platform.system()` decides whom to ask, so a machine can be replayed at its edge. Host and user names,
serial numbers and hardware identifiers are never asked for.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from mpsdoctor.machine import linux, macos, other

__all__ = ["conditions", "cpu_percent", "facts", "memory"]

FACTS = (
    "os",
    "os_version",
    "arch",
    "chip",
    "model",
    "performance_cores",
    "efficiency_cores",
    "core_levels",
    "gpu_cores",
    "memory_bytes",
    "translated",
    "virtual_machine",
    "low_power",
    "thermal_state",
)
MEMORY = (
    "total_bytes",
    "available_bytes",
    "free_percent",
    "limit_bytes",
    "swap_total_bytes",
    "swap_used_bytes",
    "swap_in_bytes",
    "swap_out_bytes",
    "pressure",
    "wired_limit_bytes",
    "compressed_bytes",
)
CONDITIONS = (
    "load_1m",
    "cpu_percent",
    "pressure",
    "swap_used_bytes",
    "swap_in_bytes",
    "swap_out_bytes",
    "thermal_state",
    "low_power",
    "on_battery",
)


def facts(patient: bool = False) -> dict[str, Any]:
    """What the machine is: exactly the keys of the report's `machine`.

    `os` is `platform.system()`; `translated` means an x86_64 Python under Rosetta; `low_power` and
    `thermal_state` ("nominal", "fair", "serious", "critical") are of this moment. `core_levels` are the kinds of
    cores with the system's names for them, fastest first: `[{"name", "count"}, …]`; `performance_cores` are all that
    are not efficiency cores. `patient` permits a source that takes seconds.
    """
    return _complete(FACTS, _system().facts(patient))


def memory() -> dict[str, Any]:
    """Memory and swap now, in bytes.

    `pressure` is "normal", "warning" or "critical", as the system judges it; `free_percent` is macOS's own
    figure; `limit_bytes` is what a container may use; `wired_limit_bytes` is what the GPU may wire, 0 for
    macOS's default; the swap counters only grow.
    """
    return _complete(MEMORY, _system().memory())


def conditions() -> dict[str, Any]:
    """What may spoil a timing: read it before and after. The swap counters, in bytes, only grow.

    `cpu_percent` is the whole machine's since the call before this one, None at the first.
    """
    return _complete(CONDITIONS, {"cpu_percent": other.cpu_percent(), **_system().conditions()})


def cpu_percent() -> float | None:
    """The whole machine's busy share since the call before this one; None at the first, or within 0.1 s."""
    return other.cpu_percent()


def _system() -> ModuleType:
    return {"Darwin": macos, "Linux": linux}.get(platform.system(), other)


def _complete(keys: tuple[str, ...], found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: found.get(key) for key in keys}
