"""Canaries of known issues: right on the CPU, with judges that notice what is spoilt."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from mpsdoctor.issues import read_issues
from mpsdoctor.runtime.shapes import Issue
from mpsdoctor.worker.canaries import trial
from mpsdoctor.worker.canaries.place import Place

EXACT = {"how": "equal"}
TOOLS = Path(__file__).parents[3] / "tools"


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHECK = tool("check_issues")


@pytest.mark.parametrize("issue", read_issues(), ids=lambda issue: issue["id"])
def test_an_entry_is_in_order(issue: Issue) -> None:
    """Its fields are well formed, its canary is right on the CPU, and its judge refuses spoilt results."""
    assert list(CHECK.problems(issue)) == []


def attempt(call: Any, rule: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """What comes of a canary that is given as a function."""
    made = trial.Trial(call, {}, rule or EXACT, "cpu", 0.05, more.pop("memory_mib", None), more.pop("may_raise", False))
    expected = trial.compute_reference(made)
    return dict(trial.settle(made, expected, more.pop("lucky", False)))


def test_a_right_result_is_fine_and_a_wrong_one_is_not() -> None:
    """The reference is the same call in double precision."""
    assert attempt(lambda on: on.numbers([1.0, 2.0]))["outcome"] == "fine"
    wrong = attempt(lambda on: on.put(torch.ones(3)) if on.precise else torch.zeros(3))
    assert (wrong["outcome"], wrong["detail_values"]["part"]) == ("wrong", "elements_differ")


def test_a_shape_that_is_wrong_is_told() -> None:
    assert attempt(lambda on: torch.zeros(3 if on.precise else 2))["detail_values"]["part"] == "other_shape"


def test_nan_where_there_is_a_number() -> None:
    assert attempt(lambda on: torch.tensor([1.0 if on.precise else float("nan")]))["outcome"] == "nan"


def test_nan_where_nan_belongs_is_fine() -> None:
    assert attempt(lambda on: torch.tensor([float("nan"), float("inf"), 2.0]))["outcome"] == "fine"


def test_an_exception_is_an_error_unless_something_is_missing() -> None:
    """A kernel or a name of torch that a device lacks is no known issue; where the entry is about it, it is."""

    def raising(error: Exception) -> Any:
        def canary(on: Place) -> Tensor:
            if not on.precise:
                raise error
            return torch.zeros(1)

        return canary

    assert attempt(raising(RuntimeError("view size is not compatible")))["outcome"] == "error"
    assert attempt(raising(NotImplementedError("no kernel")))["outcome"] == "skipped"
    assert attempt(raising(AttributeError("torch.foo")))["outcome"] == "skipped"
    refused = TypeError("Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64")
    assert attempt(raising(refused))["outcome"] == "skipped"
    assert attempt(raising(refused), may_raise=True)["outcome"] == "error"
    short = RuntimeError("MPS backend out of memory")
    assert attempt(raising(short), memory_mib=200)["outcome"] == "skipped"
    assert attempt(raising(short))["outcome"] == "error"


def test_what_should_raise_and_does_not_is_wrong() -> None:
    def canary(on: Place) -> Tensor:
        if on.precise:
            raise IndexError("out of range")
        return torch.zeros(1)

    assert attempt(canary, {"how": "raises"})["detail_values"]["part"] == "canary_did_not_raise"


def test_a_result_that_differs_from_run_to_run_says_so() -> None:
    """One of three runs is right: the numbers are no one's word."""
    runs = iter([1.0, 0.0, 2.0])
    told = attempt(lambda on: torch.tensor([0.0 if on.precise else next(runs)]))
    assert told["outcome"] == "wrong"
    assert told["detail_values"]["part"] == "canary_unsteady"
    assert told["detail_values"]["values"]["bad"] == 2


def test_what_needs_luck_is_repeated() -> None:
    """The first runs are right; a later one tells."""
    runs = iter([0.0, 0.0, 0.0, 3.0, 0.0, 0.0])
    told = attempt(lambda on: torch.tensor([0.0 if on.precise else next(runs)]), lucky=True)
    assert told["detail_values"]["values"] | {"what": None} == {"bad": 1, "runs": 6, "what": None}


def test_a_busy_machine_is_not_slow() -> None:
    """A ratio of times counts only where it comes out so three times."""
    times = iter([9.0, 1.0, 1.0])
    rule = {"how": "at-most", "limit": 2.0}
    assert attempt(lambda on: torch.tensor(next(times)), rule)["outcome"] == "fine"
    assert attempt(lambda on: torch.tensor(9.0), rule)["outcome"] == "slow"


def test_growth_beyond_the_limit_is_a_leak() -> None:
    told = attempt(lambda on: torch.tensor(40.0), {"how": "memory-growth", "limit": 24})
    assert (told["outcome"], told["detail_values"]["values"]) == ("leak", {"figure": 40.0, "limit": 24.0})


def test_what_the_cpu_cannot_run_either_is_skipped() -> None:
    """An old torch lacks an argument: that says nothing of the device."""
    told = trial.try_canary("numbers:take_absolute", {"no_such": 1}, EXACT, "cpu")
    assert (told["outcome"], told["detail_values"]["part"]) == ("skipped", "canary_not_on_cpu")


@pytest.mark.parametrize("canary", ["attend_to_nothing", "attend_to_nothing_without_gradient"])
def test_a_query_that_sees_nothing_is_not_tried_before_torch_2_5(canary: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was NaN by design then, on the CPU too: that is no news for a Mac with such a torch."""
    monkeypatch.delattr(torch, "_safe_softmax")
    assert trial.try_canary(f"attention:{canary}", {}, EXACT, "cpu")["outcome"] == "skipped"
