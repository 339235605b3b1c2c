"""Measured advice as sentences for the profile, each with its number. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from mpsdoctor import thresholds
from mpsdoctor.facts.advice import Advice, AdviceFacts, interval_of
from mpsdoctor.texts import size
from mpsdoctor_checks.training.advice import growth
from mpsdoctor_checks.training.rules import label

Applies = Callable[[Advice, AdviceFacts], bool]


class Hint(NamedTuple):
    """A sentence with a row and its FIGURES by name, and when it is worth a change of a training script."""

    applies: Applies
    sentence: str


def standing(row: Advice) -> thresholds.Standing:
    """Against training as usual."""
    return thresholds.standing(*interval_of(row))


def hints(facts: AdviceFacts) -> list[str]:
    """Only what is clear beyond its interval."""
    rows = [row for row in facts["advice"] if row["outcome"] == "ok"]
    return [fill(HINTS[row["kind"]].sentence, row) for row in rows if HINTS[row["kind"]].applies(row, facts)]


def fill(sentence: str, row: Advice) -> str:
    figures = {name: figure(row) for name, figure in FIGURES.items() if f"{{{name}}}" in sentence}
    return sentence.format_map({**row, **figures})


def is_faster(row: Advice, facts: AdviceFacts) -> bool:
    return standing(row) == "faster"


def is_slower(row: Advice, facts: AdviceFacts) -> bool:
    return standing(row) == "slower"


def is_best_number(row: Advice, facts: AdviceFacts) -> bool:
    return row["threads"] == facts["settings"].get("num_threads") and standing(row) == "faster"


def is_crossed(row: Advice, facts: AdviceFacts) -> bool:
    return bool(row["batch"])


def is_growing(row: Advice, facts: AdviceFacts) -> bool:
    return growth.grows(row)


def crossing(row: Advice) -> str:
    """As in `batch 96 of cnn medium (90 to 103)`; an end of the interval that lies outside what was measured is `?`."""
    low, high = (f"{end:.0f}" if end else "?" for end in row["ci95"] or ())
    return f"batch {row['batch']} of {label(row)} ({low} to {high})"


def times(row: Advice) -> str:
    """As in `1.8 times (1.7 to 1.9)`."""
    low, high = interval_of(row)
    return f"{row['speedup']:.3g} times ({low:.3g} to {high:.3g})"


def cost(row: Advice) -> str:
    """As in `6 ms (5.8 to 6.2) beside 4 ms a step`."""
    low, high = row["cost_ci95_ms"]
    return f"{row['cost_ms']:.3g} ms ({low:.3g} to {high:.3g}) beside the {row['usual_ms']:.3g} ms of a step"


def share(row: Advice) -> str:
    """As in `20 % (18 to 22 %)`."""
    low, high = row["share_ci95"]
    return f"{100 * row['share']:.0f} % ({100 * low:.0f} to {100 * high:.0f} %)"


def leaked(row: Advice) -> str:
    return size(row["bytes_per_step"])


FIGURES: Mapping[str, Callable[[Advice], str]] = {
    "label": label,
    "crossing": crossing,
    "times": times,
    "cost": cost,
    "share": share,
    "leaked": leaked,
}
HINTS: Mapping[str, Hint] = {
    "crossover": Hint(is_crossed, "{device} overtakes the CPU at {crossing}"),
    "item": Hint(
        is_slower,
        "reading the loss in every step costs {cost} of {label} on {device}: "
        "keep it on the device and read it every 50 steps",
    ),
    "copy": Hint(
        is_faster,
        "copying the batch takes {share} of a step of {label} on {device}: "
        "keep data that fits on the device, or copy the next batch while the last one is computed",
    ),
    "autocast": Hint(is_faster, "{dtype} autocast trains {label} {times} as fast as float32 on {device}"),
    "threads": Hint(is_best_number, "{way} train {label} {times} as fast on the CPU as torch's own number of threads"),
    "channels_last": Hint(is_faster, "channels_last trains {label} {times} as fast on {device}"),
    "fused": Hint(is_faster, "AdamW(…, fused=True) trains {label} {times} as fast on {device}"),
    "nnpack": Hint(
        is_faster,
        "the CPU trains {label} {times} as fast without NNPACK: call torch.backends.nnpack.set_flags(False) first",
    ),
    "memory": Hint(is_growing, "memory of {device} grows by {leaked} a step of {label}"),
}
