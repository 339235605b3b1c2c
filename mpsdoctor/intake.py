"""What strangers send, made fit to be judged and shown: of the right types, without control characters, bounded.

A check sends messages; somebody else's doctor made a report.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from mpsdoctor import clean, report
from mpsdoctor.report import CheckResult, Facts, Finding, Remedy, Report

TITLE = 300  # characters
DETAIL = 8192
COMMAND = 2048
MOST_LINES = 20  # commands, and links, of a finding
# The facts of our checks that the report has typed fields for; the interpreter under examination may say anything.
SHAPES: dict[str, dict[str, Any]] = {
    "chip": {field.name: field.type for field in msgspec.structs.fields(report.Machine)},
    "build": {"python": report.Python, "torch": report.Torch | None, "devices": tuple[report.Device, ...]},
}


class Sent(msgspec.Struct, frozen=True):
    """One message of a check: a finding, facts, a word on how far it is, or what its host could not send."""

    finding: Finding | None = None
    facts: dict[str, Any] | None = None
    unfit: str | None = None
    text: str | None = None
    values: dict[str, Any] | None = None
    done: int | None = None
    total: int | None = None
    figures: tuple[dict[str, Any], ...] = ()
    share: float | None = None


class UnfitError(ValueError):
    """A message is not what a check may send; the text tells why."""


def take(message: Any) -> Sent:
    """A message of a check. UnfitError."""
    try:
        sent = msgspec.convert(clean.data(message), Sent)
    except (msgspec.ValidationError, clean.TooDeepError) as error:
        raise UnfitError(str(error)) from None
    if sum(part is not None for part in (sent.finding, sent.facts, sent.unfit, sent.text)) != 1:
        raise UnfitError("it is neither a finding nor facts nor a word on how far the check is")
    return msgspec.structs.replace(sent, finding=sent.finding and bounded(sent.finding))


def split_facts(check_id: str, facts: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The facts of a check that are of their type, and what is wrong with each of the others."""
    problems = {}
    for key in SHAPES.get(check_id, {}).keys() & facts.keys():
        try:
            msgspec.convert(facts[key], SHAPES[check_id][key])
        except msgspec.ValidationError as error:
            problems[key] = f"the fact {key!r}: {error}"
    return {key: value for key, value in facts.items() if key not in problems}, sorted(problems.values())


def read_report(raw: bytes) -> Report:
    """A report out of a file that anybody may have made. UnfitError."""
    try:
        document = clean.data(json.loads(raw))
    except (RecursionError, ValueError) as error:
        raise UnfitError(f"not a report of mpsdoctor: {error}") from None
    return fit_report(document)


def fit_report(document: Any) -> Report:
    """The same of its JSON data, cleaned. UnfitError."""
    try:
        if isinstance(document, dict):
            document = {key: value if key == "checks" else on_lines(value) for key, value in document.items()}
        report = msgspec.convert(document, Report)
    except (msgspec.ValidationError, ValueError) as error:
        raise UnfitError(f"not a report of mpsdoctor: {error}") from None
    from mpsdoctor.facts.fitting import fitting_facts

    checks = (_bounded_check(check, fitting_facts(check.id, check.facts)) for check in report.checks)
    return msgspec.structs.replace(report, checks=tuple(checks))


def _bounded_check(check: CheckResult, facts: Facts) -> CheckResult:
    return msgspec.structs.replace(
        check,
        id=line(check.id),
        title=line(check.title),
        source=line(check.source),
        reason=check.reason and line(check.reason),
        facts=facts,
        findings=tuple(map(bounded, check.findings)),
    )


def bounded(finding: Finding) -> Finding:
    """A finding as large as one that can be read: what is longer is cut, which an ellipsis shows."""
    remedy = finding.remedy
    return msgspec.structs.replace(
        finding,
        title=line(finding.title),
        detail=cut(finding.detail, DETAIL),
        remedy=remedy and Remedy(cut(remedy.text, DETAIL), lines(remedy.commands)),
        links=lines(finding.links),
    )


def on_lines(value: Any) -> Any:
    """The same JSON value, each string on one line: it stands in a line of ours, and must not make another."""
    if isinstance(value, str):
        return line(value, DETAIL)
    if isinstance(value, dict):
        return {key: on_lines(part) for key, part in value.items()}
    return [on_lines(part) for part in value] if isinstance(value, list) else value


def line(text: str, limit: int = TITLE) -> str:
    """One line, cut."""
    return cut(clean.line(text), limit)


def lines(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Commands or links, each of one line."""
    return tuple(line(text, COMMAND) for text in texts[:MOST_LINES])


def cut(text: str, limit: int) -> str:
    """A text of at most so many characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
