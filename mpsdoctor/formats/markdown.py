"""The report for an issue: a summary, then what was found and measured, folded. Text of the report is only text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from mpsdoctor import clean
from mpsdoctor.formats import Style, rows
from mpsdoctor.report import CheckResult, Finding, Report
from mpsdoctor.texts import joined, say, term

SPECIAL = re.compile(r"([\\`*_{}\[\]|#~!])")
# What GitHub makes a link or a mention of after everything else: `@name`, `#12`, `GH-12`, a commit, an address.
REFERENCE = re.compile(r"@(?=\w)|#(?=\d)|\bGH-(?=\d)|\b[0-9a-f]{20}(?=[0-9a-f]{20}\b)|\bhttps?:(?=//)|\bwww\.", re.I)
BLOCK = re.compile(r"(?<=^)([-+=]|\d+[.)])(?=\s|[-=]|$)")  # a list, a rule or a heading at the begin of a line
LINK = re.compile(r"https?://[\w./#?=&%-]+")
LONGEST = 4000  # characters of evidence; an issue takes 65,536 in all


def render(report: Report, style: Style) -> str:
    title, *verdict = rows.headlines(report)
    reasons = report.verdict.reasons[1:] if report.verdict else ()
    parts = [
        [f"## mpsdoctor: {escape(title)}"],
        [f"- {escape(reason)}" for reason in (*verdict, *reasons)],
        table(("", ""), rows.about(report)),
        list_findings(report),
        list_times(report),
    ]
    parts += [fold_finding(check, finding) for check, finding in rows.findings(report)]
    return "\n\n".join("\n".join(lines) for lines in map(list, parts) if lines) + "\n"


def escape(text: str) -> str:
    """Text that means nothing in Markdown or HTML, and mentions nobody; in one line."""
    escaped = SPECIAL.sub(r"\\\1", escape_html(text)).replace("&\\#", "&#")
    return BLOCK.sub(lambda begin: f"{begin[1][:-1]}\\{begin[1][-1]}", escaped)


def escape_html(text: str) -> str:
    """Text that means nothing in HTML, and mentions nobody; in one line."""
    split = REFERENCE.sub(lambda begin: begin[0] + clean.SPLIT, " ".join(text.split()))
    return split.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "&#64;")


def table(head: tuple[str, ...], body: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    yield from (f"| {' | '.join(map(escape, row))} |" for row in body)


def list_findings(report: Report) -> list[str]:
    body = [
        (term("severity", finding.severity), finding.code, finding.title, check.id)
        for check, finding in rows.findings(report)
    ]
    head = tuple(say(f"report.{name}") for name in ("severity", "code", "finding", "check"))
    return list(table(head, body)) if body else []


def list_times(report: Report) -> list[str]:
    body = [(row.workload, row.size, row.device, row.step, row.interval, row.against) for row in rows.timed(report)]
    names = ("workload", "size", "device_column", "step", "interval", "against")
    head = tuple(say(f"report.{name}") for name in names)
    return list(table(head, body)) if body else []


def fold_finding(check: CheckResult, finding: Finding) -> Iterator[str]:
    """Detail, remedy and evidence of a finding, opened by a click."""
    severity = term("severity", finding.severity)
    title = joined(": ", [f"{finding.code} {severity}", finding.title])
    yield f"<details><summary>{escape_html(title)}</summary>"
    yield ""
    yield from (f"{escape(line)}\n" for line in finding.detail.splitlines())
    if finding.remedy:
        yield f"{escape(finding.remedy.text)}\n"
        if finding.remedy.commands:
            yield from fence_code("sh", "\n".join(finding.remedy.commands))
    yield from (f"- {link if LINK.fullmatch(link) else escape(link)}" for link in finding.links)
    evidence = msgspec.json.format(msgspec.json.encode(finding.evidence), indent=1).decode()
    if finding.evidence:
        whole = len(evidence) <= LONGEST
        yield from fence_code("json", evidence if whole else evidence[:LONGEST].rpartition("\n")[0] + "\n…")
    yield ""
    yield "</details>"


def fence_code(language: str, text: str) -> Iterator[str]:
    """A block of code whose fence no text can close."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from ("", fence + language, text, fence, "")
