"""The results of the probes of a device, and the facts of the report that they make."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from mpsdoctor.facts.operators import CoreFailure, Coverage, ProbeFacts
from mpsdoctor.worker.shapes import PlannedProbe, ProbeResult
from mpsdoctor_checks.operators.grouping import group_rows

BAD = ("wrong", "nan", "crash", "timeout")


@dataclass
class DeviceResults:
    """The results of the probes of one device."""

    device: str
    plan: list[PlannedProbe] = field(default_factory=list)
    rows: list[ProbeResult] = field(default_factory=list)
    seconds: float = 0.0
    core: frozenset[str] = frozenset()
    fallbacks: dict[str, int] = field(default_factory=dict)
    part: tuple[float, float] = (0.0, 1.0)  # of the whole check, from where to where
    reason: str | None = None  # why nothing, or not all, was probed other than for want of time

    @property
    def planned(self) -> int:
        return len(self.plan)

    @property
    def share_done(self) -> float:
        """How much of the whole check is done, of 1."""
        begin, end = self.part
        return begin + (end - begin) * len(self.rows) / self.planned if self.plan else begin

    @property
    def probed(self) -> list[ProbeResult]:
        """The rows of probes that are not skipped."""
        return [row for row in self.rows if row["outcome"] != "skipped"]


def facts_of(devices: list[DeviceResults]) -> ProbeFacts:
    """Facts of all devices in the form of the report."""
    return {
        "results": group_rows(row for results in devices for row in results.rows),
        "coverage": {results.device: coverage(results) for results in devices},
        "summary": {results.device: summary(results) for results in devices},
        "planned": {results.device: results.planned for results in devices},
        "skipped": {results.device: results.planned - len(results.probed) for results in devices},
        "probes_per_second": {results.device: rate(results) for results in devices},
        "core_failures": {results.device: core_failures(results) for results in devices if results.device != "cpu"},
        "fallback_statistics": {results.device: results.fallbacks for results in devices if results.fallbacks},
        "not_probed": {results.device: results.reason for results in devices if results.reason},
    }


def coverage(results: DeviceResults) -> Coverage:
    """How much of the plan was probed: counts of probes; `core` is what every training needs, in float32."""
    probed = results.probed
    reached = {row["op"] for row in probed}
    return {
        "planned": results.planned,
        "made": len(probed),
        "operators": len(reached),
        "dtypes": dict(Counter(row["dtype"] for row in probed)),
        "variants": dict(Counter(row["variant"] for row in probed)),
        "core": {
            "planned": sum(is_core(probe.entry, probe.dtype, probe.variant, results) for probe in results.plan),
            "made": sum(is_core(row["entry"], row["dtype"], row["variant"], results) for row in probed),
        },
        "not_reached": [op for op in dict.fromkeys(probe.op for probe in results.plan) if op not in reached],
    }


def is_core(entry: str, dtype: str, variant: str, results: DeviceResults) -> bool:
    """Whether training depends on a probe: a core operator in float32, in the plain layout."""
    return entry in results.core and (dtype, variant) == ("float32", "contiguous")


def summary(results: DeviceResults) -> dict[str, int]:
    counts = dict(Counter(row["outcome"] for row in results.probed))
    skipped = results.planned - len(results.probed)
    return {**counts, "skipped": skipped} if skipped else counts


def rate(results: DeviceResults) -> float | None:
    return round(len(results.probed) / results.seconds, 1) if results.probed and results.seconds else None


def core_failures(results: DeviceResults) -> list[CoreFailure]:
    """What rules a device out: a core operator in float32, in the plain layout, is not right."""
    return [
        {
            "op": row["op"],
            "entry": row["entry"],
            "dtype": row["dtype"],
            "variant": row["variant"],
            "direction": row["direction"],
            "outcome": row["outcome"],
            "detail": row["detail"],
        }
        for row in results.rows
        if row["outcome"] in BAD and is_core(row["entry"], row["dtype"], row["variant"], results)
    ]
