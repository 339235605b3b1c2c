"""What formats have in common: the verdict and the machine in words, findings the gravest first, step times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mpsdoctor.facts import build_facts, read_facts
from mpsdoctor.facts.operators import Coverage, Operators
from mpsdoctor.facts.training import Comparison, Result
from mpsdoctor.figures import duration, figure, times
from mpsdoctor.formats.wrapping import shorten
from mpsdoctor.report import ORDER, CheckResult, Device, Finding, Forced, Machine, Report, Verdict
from mpsdoctor.runtime import measured
from mpsdoctor.runtime.shapes import Fingerprint
from mpsdoctor.texts import WIDE, joined, say, tell, term
from mpsdoctor.winners import standing_of

REASONS = 3  # what a person reads before the details
LONG = 320  # characters of a reason that are always shown: what helps stands at its end, and ours are shorter
NOT_REACHED = 2  # operators that are named
# What facts of another shape than ours raise: a third-party check may have the name of one of ours.
UNFIT = (KeyError, TypeError, ValueError, AttributeError)


class Timed(NamedTuple):
    """A workload in a size on a device; `against` is how many times as fast as the CPU, with the interval."""

    workload: str
    size: str
    device: str
    step_ms: float
    step: str
    interval: str
    against: str


def headlines(report: Report) -> list[str]:
    """What trainers are forced to, where they are, before the verdict itself."""
    forced = report.profile.forced
    return [*([forced_to(forced)] if forced else []), headline(report)]


def forced_to(forced: Forced) -> str:
    """`forced to mps, measured: cpu, mps 0.5× as fast; wrong: cumsum`."""
    speed = speed_of_mps(forced)
    device = [] if speed and forced.recommended == "mps" else [forced.recommended]
    said = joined(", ", [*device, *([speed] if speed else [])])
    wrong = [list_wrong(forced)] if forced.wrong else []
    return say("report.forced", measured=joined("; ", [said, *wrong]))


def speed_of_mps(forced: Forced) -> str | None:
    """`mps 0.5× as fast`; None where it was not timed."""
    if not forced.speedup:
        return None
    if forced.ci95 and not measured.is_settled(forced.ci95):
        return say("report.forced_open")
    return say("report.forced_speed", factor=measured.factor(forced.speedup))


def list_wrong(forced: Forced) -> str:
    """`wrong: cumsum, softmax`, of many the first."""
    names, more = forced.wrong[: measured.NAMED], len(forced.wrong[measured.NAMED :])
    listed = say("report.forced_wrong", names=names)
    return say("report.forced_more", names=listed, count=more) if more else listed


def how_long(until_torch: str | None) -> str:
    """How long mps stays forced: `until torch 2.13.0 changes`."""
    return say("report.until_torch", version=until_torch) if until_torch else say("report.always")


def headline(report: Report) -> str:
    """`Train on mps: it is about twice as fast as the CPU · high confidence`."""
    verdict = report.verdict
    if verdict is None:
        return say("report.no_verdict")
    confidence = say("report.confidence", confidence=term("confidence", verdict.confidence))
    device = say("report.the_cpu") if verdict.device == "cpu" else verdict.device
    train = joined(": ", [say("report.train_on", device=device), *verdict.reasons[:1]])
    return f"{train} · {confidence}"


def reasons(verdict: Verdict, width: int) -> tuple[list[str], int]:
    """The first reasons beyond the headline's, cut only where they are long, and how many more there are."""
    beyond = verdict.reasons[1:]
    return [shorten(reason, max(LONG, 2 * width)) for reason in beyond[:REASONS]], len(beyond[REASONS:])


def by_workload(verdict: Verdict) -> str | None:
    """The device of each family, where they differ."""
    if len(set(verdict.by_workload.values())) < 2:
        return None
    devices = joined(", ", (f"{family} {device}" for family, device in verdict.by_workload.items()))
    return say("report.by_workload", devices=devices)


def coverage(report: Report) -> list[str]:
    """How much of the plan of operator probes was made, a sentence a device; of the CPU where it is alone.

    Reports of version 0.1.0 made before this was counted have none, nor has a third-party check of this name.
    """
    return coverage_of(read_facts(report).get("operators"))


def coverage_of(operators: Operators | None) -> list[str]:
    """The same of the facts of the check."""
    try:
        rows = operators["coverage"] if operators and "coverage" in operators else {}
        sentences = {device: _describe_coverage(device, row) for device, row in rows.items()}
    except UNFIT:
        return []
    return [sentence for device, sentence in sentences.items() if device != "cpu" or len(sentences) == 1]


def _describe_coverage(device: str, row: Coverage) -> str:
    """Counts are of probes; `variants` has those made by layout, of which contiguous is the plain one."""
    other = row["made"] - row["variants"].get("contiguous", 0)
    layouts = f"{other:,}" if other else say("report.no_layouts")
    reached = say("report.nothing_reached")
    if row["made"]:
        reached = say("report.reached", operators=row["operators"], layouts=layouts)
    sentence = say("report.probes", made=row["made"], planned=row["planned"], device=device, reached=reached)
    missed = [op.rpartition("::")[2] for op in row.get("not_reached", ())]
    if not missed or not row["made"]:
        return sentence
    if len(missed) <= NOT_REACHED + 1:
        return joined("; ", [sentence, say("report.not_reached", names=joined(", ", missed))])
    names, others = joined(", ", missed[:NOT_REACHED]), len(missed) - NOT_REACHED
    return joined("; ", [sentence, say("report.more_not_reached", names=names, count=others)])


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
        yield say("report.device"), join([device.device, device.name, usability(report, device)])
    ended = (f"{check.id} {term('status', check.status)}" for check in report.checks)
    yield say("report.checks"), joined(", ", ended)
    if sentences := coverage(report):
        yield say("report.coverage"), joined("; ", sentences)
    yield "mpsdoctor", joined(", ", [report.tool.version, check_up(report), f"{report.duration_s:.1f} s"])


def check_up(report: Report) -> str:
    """`standard check-up`."""
    return say("report.check_up", budget=term("budget", report.budget))


def usability(report: Report, device: Device) -> str:
    """`usable`, or why it is not."""
    if device.usable:
        return say("report.usable")
    rows = build_facts({check.id: check.facts for check in report.checks}).get("devices", ())
    values = next((row.get("reason_values") for row in rows if row.get("device") == device.device), None)
    return say("report.not_usable", reason=tell(device.reason or "", values) or say("report.no_reason"))


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
        return say(
            "report.cores_of_kinds", counts=" + ".join(f"{count} {term('cores', name)}" for count, name in levels)
        )
    return say("report.cores", counts=machine.performance_cores) if machine.performance_cores else None


def system(os: str | None, *more: str | None) -> str:
    """`macOS 26.4 arm64`; Darwin, as Python calls it, is the kernel, whose versions are others."""
    return " ".join(part for part in ("macOS" if os == "Darwin" else os, *more) if part)


def fingerprint_parts(fingerprint: Fingerprint) -> Iterator[str]:
    """The machine that a profile was made on, in words; what is not known is left out."""
    name = system(fingerprint.get("os"), fingerprint.get("os_version"))
    yield from (part for part in (name, fingerprint.get("arch"), fingerprint.get("chip")) if part)
    if memory := fingerprint.get("memory_bytes"):
        yield f"{memory / 2**30:.0f} GiB"
    if version := fingerprint.get("python"):
        yield say("report.python_version", version=version)
    if version := fingerprint.get("torch"):
        yield say("report.torch_version", version=version)


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
    except UNFIT:
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
    if is_wide(ends):
        return say("report.not_settled")
    low, high = map(duration, ends)
    return say("report.from_to", low=low.removesuffix(high[high.index(" ") :]), high=high)


def against(ratio: Comparison) -> str:
    """A ratio with its interval. Of one too wide to tell, the end that is sure; without a winner, nothing is."""
    low, high = ratio["ci95"]
    if not is_wide(ratio["ci95"]):
        span = say("report.from_to", low=figure(low), high=figure(high))
        said = f"({span})" if is_settled(ratio) else say("report.not_settled")
        return f"{times(ratio['speedup'])}{' ' if is_settled(ratio) else ', '}{said}"
    if ratio["winner"] == "tie":
        return say("report.not_settled")
    sure = ("report.at_most", high) if high < 1 else ("report.at_least", low)
    return say(sure[0], figure=times(sure[1]))


def is_wide(ends: Sequence[float]) -> bool:
    """Whether an interval tells no figure."""
    return ends[1] > WIDE * ends[0]


def is_settled(ratio: Comparison) -> bool:
    """Whether a comparison has a figure to show: a winner, or two devices seen to be as fast as each other."""
    return not is_wide(ratio["ci95"]) and standing_of(ratio) != "open"
