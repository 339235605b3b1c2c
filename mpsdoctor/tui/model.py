"""What the screen knows: the engine's events folded into one state. Nothing is drawn and nothing is judged here."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from msgspec import structs

from mpsdoctor import retold
from mpsdoctor.checkup import report_of
from mpsdoctor.events import Busy, Figure, Finished, Listed, Overall, Progress, Settings, Started
from mpsdoctor.facts import CheckFacts, assume_shapes
from mpsdoctor.facts.operators import ProbeRow
from mpsdoctor.facts.training import Result, TrainingFacts, no_training
from mpsdoctor.overall import Course
from mpsdoctor.report import ORDER, CheckResult, Finding, Forced, Report
from mpsdoctor.tui import own_state
from mpsdoctor.tui.engine import Broke, Done, OwnAnswer, OwnEvent, Signal
from mpsdoctor.tui.own_state import OwnState

LOGGED = 2000  # lines of progress; a standard check-up sends some 200


@dataclass(frozen=True)
class CheckState:
    """How far a check is: waiting, running, or the status that it ended with."""

    id: str
    title: str
    status: str = "waiting"
    started_at: float | None = None
    progress: Progress | None = None
    result: CheckResult | None = None


@dataclass
class Model:
    """The state of the screen. `version` rises with every change; `waits`: for others to be less `busy`."""

    settings: Settings
    clock: Callable[[], float] = time.monotonic
    checks: dict[str, CheckState] = field(default_factory=dict)
    report: Report | None = None
    running: bool = False
    cancelled: bool = False
    trouble: str | None = None
    started_at: float | None = None
    ended_at: float | None = None
    version: int = 0
    busy: Busy | None = None
    waits: bool = False
    own: OwnState | None = None  # the last question about a file of the person's
    course: Course = field(init=False)
    _told: tuple[Report | None, Report | None] = (None, None)
    log: deque[Progress] = field(default_factory=lambda: deque(maxlen=LOGGED))

    def __post_init__(self) -> None:
        self.course = Course(self.settings.budget, self.clock)

    def begin(self) -> None:
        """A run begins."""
        self.course, self.busy, self.waits = Course(self.settings.budget, self.clock), None, False
        self.running, self.cancelled, self.trouble = True, False, None
        self.started_at, self.ended_at = self.clock(), None
        self.log.clear()
        self.version += 1

    def apply(self, signal: Signal) -> None:
        """Take one signal of the engine."""
        self.version += 1
        if isinstance(signal, OwnEvent | OwnAnswer):
            self._apply_own(signal)
            return
        if not isinstance(signal, Done | Broke):
            self.course.take(signal)
        if isinstance(signal, Listed):
            waiting = {check.id: CheckState(check.id, check.title) for check in signal.checks}
            self.checks = {**self.checks, **waiting}
        elif isinstance(signal, Busy):
            self.busy, self.waits = signal, True
        elif isinstance(signal, Started):
            self.waits = False
            self._change(signal.id, status="running", started_at=self.clock())
        elif isinstance(signal, Progress):
            self._change(signal.id, progress=signal)
            self.log.append(signal)
        elif isinstance(signal, Finished):
            self._change(signal.result.id, status=signal.result.status, result=retold.check(signal.result))
        elif isinstance(signal, Done):
            self._end(signal)

    @property
    def own_active(self) -> bool:
        """Whether a question about a person's own file waits or runs."""
        return self.own is not None and self.own.active

    def set_own(self, state: OwnState | None) -> None:
        """The question is now so far."""
        self.own = state
        self.version += 1

    def _apply_own(self, signal: OwnEvent | OwnAnswer) -> None:
        if self.own is None:
            return
        if isinstance(signal, OwnEvent):
            self.own = own_state.after_event(self.own, signal.event)
        else:
            self.own = replace(self.own, phase="ended", ended_at=self.clock(), answer=signal.answer)

    def cancel(self) -> None:
        """Show it at once; the engine's Done comes when its processes are gone."""
        self.cancelled = True
        self.version += 1

    def note_forced(self, forced: Forced | None) -> None:
        """The profile was changed here: the report tells what it forces now."""
        if self.report:
            self.report = structs.replace(self.report, profile=structs.replace(self.report.profile, forced=forced))
            self.version += 1

    def elapsed(self) -> float:
        """Seconds of this run so far, or of the whole of it."""
        if self.started_at is None:
            return 0.0
        return (self.clock() if self.ended_at is None else self.ended_at) - self.started_at

    def overall(self) -> Overall | None:
        """How far the run is; None before it is known which checks run."""
        return self.course.now() if self.running else None

    def report_so_far(self) -> Report:
        """What is known of the machine, without a verdict."""
        results = {name: state.result for name, state in self.checks.items() if state.result}
        return report_of(self.settings, results, 0.0, with_verdict=False)

    def training(self) -> TrainingFacts:
        """What was timed, empty until the check has ended."""
        return self.facts().get("training") or no_training()

    def probe_rows(self) -> Sequence[ProbeRow]:
        """What was probed, empty until the check has ended."""
        operators = self.facts().get("operators")
        return operators.get("results", ()) if operators else ()

    def needed_failures(self) -> frozenset[tuple[str, str]]:
        """Operators that every training needs and that are not right, each with its device."""
        operators = self.facts().get("operators")
        by_device = operators["core_failures"] if operators and "core_failures" in operators else {}
        return frozenset((failure["op"], device) for device, failures in by_device.items() for failure in failures)

    def facts(self) -> CheckFacts:
        """Those of the checks that have ended."""
        return assume_shapes({name: state.result.facts for name, state in self.checks.items() if state.result})

    def figures(self) -> list[Result]:
        """Rows of `training`'s results so far, the last of each workload, size and device; `timing` has no figure."""
        last = {(row.workload, row.size, row.device): row for event in self.log for row in event.figures}
        return [_row_so_far(figure) for figure in last.values()]

    def findings(self) -> list[tuple[CheckResult, Finding]]:
        """All findings so far, the gravest first."""
        findings = [
            (state.result, finding)
            for state in self.checks.values()
            if state.result
            for finding in state.result.findings
        ]
        return sorted(findings, key=lambda pair: ORDER[pair[1].severity])

    def told(self) -> Report | None:
        """The report in the language of who reads; the one that is written stays English."""
        if self.report is not self._told[0]:
            self._told = self.report, self.report and retold.report(self.report)
        return self._told[1]

    def current(self) -> CheckState | None:
        """The check that runs now."""
        return next((state for state in self.checks.values() if state.status == "running"), None)

    def _change(self, check_id: str, **changes: Any) -> None:
        if check_id in self.checks:
            self.checks[check_id] = replace(self.checks[check_id], **changes)

    def _end(self, done: Done) -> None:
        self.running, self.trouble, self.ended_at = False, done.trouble, self.clock()
        # A cancelled run has no verdict; what an earlier whole one found stands again.
        if not done.cancelled or self.report is None:
            self.report, self.cancelled = done.report, done.cancelled
        else:
            self.cancelled = False
        self.checks = {**self.checks, **dict(_states_of(self.report.checks))}


def _states_of(results: Iterable[CheckResult]) -> Iterable[tuple[str, CheckState]]:
    for result in results:
        yield result.id, CheckState(result.id, result.title, result.status, result=retold.check(result))


def _row_so_far(figure: Figure) -> Result:
    return {
        "workload": figure.workload,
        "size": figure.size,
        "device": figure.device,
        "dtype": "float32",
        "outcome": "ok" if figure.step_ms else "timing",
        "step_ms": figure.step_ms,
        "ci95_ms": list(figure.ci95_ms) if figure.ci95_ms else None,
        "samples_per_s": None,
        "steps": None,
        "peak_memory_bytes": None,
        "detail": "",
        "detail_values": None,
    }
