"""A check-up: the checks in the order of their needs, each in a process that may die, and the report of it."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

import mpsdoctor
from mpsdoctor import clean, intake, orphans, planning, process, report, verdict
from mpsdoctor.check import finding, title_of
from mpsdoctor.events import Emit, Finished, Listed, Settings, Started
from mpsdoctor.examination import CANCELLED, Examination, Results
from mpsdoctor.overall import Course, stamping
from mpsdoctor.planning import Planned
from mpsdoctor.report import CheckResult, Finding, Report
from mpsdoctor.sandbox import Sandbox
from mpsdoctor.texts import Part, Wording, as_values, from_values

IMPORT_CHECK = 5.0  # seconds for a third party's check to be imported
AT_ONCE = 8  # of third parties' checks that are imported at the same time: each is a process
BLOCKING = {"fail", "error", "skip"}


class Installed(msgspec.Struct, frozen=True):
    """What a host lists."""

    ours: tuple[Planned, ...]
    others: tuple[Planned, ...]


class BrokenInstallError(RuntimeError):
    """The checks could not even be listed."""


def _new_host(settings: Settings) -> Sandbox:
    """A process to run checks in, whose words the doctor judges before it neutralises them; it knows which profile."""
    chosen = {"MPSDOCTOR_PROFILE": settings.profile_path} if settings.profile_path else {}
    return Sandbox(sys.executable, chosen, neutralise=False)


@dataclass
class CheckUp:
    """One run. `run` may be called once; `cancel` from any thread, any time."""

    settings: Settings
    emit: Emit = lambda event: None
    cancelled: bool = False
    waited_s: float = 0.0
    _hosts: list[Sandbox] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._hosts.append(_new_host(self.settings))

    def cancel(self) -> None:
        """End it at once: no process is left, what was found so far stays."""
        self.cancelled = True
        self._close()

    def _close(self) -> None:
        for host in list(self._hosts):
            host.close()

    def plan(self) -> tuple[Planned, ...]:
        """The checks to run, as far as --only and --skip tell, in the order of the report.

        A third party's is imported only if it is one of them. UnknownCheckError, BrokenInstallError.
        """
        listed = self._list()
        if self.cancelled:
            return ()
        settings = self.settings
        planning.refuse_unknown((*settings.only, *settings.skip), listed)
        known = {name: check for name, check in listed.items() if check.ours or check.error}
        while True:
            wanted = planning.needed(settings.only or listed, known)
            missing = [name for name in listed if name in wanted - known.keys() and name not in settings.skip]
            if not missing:
                break
            known |= {check.id: check for check in self._describe([listed[name] for name in missing])}
        return tuple(known.get(name, check) for name, check in listed.items())

    def _list(self) -> dict[str, Planned]:
        """Every check that is installed by id: ours as they are, third parties' by their id and source."""
        if not process.ENTRY.is_dir():
            raise BrokenInstallError(
                f"{process.ENTRY} lies in an archive, where no interpreter can start it: install it"
            )
        answer = self._hosts[0].call("mpsdoctor.checkhost:list_checks")
        if self.cancelled:
            return {}
        if answer.outcome != "ok":
            detail = intake.line(answer.detail, 500)
            raise BrokenInstallError(f"the checks could not be listed ({answer.outcome}): {detail}")
        checks = msgspec.convert(answer.value, Installed)
        return {check.id: check for check in map(planning.neutral, (*checks.ours, *checks.others))}

    def _describe(self, checks: list[Planned]) -> list[Planned]:
        """What third parties' checks say of themselves, each asked in a process of its own, some at once."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(self._describe_one, checks))

    def _describe_one(self, check: Planned) -> Planned:
        with self._host() as host:
            answer = host.call("mpsdoctor.checkhost:describe", IMPORT_CHECK, check_id=check.id)
        problem = f"{answer.outcome}: {answer.detail}"
        if answer.outcome == "ok":
            try:
                described = planning.neutral(msgspec.convert(answer.value, Planned))
                return msgspec.structs.replace(described, id=check.id, source=check.source, ours=False)
            except msgspec.ValidationError as error:
                problem = str(error)
        return msgspec.structs.replace(check, error=intake.cut(clean.text(problem), intake.DETAIL))

    @contextlib.contextmanager
    def _host(self) -> Iterator[Sandbox]:
        """A process of its own for a check that may change what it likes; it ends with all that it started."""
        host = _new_host(self.settings)
        self._hosts.append(host)
        if self.cancelled:  # by another thread, meanwhile
            host.close()
        try:
            yield host
        finally:
            host.close()
            self._hosts.remove(host)
            process.end_orphans()

    def run(self) -> Report:
        """The check-up, as far as it came if it is cancelled. UnknownCheckError, BrokenInstallError."""
        from mpsdoctor import machine, quiet  # here, for the first paint of the screen does not wait for it

        begun = time.monotonic()
        self.emit = stamping(Course(self.settings.budget), self.emit)
        orphans.adopt()
        try:
            before = machine.look()
            planned = self.plan()
            checks = (
                planning.in_order(planning.chosen(planned, self.settings.only, self.settings.skip)) if planned else []
            )
            self.emit(Listed(tuple(checks)))
            if any(check.timed for check in checks):
                self.waited_s = quiet.wait_before(before, self.settings.budget, self.emit, lambda: self.cancelled)
            results = examine_all(checks, self._examine, self.emit, lambda: self.cancelled)
        finally:
            self._close()
            process.end_orphans()
        return report_of(self.settings, results, time.monotonic() - begun, with_verdict=not self.cancelled)

    def _examine(self, check: Planned, results: Results) -> CheckResult:
        if check.error:
            return _failed(check, [finding("MPS905", "error", problem=check.error)])
        self.emit(Started(check.id, check.title))
        examination = Examination(check, self.emit, self.waited_s)
        if check.ours:  # these share a process, and in it the workers that have torch
            return examination.run(self._hosts[0], self.settings, results)
        with self._host() as host:
            return examination.run(host, self.settings, results)


def examine_all(
    checks: Iterable[Planned],
    examine: Callable[[Planned, Results], CheckResult],
    emit: Emit,
    cancelled: Callable[[], bool],
) -> Results:
    """What came of each check, in their order; those that cannot run, or come after a cancellation, are skipped."""
    results: Results = {}
    for check in checks:
        reason = CANCELLED if cancelled() else blocked(check, results)
        results[check.id] = skip(check, reason) if reason else examine(check, results)
        emit(Finished(results[check.id]))
    return results


def skip(check: Planned, reason: Wording) -> CheckResult:
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
        machine=msgspec.convert(intake.on_lines(report.known_fields(report.Machine, machine)), report.Machine),
        python=msgspec.convert(intake.on_lines(build.get("python", {})), report.Python),
        torch=msgspec.convert(build.get("torch"), report.Torch | None),
        devices=msgspec.convert(intake.on_lines(build.get("devices", [])), tuple[report.Device, ...]),
        checks=tuple(results.values()),
        verdict=verdict.judge_checkup(facts) if with_verdict else None,
        profile=report.ProfileNote(None, False),
    )


def _result(check: Planned, status: report.Status, reason: Wording) -> CheckResult:
    return CheckResult(check.id, check.title, check.source, status, str(reason), values=as_values(reason))


def _failed(check: Planned, findings: list[Finding]) -> CheckResult:
    return msgspec.structs.replace(_result(check, "error", title_of(findings[0])), findings=tuple(findings))


def reason_of(result: CheckResult) -> Wording:
    """Why it ended as it did, else what it found that is grave."""
    if result.reason:
        return from_values(result.reason, result.values)
    return next((title_of(found) for found in result.findings if found.severity == "error"), "")


def blocked(check: Planned, results: Results) -> Part | None:
    """Why a check cannot run, or None: one that it needs is missing, failed, or was skipped itself."""
    for need in check.needs:
        result = results.get(need)
        if result is None:
            return Part("needs_what_did_not_run", {"need": need})
        if result.status in BLOCKING:
            first = reason_of(result)
            because = Part("because", {"first": first}) if first else Part("")
            ended = Part(f"ended_as_{result.status}")
            return Part("needs_what_ended", {"need": need, "status": ended, "because": because})
    return None
