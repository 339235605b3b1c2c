"""What the findings say of canaries, and what the verdict and the profile make of them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from mpsdoctor import faulty, prescription, retold, texts
from mpsdoctor.facts.issues import IssueFacts, IssueRow
from mpsdoctor.issues import read_issues
from mpsdoctor.report import Finding
from mpsdoctor.verdict import judge_checkup
from mpsdoctor_checks.known_issues.rules import MOST_FINDINGS, judge

BY_ID = {issue["id"]: issue for issue in read_issues()}
CORE, OTHER = "linear-transposed-weight-no-graph", "sort-transposed-input"


def row(issue: str = CORE, outcome: str = "wrong", recorded: str = "bad", **more: Any) -> IssueRow:
    told: Any = {"id": issue, "kind": "wrong", "device": "mps", "recorded": recorded, "outcome": outcome}
    known: Any = {**told, "detail": "off by 2", "op": BY_ID[issue]["op"], "core": issue == CORE, **more}
    made: IssueRow = known
    return made


def facts(*rows: IssueRow) -> IssueFacts:
    return {"issues": list(rows), "torch": "2.8.0", "macos": "15.6", "chip": "Apple M2"}


def only(*rows: IssueRow) -> Finding:
    (told,) = judge(facts(*rows))
    return told


@pytest.mark.parametrize(
    ("outcome", "recorded", "code", "severity"),
    [
        ("wrong", "bad", "MPS701", "error"),
        ("nan", "bad", "MPS701", "error"),
        ("fine", "bad", "MPS702", "info"),
        ("wrong", "good", "MPS703", "error"),
        ("nan", "unknown", "MPS703", "error"),
        ("crash", "bad", "MPS704", "error"),
        ("crash", "good", "MPS704", "error"),
        ("hang", "bad", "MPS705", "error"),
        ("leak", "unknown", "MPS706", "error"),
        ("error", "bad", "MPS707", "warning"),
        ("slow", "bad", "MPS708", "warning"),
        ("skipped", "bad", "MPS709", "info"),
    ],
)
def test_each_outcome_has_its_finding(outcome: str, recorded: str, code: str, severity: str) -> None:
    told = only(row(outcome=outcome, recorded=recorded))
    assert (told.code, told.severity) == (code, severity)


@pytest.mark.parametrize("recorded", ["good", "unknown"])
@pytest.mark.parametrize("outcome", ["fine", "skipped"])
def test_what_is_neither_recorded_nor_wrong_is_no_finding(outcome: str, recorded: str) -> None:
    assert judge(facts(row(outcome=outcome, recorded=recorded))) == []


def test_a_recorded_one_tells_the_way_around() -> None:
    """What is wrong, what came out here, that every training depends on it, how to go around it, and its sources."""
    told = only(row())
    assert told.title == f"linear is wrong on mps, as recorded: {CORE}"
    assert "Here: off by 2. It is recorded as wrong for torch 2.8.0 on macOS 15.6." in told.detail
    assert told.detail.endswith("so the device is ruled out.")
    assert told.remedy
    assert ".contiguous()" in told.remedy.text
    assert told.remedy.commands == (f"mpsdoctor explain {CORE}",)
    assert told.links[0].endswith("/161640")


def test_a_new_one_says_what_to_report_and_where() -> None:
    told = only(row(OTHER, recorded="good"))
    assert told.title.startswith("New: sort is wrong on mps")
    assert "not recorded as wrong for torch 2.8.0 on macOS 15.6; it is for torch 2.10.0 to before 2.13.0" in told.detail
    assert told.remedy
    assert "https://github.com/pytorch/pytorch/issues" in told.remedy.text


def test_of_another_accelerator_its_maker_is_told() -> None:
    told = only(row(OTHER, recorded="unknown", device="sim"))
    assert "another kind of device" in told.detail
    assert told.remedy
    assert "who makes the back end sim" in told.remedy.text


def test_what_is_fine_is_one_line_for_all() -> None:
    told = only(*(row(issue, "fine") for issue in (CORE, OTHER)))
    assert told.title == "recorded issues that are not present on mps: 2"


def test_findings_are_bounded_and_the_gravest_stand_first() -> None:
    rows = [row(OTHER, "slow"), *(row(OTHER) for _ in range(100))]
    told = judge(facts(*rows))
    assert len(told) == MOST_FINDINGS
    assert told[0].severity == "error"


def test_what_pytorch_expects_itself_stands_beside() -> None:
    listed: Any = {**facts(), "expected_by_torch": {"probed": ["aten::cumsum"], "not_probed": ["aten::igamma"]}}
    (told,) = judge(listed)
    assert told.code == "MPS710"
    assert "Tried by our probes: cumsum. Recorded by PyTorch and not tried here: igamma." in told.detail


def checkup(*rows: IssueRow, **more: Any) -> Any:
    devices = [{"device": device, "name": None, "usable": True, "reason": None} for device in ("cpu", "mps")]
    return {"build": {"devices": devices}, "known-issues": facts(*rows), **more}


def test_what_every_training_depends_on_rules_a_device_out() -> None:
    """As a wrong operator does; the CPU is what is left."""
    verdict = judge_checkup(checkup(row()))
    assert verdict
    assert (verdict.device, verdict.confidence) == ("cpu", "high")
    assert "mps is out, it fails at what every training needs: linear (wrong)" in verdict.reasons[0]


def test_others_are_named() -> None:
    verdict = judge_checkup(checkup(row(OTHER, "crash"), row(CORE, "fine"), row("max-ignores-nan", "skipped")))
    assert verdict
    assert any("known issues are present on mps: sort-transposed-input." in reason for reason in verdict.reasons)
    assert not any("is out" in reason for reason in verdict.reasons)


def test_neither_speed_nor_a_leak_rules_out() -> None:
    assert not faulty.rules_out(row(outcome="leak"))
    assert not faulty.rules_out(row(outcome="slow"))
    assert not faulty.rules_out(row(outcome="error"))  # it says so itself
    assert faulty.rules_out(row(outcome="hang"))
    assert not faulty.rules_out(row(device="cpu"))


def test_the_probes_stay_what_they_are() -> None:
    """Failures of known issues come on top of those of probes, in a copy."""
    failure = {"op": "aten::softmax", "entry": "softmax", "outcome": "wrong"}
    operators: Any = {"results": [{"op": "x"}], "core_failures": {"mps": [failure]}}
    merged: Any = faulty.operators_of(checkup(row(), operators=operators))
    assert [each["op"] for each in merged["core_failures"]["mps"]] == ["aten::softmax", "aten::linear"]
    assert len(operators["core_failures"]["mps"]) == 1


def test_without_wrong_ones_nothing_changes() -> None:
    operators: Any = {"results": [], "core_failures": {}}
    assert faulty.operators_of(checkup(row(outcome="fine"), operators=operators)) is operators
    assert faulty.operators_of(checkup()) is None


def test_the_profile_keeps_them_by_id() -> None:
    """Those that rule out first."""
    operators = faulty.operators_of(checkup(row(OTHER, "leak"), row()))
    rows = prescription.known_wrong(None, operators)
    assert rows == [
        {"id": CORE, "device": "mps", "what": "wrong"},
        {"id": OTHER, "device": "mps", "what": "leak"},
    ]


def test_every_sentence_can_be_told_again_from_its_values() -> None:
    """What a report carries is filled again, for another language."""
    for outcome in ("wrong", "crash", "hang", "leak", "error", "slow", "fine", "skipped"):
        for recorded in ("bad", "good"):
            for told in judge(facts(row(outcome=outcome, recorded=recorded))):
                values = texts.from_data(dict(told.values or {}))
                values.pop("templates", None)
                assert texts.fill(told.code, "detail", values) == told.detail


def test_what_is_recorded_is_told_in_chinese_and_kept_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence that this version does not know, as that of a newer one's report, stays as it is."""
    told = only(row(OTHER))
    monkeypatch.setattr(texts, "_language", "zh")
    chinese = retold.finding(told)
    assert chinese.detail.startswith("对转置的张量，sort、argsort 和 msort 按存储顺序排序，而不是按视图。")  # noqa: RUF001
    assert chinese.remedy
    assert chinese.remedy.text == "绕开的办法：先对张量调用 .contiguous()。"  # noqa: RUF001
    assert chinese.values == told.values
    newer = msgspec.structs.replace(told, values={**(told.values or {}), "what": "Some fault."})
    assert retold.finding(newer).detail.startswith("Some fault.\n")
