"""The report for people: 80 columns; one screen says what matters, then come findings and figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

import click
from rich.cells import cell_len

from mpsdoctor.formats import expected, rows, wrapping
from mpsdoctor.formats.rows import machine_parts, torch_parts
from mpsdoctor.report import ORDER, CheckResult, Finding, Report
from mpsdoctor.texts import joined, say, term

if TYPE_CHECKING:
    from mpsdoctor.formats import Style

WIDTH = 80
COLUMNS = (("training", 12), ("size", 7), ("device_column", 6))  # the first of a table of step times
LINES = 8  # of a finding; -v shows all
MORE = " … (-v)"
# A symbol, its spelling in ASCII, and its colour; the word always stands beside it.
SIGNS = {
    "pass": ("✓", "+", "green"),
    "info": ("i", "i", "green"),
    "warn": ("!", "!", "yellow"),
    "fail": ("✗", "x", "red"),
    "skip": ("–", "-", "bright_black"),
    "error": ("‼", "E", "red"),
}
OF_SEVERITY = {"error": "fail", "warning": "warn", "info": "info"}
ASCII = str.maketrans("·…–→±×≥—’µ", "|.->~x>-'u")

Paint = Callable[[str, str], str]


def render(report: Report, style: Style) -> str:
    """The whole report."""

    def paint(text: str, colour: str) -> str:
        return click.style(text, fg=colour, bold=colour != "bright_black") if style.colour else text

    parts = [
        [f"mpsdoctor {report.tool.version} · {rows.check_up(report)} · {report.duration_s:.1f} s"],
        verdict(report, style, paint),
        summary(report),
        checks(report, style, paint),
        render_findings([finding for _, finding in rows.findings(report)], style, paint),
        speeds(report),
        expected.table(report),
        closing(report),
    ]
    text = "\n\n".join("\n".join(part) for part in (list(part) for part in parts) if part) + "\n"
    return text if style.unicode else text.translate(ASCII).encode("ascii", "replace").decode()


def verdict(report: Report, style: Style, paint: Paint) -> Iterator[str]:
    recommendation = report.verdict
    *forced, headline = rows.headlines(report)
    for line in forced:
        yield from (paint(part, "yellow") for part in wrap_lines(line, "", "  "))
    colour = "green" if recommendation else "yellow"
    yield from (paint(line, colour) for line in wrap_lines(headline, "", "  "))
    if recommendation is None:
        return
    reasons, more = (recommendation.reasons[1:], 0) if style.verbosity > 0 else rows.reasons(recommendation, WIDTH - 4)
    for reason in reasons:
        yield from wrap_lines(reason, "  - ", "    ")
    if more:
        yield "    " + say("report.more_reasons", count=more)
    yield from wrap_lines(rows.by_workload(recommendation) or "", "  - ", "    ")


def short(text: str, width: int, style: Style) -> str:
    """A sentence in a line, if its sense allows."""
    return text if style.verbosity > 0 else wrapping.shorten(text, width)


def summary(report: Report) -> Iterator[str]:
    yield from label_values(say("report.machine"), machine_parts(report))
    if report.python.version:
        python = f"{report.python.version} ({report.python.arch}) {report.python.executable}"
        yield from label_values(say("report.python"), [python])
        yield from label_values(say("report.torch"), torch_parts(report))
    for number, device in enumerate(report.devices):
        words = rows.join([device.device, device.name, rows.usability(report, device)])
        yield from label_values("" if number else say("report.devices"), [wrapping.shorten(words, WIDTH - 9)])


def checks(report: Report, style: Style, paint: Paint) -> Iterator[str]:
    """A line a check, and how much of the operators was reached."""
    for result in report.checks:
        sign, plain, colour = SIGNS[result.status]
        mark = paint(f"{sign if style.unicode else plain} {wrapping.pad(term('status', result.status), 5)}", colour)
        said = [result.title, *([result.reason] if result.reason else [])]
        title = short(joined(": ", said), WIDTH - 22, style)
        first, *rest = wrapping.wrap(title, WIDTH - 22) or [""]
        yield f"{mark}  {wrapping.pad(result.id, 12)} {first}".rstrip()
        yield from (" " * 22 + line for line in rest)
        if result.id == "operators":
            for sentence in rows.coverage(report):
                yield from wrap_lines(sentence, " " * 9, " " * 9)


def findings(result: CheckResult, style: Style, paint: Paint) -> Iterator[str]:
    """What one check found, the gravest first."""
    yield from render_findings(sorted(result.findings, key=lambda finding: ORDER[finding.severity]), style, paint)


def render_findings(ordered: Iterable[Finding], style: Style, paint: Paint) -> Iterator[str]:
    """Findings one below the other, the grave ones apart; what is only good to know takes a line."""
    for number, (grave, group) in enumerate(groupby(ordered, lambda finding: finding.severity != "info")):
        blocks = [block(finding, style, paint) for finding in group if grave or style.verbosity >= 0]
        apart = grave or style.verbosity > 0
        for place, lines in enumerate(blocks):
            if place + number and (apart or not place):
                yield ""
            yield from lines


def block(finding: Finding, style: Style, paint: Paint) -> list[str]:
    """A finding in a few lines."""
    sign, plain, colour = SIGNS[OF_SEVERITY[finding.severity]]
    brief = finding.severity == "info" and style.verbosity <= 0
    title = joined(": ", [f"{finding.code} {term('severity', finding.severity)}", finding.title])
    title = wrapping.shorten(title, WIDTH - 2) if brief else title
    head = [paint(line, colour) for line in wrap_lines(title, f"{sign if style.unicode else plain} ", "  ")]
    return head if brief else head + explanation(finding, style, LINES - len(head))


def explanation(finding: Finding, style: Style, room: int) -> list[str]:
    """Detail, and the remedy with its commands on lines of their own, which are never cut."""
    detail = [line for paragraph in finding.detail.splitlines() for line in wrap_lines(paragraph, " " * 4, " " * 4)]
    remedy = wrap_lines(finding.remedy.text, " " * 4 + "→ ", " " * 6) if finding.remedy else []
    commands = [" " * 8 + command for command in finding.remedy.commands] if finding.remedy else []
    if style.verbosity > 0:
        return [*detail, *remedy, *commands, *(" " * 4 + link for link in finding.links)]
    room -= len(commands)
    remedy = wrapping.fit(remedy, max(1, room - min(2, len(detail))), WIDTH, MORE)
    return [*wrapping.fit(detail, max(1, room - len(remedy)), WIDTH, MORE), *remedy, *commands]


def speeds(report: Report) -> Iterator[str]:
    """Step times by workload and device, and how many times faster than the CPU with its interval."""
    timed = list(rows.timed(report))
    if timed:
        yield speed_heading()
    for row in timed:
        name = wrapping.pad(row.workload, 13)
        if len(name) > 13 or not name.endswith(" "):  # the name of a person's own step
            yield name
            name = " " * 13
        figures = f"{wrapping.pad(row.device, 7)}{row.step:>9}  {wrapping.pad(row.interval, 16)} {row.against}"
        line = f"{name}{wrapping.pad(row.size, 8)}{figures}".rstrip()
        apart = cell_len(line) > WIDTH  # in a language of long words
        yield line.removesuffix(row.against).rstrip() if apart else line
        yield from [wrapping.pad_left(row.against, WIDTH)] if apart else []


def speed_heading() -> str:
    """Names of the columns, each within its own."""
    left = "".join(wrapping.clip(say(f"report.{name}"), width) + " " for name, width in COLUMNS)
    step = wrapping.pad_left(wrapping.clip(say("report.step"), 9).rstrip(), 9)
    against = wrapping.clip(say("report.against"), 24).rstrip()
    return f"{left}{step}  {wrapping.clip(say('report.interval'), 16)} {against}"


def closing(report: Report) -> Iterator[str]:
    if report.profile.written:
        yield say("report.profile_written", path=report.profile.path)
        yield f"{say('report.trainers_read_it')}  device, info = mpsdoctor.get_optimal_device()"


def label_values(label: str, values: Iterable[str | None]) -> Iterator[str]:
    text = " · ".join(value for value in values if value)
    yield from wrap_lines(text, wrapping.pad(label, 9), " " * 9)


def wrap_lines(text: str, first: str, later: str) -> list[str]:
    return wrapping.wrap(text, WIDTH, first, later)
