"""Findings, facts and figures as styled text. Everything from a report goes in as plain text, never as markup."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from textual.content import Content

from mpsdoctor.formats import rows, wrapping
from mpsdoctor.report import CheckResult, Finding, Report
from mpsdoctor.tui.model import Course, Model

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
EVIDENCE = 4000  # characters shown; the report holds all of it


def styled(*pieces: Piece) -> Content:
    """Plain strings and (text, tone) pairs as one Content."""
    return Content.assemble(*(_piece(piece) for piece in pieces))


def _piece(piece: Piece) -> str | Content | tuple[str, str]:
    return (piece[0], TONES[piece[1]]) if isinstance(piece, tuple) else piece


def hang(label: Piece, text: str, indent: int, width: int) -> Content:
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
        return "not known"
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 / 10 else f"{count / 2**20:.0f} MiB"


def headline(model: Model) -> tuple[str, str]:
    """The verdict in a line, and its tone; the first word before there is one."""
    if model.running:
        if model.cancelled:
            return "cancelling…", "warn"
        done = sum(course.status not in ("waiting", "running") for course in model.checks.values())
        of = f" {done} of {len(model.checks)} checks done" if model.checks else ""
        return f"examining…{of}", "accent"
    if model.cancelled:
        return "cancelled · no profile written", "warn"
    if model.report is None:
        return "not examined yet", "muted"
    return verdict(model.report)


def verdict(report: Report) -> tuple[str, str]:
    """`use mps · 3.4× · high confidence`."""
    recommendation = report.verdict
    return rows.headline(report), "warn" if recommendation is None or recommendation.confidence == "low" else "pass"


def finding(check: CheckResult, it: Finding) -> Iterator[Piece]:
    """Everything about a finding: what was seen, what to do, commands apart so that they can be copied."""
    sign, tone = SIGNS[it.severity]
    yield styled((f"{sign} {it.severity} ", tone), (f"{it.code} ", "muted"), (it.title, "strong"))
    yield (f"found by {check.id}", "muted")
    if it.detail:
        yield ""
        yield it.detail
    if it.remedy:
        yield ""
        yield styled(("What to do  ", "title"), it.remedy.text)
        yield from (styled("  ", (f" {command} ", "command")) for command in it.remedy.commands)
    if it.links:
        yield ""
        yield from (styled(("See  ", "title"), link) for link in it.links)
    if it.evidence:
        yield ""
        yield ("Evidence", "title")
        yield evidence(it.evidence)


def evidence(value: Any) -> str:
    """JSON for people, cut where nobody reads on."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    bare = "\n".join(line.rstrip(" [{,").replace('"', "")[1:] for line in text.splitlines() if line.strip(" []{},"))
    return (
        bare
        if len(bare) <= EVIDENCE
        else bare[:EVIDENCE].rpartition("\n")[0] + "\n… the exported report holds the rest"
    )


def plain_finding(it: Finding) -> str:
    """A finding for the clipboard."""
    commands = it.remedy.commands if it.remedy else ()
    remedy = [it.remedy.text] if it.remedy else []
    return "\n".join([f"{it.code} {it.severity}: {it.title}", it.detail, *remedy, *commands]).strip()


def state(course: Course, now: float) -> str:
    """How far a check is, in a few words."""
    if course.status == "waiting":
        return ""
    if course.status == "running":
        return seconds(now - (course.begun or now))
    return seconds(course.result.duration_s) if course.result else ""


def progress(course: Course) -> str:
    """What a running check is doing."""
    event = course.progress
    if event is None:
        return "starting"
    return (
        f"{event.text} ({event.done} of {event.total})"
        if event.total and str(event.done) not in event.text
        else event.text
    )


def meter(done: int, total: int, width: int) -> str:
    """A bar of blocks."""
    filled = round(width * min(done / total, 1.0)) if total else 0
    return "━" * filled + "╌" * (width - filled)


def machine(report: Report) -> Iterator[tuple[str, str]]:
    """Labelled facts of machine, Python, torch and devices."""
    it = report.machine
    yield "Machine", _join(it.chip or it.model, rows.cores(it), it.gpu_cores and f"{it.gpu_cores} GPU cores")
    memory = gib(it.memory_bytes) if it.memory_bytes else None
    yield "System", _join(rows.system(it.os, it.os_version, it.arch), memory)
    kinds = {"Rosetta": it.translated, "virtual machine": it.virtual_machine, "low power mode": it.low_power}
    notes = [name for name, holds in kinds.items() if holds]
    if notes or it.thermal_state:
        yield "Mode", _join(*notes, it.thermal_state and f"thermal state {it.thermal_state}")
    yield "Python", _join(_join_words(report.python.version, report.python.arch), report.python.executable)
    yield "Torch", _torch(report)
    for device in report.devices:
        state = "usable" if device.usable else f"not usable: {device.reason or 'no reason known'}"
        yield device.device, _join(device.name, state)


def _torch(report: Report) -> str:
    torch = report.torch
    if torch is None or torch.error:
        return "cannot be imported" if torch else "not installed"
    mps = "available" if torch.mps_available else "not available" if torch.mps_built else "not built in"
    return _join(torch.version, f"MPS {mps}", f"CUDA {'' if torch.cuda_available else 'not '}available")


def _join(*parts: Any) -> str:
    return " · ".join(str(part) for part in parts if part) or "not known"


def _join_words(*parts: str | None) -> str:
    return " ".join(part for part in parts if part)


def header(model: Model, width: int) -> Content:
    """The first line: who we are, the verdict, how long it took or takes."""
    summary, tone = headline(model)
    spin = SPINNER[int(model.clock() * BLINK) % len(SPINNER)] + " " if model.running else ""
    left = styled((" mpsdoctor ", "title") if width >= 60 else " ", (spin, "accent"), (summary, tone))
    time = f"{seconds(model.elapsed())} " if model.begun is not None else ""
    current = model.current()
    if model.running and current and width >= 100:
        left = left.append(styled((f" · {current.id}: {progress(current)}", "muted")))
    time = time if left.cell_length + len(time) < width else ""
    room = width - len(time) - 1
    left = left.truncate(room, ellipsis=True) if left.cell_length > room else left
    return styled(left, " " * (width - left.cell_length - len(time)), (time, "muted"))
