"""How long canaries may take, and what comes of their jobs."""

from __future__ import annotations

import time
from typing import Any

import pytest

from mpsdoctor.check import Answer, Context, Job
from mpsdoctor.issues import read_issues
from mpsdoctor.texts import Part
from mpsdoctor_checks.known_issues import attempts
from mpsdoctor_checks.known_issues.attempts import Clock, job_of, row_of
from mpsdoctor_checks.known_issues.plan import Candidate

BY_ID = {issue["id"]: issue for issue in read_issues()}


def candidate(issue: str = "sort-transposed-input") -> Candidate:
    return Candidate(BY_ID[issue], "mps", "bad")


def answer(outcome: Any, value: Any = None, **more: Any) -> Answer:
    return Answer(Job("m:f"), outcome, value, **more)


@pytest.mark.parametrize(
    ("given", "outcome", "detail"),
    [
        (answer("ok", {"outcome": "fine", "detail": ""}), "fine", ""),
        (
            answer("ok", {"outcome": "leak", "detail": "", "detail_values": {"part": "canary_grew", "values": {
                "figure": 30.4, "limit": 8}}}),
            "leak",
            "the memory held grew by 30 MiB, and 8 are what may be",
        ),
        (answer("crash", detail="SIGABRT\nlast words", ending=Part("signal_name", {"name": "SIGABRT"})), "crash",
         "SIGABRT\nlast words"),
        (answer("timeout", detail="no answer"), "hang", "no answer"),
        (answer("withdrawn"), "skipped", "the time was over"),
        (answer("cancelled"), "skipped", "the time was over"),
        (answer("unavailable", detail="torch is gone"), "skipped", "torch is gone"),
        (answer("error", detail="TypeError: of ours"), "skipped", "TypeError: of ours"),
    ],
)  # fmt: skip
def test_what_comes_of_a_job(given: Answer, outcome: str, detail: str) -> None:
    """A death is a crash, no answer a hang; what says nothing of the device is skipped."""
    row = row_of(candidate(), given)
    assert (row["outcome"], row["detail"]) == (outcome, detail)


@pytest.mark.parametrize("issue", ["any-over-2-32-elements", "leak-linear-varying-batch"])
def test_what_takes_long_by_itself_is_no_hang(issue: str) -> None:
    """Gigabytes, and a graph to be compiled for each of 600 shapes."""
    assert row_of(candidate(issue), answer("timeout"))["outcome"] == "skipped"


def context() -> Context:
    made: Any = Context("standard", 8.0, None, {}, None, lambda message: None)  # type: ignore[arg-type]
    return made  # type: ignore[no-any-return]


def test_no_canary_is_sent_when_the_time_is_over() -> None:
    """What is sent is run, so each is asked for again before it is."""
    clock = Clock(time.monotonic() + 60)
    job = job_of(context(), candidate(), clock)
    assert job.wanted
    assert job.wanted()
    clock.deadline = time.monotonic()
    assert not job.wanted()
    assert job_of(context(), candidate("any-over-2-32-elements"), clock).timeout == 1.0
    assert job.timeout == attempts.HANGS["standard"]


def test_a_death_is_not_paid_by_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of the canary that dies, and of the start behind it, comes on top; but not for ever."""
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    clock = Clock(108.0, last=100.0)
    now = 110.0
    clock.note(answer("timeout"), after_death=False)
    assert clock.left() == 8.0
    now = 113.0
    clock.note(answer("ok", seconds=1.0), after_death=True)
    assert clock.left() == 7.0
    now = 114.0
    clock.note(answer("ok", seconds=1.0), after_death=False)
    assert clock.left() == 6.0
    now = 200.0
    clock.note(answer("crash"), after_death=False)
    assert clock.forgiven == attempts.MOST_FORGIVEN
