"""A report in the language of who reads: its sentences filled anew from their values. Pure.

Reports are English, as JSON and profiles are. A sentence whose values do not fill the words stays as it is.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from msgspec import structs

from mpsdoctor import texts
from mpsdoctor.report import CheckResult, Finding, Report, Verdict


def english() -> bool:
    """Whether nothing is to be done."""
    return texts.language() == texts.LANGUAGES[0]


def report(told: Report) -> Report:
    """A whole report."""
    if english():
        return told
    return structs.replace(
        told, checks=tuple(map(check, told.checks)), verdict=verdict(told.verdict) if told.verdict else None
    )


def check(told: CheckResult) -> CheckResult:
    """What a check found, and why it ended as it did."""
    if english():
        return told
    reason = told.reason and texts.tell(told.reason, told.values)
    title = texts.translate_title(told.id, told.title)
    return structs.replace(told, title=title, reason=reason, findings=tuple(map(finding, told.findings)))


def verdict(told: Verdict) -> Verdict:
    """Its reasons; those of older reports have no values."""
    if english():
        return told
    pairs = itertools.zip_longest(told.reasons, told.values[: len(told.reasons)])
    return structs.replace(told, reasons=tuple(texts.tell(reason, values) for reason, values in pairs))


def finding(told: Finding) -> Finding:
    """The words of a code of ours; what a third-party check says stays as it says it."""
    if english() or told.values is None:
        return told
    values = dict(told.values)
    names = values.pop("templates", {})
    if not isinstance(names, Mapping):
        return told
    try:
        title, detail = (_fill(told.code, names.get(name, name), values) for name in ("title", "detail"))
        remedy = told.remedy and structs.replace(
            told.remedy, text=_fill(told.code, names.get("remedy", "remedy"), values)
        )
    except texts.UNFILLABLE:
        return told
    return structs.replace(told, title=title, detail=detail, remedy=remedy)


def _fill(code: str, name: str, values: Mapping[str, Any]) -> str:
    return texts.fill(code, name, texts.from_data(dict(values)), texts.language())
