"""Checks the known issues: the fields of each entry, its canary on the CPU, and whether its judge is awake.

    python tools/check_issues.py [ID…]

A judge is awake that refuses what the canary returned with one number changed, all numbers zero, or NaN. Exit code 1
where something is wrong.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import get_type_hints

import torch
from torch import Tensor

from mpsdoctor.issues import numbers, parse_bound, read_issues
from mpsdoctor.runtime.shapes import Issue
from mpsdoctor.worker.canaries.judging import COMPARED, judge, tensors_of
from mpsdoctor.worker.canaries.place import Place
from mpsdoctor.worker.canaries.trial import Trial, compute_reference, find_canary, try_canary

KINDS = ("wrong", "nan", "crash", "hang", "leak", "error", "slow")
DIRECTIONS = ("forward", "backward", "training", None)
CERTAINTIES = ("confirmed by maintainer", "reproduced by others", "single report")
HOWS = {"close": {"rtol", "atol"}, "equal": set(), "raises": set(), "memory-growth": {"limit"}, "at-most": {"limit"}}
SOURCE = re.compile(r"[\w.-]+/[\w.-]+#\d+|[\w.-]+\.io/\S+")
SMALL = 1e-3  # results below it are told in units of one
LONGEST = 260  # characters of what is wrong


def problems(issue: Issue) -> Iterator[str]:
    """All that is wrong with an entry."""
    missing = get_type_hints(type_of_issue()).keys() ^ issue.keys()
    if missing:
        yield f"fields missing or unknown: {', '.join(sorted(missing))}"
        return
    yield from problems_of_fields(issue)
    yield from problems_of_versions(issue)
    yield from problems_of_canary(issue)


def type_of_issue() -> type:
    return Issue


def problems_of_fields(issue: Issue) -> Iterator[str]:
    choices = {
        "kind": issue["kind"] in KINDS,
        "direction": issue["direction"] in DIRECTIONS,
        "certainty": issue["certainty"] in CERTAINTIES,
        "status": issue["status"] in ("open", "closed"),
        "id": bool(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", issue["id"])),
        "source": bool(issue["source"]) and all(map(SOURCE.fullmatch, issue["source"])),
        "what": issue["what"].endswith(".") and len(issue["what"]) <= LONGEST,
        "judge": HOWS.get(issue["judge"]["how"], {"?"}) <= issue["judge"].keys(),
    }
    yield from (f"{name}: {issue[name]!r}" for name, good in choices.items() if not good)  # type: ignore[literal-required]


def problems_of_versions(issue: Issue) -> Iterator[str]:
    begin, end = numbers(issue["torch_first_bad"]), numbers(issue["torch_fixed"])
    for version in (begin, end):
        if version and len(version) != 3:
            yield f"a version has three numbers, not {version}"
    if begin and end and begin >= end:
        yield "it is fixed before it is bad"
    for bound in (issue["macos"] or "").replace("||", ",").split(",") if issue["macos"] else ():
        try:
            parse_bound(bound)
        except ValueError as error:
            yield f"macos: {error}"


def problems_of_canary(issue: Issue) -> Iterator[str]:
    """What the canary and its judge do on the CPU."""
    try:
        find_canary(issue["canary"])
    except (ImportError, AttributeError) as error:
        yield f"canary: {error}"
        return
    rule, lucky = issue["judge"], issue["chance"] is not None
    told = try_canary(issue["canary"], issue["arguments"], rule, "cpu", 0.05, lucky, None, issue["kind"] == "error")
    expected = "skipped" if rule["how"] == "raises" and told["outcome"] == "skipped" else "fine"
    if told["outcome"] != expected:
        yield f"on the CPU: {told}"
    elif rule["how"] in COMPARED:
        yield from (f"its judge does not notice {name}" for name in unnoticed(issue))


def unnoticed(issue: Issue) -> list[str]:
    """Names of spoilt results that the judge takes for right."""
    call = find_canary(issue["canary"])
    trial = Trial(call, issue["arguments"], issue["judge"], "cpu", 0.05, None, False)
    right = tensors_of(call(Place("cpu"), **issue["arguments"]))
    expected = compute_reference(trial)
    spoilt = {"one number changed": change_one(right), "zeros": zero(right), "NaN": multiply(right, float("nan"))}
    near_zero = issue["judge"].get("atol", 0.0)
    if not any(bool((result.nan_to_num(1.0).abs() > near_zero).any()) for result in right):
        del spoilt["zeros"]
    return [name for name, results in spoilt.items() if judge(issue["judge"], results, expected)["outcome"] == "ok"]


def change_one(results: list[Tensor]) -> list[Tensor]:
    """One number of the largest result, off by a quarter of the largest number."""
    copies = [result.clone(memory_format=torch.contiguous_format) for result in results]
    finite = [copy.nan_to_num(0.0, 0.0, 0.0).abs().max() if copy.numel() else torch.tensor(0.0) for copy in copies]
    largest = float(max(finite))
    largest = largest if largest > SMALL else 1.0
    flat = max(copies, key=lambda copy: copy.numel()).view(-1)
    middle = len(flat) // 2
    flat[middle] = flat[middle].nan_to_num(0.0, 1.0, -1.0) + 0.25 * largest + 1e-9
    return copies


def zero(results: list[Tensor]) -> list[Tensor]:
    return [torch.zeros_like(result) for result in results]


def multiply(results: list[Tensor], factor: float) -> list[Tensor]:
    return [result * factor for result in results]


def main() -> int:
    torch.set_num_threads(1)
    wanted = set(sys.argv[1:])
    issues = [issue for issue in read_issues() if not wanted or issue["id"] in wanted]
    faults = {issue["id"]: list(problems(issue)) for issue in issues}
    if [issue["id"] for issue in issues] != sorted(faults):
        faults["the file"] = ["its entries are not in the order of their ids, or one is there twice"]
    for name, found in faults.items():
        for problem in found:
            print(f"{name}: {problem}")
    print(f"{len(issues)} entries, {sum(map(bool, faults.values()))} with problems")
    return int(any(faults.values()))


if __name__ == "__main__":
    sys.exit(main())
