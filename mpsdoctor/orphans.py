"""Ends what a check left behind: a child that made itself independent outlives its process, and its group too."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Collection

PR_SET_CHILD_SUBREAPER = 36


def adopt() -> bool:
    """Have the kernel make this process the parent of its descendants' orphans; False where no system does that."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        import ctypes

        prctl = ctypes.CDLL(None).prctl
        prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
        return bool(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    except (ImportError, OSError, AttributeError):
        return False


def end_orphans(ours: Collection[int]) -> list[int]:
    """Kill the children of this process that it did not start and that lead, or are in, a session of their own.

    `ours` are those that it started. What the person's own session runs, a clipboard program for one, stays.
    """
    import psutil

    ended = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error, OSError):
            if child.pid not in ours and os.getsid(child.pid) != os.getsid(0):
                descendants = child.children(recursive=True)
                for process in (child, *descendants):
                    process.send_signal(signal.SIGKILL)
                os.waitpid(child.pid, 0)
                ended.append(child.pid)
    return ended
