"""What others measured on Apple's chips, for a machine that nobody has measured yet: a hint, never a decision.

The standard library alone, because a training script's call uses it.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own constant costs 3 ms of the 15 that `import mpsdoctor` has
if TYPE_CHECKING:
    Ratios = dict[str, list[float]]


def hints_for_chip(chip: str | None) -> list[str]:
    """One hint for a chip as its fingerprint names it, none for a chip that is not Apple's or without figures."""
    from mpsdoctor import chips

    name = chips.short_name(chip)
    if not name:
        return []
    try:
        operators, table = chips.read_table()
        ratios = {of: [cpu / mps for cpu, mps in times] for of, (_, times) in table.items()}
    except (OSError, ValueError, ZeroDivisionError):  # a hint is not worth an exception in a training script
        return []
    return [describe_chip(name, operators, ratios)]


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


def format_ratio(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.2g}"
