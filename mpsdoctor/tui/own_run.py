"""A run of the person's own file, in a thread of its own, where all that it needs is imported."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from mpsdoctor import clean
from mpsdoctor.events import Answer, Event, Request, Settings
from mpsdoctor.tui.engine import OwnAnswer, OwnEvent, Signal

if TYPE_CHECKING:
    from mpsdoctor.race.stages import Course
    from mpsdoctor.session import Session


class OwnRun:
    """One question; its signals go to `put`, OwnAnswer last."""

    def __init__(self, request: Request, settings: Settings, put: Callable[[Signal], None]) -> None:
        self._request, self._put = request, put
        self._settings = replace(settings, only=(), skip=(), write_profile=False)
        self._session: Session | Course | None = None
        self._cancelled = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def cancel(self) -> None:
        """End it at once; takes as long as its processes take to be gone."""
        self._cancelled = True
        if self._session:
            self._session.cancel()

    def close(self, seconds: float) -> None:
        """Cancel it, and wait for its end."""
        if self._thread.is_alive():
            self.cancel()
            self._thread.join(seconds)

    def _run(self) -> None:
        self._put(OwnAnswer(self._answer()))

    def _answer(self) -> Answer:
        from mpsdoctor import owncode

        try:
            if self._request.question == "race":
                return self._race()
            self._session = session = owncode.session_of(self._request, self._settings, self._tell)
            if self._cancelled:
                session.cancel()
            return owncode.answer(session)
        except ValueError as error:  # the file is not there, or not named as it should be
            return Answer(trouble=clean.line(str(error)))
        except Exception as error:  # a fault of ours ends this run alone
            return Answer(trouble=clean.line(repr(error)), traceback=traceback.format_exc())

    def _race(self) -> Answer:
        from mpsdoctor.tui import own_race

        self._session = course = own_race.prepare(self._request, self._settings, self._tell)
        if self._cancelled:
            return Answer(cancelled=True)
        return own_race.answer(course)

    def _tell(self, event: Event) -> None:
        self._put(OwnEvent(event))
