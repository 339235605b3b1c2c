"""Work beside the screen, in threads that quitting does not wait for.

Textual's thread workers belong to the event loop, which ends only when the last of them has: `q` then hung as long as
an interpreter under examination took to describe its machine, or a clipboard program to answer.
"""

from __future__ import annotations

import contextlib
import gc
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from textual.app import App

from mpsdoctor.texts import say

NAME = "background "  # how its threads' names begin
_requests: Counter[str] = Counter()
T = TypeVar("T")


def run_in_background(app: App[Any], name: str, work: Callable[[], T], take: Callable[[T], object]) -> None:
    """Do the work; `take` gets its result in the screen's thread, unless work of this name was begun again."""
    _requests[name] += 1
    number = _requests[name]

    def deliver(result: T) -> None:
        if _requests[name] == number and app.screen_stack:  # none is left while it closes
            take(result)

    def run() -> None:
        with contextlib.suppress(RuntimeError):  # the screen was closed: its event loop takes nothing any more
            try:
                result = work()
            except Exception as error:  # nobody else would report it
                message = say("screen.task_failed", task=say(f"screen.task_{name}"), error=repr(error))
                app.call_later(app.notify, message, severity="error", markup=False)
            else:
                app.call_later(deliver, result)

    threading.Thread(target=run, name=NAME + name, daemon=True).start()


def freeze_heap() -> None:
    """Exempt what lives now from garbage collection: looking through it took 35 ms, more than a frame."""
    gc.freeze()


def work_is_running() -> bool:
    """Whether any such work has not ended."""
    return any(thread.name.startswith(NAME) for thread in threading.enumerate())
