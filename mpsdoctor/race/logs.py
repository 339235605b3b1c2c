"""What a script printed: its log, and why it ended, read from the end of it. Pure but for the reading."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mpsdoctor import clean

END = 32768  # bytes of a log that are looked at
LONGEST = 300  # characters of an error
FRAME = re.compile(r'^ *File "(?P<file>[^"]+)", line (?P<line>\d+)', re.MULTILINE)
ERROR = re.compile(r"^(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Interrupt|Exit|Warning)?\b(?:: .*)?$")
INSTALLED = ("site-packages", "dist-packages", "<frozen", "/lib/python")
# What two runs of a script at the same time get into each other's way with.
IN_THE_WAY = re.compile(
    r"out of memory|can't allocate memory|not enough memory|cannot allocate memory|address already in use|EADDRINUSE"
    r"|resource temporarily unavailable|database is locked|BlockingIOError|Timeout.*lock"
    r"|could not (acquire|obtain).*lock",
    re.IGNORECASE,
)
TERMINAL = re.compile(
    r"EOFError: EOF when reading a line|Inappropriate ioctl for device|not a terminal|not a tty|/dev/tty"
    r"|_curses\.error",
    re.IGNORECASE,
)


PYTHON = re.compile(r"python[\d.]*t?(?:\.exe)?")
WITH_VALUE = ("c", "m", "W", "X")  # flags of Python after whose letter no other flag follows


def hiding_flags(command: Sequence[str]) -> str:
    """The flag of a Python that keeps start-up files out, as in `-I`; empty without one."""
    if not PYTHON.fullmatch(Path(command[0]).name):
        return ""
    words = iter(command[1:])
    for word in words:
        if not word.startswith("-") or word in ("-", "-c", "-m"):
            return ""
        letters = word[1:] if not word.startswith("--") else ""
        for letter in letters:
            if letter in "IES":
                return f"-{letter}"
            if letter in WITH_VALUE:
                _ = next(words, "") if word.endswith(letter) else ""
                break
    return ""


class LastWords(NamedTuple):
    """The error that a log ends with, and the line of the person's own code that it came through."""

    error: str
    place: str

    def __str__(self) -> str:
        return f"{self.error} ({self.place})" if self.error and self.place else self.error


def read_end(path: Path) -> str:
    """The end of a log; empty where it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - END))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def last_words(log: str) -> LastWords:
    """The last error of a traceback with its place, else the last line that says something."""
    _, marker, traceback = log.rpartition("Traceback (most recent call last):")
    lines = [line.rstrip() for line in (traceback if marker else log).splitlines() if line.strip()]
    if not lines:
        return LastWords("", "")
    errors = [line for line in lines if marker and not line.startswith(" ") and ERROR.match(line)]
    error = clean.line(errors[0] if errors else lines[-1])[:LONGEST]
    own = [found for found in FRAME.finditer(traceback) if not any(part in found["file"] for part in INSTALLED)]
    place = f"{Path(own[-1]['file']).name}:{own[-1]['line']}" if own else ""
    return LastWords(error, clean.line(place))
