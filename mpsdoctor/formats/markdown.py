"""The report for an issue: a summary, then what was found and measured, folded. Text of the report is only text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from mpsdoctor.formats import Style, rows
from mpsdoctor.report import CheckResult, Finding, Report

SPECIAL = re.compile(r"([\\`*_{}\[\]|#~!])")
LINK = re.compile(r"https?://[\w./#?=&%-]+")
LONGEST = 4000  # characters of evidence; an issue takes 65,536 in all


def render(report: Report, style: Style) -> str:
    parts = [
        [f"## mpsdoctor: {plain(rows.headline(report))}"],
        [f"- {plain(reason)}" for reason in report.verdict.reasons] if report.verdict else [],
        table(("", ""), rows.about(report)),
        found(report),
        times(report),
    ]
    parts += [folded(check, finding) for check, finding in rows.findings(report)]
    return "\n\n".join("\n".join(lines) for lines in map(list, parts) if lines) + "\n"


def plain(text: str) -> str:
    """Text that means nothing in Markdown or HTML, and mentions nobody; in one line."""
    return SPECIAL.sub(r"\\\1", unmarked(text)).replace("&\\#", "&#")


def unmarked(text: str) -> str:
    """Text that means nothing in HTML, and mentions nobody; in one line."""
    told = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "&#64;")
    return " ".join(told.split())


def table(head: tuple[str, ...], body: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    yield from (f"| {' | '.join(map(plain, row))} |" for row in body)


def found(report: Report) -> list[str]:
    every = [(each.severity, each.code, each.title, check.id) for check, each in rows.findings(report)]
    return list(table(("severity", "code", "finding", "check"), every)) if every else []


def times(report: Report) -> list[str]:
    every = [(t.workload, t.size, t.device, t.step, t.interval, t.against) for t in rows.timed(report)]
    head = ("workload", "size", "device", "a step", "95 % interval", "against the CPU")
    return list(table(head, every)) if every else []


def folded(check: CheckResult, finding: Finding) -> Iterator[str]:
    """Detail, remedy and evidence of a finding, opened by a click."""
    yield f"<details><summary>{unmarked(f'{finding.code} {finding.severity}: {finding.title}')}</summary>"
    yield ""
    yield from (f"{plain(line)}\n" for line in finding.detail.splitlines())
    if finding.remedy:
        yield f"{plain(finding.remedy.text)}\n"
        if finding.remedy.commands:
            yield from fenced("sh", "\n".join(finding.remedy.commands))
    yield from (f"- {link if LINK.fullmatch(link) else plain(link)}" for link in finding.links)
    evidence = msgspec.json.format(msgspec.json.encode(finding.evidence), indent=1).decode()
    if finding.evidence:
        whole = len(evidence) <= LONGEST
        yield from fenced("json", evidence if whole else evidence[:LONGEST].rpartition("\n")[0] + "\n…")
    yield ""
    yield "</details>"


def fenced(language: str, text: str) -> Iterator[str]:
    """A block of code whose fence no text can close."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from ("", fence + language, text, fence, "")
