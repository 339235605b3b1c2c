"""What formats have in common: the verdict and the machine in words, findings the gravest first, step times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from mpsdoctor.facts import read_facts
from mpsdoctor.facts.operators import Coverage
from mpsdoctor.facts.training import Comparison, Result
from mpsdoctor.formats.wrapping import shorten
from mpsdoctor.report import ORDER, CheckResult, Device, Finding, Machine, Report, Verdict
from mpsdoctor.runtime.shapes import Fingerprint
from mpsdoctor.texts import LANGUAGES, page, say, term

REASONS = 3  # what a person reads before the details
UNSETTLED = 4.0  # an interval whose upper end is this many times its lower end says nothing


class Timed(NamedTuple):
    """A workload in a size on a device; `against` is how many times as fast as the CPU, with the interval."""

    workload: str
    size: str
    device: str
    step_ms: float
    step: str
    interval: str
    against: str


def headline(report: Report) -> str:
    """`use mps · 3.4× · high confidence`; the factor where it speaks for an accelerator."""
    verdict = report.verdict
    if verdict is None:
        return say("report.no_verdict")
    factor = [f"{verdict.speedup:.3g}×"] if verdict.speedup else []
    confidence = say("report.confidence", confidence=term("confidence", verdict.confidence))
    return " · ".join([say("report.use", device=verdict.device), *factor, confidence])


def translate_title(check_id: str, title: str) -> str:
    """The title of a check of ours in the reader's language, and that of a stranger's as it is."""
    ours = page(LANGUAGES[0], "report").get(f"check_{check_id}") == title
    return say(f"report.check_{check_id}") if ours else title


def reasons(verdict: Verdict, width: int) -> tuple[list[str], int]:
    """The first reasons, in a line each where their sense allows, and how many more there are."""
    return [shorten(reason, width) for reason in verdict.reasons[:REASONS]], len(verdict.reasons[REASONS:])


def by_workload(verdict: Verdict) -> str | None:
    """The device of each family, where they differ."""
    if len(set(verdict.by_workload.values())) < 2:
        return None
    devices = ", ".join(f"{family} {device}" for family, device in verdict.by_workload.items())
    return say("report.by_workload", devices=devices)


def coverage(report: Report) -> list[str]:
    """How much of the plan of operator probes was made, a sentence a device; of the CPU where it is alone.

    Reports of version 0.1.0 made before this was counted have none, nor has a third-party check of this name.
    """
    operators = read_facts(report).get("operators")
    try:
        rows = operators["coverage"] if operators and "coverage" in operators else {}
        sentences = {device: _describe_coverage(device, row) for device, row in rows.items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        return []
    return [sentence for device, sentence in sentences.items() if device != "cpu" or len(sentences) == 1]


def _describe_coverage(device: str, row: Coverage) -> str:
    """Counts are of probes; `variants` has those made by layout, of which contiguous is the plain one."""
    other = row["made"] - row["variants"].get("contiguous", 0)
    layouts = f"{other:,}" if other else say("report.no_layouts")
    reached = say("report.nothing_reached")
    if row["made"]:
        reached = say("report.reached", operators=row["operators"], layouts=layouts)
    return say("report.probes", made=row["made"], planned=row["planned"], device=device, reached=reached)


def findings(report: Report) -> list[tuple[CheckResult, Finding]]:
    """Every finding with its check, the gravest first."""
    pairs = [(check, finding) for check in report.checks for finding in check.findings]
    return sorted(pairs, key=lambda pair: ORDER[pair[1].severity])


def about(report: Report) -> Iterator[tuple[str, str]]:
    """Machine, Python, torch, devices and checks in words."""
    yield say("report.machine"), join(machine_parts(report))
    if report.python.version:
        yield say("report.python"), f"{report.python.version} ({report.python.arch})"
        yield say("report.torch"), join(torch_parts(report))
    for device in report.devices:
        yield say("report.device"), join([device.device, device.name, usability(device)])
    yield say("report.checks"), ", ".join(f"{check.id} {term('status', check.status)}" for check in report.checks)
    if sentences := coverage(report):
        yield say("report.coverage"), "; ".join(sentences)
    yield "mpsdoctor", f"{report.tool.version}, {check_up(report)}, {report.duration_s:.1f} s"


def check_up(report: Report) -> str:
    """`standard check-up`."""
    return say("report.check_up", budget=term("budget", report.budget))


def usability(device: Device) -> str:
    """`usable`, or why it is not."""
    return (
        say("report.usable")
        if device.usable
        else say("report.not_usable", reason=device.reason or say("report.no_reason"))
    )


def machine_parts(report: Report) -> list[str | None]:
    """The machine in words, None for what is not known or not the case."""
    machine = report.machine
    return [
        machine.chip or machine.model,
        cores(machine),
        gpu_cores(machine) if machine.gpu_cores else None,
        f"{machine.memory_bytes / 2**30:.0f} GiB" if machine.memory_bytes else None,
        system(machine.os, machine.os_version, machine.arch),
        say("report.rosetta") if machine.translated else None,
        say("report.virtual_machine") if machine.virtual_machine else None,
    ]


def gpu_cores(machine: Machine) -> str:
    return say("report.gpu_cores", count=machine.gpu_cores)


def cores(machine: Machine) -> str | None:
    """`6 super + 12 performance cores`, by the system's names; `8 cores` where it tells no kinds."""
    levels = [(level.count, level.name.lower()) for level in machine.core_levels or ()]
    if not levels and machine.efficiency_cores and machine.performance_cores:
        levels = [(machine.performance_cores, "performance"), (machine.efficiency_cores, "efficiency")]
    if levels:
        return say("report.cores", counts=" + ".join(f"{count} {term('cores', name)}" for count, name in levels))
    return say("report.cores", counts=machine.performance_cores) if machine.performance_cores else None


def system(os: str | None, *more: str | None) -> str:
    """`macOS 26.4 arm64`; Darwin, as Python calls it, is the kernel, whose versions are others."""
    return " ".join(part for part in ("macOS" if os == "Darwin" else os, *more) if part)


def fingerprint_parts(fingerprint: Fingerprint) -> Iterator[str]:
    """The machine that a profile was made on, in words; what is not known is left out."""
    system_parts = (system(fingerprint.get("os"), fingerprint.get("os_version")), fingerprint.get("arch"))
    yield from (part for part in (*system_parts, fingerprint.get("chip")) if part)
    if memory := fingerprint.get("memory_bytes"):
        yield f"{memory / 2**30:.0f} GiB"
    versions = {"Python": fingerprint.get("python"), "torch": fingerprint.get("torch")}
    yield from (f"{name} {version}" for name, version in versions.items() if version)


def torch_parts(report: Report) -> list[str | None]:
    """The torch in words."""
    torch = report.torch
    if torch is None:
        return [say("report.not_installed")]
    if torch.error:
        return [say("report.cannot_be_imported")]
    without = "report.mps_not_available" if torch.mps_built else "report.mps_not_built"
    cuda = "report.cuda_available" if torch.cuda_available else "report.cuda_not_available"
    return [torch.version, say("report.mps_available" if torch.mps_available else without), say(cuda)]


def join(parts: list[str | None]) -> str:
    return " · ".join(part for part in parts if part)


def timed(report: Report) -> Iterator[Timed]:
    """What the training check timed. A third-party check may have this name: another shape is left out."""
    training = read_facts(report).get("training")
    if not training:
        return
    try:
        ratios = {(row["workload"], row["size"], row["device"]): row for row in training.get("comparisons", ())}
        yield from [_format_times(row, ratios) for row in training.get("results", ()) if row["outcome"] == "ok"]
    except (KeyError, TypeError, ValueError, AttributeError):
        return


def _format_times(row: Result, ratios: dict[tuple[str, str, str], Comparison]) -> Timed:
    place = (row["workload"], row["size"], row["device"])
    if row["step_ms"] is None:
        raise ValueError("a row that is ok has its time")
    step, ratio = float(row["step_ms"]), ratios.get(place)
    return Timed(*place, step, duration(step), interval(row["ci95_ms"]), against(ratio) if ratio else "")


def interval(ends: Sequence[float] | None) -> str:
    """`5.97 to 12.8 ms`."""
    if not ends:
        return ""
    low, high = map(duration, ends)
    if ends[1] > UNSETTLED * ends[0]:
        return say("report.not_settled")
    return say("report.from_to", low=low.removesuffix(high[high.index(" ") :]), high=high)


def against(ratio: Comparison) -> str:
    """A ratio with its interval. Of one too wide to tell, the end that is sure; without a winner, nothing is."""
    low, high = ratio["ci95"]
    times, undecided = f"{figure(ratio['speedup'])}×", ratio["winner"] == "tie" and not low <= 1 <= high
    if high <= UNSETTLED * low:
        span = say("report.from_to", low=figure(low), high=figure(high))
        return f"{times}, {say('report.not_settled')}" if undecided else f"{times} ({span})"
    if ratio["winner"] == "tie":
        return say("report.not_settled")
    sure = ("report.at_most", high) if high < 1 else ("report.at_least", low)
    return say(sure[0], figure=f"{figure(sure[1])}×")


def duration(ms: float) -> str:
    """`83.2 µs`, `9.69 ms`, `1.43 s`."""
    if ms < 0.1:
        return f"{figure(1000 * ms)} µs"
    return f"{figure(ms)} ms" if ms < 999.5 else f"{figure(ms / 1000)} s"


def figure(value: float) -> str:
    """Three digits, without powers of ten."""
    return f"{Decimal(f'{value:#.3g}'):,f}"
