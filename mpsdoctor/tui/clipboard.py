"""Copying: a program of the system, then the terminal itself (OSC 52), and if neither can, text to select."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping

# The program, and the variable without which it has nobody to talk to.
PROGRAMS = (
    (("pbcopy",), None),
    (("wl-copy",), "WAYLAND_DISPLAY"),
    (("xclip", "-selection", "clipboard"), "DISPLAY"),
)
PATIENCE = 2.0  # seconds; xclip waits for ever where its display does not answer
NO_OSC52 = {"Apple_Terminal"}


def copy_by_program(text: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """The name of the program that took the text, or None."""
    if environ.get("SSH_CONNECTION"):  # it would copy on the far machine, not where the person sits
        return None
    for command, variable in PROGRAMS:
        present = shutil.which(command[0]) and (variable is None or environ.get(variable))
        if present and _feed(command, text):
            return command[0]
    return None


def _feed(command: tuple[str, ...], text: str) -> bool:
    try:
        done = subprocess.run(
            command,
            input=text.encode(),
            timeout=PATIENCE,
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def terminal_may_copy(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the terminal may know OSC 52: it never answers, so only a known lack is told apart."""
    return environ.get("TERM_PROGRAM") not in NO_OSC52
