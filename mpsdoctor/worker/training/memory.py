"""How much memory a device holds, now and at most, as far as torch or the system tells."""

from __future__ import annotations

import gc
import os
import sys
from typing import Any, Callable, Optional, Sequence

import torch

from ..shapes import MemoryLimits

AT_MOST = ("max_memory_allocated", "driver_allocated_memory", "current_allocated_memory")
NOW = ("memory_allocated", "current_allocated_memory")


def used_bytes(device: str) -> Optional[int]:
    """What tensors on the device take now; on the CPU what this process takes, where Linux tells; else None."""
    return resident_now() if torch.device(device).type == "cpu" else read_figure(device, NOW)


def peak_bytes(device: str) -> Optional[int]:
    """The most the device held, what its driver holds on MPS, the most this process held on the CPU, else None."""
    return resident_peak() if torch.device(device).type == "cpu" else read_figure(device, AT_MOST)


def read_figure(device: str, names: Sequence[str]) -> Optional[int]:
    """The first of these figures that torch has for the device; torch.accelerator has them from 2.9 on."""
    read = find_function(device, names)
    value = call_quietly(read) if read else None
    return None if value is None else int(value)


def find_function(device: str, names: Sequence[str]) -> Optional[Callable[[], Any]]:
    """The first of these functions that torch has for a device: the back end's own before the general ones."""
    for place in (torch.device(device).type, "accelerator"):
        for name in names:
            function: Optional[Callable[[], Any]] = getattr(getattr(torch, place, None), name, None)
            if function is not None:
                return function
    return None


def call_quietly(call: Callable[[], Any]) -> Any:
    """What a memory call answers, None where it fails, as torch.accelerator's do on an allocator that counts nothing.

    That of MPS was such a one up to torch 2.12 (pytorch#186430), those of back ends out of tree may be. Whatever they
    raise, a figure about memory is not worth a training.
    """
    try:
        return call()
    except Exception:
        return None


def resident_now() -> Optional[int]:
    """Linux counts in pages; elsewhere the standard library has only the peak."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def resident_peak() -> Optional[int]:
    """The most memory this process has held, torch itself included; None on Windows, which has no such call."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, Linux KiB


def limits(device: str) -> MemoryLimits:
    """What torch says of the memory that a device has for it; None where it does not tell."""
    recommended = find_function(device, ("recommended_max_memory",))
    free = None if torch.device(device).type == "cpu" else find_function(device, ("mem_get_info", "get_memory_info"))
    most, left = (call_quietly(call) if call else None for call in (recommended, free))
    return {
        "recommended_bytes": int(most) if most else None,
        "free_bytes": int(left[0]) if isinstance(left, tuple) and left[0] else None,
    }


def forget_peak(device: str) -> None:
    """Let the peak be counted from now on, where the back end keeps one."""
    forget = getattr(getattr(torch, torch.device(device).type, None), "reset_peak_memory_stats", None)
    if forget is not None:
        call_quietly(forget)


def give_back(device: str) -> None:
    """Return what nothing uses any more to the device; no other one is touched, for that may start or fail it."""
    gc.collect()
    empty = None if torch.device(device).type == "cpu" else find_function(device, ("empty_cache",))
    if empty is not None:
        call_quietly(empty)
