"""What macOS tells about the machine, through its own programs. Any key may be missing on any one Mac."""

from __future__ import annotations

import platform
import re
from typing import Any

from mpsdoctor.machine import mactext
from mpsdoctor.machine.programs import outputs
from mpsdoctor.runtime.fingerprint import is_for_old_programs, true_version

# One call: unknown keys are left out (-i) and the known ones printed as `key: value`.
SYSCTL = ("sysctl", "-i")
CHIP_KEYS = (
    "machdep.cpu.brand_string",
    "hw.model",
    "hw.memsize",
    "hw.physicalcpu",
    "hw.nperflevels",
    "hw.perflevel0.physicalcpu",
    "hw.perflevel0.name",
    "hw.perflevel1.physicalcpu",
    "hw.perflevel1.name",
    "hw.perflevel2.physicalcpu",
    "hw.perflevel2.name",
    "hw.optional.arm64",
    "sysctl.proc_translated",
    "kern.hv_vmm_present",
    "kern.osproductversion",
)
PRESSURE_KEYS = ("kern.memorystatus_vm_pressure_level", "vm.swapusage")
MEMORY_KEYS = (
    "hw.memsize",
    "kern.memorystatus_level",
    "iogpu.wired_limit_mb",
    "debug.iogpu.wired_limit",
    *PRESSURE_KEYS,
)
STATE = {
    "power": ("pmset", "-g"),
    "therm": ("pmset", "-g", "therm"),
    # On Apple silicon pmset records no thermal state; this level is the one the system acts on (11 ms).
    "thermal": ("notifyutil", "-g", "com.apple.system.thermalpressurelevel"),
}
GPU = ("ioreg", "-r", "-d", "1", "-c", "AGXAccelerator")
DISPLAYS = ("system_profiler", "SPDisplaysDataType", "-json")
DISPLAYS_TIMEOUT = 5.0  # seconds; it takes 1 to 3, so it is asked only where ioreg did not tell
PRESSURES = {1: "normal", 2: "warning", 4: "critical"}
MIB = 1 << 20


def facts(patient: bool = False) -> dict[str, Any]:
    """The keys of `mpsdoctor.machine.facts`; `patient` changes nothing here, the system tells at once."""
    told = outputs({"sysctl": (*SYSCTL, *CHIP_KEYS), "ioreg": GPU, **STATE})
    keys = mactext.settings(told["sysctl"])
    performance, efficiency = mactext.cores(keys)
    found = {
        "os": "Darwin",
        "os_version": _version(keys),
        "arch": platform.machine() or None,
        "chip": mactext.chip(keys, told["ioreg"]),
        "model": keys.get("hw.model"),
        "performance_cores": performance,
        "efficiency_cores": efficiency,
        "core_levels": mactext.core_levels(keys),
        "gpu_cores": mactext.gpu_cores(told["ioreg"]),
        "memory_bytes": mactext.number(keys.get("hw.memsize")),
        "translated": mactext.translated(keys, platform.machine()),
        "virtual_machine": mactext.virtual_machine(keys),
        **_state(told),
    }
    return {**found, **_from_displays(found)}


def memory() -> dict[str, Any]:
    """The keys of `mpsdoctor.machine.memory`."""
    told = outputs({"sysctl": (*SYSCTL, *MEMORY_KEYS), "vm_stat": ("vm_stat",)})
    keys = mactext.settings(told["sysctl"])
    pages = mactext.pages(told["vm_stat"])
    free = mactext.number(keys.get("kern.memorystatus_level"))
    return {
        "total_bytes": mactext.number(keys.get("hw.memsize")),
        "available_bytes": mactext.available(pages),
        "free_percent": _free_percent() if free is None else free,
        "swap_total_bytes": mactext.swap(keys, "total"),
        "swap_used_bytes": mactext.swap(keys, "used"),
        **_swapped(pages),
        "pressure": _pressure(keys),
        "wired_limit_bytes": _wired_limit(keys),
        "compressed_bytes": pages.get("Pages occupied by compressor"),
    }


def conditions() -> dict[str, Any]:
    """The keys of `mpsdoctor.machine.conditions`."""
    told = outputs(
        {
            "sysctl": (*SYSCTL, "vm.loadavg", *PRESSURE_KEYS),
            "vm_stat": ("vm_stat",),
            "battery": ("pmset", "-g", "batt"),
            **STATE,
        }
    )
    keys = mactext.settings(told["sysctl"])
    pages = mactext.pages(told["vm_stat"])
    return {
        "load_1m": mactext.load(keys),
        "pressure": _pressure(keys),
        "swap_used_bytes": mactext.swap(keys, "used"),
        **_swapped(pages),
        "on_battery": mactext.on_battery(told["battery"]),
        **_state(told),
    }


def _swapped(pages: dict[str, int]) -> dict[str, int | None]:
    return {"swap_in_bytes": pages.get("Swapins"), "swap_out_bytes": pages.get("Swapouts")}


def _state(told: dict[str, str]) -> dict[str, Any]:
    return {
        "low_power": mactext.low_power(told["power"]),
        "thermal_state": mactext.thermal_state(told["thermal"], told["therm"]),
    }


def _version(keys: dict[str, str]) -> str | None:
    """`platform.mac_ver` comes last: it is where a Python built with an old SDK is told another version."""
    told = [text for text in _versions(keys) if re.fullmatch(r"[0-9]+(\.[0-9]+)*", text)]
    told.sort(key=is_for_old_programs)
    return true_version(told[0]) if told else None


def _versions(keys: dict[str, str]) -> list[str]:
    version = keys.get("kern.osproductversion", "")
    if version and not is_for_old_programs(version):
        return [version]
    return [version, outputs({"sw_vers": ("sw_vers", "-productVersion")})["sw_vers"].strip(), platform.mac_ver()[0]]


def _from_displays(found: dict[str, Any]) -> dict[str, Any]:
    """The chip's name and GPU cores from the slow program, if a physical Apple chip did not tell them."""
    apple = found["arch"] == "arm64" or found["translated"]
    missing = [key for key in ("chip", "gpu_cores") if found[key] is None]
    if not apple or found["virtual_machine"] or not missing:
        return {}
    chip, cores = mactext.displays(outputs({"displays": DISPLAYS}, DISPLAYS_TIMEOUT)["displays"])
    answers = {"chip": chip, "gpu_cores": cores}
    return {key: answers[key] for key in missing}


def _free_percent() -> int | None:
    told = outputs({"pressure": ("memory_pressure", "-Q")})["pressure"]
    match = re.search(r"free percentage:\s*([0-9]{1,3})%", told)
    return int(match[1]) if match else None


def _pressure(keys: dict[str, str]) -> str | None:
    level = mactext.number(keys.get("kern.memorystatus_vm_pressure_level"))
    return None if level is None else PRESSURES.get(level)


def _wired_limit(keys: dict[str, str]) -> int | None:
    """In MiB since macOS 14, in bytes under another name on macOS 13."""
    mib = mactext.number(keys.get("iogpu.wired_limit_mb"))
    return mactext.number(keys.get("debug.iogpu.wired_limit")) if mib is None else mib * MIB
