"""Operator probes as a table: an operator a row, a dtype and direction a column, the worst outcome as a letter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mpsdoctor.facts.operators import ProbeRow, count_probes
from mpsdoctor.texts import say, term

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
RIGHT = ("ok", "skipped")
RANK = {outcome: rank for rank, outcome in enumerate(OUTCOMES)}
SHORT = {"float32": "f32", "float16": "f16", "bfloat16": "bf16", "float64": "f64", "complex64": "c64"}
DIRECTIONS = ("forward", "backward")
UNKNOWN = ("?", "warn")


@dataclass(frozen=True)
class Line:
    """One operator on one device. `worst` by (dtype, direction); `probes` are its rows, each for some variants.

    `needed`: without it nothing trains, and its failure rules the device out.
    """

    op: str
    device: str
    worst: Mapping[tuple[str, str], str]
    probes: tuple[ProbeRow, ...]
    needed: bool = False

    def count(self, *outcomes: str) -> int:
        """How many probes ended so; without outcomes all of them."""
        rows = (row for row in self.probes if not outcomes or row["outcome"] in outcomes)
        return sum(map(count_probes, rows))

    @property
    def right(self) -> bool:
        """Whether nothing that was tried is wrong."""
        return set(self.worst.values()) <= set(RIGHT)

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
    return say(f"report.means_{outcome}" if outcome in OUTCOMES else "report.means_unknown")


def lines(results: Iterable[ProbeRow], needed: Collection[tuple[str, str]] = ()) -> list[Line]:
    """One line an operator and device, the worst first; accelerators before the CPU, which is the reference.

    Then those that are `needed` (operator, device), then as they were probed: what training uses most comes first.
    """
    grouped: dict[tuple[str, str], list[ProbeRow]] = {}
    for probe in results:
        grouped.setdefault((probe["op"], probe["device"]), []).append(probe)
    probed = [
        Line(op, device, _worst(probes), tuple(probes), (op, device) in needed)
        for (op, device), probes in grouped.items()
    ]
    return sorted(probed, key=lambda line: (line.rank, line.device == "cpu", not line.needed))


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
    return short(dtype)[:6] + ("→" if direction == "forward" else "←")


def short(dtype: str) -> str:
    """`f16` for float16."""
    return SHORT.get(dtype, dtype.replace("float", "f").replace("complex", "c"))


def count_outcomes(lines: Sequence[Line]) -> dict[str, int]:
    """Operators on accelerators by their worst outcome, those that are not right; of the CPU where it is alone."""
    accelerated = [line for line in lines if line.device != "cpu"] or lines
    found = Counter(min(line.worst.values(), key=rank) for line in accelerated)
    return {outcome: found[outcome] for outcome in sorted(found, key=rank) if outcome not in RIGHT}


def keywords(line: Line) -> tuple[str, ...]:
    """What a filter finds an operator by: its outcomes in words, and whether it is needed."""
    outcomes = {*line.worst.values()} - ({"ok"} if len({*line.worst.values()}) > 1 else set())
    said = {word for outcome in outcomes for word in (outcome, term("outcome", outcome))}
    unsupported = {term("outcome", "unsupported")} if outcomes & {"dtype", "unimplemented"} else set[str]()
    return tuple(sorted(said | unsupported | ({say("report.needed")} if line.needed else set())))
