"""One run of `mpsdoctor ops` or `bench --step`: the build check, then one thing alone, in a report like any other."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

import mpsdoctor
from mpsdoctor import clean, intake
from mpsdoctor.check import Collected, Context, Skip, Workers
from mpsdoctor.checkup import examine_all, report_of, skip
from mpsdoctor.events import Emit, Settings, Started, progress_of
from mpsdoctor.examination import CANCELLED, Results, status_of, unfit_findings
from mpsdoctor.planning import Planned
from mpsdoctor.report import CheckResult, Facts, Report
from mpsdoctor.texts import as_values, from_values
from mpsdoctor_checks import build, operators

Collect = Callable[[Context], Collected]


class About(Protocol):
    """What is examined, as a check tells it: `seconds` by budget."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def needs(self) -> tuple[str, ...]: ...
    @property
    def seconds(self) -> dict[str, float]: ...


def examine_build(context: Context) -> Collected:
    """The build check's own facts and findings."""
    facts = build.collect(context)
    return {**facts}, [finding for rule in build.RULES for finding in rule(facts)]


@dataclass
class Session:
    """One run, like a check-up. `run` may be called once; `cancel` from any thread, any time."""

    settings: Settings
    emit: Emit
    collect: Collect
    about: About = operators
    cancelled: bool = False
    waited_s: float = 0.0
    workers: Workers = field(init=False)

    def __post_init__(self) -> None:
        self.workers = Workers(self.settings.python)

    def cancel(self) -> None:
        """End it at once: no process is left, what was found so far stays."""
        self.cancelled = True
        self.workers.close()

    def run(self) -> Report:
        """The report of both checks. UnusableRequestError."""
        from mpsdoctor import machine, quiet  # here, as CheckUp does

        started_at = time.monotonic()
        checks = plan_alone(build), plan_alone(self.about)
        collect = {build.id: examine_build, self.about.id: self.collect}
        try:
            if any(check.timed for check in checks):
                budget, before = self.settings.budget, machine.look()
                self.waited_s = quiet.wait_before(before, budget, self.emit, lambda: self.cancelled)
            results = examine_all(
                checks,
                lambda check, results: self._examine(check, collect[check.id], results),
                self.emit,
                lambda: self.cancelled,
            )
        finally:
            self.workers.close()
        return report_of(self.settings, results, time.monotonic() - started_at, with_verdict=not self.cancelled)

    def _examine(self, check: Planned, collect: Collect, results: Results) -> CheckResult:
        self.emit(Started(check.id, check.title))
        started_at = time.monotonic()
        try:
            facts, findings = collect(self._context(check, results))
        except Skip as nothing:
            values = clean.data(as_values(nothing.wording))
            return skip(check, from_values(clean.text(str(nothing)), values))
        facts, problems = intake.split_facts(check.id, clean.data(facts))
        findings = [*findings, *unfit_findings(problems)]
        if self.cancelled:
            findings = []  # of what was not examined nothing can be said
        return msgspec.structs.replace(
            skip(check, CANCELLED),
            status="skip" if self.cancelled else status_of(findings),
            reason=str(CANCELLED) if self.cancelled else None,
            values=as_values(CANCELLED) if self.cancelled else None,
            duration_s=round(time.monotonic() - started_at, 3),
            findings=tuple(findings),
            facts=facts,
        )

    def _context(self, check: Planned, results: Results) -> Context:
        def say(message: Facts) -> None:
            self.emit(progress_of(check.id, intake.take(message)))

        facts = {check_id: result.facts for check_id, result in results.items()}
        budget: Any = self.settings.budget
        return Context(budget, check.seconds[budget], self.settings.devices, facts, self.workers, say, self.waited_s)


def plan_alone(about: About) -> Planned:
    """A part of a check as a check-up plans a whole one; it runs here, and no time-out ends it."""
    source = f"mpsdoctor {mpsdoctor.__version__}"
    return Planned(
        about.id, about.title, about.needs, about.seconds, math.inf, source, None, timed=getattr(about, "timed", False)
    )
