"""What others measured on Apple's chips, as shipped. The standard library alone, for training scripts import it too."""

from __future__ import annotations

import re

TYPE_CHECKING = False  # typing's own constant costs 3 ms of the 15 that `import mpsdoctor` has
if TYPE_CHECKING:
    ChipTimes = tuple[int, list[tuple[float, float]]]  # machines; milliseconds on the CPU and on MPS by operator

NAME = r"Apple (M[0-9]+(?: (?:Pro|Max|Ultra))?)"  # not the made-up names of virtual machines and of Rosetta


def short_name(chip: str | None) -> str | None:
    """`M1 Max` of `Apple M1 Max`, as macOS names it; None of a chip that is not Apple's."""
    match = re.fullmatch(NAME, chip or "")
    return match[1] if match else None


def read_table() -> tuple[list[str], dict[str, ChipTimes]]:
    """The operators in words, and by chip what each took. OSError, ValueError."""
    from pathlib import Path

    text = (Path(__file__).parent / "data" / "apple_operators.txt").read_text(encoding="ascii")
    operators, chips = text.split("\n\n")[1:3]
    rows = [line.split("\t") for line in chips.strip().splitlines()]
    return operators.splitlines(), {chip: (int(machines), list(map(split, row))) for chip, machines, *row in rows}


def split(times: str) -> tuple[float, float]:
    """Milliseconds on the CPU and on MPS, from `0.07/0.43`."""
    cpu, mps = times.split("/")
    return float(cpu), float(mps)
