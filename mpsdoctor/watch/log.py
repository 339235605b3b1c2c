"""The file of a watched training: a line a second, written whole, read while it grows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from mpsdoctor import clean
from mpsdoctor.watch.shapes import Line

LONGEST = 1 << 16  # bytes of a line; ours have some hundreds
DECODER = msgspec.json.Decoder(Line)


class Writer:
    """Appends lines; what is killed has written all but the line that it was at."""

    def __init__(self, path: Path) -> None:
        """OSError."""
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)

    def write(self, line: Line) -> None:
        """OSError."""
        data = msgspec.json.encode(line) + b"\n"
        while data:  # a disk that is nearly full takes a part
            data = data[os.write(self._file, data) :]

    def close(self) -> None:
        os.close(self._file)


class Reader:
    """Reads what is there and then what has come since; a half line waits for its rest."""

    def __init__(self, path: Path) -> None:
        """OSError."""
        self._file = path.open("rb")
        self._half = b""
        self.unread = 0  # lines that are none of ours

    def lines(self) -> Iterator[Line]:
        """Those that are new; a file that has been started anew is read from its beginning. OSError."""
        if os.fstat(self._file.fileno()).st_size < self._file.tell():
            self._file.seek(0)
            self._half = b""
        while part := self._file.readline(LONGEST):
            self._half += part
            if not self._half.endswith(b"\n") and len(self._half) < LONGEST:
                continue
            whole, self._half = self._half, b""
            try:
                yield DECODER.decode(whole)
            except (msgspec.DecodeError, UnicodeDecodeError):
                self.unread += 1

    def age(self, now: float) -> float:
        """Seconds since the file was last written to, by the clock of the wall."""
        return now - os.fstat(self._file.fileno()).st_mtime

    def close(self) -> None:
        self._file.close()


def clean_command(command: tuple[str, ...]) -> tuple[str, ...]:
    """As it may be shown and stored: home folders as `~`."""
    return tuple(clean.line(word) for word in command)
