"""The answer to a question about a person's own file: the verdict, rows, and details of each row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from mpsdoctor import retold
from mpsdoctor.events import Answer, Request
from mpsdoctor.facts import read_facts
from mpsdoctor.formats import rows as figures
from mpsdoctor.report import ORDER, CheckResult, Report
from mpsdoctor.texts import joined, say, term
from mpsdoctor.tui import own_rows, words
from mpsdoctor.tui.own_rows import Listing
from mpsdoctor.tui.words import Piece

TONES = {"runs as it is": "pass", "runs with the fallback": "warn"}
PREDICTED = {"runs": "pass", "unknown": "warn", "fallback": "warn", "stops": "fail"}
SIGN = {"pass": "✓", "warn": "!", "fail": "✗"}
REASONS = 200  # cells of the verdict's reasons


@dataclass(frozen=True)
class Shown:
    """What the tab shows: `verdict` line by line, a listing, and what stands beside it where no row is selected."""

    verdict: Sequence[Piece]
    listing: Listing = field(default_factory=Listing)
    rest: Sequence[Piece] = ()


def shown(request: Request, answer: Answer) -> Shown:
    """The answer to a question."""
    if answer.cancelled:
        return Shown([(say("own.cancelled", target=request.target), "warn")])
    if answer.said:
        return of_race(answer)
    if answer.report is None:
        return trouble(answer)
    report = retold.report(answer.report)
    last, facts = report.checks[-1], read_facts(report)
    if last.reason or not last.facts:
        return Shown(list(nothing_examined(report)), rest=list(findings_of(report.checks)))
    if request.question == "step":
        verdict, listing = verdict_of_step(report), own_rows.of_step(report)
    elif "operators" in facts and "prediction" in facts["operators"]:
        prediction = facts["operators"]["prediction"]
        verdict = [
            say_signed(PREDICTED[prediction["answer"]], own_rows.predicted(prediction)),
            *((say("prediction.asks_for_device", place=place), "warn") for place in prediction.get("questions", ())),
        ]
        verdict.append((say("own.declared"), "muted"))
        listing = own_rows.of_prediction(prediction, last)
    else:
        verdict, listing = list(verdict_of_replay(last, report)), own_rows.of_replay(report, last)
    return Shown(verdict, listing, list(findings_of([last])))


def of_race(answer: Answer) -> Shown:
    """What the race of a script tells, and a row a device."""
    lines = [line for line in answer.said if line]
    verdict = [(line, "plain" if number else "strong") for number, line in enumerate(lines[1:])]
    return Shown(verdict, own_rows.of_step(answer.report) if answer.report else Listing(), rest=lines)


def trouble(answer: Answer) -> Shown:
    """What the person's file did, in a line that begins with the place; the traceback stands in the details."""
    name = "own.code_failed" if answer.traceback else "own.no_answer"
    return Shown([("✗ " + say(name, trouble=answer.trouble), "fail")], rest=answer.traceback.splitlines())


def nothing_examined(report: Report) -> Iterator[Piece]:
    """Which check kept the question from being answered, and why."""
    for check in report.checks:
        if check.status not in ("pass", "warn"):
            reason = check.reason or next((finding.title for finding in check.findings), "")
            said = say("own.ended_as", check=check.id, status=term("status", check.status))
            yield ("✗ " + joined(": ", filter(None, (said, reason))), "fail")


def verdict_of_replay(check: CheckResult, report: Report) -> Iterator[Piece]:
    """A line a device: what the check found of it, else its answer."""
    operators = read_facts(report)["operators"]
    if "model" not in operators:
        return
    model = operators["model"]
    for device, answer in model["answers"].items():
        said = next((finding.title for finding in check.findings if finding.evidence.get("device") == device), "")
        plain = say("own.device_answer", device=device, answer=term("answer", answer["answer"]))
        count = say("report.replayed", count=answer["judged"])
        if answer["skipped"]:
            count = say("report.not_all_replayed", count=answer["skipped"])
        yield words.styled(say_signed(TONES.get(answer["answer"], "fail"), said or plain), (f" {count}", "muted"))
    if set(model["answers"]) <= {"cpu"}:
        yield (say("own.no_accelerator"), "warn")
    counts = {"calls": model["calls"], "distinct": model["distinct"]}
    yield (say("report.model_calls", target=model["target"], **counts), "muted")
    yield from ((say("report.not_replayed", op=op, reason=why), "muted") for op, why in model["not_replayed"].items())
    yield from ((say("prediction.asks_for_device", place=place), "warn") for place in model.get("questions", ()))


def verdict_of_step(report: Report) -> list[Piece]:
    """The verdict of a check-up, of this step alone."""
    tone = "pass" if report.verdict and report.verdict.confidence != "low" else "warn"
    reasons = figures.reasons(report.verdict, REASONS)[0] if report.verdict else []
    return [(figures.headline(report), tone), *((reason, "muted") for reason in reasons)]


def say_signed(tone: str, text: str) -> tuple[str, str]:
    return f"{SIGN[tone]} {text}", tone


def findings_of(checks: Iterable[CheckResult]) -> Iterator[Piece]:
    """All that these checks found, the gravest first."""
    pairs = [(check, finding) for check in checks for finding in check.findings]
    for check, finding in sorted(pairs, key=lambda pair: ORDER[pair[1].severity]):
        yield from words.describe_finding(check, finding)
        yield ""
