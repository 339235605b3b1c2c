"""What was measured as advice, one sentence each with its number, for the profile and who reads it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mpsdoctor import thresholds
from mpsdoctor.texts import size
from mpsdoctor_checks.training.advice import growth

Facts = Mapping[str, Any]
Row = Mapping[str, Any]


def standing(row: Row) -> thresholds.Standing:
    """Against training as usual."""
    return thresholds.standing(*row["ci95"])


def told(facts: Facts) -> list[str]:
    """Only what is clear beyond its interval, and worth a change of a training script."""
    rows = [row for row in facts["advice"] if row["outcome"] == "ok"]
    sentences = (HINTS[row["kind"]](row, facts) for row in rows)
    return [sentence for found in sentences for sentence in found]


def crossover(row: Row, facts: Facts) -> Iterator[str]:
    if row["batch"]:
        yield f"{row['device']} overtakes the CPU at {crossing(row)}"


def item(row: Row, facts: Facts) -> Iterator[str]:
    if standing(row) == "slower":
        yield (
            f"reading the loss in every step costs {cost(row)} of {label(row)} on {row['device']}: "
            "keep it on the device and read it every 50 steps"
        )


def copy(row: Row, facts: Facts) -> Iterator[str]:
    if standing(row) == "faster":
        yield (
            f"copying the batch takes {share(row)} of a step of {label(row)} on {row['device']}: "
            "keep data that fits on the device, or copy the next batch while the last one is computed"
        )


def autocast(row: Row, facts: Facts) -> Iterator[str]:
    if standing(row) == "faster":
        yield f"{row['dtype']} autocast trains {label(row)} {times(row)} as fast as float32 on {row['device']}"


def threads(row: Row, facts: Facts) -> Iterator[str]:
    if row["threads"] == facts["settings"].get("num_threads") and standing(row) == "faster":
        yield f"{row['way']} train {label(row)} {times(row)} as fast on the CPU as torch's own number of threads"


def fused(row: Row, facts: Facts) -> Iterator[str]:
    if standing(row) == "faster":
        yield f"AdamW(…, fused=True) trains {label(row)} {times(row)} as fast on {row['device']}"


def nnpack(row: Row, facts: Facts) -> Iterator[str]:
    if standing(row) == "faster":
        yield (
            f"the CPU trains {label(row)} {times(row)} as fast without NNPACK: "
            "call torch.backends.nnpack.set_flags(False) first"
        )


def channels_last(row: Row, facts: Facts) -> Iterator[str]:
    if standing(row) == "faster":
        yield f"channels_last trains {label(row)} {times(row)} as fast on {row['device']}"


def memory(row: Row, facts: Facts) -> Iterator[str]:
    if growth.grows(row):
        yield f"memory of {row['device']} grows by {size(row['bytes_per_step'])} a step of {label(row)}"


def label(row: Row) -> str:
    return f"{row['workload']} {row['size']}"


def crossing(row: Row) -> str:
    """As in `batch 96 of cnn medium (90 to 103)`; an end of the interval that lies outside what was measured is `?`."""
    low, high = (f"{end:.0f}" if end else "?" for end in row["ci95"])
    return f"batch {row['batch']} of {label(row)} ({low} to {high})"


def times(row: Row) -> str:
    """As in `1.8 times (1.7 to 1.9)`."""
    low, high = row["ci95"]
    return f"{row['speedup']:.3g} times ({low:.3g} to {high:.3g})"


def cost(row: Row) -> str:
    """As in `6 ms (5.8 to 6.2) beside 4 ms a step`."""
    low, high = row["cost_ci95_ms"]
    return f"{row['cost_ms']:.3g} ms ({low:.3g} to {high:.3g}) beside the {row['usual_ms']:.3g} ms of a step"


def share(row: Row) -> str:
    """As in `20 % (18 to 22 %)`."""
    low, high = row["share_ci95"]
    return f"{100 * row['share']:.0f} % ({100 * low:.0f} to {100 * high:.0f} %)"


HINTS: dict[str, Callable[[Row, Facts], Iterator[str]]] = {
    "crossover": crossover,
    "item": item,
    "copy": copy,
    "autocast": autocast,
    "threads": threads,
    "channels_last": channels_last,
    "fused": fused,
    "nnpack": nnpack,
    "memory": memory,
}
