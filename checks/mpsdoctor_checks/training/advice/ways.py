"""Ways to train on one device, raced against training as usual, and what their rows of advice say."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from mpsdoctor.thresholds import FASTER, SLOWER
from mpsdoctor_checks.training import item as items
from mpsdoctor_checks.training.lanes import Lane, variants
from mpsdoctor_checks.training.plan import Item

Row = dict[str, Any]
Options = Mapping[str, Any]

USUAL = "as usual"
STARTING = 0.2  # seconds
COMPARED, SETTLING, BLOCKS = 6, 10, 4  # steps of losses and of warm-up; blocks, with the steps before them


class Ways(NamedTuple):
    """The ways of one kind, by name, with what `prepare` is told of each."""

    kind: str
    item: Item
    device: str
    options: Mapping[str, Options]
    fewest: int  # steps in a block


def blank(kind: str, item: Item, device: str, outcome: str, detail: str, dtype: str = "float32") -> Row:
    """A row without figures."""
    head = {"kind": kind, "workload": item.workload, "size": item.size, "device": device, "dtype": dtype}
    return {**head, "outcome": outcome, "detail": detail, "ci95": None, "blocks": 0, "stopped": ""}


def least_seconds(step: float, fewest: int = 1) -> float:
    """What a race takes of one entrant with steps of so many seconds, if it is decided at once.

    A session is built; the losses of some steps, three blocks, and a warm-up that has an end.
    """
    return STARTING + (COMPARED + BLOCKS * fewest) * step + min(SETTLING * step, items.WARM_UP)


def compare(ways: Ways, host: Lane, share: float, left: float, say: items.Say) -> list[Row]:
    """A row for each way: how many times as fast as usual the device trains so."""
    entrants = variants(host, {USUAL: {}, **ways.options})
    against = f"in float32 on {host.device}, trained as usual"
    found = items.examine(ways.item, entrants, share, left, say, against, ways.fewest)
    return [row(ways, name, options, found) for name, options in ways.options.items()]


def row(ways: Ways, name: str, options: Options, found: Mapping[str, Any]) -> Row:
    run = found["runs"][0]
    result = next(each for each in found["results"] if each["device"] == name)
    head = blank(
        ways.kind, ways.item, ways.device, result["outcome"], result["detail"], options.get("dtype", "float32")
    )
    head |= {"way": name, **({"threads": options["num_threads"]} if "num_threads" in options else {})}
    compared = next((each for each in found["comparisons"] if each["device"] == name), None)
    if compared is None:
        usual = next(each for each in found["results"] if each["device"] == USUAL)
        lost = head["outcome"] == "ok"  # its partner in the race is gone
        return {**head, **({"outcome": "skipped", "detail": usual["detail"]} if lost else {})}
    usual_ms = next(each["step_ms"] for each in found["results"] if each["device"] == USUAL)
    told = {
        **head,
        "detail": "",
        "speedup": compared["speedup"],
        "ci95": compared["ci95"],
        "usual_ms": usual_ms,
        "step_ms": result["step_ms"],
        "blocks": compared["pairs"],
        "blocks_ms": {USUAL: run["blocks_ms"][USUAL], name: run["blocks_ms"][name]},
        "stopped": compared["detail"],
    }
    figures = FIGURES.get(ways.kind)
    return told | figures(told, run) if figures else told


def cost_of_reading(told: Row, run: Row) -> Row:
    """Milliseconds a step that reading the loss adds."""
    low, high = (told["usual_ms"] * (1 / end - 1) for end in reversed(told["ci95"]))
    return {"cost_ms": told["usual_ms"] * (1 / told["speedup"] - 1), "cost_ci95_ms": [low, high]}


def share_of_copying(told: Row, run: Row) -> Row:
    """The part of a usual step that goes away when the batches are on the device already."""
    low, high = (1 - 1 / end for end in told["ci95"])
    return {"share": 1 - 1 / told["speedup"], "share_ci95": [low, high]}


def distance_of_losses(told: Row, run: Row) -> Row:
    """The largest difference from the float32 losses, relative to them, and after how many steps it was looked for."""
    pairs = list(zip(run["losses"][USUAL], run["losses"][told["way"]], strict=False))
    return {"loss_apart": max(abs(got - wanted) / abs(wanted) for wanted, got in pairs), "losses": len(pairs)}


FIGURES: dict[str, Callable[[Row, Row], Row]] = {
    "item": cost_of_reading,
    "copy": share_of_copying,
    "autocast": distance_of_losses,
}


def thread_counts(default: int, machine: Mapping[str, Any]) -> list[int]:
    """Numbers of threads worth a try: doubling up to the physical cores, all of these, the performance cores."""
    fast, slow = machine.get("performance_cores") or default, machine.get("efficiency_cores") or 0
    most = max(fast + slow, default)
    doubled = (2**power for power in range(math.floor(math.log2(most)) + 1))
    return sorted({*doubled, fast, most} - {default})


def best_threads(rows: Sequence[Row]) -> int | None:
    """The number of threads that is clearly faster on a workload and slower on none; None where the default is best."""
    timed = [row for row in rows if row["kind"] == "threads" and row["outcome"] == "ok"]
    lost = {row["threads"] for row in timed if row["ci95"][1] < SLOWER}
    ahead = [row for row in timed if row["ci95"][0] > FASTER and row["threads"] not in lost]
    return int(max(ahead, key=lambda row: float(row["speedup"]))["threads"]) if ahead else None
