"""Where a person's model calls an operator in the way that triggers a known issue, by the recorded calls alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from mpsdoctor.check import Context, Finding, finding
from mpsdoctor.facts import build_facts
from mpsdoctor.facts.operators import CallSummary, TensorSummary
from mpsdoctor.issues import Surroundings, is_of_cpu, read_issues, recorded_of
from mpsdoctor.runtime.shapes import CallTrigger, Issue
from mpsdoctor.support.spoken import spoken
from mpsdoctor.texts import Each, Part
from mpsdoctor_checks.known_issues.attempts import surroundings
from mpsdoctor_checks.known_issues.rules import values_of

MOST_LINES = 12
WORDS = {
    "wrong": "met_wrong",
    "nan": "met_nan",
    "crash": "met_crash",
    "hang": "met_hang",
    "leak": "met_leak",
    "error": "met_error",
    "slow": "met_slow",
}


class Met(NamedTuple):
    """A call of the model, and the issue that it triggers."""

    issue: Issue
    call: CallSummary


def dense_strides(shape: Sequence[int]) -> list[int]:
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return strides[::-1]


def is_contiguous(tensor: TensorSummary) -> bool:
    wanted = dense_strides(tensor["shape"])
    axes = zip(tensor["shape"], tensor["stride"], wanted, strict=True)
    return all(stride == right for size, stride, right in axes if size != 1)


def is_dense(tensor: TensorSummary) -> bool:
    """Whether its elements lie one behind the other, in whatever order of the axes."""
    axes = sorted((stride, size) for size, stride in zip(tensor["shape"], tensor["stride"], strict=True) if size != 1)
    step = 1
    for stride, size in axes:
        if stride != step:
            return False
        step *= size
    return True


def is_channels_last(tensor: TensorSummary) -> bool:
    shape, stride = tensor["shape"], tensor["stride"]
    behind = len(shape) in (4, 5) and shape[1] > 1 and stride[1] == 1
    return behind and not is_contiguous(tensor) and is_dense(tensor)


def is_expanded(tensor: TensorSummary) -> bool:
    return any(stride == 0 and size > 1 for size, stride in zip(tensor["shape"], tensor["stride"], strict=True))


LAYOUTS: dict[str, Callable[[TensorSummary], bool]] = {
    "contiguous": is_contiguous,
    "noncontiguous": lambda tensor: not is_contiguous(tensor),
    "transposed": lambda tensor: not is_contiguous(tensor) and is_dense(tensor) and not is_channels_last(tensor),
    "channels_last": is_channels_last,
    "strided": lambda tensor: not is_dense(tensor) and not is_expanded(tensor),
    "sliced": lambda tensor: not is_contiguous(tensor) and not is_dense(tensor) and not is_expanded(tensor),
    "offset": lambda tensor: tensor["offset"] > 0,
    "expanded": is_expanded,
    "element": lambda tensor: not tensor["shape"] and tensor["offset"] > 0,
}


def size_at(tensor: TensorSummary, axis: str) -> int:
    """The size of an axis, counted from the end where negative; 0 where there is none."""
    place, rank = int(axis), len(tensor["shape"])
    return tensor["shape"][place] if -rank <= place < rank else 0


def count_elements(tensor: TensorSummary) -> int:
    total = 1
    for size in tensor["shape"]:
        total *= size
    return total


def fits_tensor(trigger: CallTrigger, tensor: TensorSummary) -> bool:
    """Whether a tensor is as an issue wants one."""
    layout = trigger.get("layout")
    return (
        (layout is None or LAYOUTS[layout](tensor))
        and ("dtypes" not in trigger or tensor["dtype"] in trigger["dtypes"])
        and len(tensor["shape"]) >= trigger.get("least_rank", 0)
        and count_elements(tensor) >= trigger.get("least_elements", 0)
        and all(size_at(tensor, axis) >= least for axis, least in trigger.get("least", {}).items())
        and all(0 < size_at(tensor, axis) <= most for axis, most in trigger.get("most", {}).items())
        and all(size_at(tensor, axis) in sizes for axis, sizes in trigger.get("one_of", {}).items())
    )


def tensors_meant(trigger: CallTrigger, call: CallSummary) -> Sequence[TensorSummary]:
    """The tensors of a call that may be the one: all, or that at a place. -1 is the last."""
    tensors, place = call["tensors"], trigger.get("tensor")
    if place is None:
        return tensors
    return tensors[place:][:1] if -len(tensors) <= place < len(tensors) else ()


def fits(trigger: CallTrigger, call: CallSummary) -> bool:
    """Whether a recorded call is made in the way of an issue."""
    if call["op"] not in trigger["ops"]:
        return False
    if "says" in trigger and trigger["says"] not in f"{call['arguments']} {call['code'] or ''}":
        return False
    return any(fits_tensor(trigger, tensor) for tensor in tensors_meant(trigger, call))


def find_met(recorded: Iterable[CallSummary], here: Surroundings) -> Iterator[Met]:
    """Each line of the model with each issue that is recorded as wrong for what is here, once."""
    issues = [issue for issue in read_issues() if issue["call"] and not is_of_cpu(issue)]
    wrong = [issue for issue in issues if recorded_of(issue, here) == "bad"]
    seen: set[tuple[str, str | None]] = set()
    for call in recorded:
        for issue in wrong:
            if issue["call"] and fits(issue["call"], call) and (issue["id"], call["place"]) not in seen:
                seen.add((issue["id"], call["place"]))
                yield Met(issue, call)


def findings_of(context: Context, recorded: Iterable[CallSummary], devices: Sequence[str]) -> list[Finding]:
    """MPS711, for a model on a machine with MPS: what is recorded of calls as it makes them."""
    here = surroundings(context)
    host = build_facts(context.facts).get("machine") or {}
    on_mps = any(device.partition(":")[0] == "mps" for device in devices) or host.get("os") == "Darwin"
    met = list(find_met(recorded, here)) if on_mps else []
    if not met:
        return []
    rows = [{"id": one.issue["id"], "place": one.call["place"], "op": one.call["op"]} for one in met]
    lines = [line_values(one, here) for one in met[:MOST_LINES]]
    rest = Part("more", {"more_count": len(met) - MOST_LINES}) if len(met) > MOST_LINES else Part("")
    commands = [f"mpsdoctor explain {met[0].issue['id']}"]
    told = finding(
        "MPS711", "warning", {"met": rows}, commands=commands, count=len(met), lines=Each("met", lines, "\n"), rest=rest
    )
    return [told]


def line_values(met: Met, here: Surroundings) -> dict[str, object]:
    place = met.call["place"]
    return {
        "place": Part("met_at", {"where": place}) if place else Part("met_somewhere"),
        "op": spoken(met.call["op"]),
        "trigger": met.issue["trigger"],
        "outcome": Part(WORDS[met.issue["kind"]]),
        "id": met.issue["id"],
        **values_of(here.torch, here.macos),
    }
