"""Measured advice as sentences for the profile, each with its number. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mpsdoctor import thresholds
from mpsdoctor.facts.advice import Advice, AdviceFacts, interval_of
from mpsdoctor.texts import Part
from mpsdoctor_checks.training.advice import growth, ways

Applies = Callable[[Advice, AdviceFacts], bool]
Figures = dict[str, Any]  # what the template of a hint is filled with, by name: each template decides
FIELDS = ("device", "workload", "size", "dtype", "batch", "speedup", "ci95", "bytes_per_step")
COSTS = ("cost_ms", "cost_ci95_ms", "usual_ms")


def standing(row: Advice) -> thresholds.Standing:
    """Against training as usual."""
    return thresholds.standing(*interval_of(row))


def hints(facts: AdviceFacts) -> list[Part]:
    """Only what is clear beyond its interval."""
    rows = [row for row in facts["advice"] if row["outcome"] == "ok"]
    return [Part(f"hint_{row['kind']}", figures(row)) for row in rows if APPLIES[row["kind"]](row, facts)]


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


# When a row of that kind is worth a change of a training script.
APPLIES: Mapping[str, Applies] = {
    "crossover": is_crossed,
    "item": is_slower,
    "copy": is_faster,
    "autocast": is_faster,
    "threads": is_best_number,
    "channels_last": is_faster,
    "fused": is_faster,
    "nnpack": is_faster,
    "memory": is_growing,
}


def figures(row: Advice) -> Figures:
    values: Mapping[str, Any] = {**row}
    common = {name: values[name] for name in FIELDS if name in values}
    more = FIGURES.get(row["kind"])
    return {**common, **more(row)} if more else common


def crossing(row: Advice) -> Figures:
    """An end of the interval that lies outside what was measured has no figure."""
    low, high = (Part("hint_batch", {"end": end}) if end else Part("hint_no_batch") for end in row["ci95"] or ())
    return {"low": low, "high": high}


def cost(row: Advice) -> Figures:
    values: Mapping[str, Any] = {**row}
    return {name: values[name] for name in COSTS}


def share(row: Advice) -> Figures:
    return {"percent": 100 * row["share"], "percent_ci95": [100 * end for end in row["share_ci95"]]}


def way(row: Advice) -> Figures:
    return {"way": ways.describe_row(row)}


FIGURES: Mapping[str, Callable[[Advice], Figures]] = {
    "crossover": crossing,
    "item": cost,
    "copy": share,
    "threads": way,
}
