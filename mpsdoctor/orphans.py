"""Ends what a check left behind: a child that made itself independent outlives its process, and its group too."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Collection

PR_SET_CHILD_SUBREAPER = 36
# Set in the environment of workers, and so of all that they start: what lacks it was started by somebody else, as the
# system's programs are that the screen asks for memory. A host of checks passes its doctor's on.
VARIABLE = "MPSDOCTOR_WORKER_OF"
MARK = os.environ.get(VARIABLE) or str(os.getpid())


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


def end_orphans(workers: Collection[int]) -> list[int]:
    """Kill what ended workers left behind and the kernel made a child of this process; their process ids.

    `workers` are those that this process started and that may still live.
    """
    import psutil

    ended = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error, OSError):
            if child.pid not in workers and child.environ().get(VARIABLE) == MARK:
                descendants = child.children(recursive=True)
                for process in (child, *descendants):
                    process.send_signal(signal.SIGKILL)
                os.waitpid(child.pid, 0)
                ended.append(child.pid)
    return ended
