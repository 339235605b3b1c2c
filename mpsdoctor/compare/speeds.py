"""Whether a training takes another time than before, of two reports whose blocks are not paired. Pure.

A row is "faster" or "slower" where its interval leaves out 1 and is not wholly inside ±5 %. Holm's steps hold the error
for all rows together below 1 %.
"""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mpsdoctor.compare import obstacles, quotients
from mpsdoctor.compare.outcomes import rows_with
from mpsdoctor.compare.quotients import Blocks, Interval
from mpsdoctor.compare.shapes import Answer, Change, Speed, change
from mpsdoctor.facts import read_facts
from mpsdoctor.report import Report
from mpsdoctor.texts import Part
from mpsdoctor.thresholds import FASTER, SLOWER

ERROR = 0.01  # of a report: that any of its rows tells a change that is none
MOST = 200  # trainings: a check-up has 12 a device
TOGETHER = 4  # trainings of a device that are judged as one besides
ROUNDED = 0.01  # how far the median of the blocks may lie from the figure of the row
UNSTEADY = 0.03  # deviation from run to run beyond which nothing is told: intervals would be as wide as 20 %
Place = tuple[str, str, str]
Told = tuple[float, Interval]


@dataclass(frozen=True)
class Training:
    """A training in one report; `blocks` are milliseconds a step, none where the report did not keep them."""

    step_ms: float
    blocks: tuple[float, ...]
    way: object  # how it trains: batch, the model's parameters, on the CPU its threads and other settings


def compare_speeds(old: Report, new: Report) -> tuple[list[Part], list[Speed]]:
    """Why speeds cannot be compared, if so, and a row for each training that was timed in both."""
    before, after = list_trainings(old), list_trainings(new)
    places = [place for place in before if place in after][:MOST]
    pairs = {place: blocks for place in places if (blocks := pair(before[place], after[place]))}
    missing = find_missing(before, after, pairs)
    reasons = [*obstacles.find_obstacles(old, new), *([missing] if missing else [])]
    between = quotients.from_run_to_run(tuple(pairs.values()))
    if not reasons and between > UNSTEADY:
        reasons = [Part("unsteady", {"percent": 100 * between})]
    told = {} if reasons else judge_all(pairs, between)
    rows = [describe(place, before[place], after[place], told.get(place)) for place in places]
    return reasons, [*rows, *(summarize(device, told[device]) for device in told if isinstance(device, str))]


def list_trainings(report: Report) -> dict[Place, Training]:
    facts = read_facts(report).get("training")
    runs: dict[tuple[str, str], dict[str, Any]] = {
        (run["workload"], run["size"]): run for run in rows_with(facts, "runs", ("workload", "size"))
    }
    settings, trainings = cpu_settings(report), {}
    for row in rows_with(facts, "results", ("workload", "size", "device", "outcome")):
        if row["outcome"] == "ok" and is_time(row.get("step_ms")):
            run = runs.get((row["workload"], row["size"]), {})
            way = run.get("batch"), run.get("parameters"), settings if row["device"] == "cpu" else None
            blocks = blocks_of(run, row["device"], row["step_ms"])
            trainings[row["workload"], row["size"], row["device"]] = Training(row["step_ms"], blocks, way)
    return trainings


def cpu_settings(report: Report) -> object:
    """Threads, and what was found to be faster than torch's own way."""
    facts: Any = read_facts(report)
    return (facts.get("build") or {}).get("num_threads"), (facts.get("training") or {}).get("settings") or {}


def blocks_of(run: Mapping[str, Any], device: str, step_ms: float) -> tuple[float, ...]:
    """The blocks that a figure comes from; none where it cannot come from them."""
    series = run.get("blocks_ms")
    blocks = series.get(device) if isinstance(series, dict) else None
    if not isinstance(blocks, list) or len(blocks) < quotients.FEWEST or not all(map(is_time, blocks)):
        return ()
    fits = abs(statistics.median(blocks) / step_ms - 1) <= ROUNDED
    return tuple(blocks[: quotients.MOST]) if fits else ()


def is_time(value: object) -> bool:
    """Milliseconds: what a report of a stranger has may be any number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 1e-6 < value < 1e9


def pair(old: Training, new: Training) -> Blocks | None:
    """None where one of them has no blocks, or they trained something else."""
    if not (old.blocks and new.blocks) or old.way != new.way:
        return None
    return Blocks(old.blocks, new.blocks)


def find_missing(
    old: Mapping[Place, Training], new: Mapping[Place, Training], pairs: Mapping[Place, Blocks]
) -> Part | None:
    """Why not a single training has blocks in both; None where none was timed in either."""
    if pairs or not (old or new):
        return None
    for side, trainings in (("old", old), ("new", new)):
        if not any(training.blocks for training in trainings.values()):
            return Part("no_blocks" if trainings else "no_timings", {"side": Part(f"{side}_report")})
    return Part("other_trainings")


def judge_all(pairs: Mapping[Place, Blocks], between: float) -> dict[Place | str, Told]:
    """The ratio of each training, and of each device with several, with the interval at which Holm's steps end."""
    tests: dict[Place | str, Callable[[float], Told]] = {
        place: functools.partial(judge, blocks, between) for place, blocks in pairs.items()
    }
    for device in dict.fromkeys(place[2] for place in pairs):
        group = [blocks for place, blocks in pairs.items() if place[2] == device]
        if len(group) >= TOGETHER:
            tests[device] = functools.partial(quotients.together, group)
    return step_down(tests)


def judge(blocks: Blocks, between: float, error: float) -> Told:
    return blocks.ratio, quotients.interval(blocks, error, between)


def step_down(tests: Mapping[Place | str, Callable[[float], Told]]) -> dict[Place | str, Told]:
    """Holm's: all of the error is shared out among the rows that are left, until none of them tells a change."""
    told: dict[Place | str, Told] = {}
    while left := [name for name in tests if name not in told]:
        looks = {name: tests[name](ERROR / len(left)) for name in left}
        changed = {name: look for name, look in looks.items() if answer(look) in ("faster", "slower")}
        told |= changed or looks
    return {name: told[name] for name in tests}


def answer(told: Told | None) -> Answer:
    """What an interval says."""
    if told is None:
        return "unknown"
    low, high = told[1]
    if low >= SLOWER and high <= FASTER:
        return "same"
    return "faster" if low > 1 else "slower" if high < 1 else "open"


def describe(place: Place, old: Training, new: Training, told: Told | None) -> Speed:
    ratio, interval = told or (None, None)
    return Speed(*place, old.step_ms, new.step_ms, ratio, interval, answer(told))


def summarize(device: str, told: Told) -> Speed:
    return Speed(None, None, device, None, None, *told, answer(told))


def list_changes(rows: Sequence[Speed]) -> Iterator[Change]:
    """Rows that tell a change."""
    for row in rows:
        if row.answer not in ("faster", "slower") or row.ratio is None:
            continue
        detail = Part("changed_speed", {"ratio": row.ratio, "interval": row.interval})
        what = " ".join((row.workload, row.size or "", row.device)) if row.workload else f"all {row.device}"
        ends = row.before_ms, row.after_ms
        yield change(what, "speed", ends, "better" if row.answer == "faster" else "worse", detail)
