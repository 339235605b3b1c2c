"""Reads what macOS's programs print: text in, values out. Any other text gives None, never an exception."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from mpsdoctor.machine.shapes import CoreLevel, Process

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
STATES = ("nominal", "fair", "serious", "critical")
# The levels of com.apple.system.thermalpressurelevel: nominal, moderate, heavy, trapping, sleeping.
PRESSURE_STATES = ("nominal", "fair", "serious", "critical", "critical")
# Where pmset's speed limit, in percent, begins to cost more than a little: our own choice.
SERIOUS_SPEED = 80
MOST_LEVELS = 8  # kinds of cores; Macs have had up to three
HYPERVISORS = ("VirtualMac", "VMware", "Parallels", "QEMU", "VirtualBox")


def settings(text: str) -> dict[str, str]:
    """`key: value` lines."""
    lines = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, colon, value in lines if colon and value.strip()}


def number(text: str | None) -> int | None:
    """A whole number that fits into 64 bits, or None."""
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,18}", text) else None


def chip(keys: Mapping[str, str], ioreg: str) -> str | None:
    """The name from sysctl, unless Rosetta or an early macOS made it up; else the GPU's, the same."""
    brand = " ".join(keys.get("machdep.cpu.brand_string", "").split())
    if brand and not brand.startswith("VirtualApple") and brand not in ("Apple processor", "Apple"):
        return brand
    match = re.search(r'"model"\s*=\s*<?"([^"\n]{1,60})"', ioreg)
    return match[1] if match else None


def gpu_cores(ioreg: str) -> int | None:
    """From `ioreg -c AGXAccelerator`; Intel Macs and virtual machines have no such entry."""
    match = re.search(r'"gpu-core-count"\s*=\s*([0-9]{1,4})\b', ioreg)
    return int(match[1]) if match else None


def displays(text: str) -> tuple[str | None, int | None]:
    """The chip's name and its GPU's cores, from `system_profiler SPDisplaysDataType -json`."""
    try:
        entries = json.loads(text)["SPDisplaysDataType"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None, None
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("spdisplays_vendor") == "sppci_vendor_Apple":
            name, cores = entry.get("sppci_model"), entry.get("sppci_cores")
            return name if isinstance(name, str) else None, number(cores if isinstance(cores, str) else None)
    return None, None


def cores(keys: Mapping[str, str]) -> tuple[int | None, int | None]:
    """Performance and efficiency cores. Levels go by name: some chips have "Super" and "Performance" ones."""
    if "hw.perflevel0.physicalcpu" not in keys:
        # Brands vary ("12th Gen Intel(R) Core(TM) i7-12700K"), so whatever is surely not Apple's has cores of one kind.
        return (number(keys.get("hw.physicalcpu")), 0) if apple_chip(keys) is False else (None, None)
    levels = _levels(keys)
    if any(name is None for name, _ in levels):
        return None, None
    return (
        _sum([count for name, count in levels if name != "Efficiency"]),
        _sum([count for name, count in levels if name == "Efficiency"]),
    )


def core_levels(keys: Mapping[str, str]) -> list[CoreLevel] | None:
    """Kinds of cores and how many of each, fastest first, by the system's names; None where anything is missing."""
    if "hw.perflevel0.physicalcpu" not in keys:
        return None
    levels = _levels(keys)
    known: list[CoreLevel] = [
        {"name": name, "count": count} for name, count in levels if name is not None and count is not None
    ]
    return known if len(known) == len(levels) else None


def apple_chip(keys: Mapping[str, str]) -> bool | None:
    """Whether the processor is Apple's, under Rosetta too; None where nothing tells."""
    brand = keys.get("machdep.cpu.brand_string", "")
    if "1" in (keys.get("sysctl.proc_translated"), keys.get("hw.optional.arm64")):
        return True
    return brand.startswith(("VirtualApple", "Apple")) if brand else None


def _levels(keys: Mapping[str, str]) -> list[tuple[str | None, int | None]]:
    """The levels' names and cores, fastest first. macOS 12 names none, and its chips had two at most."""
    count = number(keys.get("hw.nperflevels"))
    seen = [level for level in range(MOST_LEVELS) if f"hw.perflevel{level}.physicalcpu" in keys]
    levels = max(seen) + 1 if count is None else min(count, MOST_LEVELS)
    names: Sequence[str | None] = [keys.get(f"hw.perflevel{level}.name") for level in range(levels)]
    if not any(names) and levels <= 2:
        names = ["Performance", "Efficiency"][:levels]
    return [(name, number(keys.get(f"hw.perflevel{level}.physicalcpu"))) for level, name in enumerate(names)]


def _sum(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def translated(keys: Mapping[str, str], arch: str) -> bool | None:
    """Whether this Python is an x86_64 one on an Apple chip."""
    return False if arch == "arm64" else apple_chip(keys)


def virtual_machine(keys: Mapping[str, str]) -> bool | None:
    """Whether a hypervisor is under this macOS."""
    model, brand = keys.get("hw.model", ""), keys.get("machdep.cpu.brand_string", "")
    if model.startswith(HYPERVISORS) or brand.endswith("(Virtual)"):
        return True
    return {"0": False, "1": True}.get(keys.get("kern.hv_vmm_present", ""))


def swap(keys: Mapping[str, str], what: str) -> int | None:
    """Bytes of `vm.swapusage`: "total = 4096.00M  used = 2694.19M  free = 1401.81M  (encrypted)"."""
    usage = keys.get("vm.swapusage", "")
    match = re.search(rf"\b{what}\s*=\s*([0-9]{{1,12}}(?:\.[0-9]{{1,6}})?)([KMGT]?)", usage)
    return round(float(match[1]) * UNITS[match[2]]) if match else None


def pages(text: str) -> dict[str, int]:
    """`vm_stat`'s counts of pages, in bytes."""
    size = re.search(r"page size of ([0-9]{1,6}) bytes", text)
    if not size:
        return {}
    counts = re.findall(r'^"?([A-Z][A-Za-z -]{1,40})"?:\s+([0-9]{1,18})\.?$', text, re.MULTILINE)
    return {name: int(count) * int(size[1]) for name, count in counts}


def available(pages: Mapping[str, int]) -> int | None:
    """Free and inactive pages, as psutil counts them."""
    names = ("Pages free", "Pages inactive", "Pages speculative")
    return sum(pages[name] for name in names) if all(name in pages for name in names) else None


def load(keys: Mapping[str, str]) -> float | None:
    """The first of `vm.loadavg`: "{ 1.93 2.20 2.10 }"."""
    match = re.match(r"\{\s*([0-9]{1,6}\.[0-9]{1,4})\s", keys.get("vm.loadavg", ""))
    return float(match[1]) if match else None


def low_power(text: str) -> bool | None:
    """From `pmset -g`: `lowpowermode`, or `powermode` (0 automatic, 1 low, 2 high) on Macs that have all."""
    match = re.search(r"^\s*(?:low)?powermode\s+([012])\s*$", text, re.MULTILINE)
    return match[1] == "1" if match else None


def on_battery(text: str) -> bool | None:
    """From `pmset -g batt`. A Mac without a battery draws from "AC Power" too."""
    match = re.search(r"Now drawing from '(AC|Battery|UPS) Power'", text)
    return match[1] != "AC" if match else None


def thermal_state(level: str, therm: str) -> str | None:
    """The worse of the system's pressure level and, on Intel, of the limit `pmset -g therm` records."""
    states = [state for state in (_from_level(level), _from_limits(therm)) if state is not None]
    return max(states, key=STATES.index, default=None)


def _from_level(text: str) -> str | None:
    match = re.search(r"thermalpressurelevel\s+([0-4])\s*$", text)
    return PRESSURE_STATES[int(match[1])] if match else None


def _from_limits(text: str) -> str | None:
    """Apple silicon records none of these: the notes that it prints instead say nothing."""
    line = r"CPU_(?:Speed|Scheduler)_Limit\s*=?\s*([0-9]{1,3})\s*$"
    limits: list[str] = re.findall(line, text, re.MULTILINE)
    if not limits:
        return None
    lowest = min(map(int, limits))
    return "nominal" if lowest >= 100 else "fair" if lowest >= SERIOUS_SPEED else "serious"


def processes(text: str) -> dict[int, Process]:
    """From `ps`: id, parent, minutes and seconds of processors, and the path of the program, blanks in it or not."""
    line = r"^\s*([0-9]{1,9})\s+([0-9]{1,9})\s+([0-9]{1,9}):([0-9]{2}\.[0-9]{2})\s+(\S.*)$"
    rows = re.findall(line, text, re.MULTILINE)
    return {int(pid): Process(int(parent), 60 * int(m) + float(s), path) for pid, parent, m, s, path in rows}
