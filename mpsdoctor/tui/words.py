"""Findings, facts and figures as styled text. Everything from a report goes in as plain text, never as markup."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from textual.content import Content

from mpsdoctor import overall, texts
from mpsdoctor.events import Busy
from mpsdoctor.facts.training import Result
from mpsdoctor.figures import duration
from mpsdoctor.formats import rows, wrapping
from mpsdoctor.report import CheckResult, Finding, Machine, Remedy, Report
from mpsdoctor.texts import Each, Part, joined, say, tell, term
from mpsdoctor.tui.model import CheckState, Model

Piece = str | tuple[str, str] | Content

# Sign and tone of a status or a severity; the word always stands beside it.
SIGNS = {
    "waiting": ("·", "muted"),
    "running": ("▶", "accent"),
    "pass": ("✓", "pass"),
    "info": ("i", "pass"),
    "warn": ("!", "warn"),
    "warning": ("!", "warn"),
    "fail": ("✗", "fail"),
    "error": ("‼", "fail"),
    "skip": ("–", "muted"),
}
TONES = {
    "pass": "$text-success",
    "warn": "$text-warning",
    "fail": "$text-error bold",
    "accent": "$text-accent bold",
    "muted": "dim",
    "strong": "bold",
    "title": "bold $text-primary",
    "command": "$text-accent on $boost",
    "plain": "",
}
BLINK = 24.0  # spinner steps a second: each tick of the screen shows another one
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
METER = 16  # cells of the bar in the header
EVIDENCE = 4000  # characters shown; the report holds all of it


def styled(*pieces: Piece) -> Content:
    """Plain strings and (text, tone) pairs as one Content."""
    return Content.assemble(*(_piece(piece) for piece in pieces))


def _piece(piece: Piece) -> str | Content | tuple[str, str]:
    return (piece[0], TONES[piece[1]]) if isinstance(piece, tuple) else piece


def wrap_beside(label: Piece, text: str, indent: int, width: int) -> Content:
    """A label, and text that is wrapped beside it."""
    room = max(16, width - indent)
    body = ("\n" + " " * indent).join(wrapping.wrap(text, room))
    return styled(label, body)


def lines(parts: Iterable[Piece]) -> Content:
    """One part a line."""
    return Content("\n").join([styled(part) for part in parts])


def seconds(value: float) -> str:
    """Elapsed time as people read it."""
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s" if value < 120 else f"{value / 60:.0f} min"


def gib(count: float | None) -> str:
    """Bytes as people read them."""
    if count is None:
        return say("screen.unknown")
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 / 10 else f"{count / 2**20:.0f} MiB"


def headline(model: Model) -> tuple[str, str]:
    """The verdict in a line, and its tone; the first word before there is one."""
    if model.running:
        if model.cancelled:
            return say("screen.cancelling"), "warn"
        if model.busy and model.waits:
            return tell(model.busy.text, model.busy.values), "warn"
        whole = model.overall()
        return (overall.overall_in_words(whole) if whole else say("screen.examining")), "accent"
    if model.cancelled:
        return say("screen.cancelled"), "warn"
    report = model.told()
    return verdict(report) if report else (say("screen.not_examined"), "muted")


def verdict(report: Report) -> tuple[str, str]:
    """`use mps · 3.4× · high confidence`, or that mps is forced and what was measured."""
    recommendation = report.verdict
    doubtful = report.profile.forced or recommendation is None or recommendation.confidence == "low"
    return rows.headlines(report)[0], "warn" if doubtful else "pass"


def describe_finding(check: CheckResult, finding: Finding) -> Iterator[Piece]:
    """Everything about a finding: what was seen, what to do, commands apart so that they can be copied."""
    severity = label_sign(finding.severity, term("severity", finding.severity))
    yield styled(severity, (f"{finding.code} ", "muted"), (finding.title, "strong"))
    yield (say("screen.found_by", check=check.id), "muted")
    if finding.detail:
        yield ""
        yield finding.detail
    if finding.remedy:
        yield ""
        yield remedy(finding.remedy)
        yield from map(command_line, finding.remedy.commands)
    if finding.links:
        yield ""
        yield from (styled((f"{say('screen.see')}  ", "title"), link) for link in finding.links)
    if finding.evidence:
        yield ""
        yield (say("report.evidence"), "title")
        yield evidence(finding.evidence)


def label_sign(key: str, word: str) -> tuple[str, str]:
    """Sign and word of a status or a severity, in its tone."""
    sign, tone = SIGNS[key]
    return f"{sign} {word} ", tone


def remedy(remedy: Remedy) -> Content:
    return styled((f"{say('report.what_to_do')}  ", "title"), remedy.text)


def command_line(command: str) -> Content:
    return styled("  ", (f" {command} ", "command"))


def evidence(value: Any) -> str:
    """JSON for people, with units, cut where nobody reads on."""
    text = json.dumps(_in_units(value), indent=1, ensure_ascii=False)
    bare = "\n".join(line.rstrip(" [{,").replace('"', "")[1:] for line in text.splitlines() if line.strip(" []{},"))
    if len(bare) <= EVIDENCE:
        return bare
    return bare[:EVIDENCE].rpartition("\n")[0] + "\n" + say("screen.more_exported")


def _in_units(value: Any, key: str = "") -> Any:
    """Bytes as `64 GiB`, and Darwin by the name that people know."""
    if isinstance(value, dict):
        return {str(name): _in_units(part, str(name)) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_in_units(part, key) for part in value]
    if key.endswith("_bytes") and isinstance(value, int | float):
        return texts.size(value)
    return rows.system(value) if key == "os" and isinstance(value, str) else value


def elapsed(state: CheckState, now: float) -> str:
    """How long a check took, or has run."""
    if state.status == "waiting":
        return ""
    if state.status == "running":
        return seconds(now - (state.started_at or now))
    return seconds(state.result.duration_s) if state.result else ""


def progress(state: CheckState) -> str:
    """What a running check is doing."""
    event = state.progress
    if event is None:
        return say("screen.starting")
    return overall.describe(event)


def describe_busy(event: Busy, *, waiting: bool) -> str:
    """Who takes the processors; or took them, once the wait is over."""
    if waiting:
        return tell(event.text, event.values)
    programs = [{"name": program.name, "percent": program.percent} for program in event.programs]
    who = Each("program_took", programs, "and") if programs else Part("others_took", {"percent": event.percent})
    return say("screen.was_busy", who=who)


def figures_so_far(figures: Iterable[Result]) -> Iterator[Piece]:
    """`cnn small  cpu 6.42 ms · mps 5.48 ms`, a line a workload."""
    by_workload: dict[str, list[str]] = {}
    for row in figures:
        if row["step_ms"]:
            name = f"{row['workload']} {row['size']}"
            by_workload.setdefault(name, []).append(f"{row['device']} {duration(row['step_ms'])}")
    for name, steps in by_workload.items():
        yield styled(f"  {wrapping.pad(name, 18)} ", (" · ".join(steps), "strong"))


def meter(done: float, total: float, width: int) -> str:
    """A bar of blocks."""
    filled = round(width * min(done / total, 1.0)) if total else 0
    return "━" * filled + "╌" * (width - filled)


def machine(report: Report) -> Iterator[tuple[str, str]]:
    """Labelled facts of machine, Python, torch and devices."""
    facts = report.machine
    memory = gib(facts.memory_bytes) if facts.memory_bytes else None
    chip = [facts.chip or facts.model, rows.cores(facts), rows.gpu_cores(facts) if facts.gpu_cores else None]
    yield say("report.machine"), _join(*chip)
    yield say("screen.system"), _join(rows.system(facts.os, facts.os_version, facts.arch), memory)
    if modes := list(_modes(facts)):
        yield say("screen.mode"), _join(*modes)
    python = " ".join(part for part in (report.python.version, report.python.arch) if part)
    yield say("report.python"), _join(python, report.python.executable)
    yield say("report.torch"), _join(*rows.torch_parts(report))
    for device in report.devices:
        yield device.device, _join(device.name, rows.usability(report, device))


def _modes(facts: Machine) -> Iterator[str]:
    """What changes how a machine computes."""
    if facts.translated:
        yield say("report.rosetta")
    if facts.virtual_machine:
        yield say("report.virtual_machine")
    if facts.low_power:
        yield say("screen.low_power")
    if facts.thermal_state:
        yield say("screen.thermal_state", state=facts.thermal_state)


def _join(*parts: str | None) -> str:
    return rows.join(list(parts)) or say("screen.unknown")


def header(model: Model, width: int) -> Content:
    """The first line: who we are, the verdict, how long it took or takes."""
    summary, tone = headline(model)
    spin = SPINNER[int(model.clock() * BLINK) % len(SPINNER)] + " " if model.running else ""
    whole = model.overall()
    bar = meter(whole.share, 1.0, METER) + " " if whole and width >= 60 and not model.waits else ""
    left = styled((" mpsdoctor ", "title") if width >= 60 else " ", (spin + bar, "accent"), (summary, tone))
    time = f"{seconds(model.elapsed())} " if model.started_at is not None else ""
    current = model.current()
    if model.running and current and width >= 100:
        left = left.append(styled((" · " + joined(": ", [current.id, progress(current)]), "muted")))
    time = time if left.cell_length + len(time) < width else ""
    room = width - len(time) - 1
    left = left.truncate(room, ellipsis=True) if left.cell_length > room else left
    return styled(left, " " * (width - left.cell_length - len(time)), (time, "muted"))
