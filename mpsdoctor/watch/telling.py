"""A watched training in words, in the language of who reads. Pure."""

from __future__ import annotations

import shlex
import signal
from collections.abc import Iterator

from mpsdoctor import clean, retold
from mpsdoctor.report import Finding
from mpsdoctor.texts import say
from mpsdoctor.watch.history import History
from mpsdoctor.watch.judging import Summary, judge, summarise
from mpsdoctor.watch.shapes import DeviceMemory

LONGEST = 100  # characters of a command


def lines(history: History, *, lives: bool = False) -> Iterator[str]:
    """The command, figures a line each, then what a person should know; `lives` is whether more may come."""
    summary = summarise(history)
    yield command(history)
    yield f"  {outcome(history, summary, lives)}"
    for line in figures(summary) if history.samples else ():
        yield f"  {line}"
    for found in judge(summary):
        yield from finding(retold.finding(found))


def command(history: History) -> str:
    words = history.begin.command if history.begin else ()
    line = clean.line(shlex.join(words)) if words else say("watch.no_command")
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def outcome(history: History, summary: Summary, lives: bool) -> str:
    time = duration(summary.seconds)
    if history.end is None:
        return say("watch.running" if lives else "watch.silent", time=time)
    if history.end.status < 0:
        return say("watch.killed", time=time, signal=signal_name(-history.end.status))
    return say("watch.ended", time=time, status=history.end.status)


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def figures(summary: Summary) -> Iterator[str]:
    """Steps, memory, its growth, pressure and swap: a line each."""
    if summary.step_s:
        yield say("watch.steps", steps=summary.steps, step_ms=1e3 * summary.step_s)
    else:
        yield say("watch.few_steps", steps=summary.steps) if summary.steps else say("watch.no_steps")
    if summary.aside:
        rows = [say("watch.aside_row", what=kind(name), seconds=it) for name, it in summary.aside.items()]
        yield say("watch.aside", rows=rows)
    if rows := list(memory(summary)):
        yield say("watch.memory", rows=rows)
    if summary.steps:
        yield growth(summary)
    if summary.pressure is None:
        yield say("watch.pressure_unknown")
    elif summary.pressed_s:
        yield say("watch.pressure", seconds=summary.pressed_s, level=summary.pressure)
    else:
        yield say("watch.no_pressure")
    if summary.swapped_bytes:
        yield say("watch.swapped", bytes=summary.swapped_bytes)


def kind(name: str) -> str:
    """The word for what a step was set aside for; of another version its own."""
    return say(f"watch.aside_{name}") if name in ("validation", "checkpoint", "epoch") else clean.line(name)


def memory(summary: Summary) -> Iterator[str]:
    for device, held in summary.devices.items():
        if device != "cpu":
            yield device_memory(clean.line(device), held)
    if summary.resident_bytes:
        yield say("watch.processes", bytes=summary.resident_bytes)


def device_memory(device: str, most: DeviceMemory) -> str:
    if most.peak_bytes is None:
        return say("watch.held", device=device, held=most.reserved_bytes or 0)
    if most.reserved_bytes is None:
        return say("watch.tensors", device=device, bytes=most.peak_bytes)
    return say("watch.tensors_held", device=device, bytes=most.peak_bytes, held=most.reserved_bytes)


def growth(summary: Summary) -> str:
    grown = summary.growth
    if grown is None:
        return say("watch.growth_unknown")
    if not grown.leaks:
        return say("watch.no_growth", device=grown.device, steps=grown.steps)
    rate, (low, high) = grown.slope
    return say("watch.growth", device=grown.device, rate=rate, low=low, high=high)


def finding(found: Finding) -> Iterator[str]:
    yield say("watch.finding", code=found.code, title=found.title)
    yield say("watch.evidence", text=found.detail)
    if found.remedy:
        yield say("watch.remedy", text=found.remedy.text)


def duration(seconds: float) -> str:
    """`42 s`, `12 min 4 s`, `3 h 20 min`."""
    whole = round(seconds)
    if whole < 60:
        return say("watch.seconds", seconds=seconds)
    if whole < 3600:
        return say("watch.minutes", minutes=whole // 60, seconds=whole % 60)
    return say("watch.hours", hours=whole // 3600, minutes=whole % 3600 // 60)
