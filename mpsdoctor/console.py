"""Owns stderr, exit codes, and what a stream can show: colour, symbols."""

from __future__ import annotations

import contextlib
import enum
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn, TextIO

from mpsdoctor import clean

if TYPE_CHECKING:
    from mpsdoctor.events import Event

EVERY = 5.0  # seconds between lines of progress where they cannot be rewritten


class Exit(enum.IntEnum):
    """Exit codes, in rising order of what a CI job should look at first."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    BROKEN = 3
    INTERRUPTED = 130


def colours(stream: TextIO, no_color: bool) -> bool:
    """Whether to colour: never for NO_COLOR (non-empty), TERM=dumb, a file or a pipe."""
    return not (no_color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb") and stream.isatty()


def unicode(stream: TextIO) -> bool:
    """Whether the stream's encoding holds more than ASCII."""
    return (stream.encoding or "").lower().replace("-", "").startswith("utf")


def open_streams() -> None:
    """Give what was closed (`2>&-`) an end that takes everything, before a pipe of ours gets its number."""
    for number in range(3):
        if not _is_open(number):
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 -- for the whole run
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 -- for the whole run


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def leave(status: int) -> NoReturn:
    """End without the flush of streams that cannot be written, which would be told as an error."""
    os._exit(status)


def say(text: str, end: str = "\n") -> None:
    """Narration: what of it cannot be written is not worth an error."""
    encoding, text = sys.stderr.encoding or "ascii", clean.inert(text)
    with contextlib.suppress(OSError):
        print(text.encode(encoding, "replace").decode(encoding), end=end, file=sys.stderr, flush=True)


def complain(message: str) -> None:
    """An error or a warning for the person, on stderr."""
    from mpsdoctor.texts import say as in_words  # most commands end without it

    say(in_words("cli.error", message=message))


def cut(text: str, width: int) -> str:
    """The beginning of a text that fits into so many cells of a terminal."""
    if text.isascii():
        return text[:width]
    from rich.cells import set_cell_size  # 10 ms that most lines need not wait for

    return set_cell_size(text, width).rstrip()


class Narrator:
    """Tells on stderr what is going on: one line rewritten on a terminal, else one line a step."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._last = 0.0

    def __call__(self, event: Event) -> None:
        if self._quiet:
            return
        # The types of a check-up take 20 ms to import, which commands without one need not wait for.
        from mpsdoctor.events import Busy, Finished, Progress, Started
        from mpsdoctor.overall import describe, overall_in_words
        from mpsdoctor.texts import joined, tell, term, translate_title
        from mpsdoctor.texts import say as in_words

        if isinstance(event, Started):
            self._last = 0.0
            self._line(joined(": ", [event.id, translate_title(event.id, event.title)]))
        elif isinstance(event, Busy):
            self._line(tell(event.text, event.values), step=False)
        elif isinstance(event, Progress):
            told = describe(event)
            told = told if told.startswith(event.id) else joined(": ", [event.id, told])
            self._line(f"{overall_in_words(event.overall)} · {told}" if event.overall else told, step=False)
        elif isinstance(event, Finished) and not self._terminal:
            status = term("status", event.result.status)
            said = in_words("report.ended_after", status=status, seconds=event.result.duration_s)
            self._line(joined(": ", [event.result.id, said]))

    def tell(self, text: str) -> None:
        """What goes on, rewritten or now and then."""
        if not self._quiet:
            self._line(text, step=False)

    def close(self) -> None:
        """Take the rewritten line away."""
        if self._terminal and not self._quiet:
            say("\r\x1b[K", end="")

    def _line(self, text: str, *, step: bool = True) -> None:
        text = text.replace("\n", " ")
        if self._terminal:
            width = shutil.get_terminal_size().columns
            say(f"\r\x1b[K{cut(text, width - 1)}", end="")
        elif step:
            say(text)
        elif time.monotonic() - self._last >= EVERY:
            self._last = time.monotonic()
            say(text)


@contextmanager
def interrupts(cancel: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl+C, SIGTERM or SIGHUP cancels, in a thread as the main one may hold locks; the next one quits."""

    def stop(number: int, frame: object) -> None:
        for each in signals:
            signal.signal(each, signal.default_int_handler)
        threading.Thread(target=cancel).start()

    signals = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:  # as `nohup` has it
        signals.remove(signal.SIGHUP)
    before = {each: signal.signal(each, stop) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
