"""What this process holds right now, without what its heap keeps free: a growth then is memory that something keeps."""

from __future__ import annotations

import ctypes
import platform
from typing import Optional

from ..training.memory import resident_now, resident_peak

BASIC_INFO = 20  # MACH_TASK_BASIC_INFO


class TaskInfo(ctypes.Structure):
    """mach_task_basic_info of <mach/task_info.h>."""

    _fields_ = [
        ("virtual_size", ctypes.c_uint64),
        ("resident_size", ctypes.c_uint64),
        ("resident_size_max", ctypes.c_uint64),
        ("times", ctypes.c_uint32 * 4),
        ("policy", ctypes.c_int32),
        ("suspend_count", ctypes.c_int32),
    ]


def held_bytes() -> int:
    """The resident size, the largest so far where the system tells no other; 0 where it tells none."""
    give_back_heap()
    return resident_now() or resident_on_macos() or resident_peak() or 0


def resident_on_macos() -> Optional[int]:
    """From the kernel, for the standard library has only the peak there."""
    if platform.system() != "Darwin":
        return None
    try:
        system, info = ctypes.CDLL(None), TaskInfo()
        count = ctypes.c_uint32(ctypes.sizeof(info) // 4)
        task = ctypes.c_uint32.in_dll(system, "mach_task_self_")
        failed = system.task_info(task, BASIC_INFO, ctypes.byref(info), ctypes.byref(count))
        return None if failed else int(info.resident_size)
    except (OSError, AttributeError, ValueError):
        return None


def give_back_heap() -> None:
    """Return what the heap keeps free to the system, where its library has a call for that."""
    try:
        system = ctypes.CDLL(None)
        if platform.system() == "Darwin":
            system.malloc_zone_pressure_relief.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
            system.malloc_zone_pressure_relief(None, 0)
        else:
            system.malloc_trim(0)
    except (OSError, AttributeError, TypeError):  # no glibc, no libc at all
        pass
