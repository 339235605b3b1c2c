"""The screen: a Textual application over the engine's events. Textual is imported when it starts, not before."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from mpsdoctor.signals import on_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mpsdoctor.events import Settings
    from mpsdoctor.report import Report
    from mpsdoctor.tui.engine import Engine, LiveEngine
    from mpsdoctor.tui.model import Model

# Out of the alternate screen, cursor on, mouse and pasting reports off.
LEAVE_SCREEN = b"\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?2004l"


def possible() -> bool:
    """Whether a person sits at both ends, at a terminal that can be drawn on."""
    import os
    import sys

    ends = (sys.stdin, sys.stdout)
    if not all(end and end.isatty() for end in ends) or os.environ.get("TERM", "dumb") == "dumb":
        return False
    return (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")


class Outcome(NamedTuple):
    """How the screen was left.

    `trouble` tells why the profile could not be written, `failure` kept the engine from beginning, and `broken` means
    that the screen itself failed.
    """

    report: Report | None = None
    cancelled: bool = False
    trouble: str | None = None
    failure: Exception | None = None
    broken: bool = False


@contextlib.contextmanager
def restored_terminal() -> Iterator[None]:
    """Give the terminal back as it was if a signal ends the screen before Textual can do so."""
    import os
    import sys

    try:
        import termios

        before = termios.tcgetattr(sys.stdin)
    except (ImportError, OSError, ValueError):  # Windows, or no terminal after all
        yield
        return
    try:
        yield
    except BaseException:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        os.write(1, LEAVE_SCREEN)
        raise


def show(choose_settings: Callable[[], Settings], *, no_color: bool = False) -> Outcome:
    """Run the screen until it is closed. `choose_settings` is called after the first paint."""
    import os

    if no_color:
        os.environ["NO_COLOR"] = "1"  # Textual's own switch; read while its modules load
    from mpsdoctor.tui.app import DoctorApp

    def boot() -> tuple[Engine, Model]:
        from mpsdoctor.tui.engine import LiveEngine
        from mpsdoctor.tui.model import Model

        settings = choose_settings()
        engine = LiveEngine(settings)
        running.append(engine)
        return engine, Model(settings)

    running: list[LiveEngine] = []
    app = DoctorApp(boot)
    try:
        with restored_terminal():
            on_signals(at_once=False)  # from here on there is a terminal to give back
            failure = app.run()
    finally:
        interrupted = any(engine.close() for engine in running)
    model = app.actions.model if app.actions else None
    cancelled = interrupted or model is None or model.cancelled
    # A return code: Textual has shown the traceback.
    report, trouble = (model.report, model.trouble) if model else (None, None)
    return Outcome(report, cancelled, trouble, failure, bool(app.return_code) and not failure)
