"""Reports that anybody may have made, compared and shown."""

from __future__ import annotations

import copy
import json
import random
import re
import time
from typing import Any

import pytest

from helpers import check_ups, hostile
from helpers.check_ups import RECORDED
from mpsdoctor import clean
from mpsdoctor.compare import compare
from mpsdoctor.formats import Style
from mpsdoctor.formats.compared import FORMATS
from mpsdoctor.intake import UnfitError, read_report
from mpsdoctor.report import Report

COMMAND = re.compile(r"^\s*::|##\[", re.MULTILINE)
EVIL = "</pre><script>alert(1)</script> | **x** [a](javascript:b) @someone \n::error::forged\x1b[2J {ratio}"


def documents() -> list[dict[str, Any]]:
    names = ("cpu-only", "accelerator-wins", "trouble")
    read = [json.loads((RECORDED / f"{name}.json").read_bytes()) for name in names]
    chance = random.Random(5)
    for document in copy.deepcopy(read):
        facts = check_ups.timed({("cnn", "small"): {"cpu": [chance.uniform(9, 10) for _ in range(8)]}})
        issues = [{"id": "x", "device": "mps", "outcome": "fine", "kind": "wrong", "recorded": "bad"}]
        document["checks"] += [{"id": "known-issues", "title": "", "source": "", "status": "pass"}]
        for check in document["checks"]:
            check["facts"] = {"training": facts, "known-issues": {"issues": issues}}.get(
                check["id"], check.get("facts")
            )
        read.append(document)
    return read


def changed(document: dict[str, Any], chance: random.Random) -> Report:
    """A report that can be read, with something changed in it."""
    while True:
        try:
            return read_report(json.dumps(hostile.change(document, chance)).encode())
        except UnfitError:
            continue


def test_any_two_reports_can_be_compared_and_shown() -> None:
    """No exception, no control characters, no command for a CI runner in any format."""
    chance, choices = random.Random(2), documents()
    for number in range(60):
        old, new = (changed(chance.choice(choices), chance) for _ in range(2))
        comparison = compare(old, new)
        for form, renderer in FORMATS.items():
            text = renderer.render(comparison, Style(verbosity=number % 2))
            assert not clean.has_controls(text), form
            assert not COMMAND.search(text), form


def evil(name: str = "operators", **facts: Any) -> dict[str, Any]:
    check = {"id": name, "title": EVIL, "source": EVIL, "status": "fail", "facts": facts}
    finding = {"code": "MPS999", "severity": "error", "title": EVIL}
    document = json.loads((RECORDED / "cpu-only.json").read_bytes())
    return {**document, "checks": [{**check, "findings": [finding]}], "devices": [], "verdict": None}


@pytest.mark.parametrize("form", FORMATS)
def test_words_of_a_report_are_only_words(form: str) -> None:
    """No line, no markup, no template of their own."""
    row = {"op": EVIL, "device": EVIL, "dtype": EVIL, "direction": EVIL, "detail": "", "variants": [EVIL]}
    old = read_report(json.dumps(evil(results=[{**row, "outcome": "ok"}])).encode())
    new = read_report(json.dumps({**evil(results=[{**row, "outcome": "wrong"}]), "checks": [
        {**evil(results=[{**row, "outcome": "wrong"}])["checks"][0], "findings": []}]}).encode())  # fmt: skip
    text = FORMATS[form].render(compare(old, new), Style())
    assert "MPS999" in text
    assert not re.search(r"^\s*::error", text, re.MULTILINE)
    assert "<script>" not in text or form in ("text", "json")
    assert "\x1b" not in text


@pytest.mark.parametrize(
    "blocks", [[0, 0, 0], [-1.0, 2, 3], [1e308, 1e-308, 1], [True, True, True], [10**400] * 3, ["x", "y", "z"], "x", {}]
)
def test_figures_that_are_no_times_are_left_out(blocks: Any) -> None:
    """As if they were not there."""
    result = {"workload": "cnn", "size": "small", "device": "cpu", "outcome": "ok", "step_ms": 1.0}
    runs = [{"workload": "cnn", "size": "small", "blocks_ms": {"cpu": blocks}}]
    report = read_report(json.dumps(evil("training", results=[result], runs=runs)).encode())
    assert [row.answer for row in compare(report, report).speeds] == ["unknown"]


def test_a_flood_of_rows_is_compared_in_bounded_time() -> None:
    """1,500 findings of one code, 1,500 trainings of many blocks: what is quadratic takes minutes."""
    findings = [{"code": "MPS311", "severity": "error", "title": f"x{chr(97 + number % 26) * (number // 26)}"[:200]}
                for number in range(1_500)]  # fmt: skip
    rows = [{"workload": f"w{number}", "size": "s", "device": "cpu", "outcome": "ok", "step_ms": 1.0}
            for number in range(1_500)]  # fmt: skip
    runs = [{"workload": row["workload"], "size": "s", "blocks_ms": {"cpu": [1.0] * 60}} for row in rows]
    document = evil("training", results=rows, runs=runs)
    document["checks"][0]["findings"] = findings
    report = read_report(json.dumps(document).encode())
    begun = time.monotonic()
    assert compare(report, report).changes == ()
    assert time.monotonic() - begun < 20
