"""A check-up: the checks in the order of their needs, each in a process that may die, and the report of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

import mpsdoctor
from mpsdoctor import clean, report, verdict
from mpsdoctor.check import finding
from mpsdoctor.planning import Planned, chosen, in_order, neutral
from mpsdoctor.report import CheckResult, Finding, Report
from mpsdoctor.sandbox import Answer, Job, Sandbox

Results = dict[str, CheckResult]  # by the check's id
BLOCKING = {"fail", "error", "skip"}


@dataclass(frozen=True)
class Settings:
    """What the person asked for."""

    budget: str = "standard"
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    devices: tuple[str, ...] | None = None
    python: str = sys.executable
    profile_path: str | None = None
    write_profile: bool = True


class Listed(msgspec.Struct, frozen=True, tag_field="event", tag="listed"):
    """Event: these checks are about to run."""

    checks: tuple[Planned, ...]


class Started(msgspec.Struct, frozen=True, tag_field="event", tag="started"):
    """Event: a check begins."""

    id: str
    title: str


class Figure(msgspec.Struct, frozen=True):
    """The time of a training step so far; None where it is being timed and there is no figure yet."""

    workload: str
    size: str
    device: str
    step_ms: float | None = None
    ci95_ms: tuple[float, float] | None = None


class Progress(msgspec.Struct, frozen=True, tag_field="event", tag="progress"):
    """Event: what a check is doing, how far it is, and the figures so far."""

    id: str
    text: str
    done: int | None = None
    total: int | None = None
    figures: tuple[Figure, ...] = ()


class Finished(msgspec.Struct, frozen=True, tag_field="event", tag="finished"):
    """Event: a check has ended."""

    result: CheckResult


Event = Listed | Started | Progress | Finished
Emit = Callable[[Event], None]


class BrokenInstallError(RuntimeError):
    """The checks could not even be listed."""


def _host() -> Sandbox:
    """A process to run checks in, whose words the doctor judges before it neutralises them."""
    return Sandbox(sys.executable, neutralise=False)


@dataclass
class CheckUp:
    """One run. `run` may be called once; `cancel` from any thread, any time."""

    settings: Settings
    emit: Emit = lambda event: None
    cancelled: bool = False
    _hosts: list[Sandbox] = field(default_factory=lambda: [_host()])

    def cancel(self) -> None:
        """End it at once: no process is left, what was found so far stays."""
        self.cancelled = True
        self._close()

    def _close(self) -> None:
        for host in list(self._hosts):
            host.close()

    def plan(self) -> tuple[Planned, ...]:
        """The checks that are installed, in the order of the report."""
        answer = self._hosts[0].call("mpsdoctor.checkhost:catalogue")
        if answer.outcome != "ok":
            if self.cancelled:
                return ()
            raise BrokenInstallError(f"the checks could not be listed ({answer.outcome}): {answer.detail}")
        return tuple(msgspec.convert(entry, Planned) for entry in answer.value)

    def run(self) -> Report:
        """The check-up, as far as it came if it is cancelled. UnknownCheckError, BrokenInstallError."""
        begun = time.monotonic()
        try:
            checks = in_order(chosen(self.plan(), self.settings.only, self.settings.skip))
            self.emit(Listed(tuple(neutral(check) for check in checks)))
            results = examine_all(checks, self._examine, self.emit, lambda: self.cancelled)
        finally:
            self._close()
        return report_of(self.settings, results, time.monotonic() - begun, with_verdict=not self.cancelled)

    def _examine(self, check: Planned, results: Results) -> CheckResult:
        if check.error:
            return _failed(check, [finding("MPS905", "error", problem=clean.text(check.error))])
        self.emit(Started(check.id, clean.text(check.title)))
        return _Examination(check, self.emit).run(self._host_of(check), self.settings, results)

    def _host_of(self, check: Planned) -> Sandbox:
        """Our checks share a process, and in it the workers that have torch; a stranger's may change what it likes."""
        if not check.source.startswith("mpsdoctor "):
            self._hosts.append(_host())
            if self.cancelled:  # by another thread, meanwhile
                self._hosts[-1].close()
            return self._hosts[-1]
        return self._hosts[0]


def examine_all(
    checks: Iterable[Planned],
    examine: Callable[[Planned, Results], CheckResult],
    emit: Emit,
    cancelled: Callable[[], bool],
) -> Results:
    """What came of each check, in their order; those that cannot run, or come after a cancellation, are skipped."""
    results: Results = {}
    for check in checks:
        reason = "cancelled" if cancelled() else blocked(check, results)
        results[check.id] = skip(check, reason) if reason else examine(check, results)
        emit(Finished(results[check.id]))
    return results


def skip(check: Planned, reason: str) -> CheckResult:
    """The result of a check that did not run."""
    return _result(check, "skip", reason)


def report_of(settings: Settings, results: Results, seconds: float, *, with_verdict: bool = True) -> Report:
    """The report of some checks' results."""
    facts = {check_id: result.facts for check_id, result in results.items()}
    build = facts.get("build", {})
    machine = facts.get("chip") or build.get("machine") or {}
    return Report(
        tool=report.Tool("mpsdoctor", mpsdoctor.__version__),
        generated_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        duration_s=round(seconds, 3),
        budget=settings.budget,  # type: ignore[arg-type]  # the command line admits these three
        machine=msgspec.convert(report.known_fields(report.Machine, machine), report.Machine),
        python=msgspec.convert(build.get("python", {}), report.Python),
        torch=msgspec.convert(build.get("torch"), report.Torch | None),
        devices=msgspec.convert(build.get("devices", []), tuple[report.Device, ...]),
        checks=tuple(results.values()),
        verdict=verdict.judge_checkup(facts) if with_verdict else None,
        profile=report.ProfileNote(None, False),
    )


@dataclass
class _Examination:
    """One check while it runs: what it has sent so far."""

    check: Planned
    emit: Emit
    findings: list[Finding] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    dirty: bool = False

    def run(self, host: Sandbox, settings: Settings, results: Results) -> CheckResult:
        begun = time.monotonic()
        args = {
            "check_id": self.check.id,
            "python": settings.python,
            "budget": settings.budget,
            "devices": settings.devices,
            "facts": {check_id: result.facts for check_id, result in results.items()},
        }
        timeout = self.check.patience + 3 * self.check.seconds[settings.budget]
        job = Job("mpsdoctor.checkhost:run_check", args, timeout, self._take)
        answer = next(host.run([job]))
        status, reason = self._judge(answer)
        return CheckResult(
            id=self.check.id,
            title=clean.text(self.check.title),
            source=self.check.source,
            status=status,
            reason=reason,
            duration_s=round(time.monotonic() - begun, 3),
            findings=tuple(self.findings),
            facts=self.facts,
        )

    def _take(self, message: Any) -> None:
        """A finding, facts, or progress, as the check sends it."""
        self.dirty = self.dirty or clean.has_controls(message)
        message = clean.data(message)
        if "finding" in message:
            self.findings.append(msgspec.convert(message["finding"], Finding))
        elif "facts" in message:
            self.facts.update(message["facts"])
        else:
            self.emit(progress_of(self.check.id, message))

    def _judge(self, answer: Answer) -> tuple[report.Status, str | None]:
        if answer.outcome == "cancelled":
            return "skip", "cancelled"
        self.findings += troubles(self.check, answer, dirty=self.dirty)
        if any(found.code in TROUBLES for found in self.findings):
            return "error", self.findings[-1].title
        if skipped := (answer.value or {}).get("skip"):
            return "skip", clean.text(skipped)
        return status_of(self.findings), None


def progress_of(check_id: str, message: dict[str, Any]) -> Progress:
    """The event of a check's word; of one that is not as it should be, the text alone."""
    try:
        return msgspec.convert({**message, "event": "progress", "id": check_id}, Progress)
    except msgspec.ValidationError:
        return Progress(check_id, str(message.get("text", "")))


OUTCOMES = {"error": "MPS901", "timeout": "MPS902", "crash": "MPS903", "unavailable": "MPS903"}
TROUBLES = {*OUTCOMES.values(), "MPS904", "MPS905"}


def troubles(check: Planned, answer: Answer, *, dirty: bool) -> list[Finding]:
    """What went wrong with the check itself, as findings of the 9xx codes."""
    found = []
    if answer.outcome == "error":
        found.append(finding("MPS901", "error", traceback=clean.text(answer.value["traceback"])))
    elif answer.outcome in OUTCOMES:
        found.append(finding(OUTCOMES[answer.outcome], "error", last_words=clean.text(answer.detail)))
    told = answer.value.get("control_characters") if isinstance(answer.value, dict) else False
    if dirty or told or clean.has_controls(check.title):
        found.append(finding("MPS904", "error"))
    return found


def _result(check: Planned, status: report.Status, reason: str) -> CheckResult:
    return CheckResult(check.id, clean.text(check.title), check.source, status, reason)


def _failed(check: Planned, findings: list[Finding]) -> CheckResult:
    return msgspec.structs.replace(_result(check, "error", findings[0].title), findings=tuple(findings))


def status_of(findings: Iterable[Finding]) -> report.Status:
    """The status of a check that ran to its end."""
    severities = {finding.severity for finding in findings}
    return "fail" if "error" in severities else "warn" if "warning" in severities else "pass"


def blocked(check: Planned, results: Results) -> str | None:
    """Why a check cannot run, or None: one that it needs is missing, failed, or was skipped itself."""
    for need in check.needs:
        result = results.get(need)
        if result is None:
            return f"needs {need}, which did not run"
        if result.status in BLOCKING:
            first = result.reason or next((f.title for f in result.findings if f.severity == "error"), "")
            return f"needs {need}, which ended as {result.status}" + (f": {first}" if first else "")
    return None
