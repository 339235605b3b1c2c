"""Ends a worker whose doctor is gone, also while a job holds the interpreter's lock and no thread of Python's runs."""

from __future__ import annotations

import faulthandler
import signal
import sys
import time

GRACE = 5.0  # seconds beyond a job's time, by which the doctor, if it is there, has ended this process itself
TOLERANCE = 1.0  # seconds: setting the alarm anew costs as much as a small job
PR_SET_PDEATHSIG = 1

_alarm = 0.0  # when the alarm goes off, in time.monotonic's seconds; 0 for never


def die_with_parent() -> bool:
    """Have the kernel kill this process with the thread that started it; False where no system does that.

    That thread lives as long as its process (see mpsdoctor/process.py).
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        import ctypes

        prctl = ctypes.CDLL(None).prctl
        prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
        return bool(prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) == 0)
    except (ImportError, OSError, AttributeError):
        return False


def end_after(seconds: float) -> None:
    """Have a thread that needs no lock end this process if a job takes longer than so many seconds and a margin."""
    global _alarm
    until = time.monotonic() + seconds + GRACE
    if abs(until - _alarm) > TOLERANCE:
        try:
            faulthandler.dump_traceback_later(seconds + GRACE, exit=True)
        except (OverflowError, ValueError):  # a job without an end
            go_on()
            return
        _alarm = until


def go_on() -> None:
    """Cancel the alarm, as no job runs."""
    global _alarm
    faulthandler.cancel_dump_traceback_later()
    _alarm = 0.0
