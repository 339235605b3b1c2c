"""One check while it runs in its host: what it sends is taken or refused, and its end judged."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from mpsdoctor import clean, intake, report
from mpsdoctor.check import finding, title_of
from mpsdoctor.events import Emit, Settings, progress_of
from mpsdoctor.planning import Planned
from mpsdoctor.report import CheckResult, Finding
from mpsdoctor.sandbox import Answer, Job, Sandbox
from mpsdoctor.texts import Part, Wording, as_values, from_values

Results = dict[str, CheckResult]  # by the check's id
MOST_FINDINGS = 100  # of a check, and of what it sent that does not fit
OUTCOMES = {"error": "MPS901", "timeout": "MPS902", "crash": "MPS903", "unavailable": "MPS903"}
TROUBLES = {*OUTCOMES.values(), "MPS904", "MPS905"}
CANCELLED = Part("cancelled")  # why a check has nothing


@dataclass
class Examination:
    """One check while it runs: what it has sent so far. `waited_s` is of the check-up, before its checks."""

    check: Planned
    emit: Emit
    waited_s: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    unfit: list[str] = field(default_factory=list)
    dirty: bool = False

    def run(self, host: Sandbox, settings: Settings, results: Results) -> CheckResult:
        begun = time.monotonic()
        args = {
            "check_id": self.check.id,
            "python": settings.python,
            "budget": settings.budget,
            "devices": settings.devices,
            "facts": {check_id: result.facts for check_id, result in results.items()},
            "waited_s": self.waited_s,
        }
        timeout = self.check.patience + 3 * self.check.seconds[settings.budget]
        job = Job("mpsdoctor.checkhost:run_check", args, timeout, self._take, on_unfit=self._refuse)
        answer = next(host.run([job]))
        status, reason = self._judge(answer)
        return CheckResult(
            id=self.check.id,
            title=self.check.title,
            source=self.check.source,
            status=status,
            reason=None if reason is None else str(reason),
            values=as_values(reason) if reason else None,
            duration_s=round(time.monotonic() - begun, 3),
            findings=tuple(self.findings),
            facts=self.facts,
        )

    def _take(self, message: Any) -> None:
        """A finding, facts, or progress, as the check sends it."""
        self.dirty = self.dirty or clean.has_controls(message)
        try:
            sent = intake.take(message)
        except intake.UnfitError as error:
            self._refuse(str(error))
            return
        if sent.finding and len(self.findings) < MOST_FINDINGS:
            self.findings.append(sent.finding)
        elif sent.finding:
            self._refuse(f"more than {MOST_FINDINGS} findings: the rest was left out")
        elif sent.unfit is not None:
            self._refuse(sent.unfit)
        elif sent.text is not None:
            self.emit(progress_of(self.check.id, sent))
        self.facts.update(sent.facts or {})

    def _refuse(self, problem: str) -> None:
        """Remember what did not fit, each kind of it once."""
        if problem not in self.unfit and len(self.unfit) < MOST_FINDINGS:
            self.unfit.append(clean.text(problem))

    def _judge(self, answer: Answer) -> tuple[report.Status, Wording | None]:
        if answer.outcome == "cancelled":
            return "skip", CANCELLED
        self.facts, problems = intake.split_facts(self.check.id, self.facts)
        for problem in problems:
            self._refuse(problem)
        ended = _as_ended(answer)
        if ended is None:
            self._refuse("its end was told in another way than by its host")
        self.dirty = self.dirty or self.check.control_characters or bool(ended and ended.control_characters)
        self.findings += troubles(answer, self.unfit, dirty=self.dirty)
        if any(found.code in TROUBLES for found in self.findings):
            return "error", title_of(self.findings[-1])
        if ended and ended.skip:
            return "skip", from_values(intake.line(ended.skip), ended.skip_values)
        return status_of(self.findings), None


class Ended(msgspec.Struct, frozen=True):
    """What the host answers for a check that ran to its end."""

    skip: str | None = None
    skip_values: report.Values | None = None
    control_characters: bool = False


def _as_ended(answer: Answer) -> Ended | None:
    try:
        return msgspec.convert(answer.value, Ended) if answer.outcome == "ok" else Ended()
    except msgspec.ValidationError:
        return None


def unfit_findings(problems: list[str]) -> list[Finding]:
    """The finding on what a check sent that does not fit, if there is any."""
    evidence = {"count": len(problems)}
    return [finding("MPS901", "error", evidence, detail="unfit", problems=problems[:5])] if problems else []


def troubles(answer: Answer, unfit: list[str], *, dirty: bool) -> list[Finding]:
    """What went wrong with the check itself, as findings of the 9xx codes."""
    found = unfit_findings(unfit)
    if answer.outcome == "error":
        found.append(finding("MPS901", "error", traceback=intake.cut(answer.value["traceback"], intake.DETAIL)))
    elif answer.outcome in OUTCOMES:
        found.append(finding(OUTCOMES[answer.outcome], "error", last_words=last_words(answer)))
    if dirty:
        found.append(finding("MPS904", "error"))
    return found


def last_words(answer: Answer) -> Wording:
    """How its process ended and what it printed before, within what a finding may hold."""
    return replace(answer, detail=intake.cut(answer.detail, intake.DETAIL)).wording


def status_of(findings: Iterable[Finding]) -> report.Status:
    """The status of a check that ran to its end."""
    severities = {finding.severity for finding in findings}
    return "fail" if "error" in severities else "warn" if "warning" in severities else "pass"
