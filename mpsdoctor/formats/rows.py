"""What formats with tables have in common: findings the gravest first, step times with what they are compared to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from mpsdoctor.formats.text import machine_parts, torch_parts
from mpsdoctor.report import CheckResult, Finding, Report

ORDER = {"error": 0, "warning": 1, "info": 2}


class Timed(NamedTuple):
    """A workload in a size on a device; `against` is how many times as fast as the CPU, with the interval."""

    workload: str
    size: str
    device: str
    step_ms: float
    interval: str
    against: str


def headline(report: Report) -> str:
    if report.verdict is None:
        return "no verdict: nothing was measured that could carry one"
    return f"use {report.verdict.device} · {report.verdict.confidence} confidence"


def findings(report: Report) -> list[tuple[CheckResult, Finding]]:
    """Every finding with its check, the gravest first."""
    found = [(check, each) for check in report.checks for each in check.findings]
    return sorted(found, key=lambda pair: ORDER[pair[1].severity])


def about(report: Report) -> Iterator[tuple[str, str]]:
    """Machine, Python, torch, devices and checks in words."""
    yield "Machine", joined(machine_parts(report))
    if report.python.version:
        yield "Python", f"{report.python.version} ({report.python.arch})"
        yield "Torch", joined(torch_parts(report))
    for device in report.devices:
        state = "usable" if device.usable else f"not usable: {device.reason}"
        yield "Device", joined([device.device, device.name, state])
    yield "Checks", ", ".join(f"{check.id} {check.status}" for check in report.checks)
    yield "mpsdoctor", f"{report.tool.version}, {report.budget} check-up, {report.duration_s:.1f} s"


def joined(parts: list[str | None]) -> str:
    return " · ".join(part for part in parts if part)


def timed(report: Report) -> Iterator[Timed]:
    """What the training check timed. A check of a stranger may carry this name: what has another shape is left out."""
    facts = next((check.facts for check in report.checks if check.id == "training"), {})
    try:
        ratios = {(row["workload"], row["size"], row["device"]): row for row in facts.get("comparisons", ())}
        yield from [_timed(row, ratios) for row in facts.get("results", ()) if row["outcome"] == "ok"]
    except (KeyError, TypeError, ValueError, AttributeError):
        return


def _timed(row: dict[str, Any], ratios: dict[tuple[str, str, str], dict[str, Any]]) -> Timed:
    place = (row["workload"], row["size"], row["device"])
    ratio = ratios.get(place)
    against = f"{ratio['speedup']:.3g}× ({ratio['ci95'][0]:.3g} to {ratio['ci95'][1]:.3g})" if ratio else ""
    interval = " to ".join(f"{end:.3g}" for end in row["ci95_ms"] or ())
    return Timed(*place, float(row["step_ms"]), interval, against)
