"""What formats have in common: the verdict and the machine in words, findings the gravest first, step times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from mpsdoctor.report import ORDER, CheckResult, Finding, Report


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


def machine_parts(report: Report) -> list[str | None]:
    """The machine in words, None for what is not known or not the case."""
    machine = report.machine
    cores = machine.performance_cores
    efficient = f" + {machine.efficiency_cores} efficiency" if machine.efficiency_cores else ""
    return [
        machine.chip or machine.model,
        f"{cores}{efficient} cores" if cores else None,
        f"{machine.gpu_cores} GPU cores" if machine.gpu_cores else None,
        f"{machine.memory_bytes / 2**30:.0f} GiB" if machine.memory_bytes else None,
        " ".join(part for part in (machine.os, machine.os_version, machine.arch) if part),
        "Rosetta" if machine.translated else None,
        "virtual machine" if machine.virtual_machine else None,
    ]


def torch_parts(report: Report) -> list[str | None]:
    """The torch in words."""
    torch = report.torch
    if torch is None:
        return ["not installed"]
    if torch.error:
        return ["cannot be imported"]
    mps = "available" if torch.mps_available else "not available" if torch.mps_built else "not built in"
    return [torch.version, f"MPS {mps}", f"CUDA {'' if torch.cuda_available else 'not '}available"]


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
