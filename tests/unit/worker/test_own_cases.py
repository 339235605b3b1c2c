"""Programs as people write them: what is predicted of them is right, with the line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.own_cases import OwnCase, own_cases
from mpsdoctor import support
from mpsdoctor.support import predictions_as_json
from mpsdoctor.worker.steps import own_model
from mpsdoctor_checks.operators.model import place_of

pytestmark = pytest.mark.filterwarnings("ignore")  # torch warns of sparse, nested and quantised tensors
CASES = list(own_cases())


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[OwnCase], dict[str, Any]]:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setitem(sys.modules, "program", sys)  # put back what was there: nothing

    def predict(case: OwnCase) -> dict[str, Any]:
        path = tmp_path / "program.py"
        path.write_text(case.text)
        told = json.loads(json.dumps(own_model.tree(str(path), "make", 60.0)))
        assert "failed" not in told, told["failed"]["traceback"]
        there = support.support_in(case.torch)
        predictions = support.predict(map(support.call_of, told["calls"]), there)
        places = {row.op: place_of(row.place) for row in predictions if row.place}
        unseen = support.Unseen([*map(place_of, told["questions"])], told["left_out"])
        return dict(predictions_as_json(predictions, there, {}, places, unseen))

    return predict


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_program_of_a_person_is_told_right(case: OwnCase, run: Callable[[OwnCase], dict[str, Any]]) -> None:
    """Answer, first operator that stops and its line are those of the program's own marks."""
    prediction = run(case)
    assert case.faults(prediction) == []
    assert prediction["left_out"] == {}
