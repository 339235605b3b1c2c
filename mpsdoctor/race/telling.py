"""A race in words, for who reads it in a terminal. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from mpsdoctor import texts
from mpsdoctor.race.results import DeviceRow, RaceReport
from mpsdoctor.texts import Each, Part


def say(part: Part) -> str:
    return texts.tell(str(part), texts.as_values(part))


def lines(report: RaceReport) -> Iterator[str]:
    """The answer first, then a line a device, what was noticed, and what to do."""
    verdict = report.verdict
    yield say(Part("race_command", {"command": shlex.join(report.command)}))
    if verdict.device:
        confidence = Part(f"confidence_{verdict.confidence}")
        yield say(Part("race_verdict", {"device": verdict.device, "confidence": confidence}))
    for reason, values in zip(verdict.reasons, verdict.values, strict=True):
        yield f"  {texts.tell(reason, values)}"
    yield ""
    for row in report.devices:
        yield from about(row)
    asides = [
        {"device": row.device, "what": Part(f"race_aside_{what}"), "count": count, "seconds": seconds}
        for row in report.devices
        for what, count, seconds in row.aside
    ]
    if asides:
        yield say(Part("race_aside", {"rows": Each("race_aside_row", asides, ", ")}))
    for why in texts.from_both(report.disturbances, report.disturbances_values):
        yield say(Part("race_disturbed", {"why": why}))
    if verdict.device and report.comparisons:
        yield say(Part("race_run", {"device": verdict.device, "command": shlex.join(report.command)}))


def about(row: DeviceRow) -> Iterator[str]:
    """A device's figures and whether it trains alike."""
    if row.step_ms is not None and row.ci95_ms is not None:
        figures = {"step_ms": row.step_ms, "low": row.ci95_ms[0], "high": row.ci95_ms[1], "rate": row.steps_per_s}
        parts = [Part("race_row", {"device": row.device, **figures}), *extras(row)]
        yield "".join(map(say, parts))
    if row.alike_detail:
        yield f"  {texts.tell(row.alike_detail, row.alike_values)}"
    if row.other_processes:
        yield say(Part("race_several", {"device": row.device, "count": row.other_processes}))
    if row.settled is False:
        yield say(Part("race_not_settled", {"device": row.device}))


def extras(row: DeviceRow) -> Iterator[Part]:
    if row.epoch_s is not None:
        yield Part("race_epoch", {"batches": row.epoch_batches, "time": long_time(row.epoch_s)})
    if row.peak_memory_bytes is not None:
        yield Part("race_memory", {"bytes": row.peak_memory_bytes})
    if (row.optimizer_steps or 1) > 1:
        yield Part("race_optimizers", {"round": row.optimizer_steps, "optimizers": row.optimizers})


def long_time(seconds: float) -> Part:
    if seconds < 100:
        return Part("race_seconds", {"seconds": seconds})
    return (
        Part("race_minutes", {"minutes": seconds / 60})
        if seconds < 6000
        else Part("race_hours", {"hours": seconds / 3600})
    )
