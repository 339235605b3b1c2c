"""How much memory a device holds, now and at most, as far as torch or the system tells."""

from __future__ import annotations

import gc
import os
import sys
from typing import Optional, Sequence

import torch

AT_MOST = ("max_memory_allocated", "driver_allocated_memory", "current_allocated_memory")
NOW = ("memory_allocated", "current_allocated_memory")


def used_bytes(device: str) -> Optional[int]:
    """What tensors on the device take now; on the CPU what this process takes, where Linux tells; else None."""
    return resident_now() if torch.device(device).type == "cpu" else asked(device, NOW)


def peak_bytes(device: str) -> Optional[int]:
    """The most the device held, what its driver holds on MPS, the most this process held on the CPU, else None."""
    return resident_peak() if torch.device(device).type == "cpu" else asked(device, AT_MOST)


def asked(device: str, names: Sequence[str]) -> Optional[int]:
    """The first of these calls that torch has for the device; torch.accelerator has them from 2.9 on."""
    for place in (torch.device(device).type, "accelerator"):
        for name in names:
            ask = getattr(getattr(torch, place, None), name, None)
            if ask is not None:
                try:
                    return int(ask())
                except (RuntimeError, NotImplementedError):
                    return None  # a back end without an allocator of torch's kind
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


def forget_peak(device: str) -> None:
    """Let the peak be counted from now on, where the back end keeps one."""
    module = getattr(torch, torch.device(device).type, None)
    forget = getattr(module, "reset_peak_memory_stats", None)
    if forget is not None:
        forget()


def give_back() -> None:
    """Return what nothing uses any more to the devices."""
    gc.collect()
    for kind in ("cuda", "mps", "xpu", "accelerator"):
        empty = getattr(getattr(torch, kind, None), "empty_cache", None)
        if empty is not None and offered(kind):
            empty()


def offered(kind: str) -> bool:
    """Whether the back end is there; emptying the cache of one that is not may start or fail it."""
    module = torch.backends.mps if kind == "mps" else getattr(torch, kind, None)
    return module is not None and bool(module.is_available())
