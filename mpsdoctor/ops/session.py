"""One run of `mpsdoctor ops`: the build check, then operators of a chosen source, in a report like any other."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from mpsdoctor import clean
from mpsdoctor.check import Context, Skip, Workers
from mpsdoctor.checkup import CheckUp, Emit, Finished, Planned, Progress, Settings, Started, blocked, status_of
from mpsdoctor.report import CheckResult, Finding, Report
from mpsdoctor.sandbox import Job, Sandbox
from mpsdoctor_checks import operators

Collected = tuple[dict[str, Any], list[Finding]]  # facts and findings
Collect = Callable[[Context], Collected]


class UnusableRequestError(ValueError):
    """What was asked for does not exist or cannot be done here; its text tells the person why."""


@dataclass
class Pool(Workers):
    """Workers of a check-up, and more of one kind, so that several can work at once."""

    def lane(self, device: str, number: int, env: dict[str, str], prelude: Job) -> Sandbox:
        """The worker of that number, made by its first use."""
        key = (device, (("lane", f"{number} {sorted(env.items())}"),))
        if key not in self._open:
            self._open[key] = Sandbox(self.python, env, prelude=prelude, watch=self.watch)
        return self._open[key]


@dataclass
class Session:
    """One run, like a check-up. `run` may be called once; `cancel` from any thread, any time."""

    settings: Settings
    emit: Emit
    collect: Collect
    cancelled: bool = False
    workers: Pool = field(init=False)
    _build: CheckUp = field(init=False)

    def __post_init__(self) -> None:
        self.workers = Pool(self.settings.python)
        build_alone = replace(self.settings, only=("build",), skip=(), write_profile=False)
        self._build = CheckUp(build_alone, self.emit)

    def cancel(self) -> None:
        """End it at once: no process is left, what was found so far stays."""
        self.cancelled = True
        self._build.cancel()
        self.workers.close()

    def run(self) -> Report:
        """The report of both checks. UnusableRequestError; BrokenInstallError."""
        begun = time.monotonic()
        report = self._build.run()
        try:
            result = self._operators({check.id: check for check in report.checks})
        finally:
            self.workers.close()
        self.emit(Finished(result))
        return msgspec.structs.replace(
            report, checks=(*report.checks, result), duration_s=round(time.monotonic() - begun, 3)
        )

    def _operators(self, results: dict[str, CheckResult]) -> CheckResult:
        check = Planned(operators.id, operators.title, operators.needs, operators.seconds, 0.0, "", None)
        reason = "cancelled" if self.cancelled else blocked(check, results)
        source = results["build"].source if "build" in results else ""
        skipped = CheckResult(check.id, check.title, source, "skip", reason)
        if reason:
            return skipped
        self.emit(Started(check.id, check.title))
        begun = time.monotonic()
        try:
            facts, findings = self.collect(self._context(results))
        except Skip as nothing:
            return msgspec.structs.replace(skipped, reason=clean.text(str(nothing)))
        if self.cancelled:
            findings = []  # of what was not examined nothing can be said
        return msgspec.structs.replace(
            skipped,
            status="skip" if self.cancelled else status_of(findings),
            reason="cancelled" if self.cancelled else None,
            duration_s=round(time.monotonic() - begun, 3),
            findings=tuple(findings),
            facts=clean.data(facts),
        )

    def _context(self, results: dict[str, CheckResult]) -> Context:
        def say(message: dict[str, Any]) -> None:
            self.emit(Progress(operators.id, message["text"], message["done"], message["total"]))

        facts = {check_id: result.facts for check_id, result in results.items()}
        budget: Any = self.settings.budget
        return Context(budget, operators.seconds[budget], self.settings.devices, facts, self.workers, say)


def devices_of(context: Context, *, cpu: bool) -> list[str]:
    """The devices to examine: those that were chosen and can be used, or all; with the CPU where it is wanted too."""
    offered = [one["device"] for one in context.facts["build"].get("devices", ()) if one["usable"]]
    if context.devices is not None:
        return [device for device in offered if device in context.devices]
    others = [device for device in offered if device != "cpu"]
    return ["cpu", *others] if cpu or not others else others
