"""What a worker answers is checked where it arrives."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from mpsdoctor.check import Answer, Job, Sandbox, UnusableAnswerError, typed
from mpsdoctor.worker.shapes import Block, Judgement
from mpsdoctor_checks.operators.judgements import fill_detail
from mpsdoctor_checks.training.lanes import Failed, Lane

BLOCK = {"seconds": 0.5, "steps": 4, "loss": float("nan"), "done": 9, "used_bytes": None, "peak_bytes": 7}


def answer(value: Any) -> Answer:
    return Answer(Job("mpsdoctor_worker.training.sessions:block"), "ok", value)


def test_a_whole_answer_is_taken() -> None:
    """Numbers that are whole, or no numbers at all, are fine where a float is meant."""
    assert typed(answer({**BLOCK, "seconds": 1}), Block)["seconds"] == 1.0


@pytest.mark.parametrize("field", BLOCK)
def test_a_field_that_is_missing_is_refused_by_name(field: str) -> None:
    """The message names the job and the field."""
    less = {key: value for key, value in BLOCK.items() if key != field}
    with pytest.raises(UnusableAnswerError, match=f"sessions:block: .*`{field}`"):
        typed(answer(less), Block)


def test_a_field_of_another_type_is_refused_by_name() -> None:
    """A worker that answers words for a number is not believed."""
    with pytest.raises(UnusableAnswerError, match=r"Expected `int`, got `str` - at `\$.*steps"):
        typed(answer({**BLOCK, "steps": "four"}), Block)


def test_a_workload_whose_worker_answers_nonsense_fails_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The device's workload ends as an error with the reason, and the check goes on."""
    worker = Sandbox(sys.executable)
    monkeypatch.setattr(worker, "run", lambda jobs: iter([Answer(job, "ok", {"seconds": 1.0}) for job in jobs]))
    with pytest.raises(Failed, match="`steps`") as failed:
        Lane("mps", worker).ask("block", 1.0)
    assert failed.value.outcome == "error"


@pytest.mark.parametrize(
    "values",
    [
        {"part": "no_such_sentence", "values": {}},
        {"part": "other_shape", "values": {"actual": [2]}},
        {"part": "random_mean", "values": {"mean": "large", "expected": 0.5}},
        {"part": "random_mean", "values": {"mean": None, "expected": 0.5}},
        {"part": "exact_elements_differ", "values": {"count": 1, "total": 1, "place": [], "actual": 10**400}},
        {"count": 1},
        {},
    ],
)
def test_a_sentence_that_the_texts_lack_or_cannot_fill_is_refused(values: Any) -> None:
    """A worker that names one is not believed, and nothing of it is left to be filled in later."""
    judgement: Judgement = {"outcome": "wrong", "detail": "", "detail_values": values}
    with pytest.raises(UnusableAnswerError, match="unusable sentence"):
        fill_detail(judgement)
    assert "detail_values" not in judgement
