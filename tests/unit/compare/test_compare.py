"""What changed between two check-ups."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from helpers import check_ups
from helpers.check_ups import NOISES, RECORDED, recorded, with_check
from mpsdoctor.compare import compare
from mpsdoctor.compare.shapes import Change, Comparison
from mpsdoctor.formats import Style
from mpsdoctor.formats.compared import FORMATS
from mpsdoctor.report import CheckResult, Finding, Report, Torch, Verdict

NAMES = ("cpu-only", "accelerator-wins", "trouble")
TURNED = {"better": "worse", "worse": "better", "neutral": "neutral"}
GOLDEN = {"text": "txt", "json": "json", "markdown": "md", "html": "html"}
ROW = {"op": "aten::cumsum", "device": "sim", "dtype": "float32", "direction": "forward", "detail": ""}


def pair(slower: float = 1.0, noise: str = "quiet", counts: tuple[int, ...] = (10,)) -> tuple[Report, Report]:
    """Two check-ups of the standard budget; in the second one all trainings take so many times as long."""
    chance, sizes = random.Random(7), ("small", "medium")
    factors = {(family, size): slower for family in check_ups.FAMILIES for size in sizes}
    old, new = (check_ups.check_up(chance, NOISES[noise], sizes, counts, slow) for slow in (None, factors))
    return old, new


def replace(report: Report, **fields: Any) -> Report:
    return msgspec.structs.replace(report, **fields)


def on_machine(report: Report, **fields: Any) -> Report:
    return replace(report, machine=replace_any(report.machine, **fields))


def replace_any(struct: Any, **fields: Any) -> Any:
    return msgspec.structs.replace(struct, **fields)


def with_findings(
    *findings: Finding, check: str = "operators", status: Any = "warn", budget: Any = "standard"
) -> Report:
    """A report with these findings alone."""
    result = CheckResult("operators", "", "mpsdoctor 0.1.0", status, findings=findings)
    return replace(recorded("cpu-only"), checks=(result,), budget=budget)


def found(severity: Any = "warning", title: str = "cumsum differs", code: str = "MPS311") -> Finding:
    return Finding(code, severity, title)


def probed(**outcomes: str) -> Report:
    """A report with the outcome of an operator by dtype."""
    rows = [{**ROW, "dtype": dtype, "outcome": outcome, "variants": ["sliced"]} for dtype, outcome in outcomes.items()]
    return with_check(recorded("cpu-only"), "operators", results=rows)


def updated(report: Report) -> Report:
    """The same machine after an update: torch, an operator that is wrong now, a known issue that is mended."""
    torch = Torch("2.14.0", False, False, False)
    rows = [{**ROW, "outcome": "wrong", "variants": ["sliced", "transposed"]}]
    issues = [{"id": "cumsum-int64", "kind": "wrong", "device": "sim", "recorded": "bad", "outcome": "fine"}]
    report = with_check(with_check(report, "operators", results=rows), "known-issues", issues=issues)
    return on_machine(replace(report, torch=torch), os_version="debian 13")


def before_update(report: Report) -> Report:
    rows = [{**ROW, "outcome": "ok", "variants": ["sliced", "transposed"]}]
    issues = [{"id": "cumsum-int64", "kind": "wrong", "device": "sim", "recorded": "bad", "outcome": "wrong"}]
    return with_check(with_check(report, "operators", results=rows), "known-issues", issues=issues)


def results(report: Report) -> list[dict[str, Any]]:
    return [row for check in report.checks if check.id == "training" for row in check.facts["results"]]


def told(comparison: Comparison, kind: str) -> list[tuple[str, str]]:
    return [(change.what, change.direction) for change in comparison.changes if change.kind == kind]


@pytest.mark.parametrize("report", [*map(recorded, NAMES), *pair(1.2, "noisy", (3, 8))])
def test_a_report_beside_itself_shows_nothing(report: Report) -> None:
    """No change, and no speed that differs."""
    comparison = compare(report, report)
    assert comparison.changes == ()
    assert {row.answer for row in comparison.speeds} <= {"same", "open", "unknown"}


SIDES: list[Callable[[], tuple[Report, Report]]] = [
    lambda: (recorded("cpu-only"), recorded("trouble")),
    lambda: (recorded("accelerator-wins"), recorded("trouble")),
    lambda: pair(1.2),
    lambda: (before_update(pair()[0]), updated(pair(1.3)[1])),
    lambda: (probed(float16="ok", int64="wrong"), probed(float16="nan", int64="crash")),
    lambda: (with_findings(found(), found(title="x")), with_findings(found("error"), budget="quick")),
]


@pytest.mark.parametrize("sides", SIDES)
def test_the_other_way_round_everything_is_turned(sides: Callable[[], tuple[Report, Report]]) -> None:
    """What was new is gone, what was better is worse, and what could not be compared cannot be."""
    old, new = sides()
    there, back = compare(old, new), compare(new, old)

    def turn(change: Change) -> tuple[Any, ...]:
        return (change.what, change.kind, repr(change.after), repr(change.before), TURNED[change.direction])

    def plain(change: Change) -> tuple[Any, ...]:
        return (change.what, change.kind, repr(change.before), repr(change.after), change.direction)

    assert sorted(map(turn, back.changes)) == sorted(map(plain, there.changes))
    assert there.comparable == back.comparable
    assert len(there.why_not) == len(back.why_not)


@pytest.mark.parametrize("form", GOLDEN)
@pytest.mark.parametrize("name", ["update", "not-comparable"])
def test_formats_stay_as_they_were_reviewed(form: str, name: str) -> None:
    """Golden files: changed only on purpose."""
    old, new = pair(1.1)
    if name == "not-comparable":
        new = replace(on_machine(new, chip="Apple M4"), budget="quick")
    text = FORMATS[form].render(compare(before_update(old), updated(new)), Style())
    file = RECORDED / f"compare-{name}.{GOLDEN[form]}"
    if os.environ.get("MPSDOCTOR_GOLDEN") == "write":  # on purpose: look at the difference
        file.write_text(text)
    assert text == file.read_text()


def test_all_trainings_slower_by_a_tenth_are_told() -> None:
    """Each with its ratio, and the CPU as a whole."""
    comparison = compare(*pair(1.1))
    assert comparison.comparable
    speeds = told(comparison, "speed")
    assert ("all cpu", "worse") in speeds
    assert ("cnn medium cpu", "worse") in speeds
    row = next(row for row in comparison.speeds if row.workload is None)
    assert row.ratio == pytest.approx(1 / 1.1, rel=0.02)


def test_one_training_twice_as_slow_is_told_from_three_blocks() -> None:
    """Three blocks of each are few, and the others have not changed."""
    chance, sizes = random.Random(3), ("small",)
    old, new = (
        check_ups.check_up(chance, NOISES["quiet"], sizes, (3,), slow) for slow in (None, {("cnn", "small"): 2.0})
    )
    assert told(compare(old, new), "speed") == [("cnn small cpu", "worse")]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda new: on_machine(new, chip="Apple M4"),
            "the chip is another: an old one, then Apple M4",
        ),
        (lambda new: on_machine(new, memory_bytes=1 << 34), "the memory is another: 23.5 GiB, then 16 GiB"),
        (lambda new: replace(new, budget="thorough"), "the budget is another: quick, then thorough"),
        (
            lambda new: with_check(new, "training", doubtful=True, disturbances=["swap"]),
            "the timings of the new report were disturbed: swap",
        ),
        (
            lambda new: with_check(new, "training", conditions={"after": {"pressure": "warning"}}),
            "memory was under pressure in the new report",
        ),
        (
            lambda new: with_check(new, "training", conditions={"before": {"thermal_state": "fair"}}),
            "the machine was warm in the new report",
        ),
        (
            lambda new: with_check(new, "training", conditions={"before": {"low_power": True}}),
            "low power mode was on in the new report alone",
        ),
        (
            lambda new: with_check(new, "training", runs=[]),
            "the new report does not hold the single blocks of its timings",
        ),
    ],
)
def test_what_cannot_be_compared_is_told_with_its_reason(change: Callable[[Report], Report], reason: str) -> None:
    """And no speed is; the rows say that it cannot be told."""
    old, new = (on_machine(side, chip="an old one") for side in pair(2.0))
    old = with_check(old, "training", conditions={"before": {"low_power": False}})
    comparison = compare(old, change(new))
    assert (comparison.comparable, comparison.why_not) == (False, (reason,))
    assert {row.answer for row in comparison.speeds} == {"unknown"}
    assert told(comparison, "speed") == []


def test_blocks_that_drift_are_not_compared() -> None:
    """On a busy machine two check-ups differ by any factor."""
    comparison = compare(*pair(1.0, "busy"))
    assert not comparison.comparable
    assert "the timings are not steady" in comparison.why_not[0]


def test_figures_that_do_not_come_from_the_blocks_are_not_compared() -> None:
    """A report that was edited, or whose blocks are those of another measurement."""
    old, new = pair()
    rows = [{**row, "step_ms": 3 * row["step_ms"]} for row in results(new)]
    assert compare(old, with_check(new, "training", results=rows)).comparable is False


def test_a_cpu_with_other_threads_is_not_compared() -> None:
    """It trains in another way, and the number of threads is told instead."""
    old, new = (with_check(side, "build", num_threads=count) for side, count in zip(pair(2.0), (8, 1), strict=True))
    comparison = compare(old, new)
    assert comparison.why_not == ("no training was timed in the same way in both reports",)
    assert told(comparison, "version") == [("cpu threads", "neutral")]


def test_another_machine_is_no_comparison_even_without_timings() -> None:
    """And what only one report timed is told as such."""
    old, timed = recorded("cpu-only"), pair()[0]
    old = with_check(old, "training", results=[], runs=[])
    assert compare(old, on_machine(old, chip="Apple M4")).comparable is False
    assert compare(old, old).comparable is True
    assert compare(old, timed).why_not == ("the old report has no timings",)


def test_versions_come_by_risk() -> None:
    """torch before the system, Python, the chip and mpsdoctor."""
    old = recorded("cpu-only")
    new = on_machine(replace(updated(old), python=replace_any(old.python, version="3.12.1")), chip="Apple M4")
    comparison = compare(old, replace(new, tool=replace_any(old.tool, version="0.2.0")))
    assert [what for what, _ in told(comparison, "version")] == ["torch", "Linux", "python", "chip", "mpsdoctor"]
    assert comparison.changes[0].detail == "another minor version: operators and speed may be others"


def test_a_torch_that_cannot_be_imported_any_more_is_worse() -> None:
    """And one that can again is better."""
    old = recorded("cpu-only")
    new = replace(old, torch=Torch("2.13.0+cpu", error="libtorch is missing"))
    assert told(compare(old, new), "version") == [("import torch", "worse")]
    assert told(compare(new, old), "version") == [("import torch", "better")]


def test_a_device_that_cannot_be_used_any_more_is_worse() -> None:
    """With the reason."""
    old = recorded("accelerator-wins")
    lost = tuple(
        replace_any(device, usable=False, reason="it hangs") if device.device == "sim" else device
        for device in old.devices
    )
    [change] = compare(old, replace(old, devices=lost)).changes
    assert (change.what, change.before, change.after, change.direction) == (
        "device sim",
        "usable",
        "not usable",
        "worse",
    )
    assert change.detail == "it hangs"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ((), (found(),), [("MPS311", "worse")]),
        ((found(),), (), [("MPS311", "better")]),
        ((found(),), (found("error"),), [("MPS311", "worse")]),
        ((), (found("info"),), [("MPS311", "neutral")]),
        ((found(title="3 of 8"),), (found(title="4 of 8"),), []),
        ((found(title="a and b"),), (found(title="b"),), []),
        ((found(title="a"), found(title="b")), (found(title="b"),), [("MPS311", "better")]),
        ((), (found(code="MPS402"),), [("MPS402", "neutral")]),
        ((), (found(code="MPS521"),), []),
    ],
)
def test_findings_are_new_gone_or_worse(
    old: tuple[Finding, ...], new: tuple[Finding, ...], expected: list[tuple[str, str]]
) -> None:
    """By code and title, whatever its figures are; what is of the moment is neither, and what is of the run is none."""
    assert told(compare(with_findings(*old), with_findings(*new)), "finding") == expected


def test_what_was_not_looked_for_is_neither_new_nor_gone() -> None:
    """A check that did not run shows no finding, and a smaller budget shows fewer."""
    one, none = with_findings(found()), with_findings()
    assert compare(one, with_findings(status="skip")).changes == ()
    assert compare(one, replace(none, checks=())).changes == ()
    assert told(compare(one, with_findings(budget="quick")), "finding") == [("MPS311", "neutral")]
    assert told(compare(with_findings(budget="quick"), one), "finding") == [("MPS311", "neutral")]


@pytest.mark.parametrize(
    ("before", "after", "direction"),
    [
        ("ok", "wrong", "worse"),
        ("ok", "fallback", "worse"),
        ("wrong", "unimplemented", "better"),
        ("crash", "nan", "worse"),
        ("dtype", "ok", "better"),
        ("error", "crash", "neutral"),
        ("ok", "skipped", None),
        ("ok", "melted", None),
    ],
)
def test_operators_are_graded_by_their_outcome(before: str, after: str, direction: str | None) -> None:
    """Silently wrong numbers are worse than an end that is seen; what was not tried is no change."""
    expected = [("aten::cumsum forward sim", direction)] if direction else []
    assert told(compare(probed(float32=before), probed(float32=after)), "operator") == expected


def test_dtypes_of_an_operator_that_change_alike_are_one_change() -> None:
    """And a dtype that only one report probed is none."""
    [change] = compare(probed(int64="ok", float16="ok"), probed(int64="nan", float16="nan", bool="wrong")).changes
    assert change.detail == "2 probes: float16, int64; sliced"


def test_known_issues_are_compared_where_both_tried_them() -> None:
    """A report without that check has none."""
    old, new = before_update(recorded("cpu-only")), updated(recorded("cpu-only"))
    assert told(compare(old, new), "finding") == [("cumsum-int64 sim", "better")]
    assert told(compare(recorded("cpu-only"), new), "finding") == []


def test_a_training_that_turns_to_nan_is_worse() -> None:
    """It is told although speeds cannot be compared."""
    old, new = pair()
    rows = [
        {**row, "outcome": "nan", "step_ms": None} for check in new.checks for row in check.facts.get("results", ())
    ]
    new = replace(with_check(new, "training", results=rows), budget="thorough")
    assert ("cnn small cpu", "worse") in told(compare(old, new), "speed")


@pytest.mark.parametrize(
    ("devices", "confidence", "direction"),
    [(("sim", "cpu"), "high", "worse"), (("cpu", "sim"), "medium", "better"), (("sim", "cpu"), "low", "neutral")],
)
def test_another_verdict_is_told(devices: tuple[str, str], confidence: Any, direction: str) -> None:
    """To lose an accelerator is worse; a verdict that was not sure is another, and no more."""
    old, new = (replace(recorded("cpu-only"), verdict=Verdict(device, confidence, ())) for device in devices)
    assert told(compare(old, new), "verdict") == [("device", direction)]


def test_a_comparison_follows_its_schema() -> None:
    """As `mpsdoctor schema compare` prints it."""
    import jsonschema

    from mpsdoctor.formats import schemas

    comparison = compare(before_update(pair()[0]), updated(pair(1.1)[1]))
    jsonschema.validate(json.loads(msgspec.json.encode(comparison)), schemas.schema("compare"))


def test_no_two_of_a_hundred_check_ups_tell_a_change() -> None:
    """Simulated with the noise of a usual machine; tests/bench/bench_compare.py has a thousand, and other noises."""
    chance = random.Random(11)
    sides = [check_ups.check_up(chance, NOISES["usual"], ("small", "medium"), (3, 8, 10)) for _ in range(100)]
    pairs = [compare(old, new) for old, new in zip(sides[::2], sides[1::2], strict=True)]
    assert sum(bool(pair.changes) for pair in pairs) <= 1


def test_nine_of_ten_slowdowns_by_a_twentieth_are_found_on_a_quiet_machine() -> None:
    """In at least one training, or in all together."""
    chance = random.Random(12)
    slower = {(family, size): 1.05 for family in check_ups.FAMILIES for size in ("small", "medium")}
    count = 0
    for _ in range(40):
        old, new = (
            check_ups.check_up(chance, NOISES["quiet"], ("small", "medium"), (6, 8, 10), slow)
            for slow in (None, slower)
        )
        count += compare(old, new).worse
    assert count >= 36


def test_an_update_that_changes_each_family_by_another_factor_is_compared() -> None:
    """Ratios that scatter are not taken for noise as a whole: what is 40 % slower is told beside what is faster."""
    chance, sizes = random.Random(13), ("small", "medium")
    by_family = dict(zip(check_ups.FAMILIES, (0.8, 1.0, 1.15, 1.4), strict=True))
    factors = {(family, size): factor for family, factor in by_family.items() for size in sizes}
    old, new = (check_ups.check_up(chance, NOISES["quiet"], sizes, (6, 8, 10), slow) for slow in (None, factors))
    speeds = told(compare(old, new), "speed")
    assert {("cnn medium cpu", "worse"), ("mlp medium cpu", "better")} <= set(speeds)


def test_the_text_fits_80_columns() -> None:
    """Also with the long name of a step of one's own, which takes a line."""
    name = "a step of my own with a name of forty ch"
    blocks = {side: check_ups.timed({(name, "step"): {"cpu": [side + number / 50 for number in range(8)]}})
              for side in (10.0, 20.0)}  # fmt: skip
    old, new = (with_check(recorded("cpu-only"), "training", **facts) for facts in blocks.values())
    text = FORMATS["text"].render(compare(before_update(old), updated(new)), Style())
    assert f"\n{name}\n" in text
    assert "(0.4" in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_golden_files_are_all_there() -> None:
    """A file a format."""
    assert len(list(Path(RECORDED).glob("compare-*"))) == 2 * len(GOLDEN)
