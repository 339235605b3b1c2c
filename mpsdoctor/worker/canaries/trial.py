"""Runs one canary on a device and tells what came of it."""

from __future__ import annotations

import importlib
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional

import torch
from torch import Tensor

from ..operators.comparison import make_judgement, say_more
from ..operators.messages import outcome_of, readable
from ..shapes import Judgement
from ..training.memory import give_back
from .judging import LIMITED, Rule, are_alike, judge, tensors_of
from .place import Place

AGAIN = 2  # more runs of what is not fine
MOST_RUNS = 8  # of what needs luck
LARGE_MIB = 100  # what takes more is given back at once
# What a device or a version of torch does not have; that is not what an entry is about.
LACKING = (NotImplementedError, AttributeError, ImportError)


class Trial(NamedTuple):
    """A canary with what it is called with and judged by."""

    call: Callable[..., Any]
    arguments: Dict[str, Any]
    rule: Rule
    device: str
    seconds: float
    memory_mib: Optional[float]
    may_raise: bool


class Run(NamedTuple):
    """What one run returned, as far as it did, and how that is judged."""

    judgement: Judgement
    returned: List[Tensor]


def find_canary(name: str) -> Callable[..., Any]:
    """The function `module:function` of this package."""
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module("." + module, __package__), function)
    return found


def try_canary(
    canary: str,
    arguments: Dict[str, Any],
    rule: Rule,
    device: str,
    seconds: float = 0.2,
    lucky: bool = False,
    memory_mib: Optional[float] = None,
    may_raise: bool = False,
) -> Judgement:
    """Outcome and detail of a canary: fine, wrong, nan, leak, slow, error, or skipped where it cannot be run.

    `lucky` is whether the fault shows in some runs alone: then it is run several times, for about so many seconds.
    `may_raise` is whether an exception, of whatever kind, is the fault.
    """
    trial = Trial(find_canary(canary), arguments, rule, device, seconds, memory_mib, may_raise)
    try:
        expected = compute_reference(trial)
    except Exception as error:
        return make_judgement("skipped", "canary_not_on_cpu", error=describe(error))
    try:
        return settle(trial, expected, lucky)
    finally:
        if (memory_mib or 0) > LARGE_MIB:
            give_back(device)


def compute_reference(trial: Trial) -> Optional[List[Tensor]]:
    """What the canary returns on the CPU in double precision, or what it should where that is wrong too.

    None where it is judged by something else.
    """
    place = Place("cpu", precise=True, seconds=trial.seconds)
    if trial.rule["how"] == "raises":
        try:
            trial.call(place, **trial.arguments)
        except (RuntimeError, IndexError, ValueError):
            return None
        raise NotImplementedError("the CPU accepts it too")
    if trial.rule["how"] in LIMITED:
        return None
    returned = trial.call(place, **trial.arguments)
    if "expected" in trial.rule:
        return [torch.tensor(values, dtype=torch.float64) for values in trial.rule["expected"]]
    return tensors_of(returned)


def settle(trial: Trial, expected: Optional[List[Tensor]], lucky: bool) -> Judgement:
    """The judgement of as many runs as are needed."""
    until, count = time.monotonic() + trial.seconds, 1
    first = run_once(trial, expected)
    while lucky and is_fine(first) and count < MOST_RUNS and time.monotonic() < until:
        first, count = run_once(trial, expected), count + 1
    if is_fine(first) or first.judgement["outcome"] == "skipped":
        return first.judgement
    if trial.rule["how"] == "memory-growth":  # what has grown once has no need to grow again
        return first.judgement
    more = [run_once(trial, expected) for _ in range(AGAIN)]
    bad = 1 + sum(not is_fine(run) for run in more)
    if trial.rule["how"] == "at-most" and bad <= AGAIN:  # a busy machine, once
        return fine()
    same = all(run.judgement["outcome"] == first.judgement["outcome"] for run in more)
    if (same and all(are_alike(first.returned, run.returned) for run in more)) or trial.rule["how"] == "at-most":
        return first.judgement
    return say_more(first.judgement, "canary_unsteady", bad=bad, runs=count + AGAIN)


def fine() -> Judgement:
    return {"outcome": "fine", "detail": ""}


def is_fine(run: Run) -> bool:
    return run.judgement["outcome"] == "fine"


def run_once(trial: Trial, expected: Optional[List[Tensor]]) -> Run:
    """One run on the device, judged."""
    try:
        returned = tensors_of(trial.call(Place(trial.device, seconds=trial.seconds), **trial.arguments))
    except LACKING as error:
        return Run(make_judgement("skipped", "canary_lacks", error=describe(error)), [])
    except MemoryError as error:
        return Run(make_judgement("skipped", "canary_no_memory", error=describe(error)), [])
    except Exception as error:
        return Run(judge_exception(trial, error), [])
    judgement = judge(trial.rule, returned, expected)
    return Run(fine() if judgement["outcome"] == "ok" else judgement, returned)


def judge_exception(trial: Trial, error: Exception) -> Judgement:
    """An exception is right for some canaries, and what others are about; else a kernel may be missing, or memory."""
    if trial.rule["how"] == "raises":
        return fine()
    meaning = outcome_of(type(error).__name__, str(error))
    if meaning == "oom" and trial.memory_mib:  # one that takes next to none has no such excuse
        return make_judgement("skipped", "canary_no_memory", error=describe(error))
    if meaning in ("unimplemented", "dtype") and not trial.may_raise:
        return make_judgement("skipped", "canary_lacks", error=describe(error))
    return make_judgement("error", "canary_raised", error=describe(error))


def describe(error: Exception) -> str:
    """The exception's name and first words."""
    return f"{type(error).__name__}: {readable(str(error))}"[:300]
