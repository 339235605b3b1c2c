"""Operator probes as a table: an operator a row, a dtype and direction a column, the worst outcome as a letter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mpsdoctor.facts.operators import ProbeRow, count_probes
from mpsdoctor.texts import say

# Letter and tone, worst first: a wrong number is worse than an error, which at least is seen.
OUTCOMES: dict[str, tuple[str, str]] = {
    "wrong": ("W", "fail"),
    "nan": ("N", "fail"),
    "crash": ("C", "fail"),
    "timeout": ("T", "fail"),
    "error": ("E", "warn"),
    "oom": ("M", "warn"),
    "unimplemented": ("U", "warn"),
    "fallback": ("F", "accent"),
    "dtype": ("D", "muted"),
    "skipped": ("S", "muted"),
    "ok": ("o", "pass"),
}
RANK = {outcome: rank for rank, outcome in enumerate(OUTCOMES)}
SHORT = {"float32": "f32", "float16": "f16", "bfloat16": "bf16", "float64": "f64", "complex64": "c64"}
DIRECTIONS = ("forward", "backward")
UNKNOWN = ("?", "warn")


@dataclass(frozen=True)
class Line:
    """One operator on one device. `worst` by (dtype, direction); `probes` are its rows, each for some variants."""

    op: str
    device: str
    worst: Mapping[tuple[str, str], str]
    probes: tuple[ProbeRow, ...]

    def count(self, *outcomes: str) -> int:
        """How many probes ended so; without outcomes all of them."""
        rows = (row for row in self.probes if not outcomes or row["outcome"] in outcomes)
        return sum(map(count_probes, rows))

    @property
    def rank(self) -> int:
        """0 is the worst outcome there is."""
        return min(rank(outcome) for outcome in self.worst.values())


def rank(outcome: str) -> int:
    """The place of an outcome among all, the worst first."""
    return RANK.get(outcome, 0)


def mark(outcome: str) -> tuple[str, str]:
    """Letter and tone of an outcome."""
    return OUTCOMES.get(outcome, UNKNOWN)


def meaning(outcome: str) -> str:
    """An outcome in words."""
    return say(f"screen.means_{outcome}" if outcome in OUTCOMES else "screen.means_unknown")


def lines(results: Iterable[ProbeRow]) -> list[Line]:
    """One line an operator and device, the worst first; accelerators before the CPU, which is the reference."""
    grouped: dict[tuple[str, str], list[ProbeRow]] = {}
    for probe in results:
        grouped.setdefault((probe["op"], probe["device"]), []).append(probe)
    unordered = [Line(op, device, _worst(probes), tuple(probes)) for (op, device), probes in grouped.items()]
    return sorted(unordered, key=lambda line: (line.rank, line.device == "cpu", line.op))


def _worst(probes: Iterable[ProbeRow]) -> dict[tuple[str, str], str]:
    worst: dict[tuple[str, str], str] = {}
    for probe in probes:
        cell, outcome = (probe["dtype"], probe["direction"]), probe["outcome"]
        before = worst.get(cell)
        if before is None or rank(outcome) < rank(before):
            worst[cell] = outcome
    return worst


def columns(lines: Sequence[Line]) -> list[tuple[str, str]]:
    """The (dtype, direction) pairs that occur, dtypes that training uses most first."""
    seen = {cell for line in lines for cell in line.worst}
    order = [*SHORT, *sorted({dtype for dtype, _ in seen} - set(SHORT))]
    return [(dtype, direction) for dtype in order for direction in DIRECTIONS if (dtype, direction) in seen]


def heading(cell: tuple[str, str]) -> str:
    """`f16→` forward, `f16←` backward."""
    dtype, direction = cell
    return SHORT.get(dtype, dtype.replace("float", "f"))[:6] + ("→" if direction == "forward" else "←")


def counts(lines: Iterable[Line]) -> dict[str, dict[str, int]]:
    """Operators by device and worst outcome."""
    by_device: dict[str, dict[str, int]] = {}
    for line in lines:
        outcome = min(line.worst.values(), key=rank)
        by_outcome = by_device.setdefault(line.device, {})
        by_outcome[outcome] = by_outcome.get(outcome, 0) + 1
    return by_device
