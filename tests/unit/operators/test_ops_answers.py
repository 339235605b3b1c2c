"""From replayed calls to an answer and a finding."""

from __future__ import annotations

from typing import Any, cast

import pytest

from helpers import rows
from mpsdoctor.facts import build_facts
from mpsdoctor.facts.operators import ReplayRow
from mpsdoctor_checks.operators.answers import answer_of, finding_of


def row(op: str, outcome: str, line: int | None = 3, **more: Any) -> ReplayRow:
    place, code = (f"train.py:{line} in forward", "x = f(x)") if line else (None, None)
    return cast(ReplayRow, {**rows.replayed(f"aten::{op}", outcome, place, code), **more})


@pytest.mark.parametrize(
    ("outcomes", "answer"),
    [
        (["ok", "ok"], "runs as it is"),
        (["ok", "skipped"], "runs as it is"),
        (["ok", "fallback"], "runs with the fallback"),
        (["fallback", "wrong"], "runs but wrong"),
        (["nan"], "runs but wrong"),
        (["wrong", "unimplemented"], "does not run"),
        (["crash", "ok"], "does not run"),
        (["timeout"], "does not run"),
        (["dtype"], "does not run"),
    ],
)
def test_the_worst_call_decides(outcomes: list[str], answer: str) -> None:
    """What stops a training comes before wrong numbers, and those before the fallback."""
    rows = [row("x", outcome, fallback=True) for outcome in outcomes]
    assert answer_of(rows, 2)["answer"] == answer


def test_what_does_not_decide_is_told_too() -> None:
    """Wrong operators of a step that does not run are listed beside those that stop it."""
    answer = answer_of([row("a", "wrong"), row("b", "unimplemented"), row("c", "ok")], 3)
    assert [use["op"] for use in answer["operators"]] == ["aten::b"]
    assert [use["op"] for use in answer["also"]] == ["aten::a"]


def test_calls_of_one_operator_at_one_line_are_one() -> None:
    """The same operator in several shapes at the same line is named once, with how often it is called."""
    answer = answer_of([row("a", "wrong", count=2), row("a", "wrong", variants=["float32[3]"], count=3)], 2)
    assert [(use["op"], use["count"]) for use in answer["operators"]] == [("aten::a", 5)]


def test_a_finding_names_operator_and_line() -> None:
    """The title has the operator and the person's line; the detail its code and the exact message."""
    finding = next(finding_of("mps", answer_of([row("a", "unimplemented", 7)], 1), "train.py:build", build_facts({})))
    assert (finding.code, finding.severity) == ("MPS351", "error")
    assert finding.title == "the step does not run on mps: aten::a is not implemented, at train.py:7 in forward"
    assert "x = f(x) [unimplemented said]" in finding.detail


def test_places_without_a_line_of_ones_own() -> None:
    """A module made by the person, the optimizer, and the backward pass say where a call belongs."""
    made = row("a", "wrong", None, module="1 (GELU)", made_at="train.py:5 in build", phase="backward")
    optimizer = row("b", "wrong", None, phase="optimizer")
    places = [use["at"] for use in answer_of([made, optimizer], 2)["operators"]]
    assert places == ["backward of 1 (GELU) made at train.py:5 in build", "optimizer step"]


def test_severities() -> None:
    """Wrong numbers are an error, the fallback a warning, and a step that runs needs no finding."""
    findings = {
        outcome: [
            (finding.code, finding.severity)
            for finding in finding_of("mps", answer_of([row("a", outcome, fallback=True)], 1), "t", build_facts({}))
        ]
        for outcome in ("wrong", "fallback", "ok")
    }
    assert findings == {"wrong": [("MPS352", "error")], "fallback": [("MPS353", "warning")], "ok": []}


def test_what_torch_itself_takes_to_the_cpu_needs_no_variable() -> None:
    """The step runs as it is; that a part of it runs on the CPU is told without advice that changes nothing."""
    answer = answer_of([row("linalg_svd", "fallback"), row("mm", "ok")], 2)
    assert answer["answer"] == "runs as it is"
    finding = next(finding_of("mps", answer, "train.py:build", build_facts({})))
    assert (finding.code, finding.severity, finding.remedy) == ("MPS354", "info", None)
    assert "linalg_svd always runs on the CPU" in finding.title
