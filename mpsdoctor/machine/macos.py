"""What macOS reports about the machine, through its own programs. Any key may be missing on any one Mac."""

from __future__ import annotations

import platform
import re

from mpsdoctor.machine import mactext, other
from mpsdoctor.machine.programs import outputs
from mpsdoctor.machine.shapes import Conditions, MachineFacts, MemoryFacts, Process
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
# `ps` may see the processes of all users, which Python may not. `comm` is the whole path, and so tells the bundle.
PS = ("ps", "-A", "-ww", "-o", "pid=", "-o", "ppid=", "-o", "time=", "-o", "comm=")
GPU = ("ioreg", "-r", "-d", "1", "-c", "AGXAccelerator")
DISPLAYS = ("system_profiler", "SPDisplaysDataType", "-json")
DISPLAYS_TIMEOUT = 5.0  # seconds; it takes 1 to 3, so it is asked only where ioreg did not tell
PRESSURES = {1: "normal", 2: "warning", 4: "critical"}
MIB = 1 << 20


def facts(patient: bool = False) -> MachineFacts:
    """The keys of `mpsdoctor.machine.facts`; `patient` changes nothing here, the system tells at once."""
    texts = outputs({"sysctl": (*SYSCTL, *CHIP_KEYS), "ioreg": GPU, **STATE})
    keys = mactext.settings(texts["sysctl"])
    performance, efficiency = mactext.cores(keys)
    facts: MachineFacts = {
        "os": "Darwin",
        "os_version": _version(keys),
        "arch": platform.machine() or None,
        "chip": mactext.chip(keys, texts["ioreg"]),
        "model": keys.get("hw.model"),
        "performance_cores": performance,
        "efficiency_cores": efficiency,
        "core_levels": mactext.core_levels(keys),
        "gpu_cores": mactext.gpu_cores(texts["ioreg"]),
        "memory_bytes": mactext.number(keys.get("hw.memsize")),
        "translated": mactext.translated(keys, platform.machine()),
        "virtual_machine": mactext.virtual_machine(keys),
        "low_power": mactext.low_power(texts["power"]),
        "thermal_state": mactext.thermal_state(texts["thermal"], texts["therm"]),
    }
    return {**facts, **_fill_from_displays(facts)}


def memory() -> MemoryFacts:
    """The keys of `mpsdoctor.machine.memory`."""
    texts = outputs({"sysctl": (*SYSCTL, *MEMORY_KEYS), "vm_stat": ("vm_stat",)})
    keys = mactext.settings(texts["sysctl"])
    pages = mactext.pages(texts["vm_stat"])
    free = mactext.number(keys.get("kern.memorystatus_level"))
    return {
        "total_bytes": mactext.number(keys.get("hw.memsize")),
        "available_bytes": mactext.available(pages),
        "free_percent": _free_percent() if free is None else free,
        "swap_total_bytes": mactext.swap(keys, "total"),
        "swap_used_bytes": mactext.swap(keys, "used"),
        "swap_in_bytes": pages.get("Swapins"),
        "swap_out_bytes": pages.get("Swapouts"),
        "pressure": _pressure(keys),
        "wired_limit_bytes": _wired_limit(keys),
        "compressed_bytes": pages.get("Pages occupied by compressor"),
    }


def conditions() -> Conditions:
    """The keys of `mpsdoctor.machine.conditions`."""
    texts = outputs(
        {
            "sysctl": (*SYSCTL, "vm.loadavg", *PRESSURE_KEYS),
            "vm_stat": ("vm_stat",),
            "battery": ("pmset", "-g", "batt"),
            **STATE,
        }
    )
    keys = mactext.settings(texts["sysctl"])
    pages = mactext.pages(texts["vm_stat"])
    return {
        "load_1m": mactext.load(keys),
        "pressure": _pressure(keys),
        "swap_used_bytes": mactext.swap(keys, "used"),
        "swap_in_bytes": pages.get("Swapins"),
        "swap_out_bytes": pages.get("Swapouts"),
        "on_battery": mactext.on_battery(texts["battery"]),
        "low_power": mactext.low_power(texts["power"]),
        "thermal_state": mactext.thermal_state(texts["thermal"], texts["therm"]),
    }


def processes() -> dict[int, Process]:
    """Processes by id, of all users where `ps` answers."""
    return mactext.processes(outputs({"ps": PS})["ps"]) or other.processes()


def _version(keys: dict[str, str]) -> str | None:
    """`platform.mac_ver` comes last: it is where a Python built with an old SDK is told another version."""
    versions = [text for text in _versions(keys) if re.fullmatch(r"[0-9]+(\.[0-9]+)*", text)]
    versions.sort(key=is_for_old_programs)
    return true_version(versions[0]) if versions else None


def _versions(keys: dict[str, str]) -> list[str]:
    version = keys.get("kern.osproductversion", "")
    if version and not is_for_old_programs(version):
        return [version]
    return [version, outputs({"sw_vers": ("sw_vers", "-productVersion")})["sw_vers"].strip(), platform.mac_ver()[0]]


def _fill_from_displays(facts: MachineFacts) -> MachineFacts:
    """The chip's name and GPU cores from the slow program, if a physical Apple chip did not tell them."""
    apple = facts["arch"] == "arm64" or facts["translated"]
    if not apple or facts["virtual_machine"] or None not in (facts["chip"], facts["gpu_cores"]):
        return {}
    chip, cores = mactext.displays(outputs({"displays": DISPLAYS}, DISPLAYS_TIMEOUT)["displays"])
    return {
        "chip": chip if facts["chip"] is None else facts["chip"],
        "gpu_cores": cores if facts["gpu_cores"] is None else facts["gpu_cores"],
    }


def _free_percent() -> int | None:
    texts = outputs({"pressure": ("memory_pressure", "-Q")})
    match = re.search(r"free percentage:\s*([0-9]{1,3})%", texts["pressure"])
    return int(match[1]) if match else None


def _pressure(keys: dict[str, str]) -> str | None:
    level = mactext.number(keys.get("kern.memorystatus_vm_pressure_level"))
    return None if level is None else PRESSURES.get(level)


def _wired_limit(keys: dict[str, str]) -> int | None:
    """In MiB since macOS 14, in bytes under another name on macOS 13."""
    mib = mactext.number(keys.get("iogpu.wired_limit_mb"))
    return mactext.number(keys.get("debug.iogpu.wired_limit")) if mib is None else mib * MIB
