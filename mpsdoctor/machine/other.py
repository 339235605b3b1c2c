"""What Python and psutil tell on any system: Windows, the BSDs, and Linux where it has nothing better."""

from __future__ import annotations

import platform
import time
import warnings
from collections.abc import Callable
from typing import TypeVar

import psutil

from mpsdoctor.machine.shapes import Conditions, MachineFacts, MemoryFacts, Process, ProcessorTimes

Answer = TypeVar("Answer")
SHORTEST = 0.1  # seconds: over less, the share of busy time is noise

_last_times: tuple[float, ProcessorTimes] | None = None


def facts(patient: bool = False) -> MachineFacts:
    """The keys of `mpsdoctor.machine.facts` that are known; `patient` asks py-cpuinfo too (1.2 s)."""
    total = ask(psutil.virtual_memory)
    return {
        "os": platform.system() or None,
        "os_version": platform.version() or None,
        "arch": platform.machine() or None,
        "chip": brand() if patient else None,
        "memory_bytes": total.total if total else None,
    }


def memory() -> MemoryFacts:
    """The keys of `mpsdoctor.machine.memory` that are known."""
    main, swap = ask(psutil.virtual_memory), ask(psutil.swap_memory)
    return {
        "total_bytes": main.total if main else None,
        "available_bytes": main.available if main else None,
        "swap_total_bytes": swap.total if swap else None,
        "swap_used_bytes": swap.used if swap else None,
        "swap_in_bytes": swap.sin if swap else None,
        "swap_out_bytes": swap.sout if swap else None,
    }


def conditions() -> Conditions:
    """The keys of `mpsdoctor.machine.conditions` that are known."""
    swap, load = ask(psutil.swap_memory), ask(psutil.getloadavg)
    # psutil has no sensors_battery where it was built without sensors.
    battery = ask(getattr(psutil, "sensors_battery", _nothing))
    return {
        "load_1m": load[0] if load else None,
        "swap_used_bytes": swap.used if swap else None,
        "swap_in_bytes": swap.sin if swap else None,
        "swap_out_bytes": swap.sout if swap else None,
        "on_battery": None if battery is None or battery.power_plugged is None else not battery.power_plugged,
    }


def _nothing() -> None:
    return None


def ask(question: Callable[[], Answer]) -> Answer | None:
    """psutil's answer, or None where this system cannot give one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a container without /proc/vmstat is no news to the person
        try:
            return question()
        except (psutil.Error, OSError, AttributeError, NotImplementedError, RuntimeError, ValueError):
            return None


def brand() -> str | None:
    """The processor's name from py-cpuinfo, which sleeps for a second to measure the clock."""
    try:
        import cpuinfo

        name = cpuinfo.get_cpu_info().get("brand_raw")
    except Exception:  # it runs programs and parses their output; what it raises is undocumented
        return None
    return name if isinstance(name, str) and name.strip() else None


def processes() -> dict[int, Process]:
    """Processes by id, as far as this user may see them; a zombie has no name."""
    told = {}
    for process in ask(lambda: list(psutil.process_iter(["ppid", "name", "cpu_times"]))) or ():
        parent, name, times = (process.info[key] for key in ("ppid", "name", "cpu_times"))
        if times is not None and parent is not None:
            told[process.pid] = Process(parent, times.user + times.system, name or "")
    return told


def processor_times() -> ProcessorTimes | None:
    """What the processors have done since the start of the machine."""
    times = ask(psutil.cpu_times)
    if times is None:
        return None
    total = sum(times)
    return ProcessorTimes(total - times.idle - getattr(times, "iowait", 0.0), total)


def cpu_percent() -> float | None:
    """Busy share of all processors since the call before this one; None at the first, or within 0.1 s."""
    global _last_times
    now, times = time.monotonic(), processor_times()
    if times is None:
        return None
    before = _last_times
    if before is not None and now - before[0] < SHORTEST:
        return None
    _last_times = now, times
    if before is None or times.total <= before[1].total:
        return None
    return round(max(0.0, 100 * (times.busy - before[1].busy) / (times.total - before[1].total)), 1)
