"""What SIGINT, SIGTERM and SIGHUP do; imports next to nothing, for it comes before all else."""

from __future__ import annotations


def on_signals(*, at_once: bool) -> None:
    """Let them end the program with 130 at once, else raise KeyboardInterrupt as Ctrl+C does; `nohup` holds.

    At once is for the time when there is nothing to put in order: an exception may be lost while modules load.
    """
    import os
    import signal

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number and not (name == "SIGHUP" and signal.getsignal(number) == signal.SIG_IGN):
            signal.signal(number, (lambda *_: os._exit(130)) if at_once else signal.default_int_handler)
