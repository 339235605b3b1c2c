"""What was found out about a device, and the facts of the report that are made of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from mpsdoctor_checks.operators.grouping import grouped
from mpsdoctor_checks.operators.queue import Probe, Row

BAD = ("wrong", "nan", "crash", "timeout")


@dataclass
class Examined:
    """What was found out about one device."""

    device: str
    plan: list[Probe] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    seconds: float = 0.0
    core: frozenset[str] = frozenset()
    fallbacks: dict[str, int] = field(default_factory=dict)
    reason: str | None = None  # why nothing, or not all, was probed other than for want of time

    @property
    def planned(self) -> int:
        return len(self.plan)

    @property
    def probed(self) -> list[Row]:
        """The rows of probes that were made."""
        return [row for row in self.rows if row["outcome"] != "skipped"]


def facts_of(examined: list[Examined]) -> dict[str, Any]:
    """Facts of all devices in the form of the report."""
    return {
        "results": grouped(row for one in examined for row in one.rows),
        "coverage": {one.device: coverage(one) for one in examined},
        "summary": {one.device: summary(one) for one in examined},
        "planned": {one.device: one.planned for one in examined},
        "skipped": {one.device: one.planned - len(one.probed) for one in examined},
        "probes_per_second": {one.device: rate(one) for one in examined},
        "core_failures": {one.device: core_failures(one) for one in examined if one.device != "cpu"},
        "fallback_statistics": {one.device: one.fallbacks for one in examined if one.fallbacks},
        "not_probed": {one.device: one.reason for one in examined if one.reason},
    }


def coverage(one: Examined) -> dict[str, Any]:
    """How much of the plan was probed: counts of probes; `core` is what every training needs, in float32."""
    made = one.probed
    return {
        "planned": one.planned,
        "made": len(made),
        "operators": len({row["op"] for row in made}),
        "dtypes": dict(Counter(row["dtype"] for row in made)),
        "variants": dict(Counter(row["variant"] for row in made)),
        "core": {
            "planned": sum(is_core(probe[0], probe[2], probe[3], one) for probe in one.plan),
            "made": sum(is_core(row["entry"], row["dtype"], row["variant"], one) for row in made),
        },
    }


def is_core(entry: str, dtype: str, variant: str, one: Examined) -> bool:
    """Whether training depends on a probe: a core operator in float32, in the plain layout."""
    return entry in one.core and (dtype, variant) == ("float32", "contiguous")


def summary(one: Examined) -> dict[str, int]:
    counts = dict(Counter(row["outcome"] for row in one.probed))
    skipped = one.planned - len(one.probed)
    return {**counts, "skipped": skipped} if skipped else counts


def rate(one: Examined) -> float | None:
    return round(len(one.probed) / one.seconds, 1) if one.probed and one.seconds else None


def core_failures(one: Examined) -> list[Row]:
    """What rules a device out: a core operator in float32, in the plain layout, is not right."""
    keys = ("op", "entry", "dtype", "variant", "direction", "outcome", "detail")
    return [
        {key: row[key] for key in keys}
        for row in one.rows
        if row["outcome"] in BAD and is_core(row["entry"], row["dtype"], row["variant"], one)
    ]
