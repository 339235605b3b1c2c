"""The check-up in a thread of its own: its events are queued, so that the screen never waits for it."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import msgspec

from mpsdoctor.checkup import CheckUp
from mpsdoctor.events import Answer, Event, Progress, Request, Settings
from mpsdoctor.report import Report

if TYPE_CHECKING:
    from mpsdoctor.machine.shapes import MemorySample
    from mpsdoctor.runtime.shapes import Fingerprint
    from mpsdoctor.tui.own_run import OwnRun

ENDING = 10.0  # seconds that closing waits for killed processes to be gone


@dataclass(frozen=True)
class Done:
    """The run has ended; `trouble` tells why the profile could not be written."""

    report: Report
    cancelled: bool
    trouble: str | None = None


@dataclass(frozen=True)
class Broke:
    """The run could not even begin."""

    error: Exception


@dataclass(frozen=True)
class OwnEvent:
    """What a run of the person's own file says."""

    event: Event


@dataclass(frozen=True)
class OwnAnswer:
    """What came of it."""

    answer: Answer


Signal = Event | Done | Broke | OwnEvent | OwnAnswer


class Engine(Protocol):
    """What the screen needs of a check-up. `memory` and `fingerprint` take time and are called in threads."""

    def start(self, only: tuple[str, ...] = ()) -> None: ...

    def cancel(self) -> None: ...

    def ask(self, request: Request) -> None: ...

    def stop_asking(self) -> None: ...

    def close(self) -> bool: ...

    def drain(self) -> list[Signal]: ...

    def memory(self) -> MemorySample: ...

    def fingerprint(self, report: Report) -> Fingerprint: ...


class LiveEngine:
    """The engine itself. Methods are called by the screen's thread alone."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._signals: queue.SimpleQueue[Signal] = queue.SimpleQueue()
        self._checkup: CheckUp | None = None
        self._thread: threading.Thread | None = None
        self._report: Report | None = None
        self._own: OwnRun | None = None

    def start(self, only: tuple[str, ...] = ()) -> None:
        """Begin a check-up, of all checks or of these and what they need."""
        settings = replace(self._settings, only=only or self._settings.only)
        self._checkup = CheckUp(settings, self._signals.put)
        self._thread = threading.Thread(target=self._run, args=(self._checkup, bool(only)), daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """End the run at once; its report comes as Done. In a thread, as killing waits for the killed."""
        if self._checkup:
            threading.Thread(target=self._checkup.cancel).start()

    def ask(self, request: Request) -> None:
        """Examine a file of the person's; OwnEvent and OwnAnswer tell of it. Not while anything else runs."""
        from mpsdoctor.tui.own_run import OwnRun

        self._own = OwnRun(request, self._settings, self._signals.put)
        self._own.start()

    def stop_asking(self) -> None:
        """End that at once, in a thread."""
        if self._own:
            threading.Thread(target=self._own.cancel).start()

    def drain(self) -> list[Signal]:
        """The signals since the last call, of progress only the latest of each check."""
        signals: list[Signal] = []
        while not self._signals.empty():  # this thread alone takes from it
            signals.append(self._signals.get_nowait())
        last = {signal.id: number for number, signal in enumerate(signals) if isinstance(signal, Progress)}
        return [s for number, s in enumerate(signals) if not isinstance(s, Progress) or last[s.id] == number]

    def memory(self) -> MemorySample:
        """Memory and swap now; it runs programs."""
        from mpsdoctor import machine
        from mpsdoctor.machine import gpus

        return {**machine.memory(), "gpus": gpus.memory(), "at": time.monotonic()}

    def fingerprint(self, report: Report) -> Fingerprint:
        """What the examined interpreter tells of this machine. NoFingerprintError."""
        from mpsdoctor import prescription

        return prescription.take_fingerprint(self._settings.python, report)

    def close(self) -> bool:
        """Cancel what still runs and wait until its processes are gone; whether a check-up was running."""
        if self._own:
            self._own.close(ENDING)
        if not (self._thread and self._checkup and self._thread.is_alive()):
            return False
        self._checkup.cancel()
        self._thread.join(ENDING)
        return True

    def _run(self, checkup: CheckUp, partial: bool) -> None:
        try:
            report = checkup.run()
            if partial and self._report and not checkup.cancelled:
                report = merge(self._report, report)
            report, trouble = self._record(report, write=not (partial or checkup.cancelled))
        except Exception as error:  # raised again by whoever started the screen, once the terminal is restored
            self._signals.put(Broke(error))
            return
        if not checkup.cancelled:
            self._report = report
        self._signals.put(Done(report, checkup.cancelled, trouble))

    def _record(self, report: Report, *, write: bool) -> tuple[Report, str | None]:
        from mpsdoctor import prescription

        settings = self._settings if write else replace(self._settings, write_profile=False)
        return prescription.record(report, settings)


def merge(before: Report, after: Report) -> Report:
    """The earlier report with those checks that ran again, judged anew."""
    from mpsdoctor import verdict

    newer = {check.id: check for check in after.checks}
    checks = tuple(newer.get(check.id, check) for check in before.checks)
    verdict_now = verdict.judge_checkup({check.id: check.facts for check in checks})
    base = msgspec.structs.replace(after, duration_s=before.duration_s) if "build" in newer else before
    return msgspec.structs.replace(base, generated_at=after.generated_at, checks=checks, verdict=verdict_now)
