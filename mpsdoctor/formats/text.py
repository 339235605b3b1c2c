"""The report for people: 80 columns, the verdict first, what matters most first."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from mpsdoctor.formats.rows import headline, machine_parts, torch_parts
from mpsdoctor.report import ORDER, CheckResult, Finding, Report

if TYPE_CHECKING:
    from mpsdoctor.formats import Style

WIDTH = 80
# A symbol, its spelling in ASCII, and its colour; the word always stands beside it.
SIGNS = {
    "pass": ("✓", "+", "green"),
    "warn": ("!", "!", "yellow"),
    "fail": ("✗", "x", "red"),
    "skip": ("–", "-", "bright_black"),
    "error": ("‼", "E", "red"),
}
OF_SEVERITY = {"error": "fail", "warning": "warn", "info": "pass"}
ASCII = str.maketrans({"·": "|", "…": ".", "–": "-", "→": ">", "±": "~", "×": "x", "≥": ">", "—": "-", "’": "'"})

Paint = Callable[[str, str], str]


def render(report: Report, style: Style) -> str:
    """The whole report."""

    def paint(text: str, colour: str) -> str:
        return click.style(text, fg=colour, bold=colour != "bright_black") if style.colour else text

    parts = [
        [f"mpsdoctor {report.tool.version} · {report.budget} check-up · {report.duration_s:.1f} s"],
        verdict(report, paint),
        summary(report),
        checks(report, style, paint),
        speeds(report),
        closing(report),
    ]
    text = "\n\n".join("\n".join(part) for part in (list(lines) for lines in parts) if part) + "\n"
    return text if style.unicode else text.translate(ASCII).encode("ascii", "replace").decode()


def verdict(report: Report, paint: Paint) -> Iterator[str]:
    found = report.verdict
    yield paint(headline(report), "green" if found else "yellow")
    if found is None:
        return
    for reason in found.reasons:
        yield from wrapped(reason, "  - ", "    ")
    if len(set(found.by_workload.values())) > 1:
        table = ", ".join(f"{name}: {device}" for name, device in found.by_workload.items())
        yield from wrapped(f"by workload: {table}", "  - ", "    ")


def summary(report: Report) -> Iterator[str]:
    yield from labelled("Machine", machine_parts(report))
    if report.python.version:
        python = f"{report.python.version} ({report.python.arch}) {report.python.executable}"
        yield from labelled("Python", [python])
        yield from labelled("Torch", torch_parts(report))
    for number, device in enumerate(report.devices):
        state = "usable" if device.usable else f"not usable: {device.reason}"
        yield from labelled("" if number else "Devices", [device.device, device.name, state])


def checks(report: Report, style: Style, paint: Paint) -> Iterator[str]:
    for result in report.checks:
        sign, plain, colour = SIGNS[result.status]
        mark = paint(f"{sign if style.unicode else plain} {result.status:5}", colour)
        reason = f": {result.reason}" if result.reason else ""
        first, *rest = textwrap.wrap(f"{result.title}{reason}", WIDTH - 28, break_on_hyphens=False) or [""]
        yield f"{mark}  {result.id:12} {first}".rstrip()
        yield from (" " * 22 + line for line in rest)
        yield from findings(result, style, paint)


def findings(result: CheckResult, style: Style, paint: Paint) -> Iterator[str]:
    for finding in sorted(result.findings, key=lambda finding: ORDER[finding.severity]):
        if finding.severity == "info" and style.verbosity < 0:
            continue
        colour = SIGNS[OF_SEVERITY[finding.severity]][2]
        head, *rest = textwrap.wrap(f"{finding.code} {finding.severity}: {finding.title}", WIDTH - 9)
        yield " " * 9 + paint(head, colour)
        yield from (" " * 9 + paint(line, colour) for line in rest)
        yield from explanation(finding, style)


def explanation(finding: Finding, style: Style) -> Iterator[str]:
    """Detail and remedy; commands on lines of their own, so that they can be copied."""
    lines = [line for paragraph in finding.detail.splitlines() for line in wrapped(paragraph, " " * 11, " " * 11)]
    limit = len(lines) if style.verbosity > 0 else 12
    yield from lines[:limit]
    if len(lines) > limit:
        yield " " * 11 + f"… {len(lines) - limit} more lines (-v)"
    if finding.remedy:
        yield from wrapped(finding.remedy.text, " " * 11 + "→ ", " " * 13)
        yield from (" " * 15 + command for command in finding.remedy.commands)
    if style.verbosity > 0:
        yield from (" " * 11 + link for link in finding.links)


def speeds(report: Report) -> Iterator[str]:
    """Step times by workload and device, and how many times faster than the CPU with its interval."""
    facts = next((check.facts for check in report.checks if check.id == "training"), {})
    timed = [row for row in facts.get("results", ()) if row["outcome"] == "ok"]
    if not timed:
        return
    ratios = {(r["workload"], r["size"], r["device"]): r for r in facts.get("comparisons", ())}
    # The names of our own workloads fit into 13 columns; that of a person's own step may need up to 40.
    width = max(13, 2 + max(len(row["workload"]) for row in timed))
    yield f"{'Training':{width}}{'size':8}{'device':8}{'ms a step':>9}   {'95 % interval':18}against the CPU"
    for row in timed:
        interval = " to ".join(_figure(end) for end in row["ci95_ms"] or ()) or "-"
        ratio = ratios.get((row["workload"], row["size"], row["device"]))
        named = f"{row['workload']:{width}}{row['size']:8}{row['device']:8}"
        yield f"{named}{_figure(row['step_ms']):>9}   {interval:18}{_ratio(ratio)}".rstrip()


def _figure(value: float) -> str:
    """Three digits, but no powers of ten beside plain numbers."""
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def _ratio(ratio: dict[str, Any] | None) -> str:
    if not ratio:
        return ""
    lo, hi = ratio["ci95"]
    return f"{ratio['speedup']:.2f}× ({lo:.2f} to {hi:.2f})"


def closing(report: Report) -> Iterator[str]:
    if report.profile.written:
        yield f"Profile written to {report.profile.path}"
        yield "Trainers read it:  device, info = mpsdoctor.get_optimal_device()"


def labelled(label: str, values: Iterable[str | None]) -> Iterator[str]:
    text = " · ".join(value for value in values if value)
    yield from wrapped(text, f"{label:9}", " " * 9)


def wrapped(text: str, first: str, later: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=later,
        break_on_hyphens=False,
        break_long_words=False,
    )
