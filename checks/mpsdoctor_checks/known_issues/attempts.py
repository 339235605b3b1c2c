"""Tries the canaries on every usable device, within this check's share of the budget."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from mpsdoctor import machine
from mpsdoctor.check import IMPORT_TORCH, Answer, Context, Job, Skip, devices_of, typed, worker_wording
from mpsdoctor.facts import build_facts
from mpsdoctor.facts.issues import WRONG, IssueFacts, IssueRow
from mpsdoctor.issues import Surroundings, read_issues
from mpsdoctor.sandbox import Sandbox
from mpsdoctor.support import FALLBACK
from mpsdoctor.texts import Part
from mpsdoctor.worker.shapes import Judgement
from mpsdoctor_checks.known_issues.beside import expected_by_torch
from mpsdoctor_checks.known_issues.plan import (
    COMPILED,
    LENGTHY,
    Candidate,
    Limits,
    arguments_of,
    candidates,
    is_large,
    why_not,
)

TRY = "mpsdoctor_worker.canaries.trial:try_canary"
WARM_UP = "mpsdoctor_worker.operators.probes:warm_up"
WARM_UP_SECONDS = 20.0  # Metal's start takes 1.5 s, and longer with a cold cache
AHEAD = 2  # jobs sent before their turn: what is sent is run, and the time may be over
# Seconds after which a canary counts as hanging: with a cold cache Metal compiles a dozen graphs in some of them.
HANGS = {"quick": 10.0, "standard": 15.0, "thorough": 60.0}
COMPILER_SECONDS = 90.0
LUCK = {"quick": 0.03, "standard": 0.12, "thorough": 2.0}  # seconds for what goes wrong now and then
PROGRESS_SECONDS = 0.5
MOST_FORGIVEN = 40.0  # seconds; the patience of the check is longer
OUTCOMES = {"crash": "crash", "timeout": "hang"}  # of a job, and of a canary


def collect(context: Context, dangerous: bool = False) -> IssueFacts:
    """Facts of this check; raises Skip where there is no torch to examine."""
    build = build_facts(context.facts)
    if not build.get("torch"):
        raise Skip(build.get("interpreter_error") or build.get("import_error") or "there is no torch to examine")
    here, issues = surroundings(context), read_issues()
    devices = devices_of(context, cpu=True)
    share = context.seconds / max(1, len([device for device in devices if device != "cpu"]))
    rows: list[IssueRow] = []
    for device in devices:
        rows += examine(context, device, candidates(issues, device, here), share, dangerous)
    return {
        "issues": rows,
        "torch": here.torch,
        "macos": here.macos,
        "chip": here.chip,
        **expected_by_torch(context, devices),
    }


def surroundings(context: Context) -> Surroundings:
    """What the entries are compared with: the torch and the Python that are examined, this macOS and chip."""
    build = build_facts(context.facts)
    host = build.get("machine") or machine.facts()
    macos = host.get("os_version") if host.get("os") == "Darwin" else None
    torch, python = build.get("torch"), build.get("python") or {}
    return Surroundings(
        torch.get("version") if torch else None,
        macos,
        host.get("chip"),
        python.get("arch") or host.get("arch"),
        host.get("virtual_machine"),
    )


def examine(
    context: Context, device: str, planned: list[Candidate], seconds: float, dangerous: bool
) -> Iterator[IssueRow]:
    """A row for each canary of a device, those first that are left out.

    The CPU's worker is the one that others use too. An accelerator's is one of its own: what canaries leave behind,
    graphs of many shapes for one, must be gone when training is timed.
    """
    limits = Limits(machine.memory().get("available_bytes"), context.budget == "thorough", dangerous)
    reasons = [(candidate, why_not(candidate, limits)) for candidate in planned]
    yield from (candidate.row("skipped", reason) for candidate, reason in reasons if reason)
    chosen = [candidate for candidate, reason in reasons if reason is None]
    if device == "cpu":
        yield from run_canaries(context, context.worker("cpu"), device, chosen, seconds)
        return
    strict = {FALLBACK: "0"} if device.partition(":")[0] == "mps" else {}
    sandbox = context.workers.sandbox(strict, IMPORT_TORCH, ahead=AHEAD)
    try:
        context.progress(Part("importing_torch_for", {"device": device}))
        sandbox.call(WARM_UP, timeout=WARM_UP_SECONDS, device=device)
        yield from run_canaries(context, sandbox, device, chosen, seconds)
    finally:
        sandbox.close()


@dataclass
class Clock:
    """When the time of a device is over.

    What a canary costs that kills its worker, and the start of the next one, is no loss of the others, up to a limit.
    """

    deadline: float
    forgiven: float = 0.0
    last: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        return self.deadline - time.monotonic()

    def note(self, answer: Answer, *, after_death: bool) -> None:
        """Count an answer: the whole of a death, and what passed between it and the next job."""
        now = time.monotonic()
        passed, self.last = now - self.last, now
        lost = passed if answer.outcome in OUTCOMES else max(0.0, passed - answer.seconds) if after_death else 0.0
        lost = min(lost, MOST_FORGIVEN - self.forgiven)
        self.forgiven += lost
        self.deadline += lost


def run_canaries(
    context: Context, sandbox: Sandbox, device: str, chosen: list[Candidate], seconds: float
) -> Iterator[IssueRow]:
    """A row for each canary; those that the time does not reach are skipped."""
    clock = Clock(time.monotonic() + seconds)
    wrong, died, reported = 0, False, time.monotonic()
    jobs = (job_of(context, candidate, clock) for candidate in chosen)
    for done, (candidate, answer) in enumerate(zip(chosen, sandbox.run(jobs), strict=False), 1):
        clock.note(answer, after_death=died)
        died = answer.outcome in OUTCOMES
        row = row_of(candidate, answer)
        wrong += row["outcome"] in WRONG
        yield row
        if time.monotonic() - reported > PROGRESS_SECONDS or done == len(chosen):
            reported = time.monotonic()
            report_progress(context, device, done, len(chosen), wrong)


def report_progress(context: Context, device: str, done: int, total: int, wrong: int) -> None:
    count = Part("trying_wrong", {"count": wrong}) if wrong else Part("")
    context.progress(Part("trying_issues", {"device": device, "done": done, "wrong": count}), done, total)


def job_of(context: Context, candidate: Candidate, clock: Clock) -> Job:
    """One canary as a job, which is not sent any more when the time is over."""
    timeout = COMPILER_SECONDS if candidate.issue["canary"].startswith(COMPILED) else HANGS[context.budget]
    if is_large(candidate.issue):  # one that takes long is no hang, and must not take the time of what follows
        timeout = min(timeout, max(1.0, clock.left()))
    arguments = dict(arguments_of(candidate, LUCK[context.budget]))
    return Job(TRY, arguments, timeout, wanted=lambda: clock.left() > 0)


def row_of(candidate: Candidate, answer: Answer) -> IssueRow:
    """What came of a canary, by what came of its job."""
    if answer.outcome == "ok":
        judgement = typed(answer, Judgement)
        wording = worker_wording(judgement["detail"], judgement.get("detail_values"))
        return candidate.row(judgement["outcome"], wording)
    # What fills gigabytes or makes many calls may take long: that is no hang.
    if answer.outcome == "timeout" and (is_large(candidate.issue) or candidate.issue["kind"] in LENGTHY):
        return candidate.row("skipped", Part("canary_no_time"))
    if answer.outcome in OUTCOMES:
        return candidate.row(OUTCOMES[answer.outcome], answer.wording)
    if answer.outcome in ("withdrawn", "cancelled"):
        return candidate.row("skipped", Part("canary_no_time"))
    return candidate.row("skipped", Part("canary_unavailable", {"why": answer.reason}))
