"""What others measured on Apple's chips, for a machine that nobody has measured yet: a hint, never a decision.

The standard library alone and no import of ours, because a training script's call uses it.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own constant costs 3 ms of the 15 that `import mpsdoctor` has
if TYPE_CHECKING:
    Ratios = dict[str, list[float]]

CHIP = r"Apple (M[0-9]+(?: (?:Pro|Max|Ultra))?)"  # not the made-up names of virtual machines and of Rosetta


def hints_for_chip(chip: str | None) -> list[str]:
    """One hint for a chip as its fingerprint names it, none for a chip that is not Apple's or without figures."""
    import re

    match = re.fullmatch(CHIP, chip or "")
    if not match:
        return []
    try:
        return [describe_chip(match[1], *read_table())]
    except (OSError, ValueError):  # a hint is not worth an exception in a training script
        return []


def describe_chip(chip: str, operators: list[str], chips: Ratios) -> str:
    """The figures of a chip; of one that nobody measured, the range over all others."""
    if chip in chips:
        where, figures = f"an {chip}", [format_ratio(ratio) for ratio in chips[chip]]
    else:
        where = f"{len(chips)} Apple chips, no {chip} among them"
        figures = [
            f"{format_ratio(min(ratios))} to {format_ratio(max(ratios))}"
            for ratios in zip(*chips.values(), strict=True)
        ]
    listed = ", ".join(f"{operator} {figure}" for operator, figure in zip(operators, figures, strict=True))
    return (
        f"others measured single operators on {where}; MPS ran them at these multiples of the CPU's speed: {listed}; "
        "your training may differ"
    )


def read_table() -> tuple[list[str], Ratios]:
    """The operators in words, and by chip how many times faster than the CPU each ran on MPS. OSError, ValueError."""
    from pathlib import Path

    text = (Path(__file__).parents[1] / "data" / "apple_operators.txt").read_text(encoding="ascii")
    operators, chips = text.split("\n\n")[1:3]
    rows = [line.split("\t") for line in chips.strip().splitlines()]
    return operators.splitlines(), {chip: [divide(times) for times in row] for chip, _, *row in rows}


def divide(times: str) -> float:
    """CPU over MPS, from `0.07/0.43` milliseconds."""
    cpu, mps = times.split("/")
    return float(cpu) / float(mps)


def format_ratio(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.2g}"
