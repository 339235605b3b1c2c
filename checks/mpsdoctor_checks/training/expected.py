"""How single operators here lie among those that others timed on Apple's chips. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING

from mpsdoctor.check import Finding, finding
from mpsdoctor.facts.training import OperatorTime, TrainingFacts
from mpsdoctor.texts import Each, Part
from mpsdoctor_checks.training.rules import Values

if TYPE_CHECKING:
    from mpsdoctor.chips import ChipTimes

COLUMN = {"cpu": 0, "mps": 1}
# Of 141 timings of the source on two machines with one chip, an M4 Pro, four of five differ by less than 1.5 times,
# nine of ten by less than 2.
ALIKE, FAR = 1.5, 2.0


def compare(
    chip: str,
    device: str,
    times: Mapping[str, Sequence[float]],
    operators: Sequence[str],
    table: Mapping[str, ChipTimes],
) -> list[OperatorTime]:
    """Rows of what was timed, milliseconds by operator, against the table's of this chip and of all."""
    machines, _ = table.get(chip, (0, ()))
    column = COLUMN[device]
    rows: list[OperatorTime] = []
    for place, operator in enumerate(operators):
        if calls := times.get(operator):
            others = {name: figures[place][column] for name, (_, figures) in table.items()}
            middle, own = median(calls), others.get(chip)
            rows.append(
                {
                    "operator": operator,
                    "device": device,
                    "ms": round(middle, 4),
                    "range_ms": [round(min(calls), 4), round(max(calls), 4)],
                    "chip": chip,
                    "machines": machines,
                    "chip_ms": own,
                    "times": round(middle / own, 3) if own else None,
                    "all_chips_ms": [min(others.values()), max(others.values())],
                }
            )
    return rows


def judge(facts: TrainingFacts) -> Iterator[Finding]:
    """A finding for each device of a chip that the table has.

    A warning where at least half of the operators are far slower on a quiet machine: a single one may be by its torch.
    """
    quiet = not facts["disturbances"] and not facts.get("doubtful")
    rows = [row for row in facts["operators"] if row["times"] is not None]
    for device in dict.fromkeys(row["device"] for row in rows):
        own = [row for row in rows if row["device"] == device]
        typical = median([row["times"] or 0.0 for row in own])
        far = typical > FAR and quiet
        said: Values = {} if far else {"said": Part(place(typical, quiet))}
        yield finding(
            "MPS538" if far else "MPS537",
            "warning" if far else "info",
            {"times": typical, "operators": own},
            device=device,
            chip=own[0]["chip"],
            typical=typical,
            rows=Each("row", own),
            **said,
        )


def place(times: float, quiet: bool) -> str:
    """How times relative to another machine's are told."""
    if times > ALIKE:
        return "slower" if quiet else "disturbed"
    return "faster" if times < 1 / ALIKE else "alike"
