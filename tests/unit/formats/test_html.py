"""The page of a report: what stands on it and where, from recorded reports and from such as a stranger may send."""

from __future__ import annotations

import re
import subprocess
import sys
from html import unescape
from typing import Any

import msgspec
import pytest

from helpers import long_report
from helpers.check_ups import RECORDED, recorded, with_check
from mpsdoctor import texts
from mpsdoctor.formats import FORMATS, Style, curves, drawing, matrix, rows
from mpsdoctor.report import Finding, Report

SECTIONS = ("verdict", "findings", "training", "operators", "known-issues", "libraries", "conditions", "unknown")
FULL = long_report.full()
FULL_TRAINING: Any = next(check.facts for check in FULL.checks if check.id == "training")


def page(report: Report) -> str:
    return FORMATS["html"].render(report, Style())


def section(html: str, name: str) -> str:
    """The text of a section, without its markup."""
    begin = html.index(f'<section id="{name}">')
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html[begin : html.index("</section>", begin)])).split())


@pytest.fixture(scope="module")
def html() -> str:
    return page(FULL)


def test_sections_follow_each_other_from_the_verdict_to_what_is_not_known(html: str) -> None:
    """A report that has all facts has all sections, in this order."""
    assert tuple(re.findall(r'<section id="([\w-]+)">', html)) == SECTIONS


@pytest.mark.parametrize("name", ["cpu-only", "trouble", "accelerator-wins"])
def test_a_report_that_knows_less_has_fewer_sections(name: str) -> None:
    """Verdict, conditions and what is not known are always told; nothing stands empty."""
    found = re.findall(r'<section id="([\w-]+)">', page(recorded(name)))
    assert [each for each in SECTIONS if each in found] == found
    assert {"verdict", "conditions", "unknown"} <= set(found)
    assert {"known-issues", "libraries"}.isdisjoint(found)


def test_the_verdict_comes_first_with_all_its_reasons(html: str) -> None:
    assert FULL.verdict
    told = section(html, "verdict")
    assert told.startswith(" ".join(rows.headline(FULL).split()))
    assert all(reason in told for reason in FULL.verdict.reasons)


def test_grave_findings_are_open_and_others_folded() -> None:
    """What is good to know stands in a fold of its own."""
    html = page(recorded("trouble"))
    opened = re.findall(r'<details open class="finding[ \w]*">\s*<summary><b class="(\w+)"', html)
    folded = re.findall(r'<details class="finding[ \w]*">\s*<summary><b class="(\w+)"', html)
    severities = [finding.severity for _, finding in rows.findings(recorded("trouble"))]
    assert opened == ["error"] * severities.count("error")
    assert folded == [severity for severity in severities if severity != "error"]
    assert html.index("Good to know (") < html.index('<b class="info"')


def test_an_operator_that_is_not_right_has_a_letter_a_column_and_what_was_seen() -> None:
    """Dtypes and layouts, the message, and the finding that names it."""
    html = page(recorded("accelerator-wins"))
    row = r'<summary class="row"><b>group_norm <small>sim</small></b>(.*?)</summary>(.*?)</details>'
    summary, head = re.search(row, html, re.S), re.search(r'aria-hidden="true">(.*?)</div>', html)
    assert summary
    assert head
    letters = re.findall(r"<i(?: class=\w+)?>(\w?)</i>", summary[1])
    assert len(letters) == len(re.findall("[→←]", head[1]))
    assert set(letters) <= {matrix.mark(outcome)[0] for outcome in matrix.OUTCOMES} | {""}
    assert "float32, float16, bfloat16 forward, backward: channels_last" in summary[2]
    assert "MPS3" in summary[2]


def test_operators_that_are_right_are_named_by_what_was_tried(html: str) -> None:
    """Dtypes and directions once, then the names."""
    told = section(html, "operators")
    assert "Right in all that was tried" in told
    assert re.search(r"mps: float32, float16, bfloat16, bool, int64 forward, backward \(57\)", told)


def test_a_prediction_and_a_model_have_their_answer_above_the_operators() -> None:
    """With the lines of the person's code that make the calls."""
    report = with_check(recorded("cpu-only"), "operators", results=[], said="runs\nbut nothing was run")
    assert section(page(report), "operators") == "Operators runs but nothing was run"
    row: dict[str, Any] = {
        "op": "aten::cumsum",
        "device": "mps",
        "dtype": "float32",
        "direction": "forward",
        "outcome": "wrong",
    }
    row |= {"variants": ["contiguous"], "detail": "", "place": "train.py:6", "made_at": None, "code": "x.cumsum(0)"}
    model = {"answers": {"mps": {"answer": "runs but wrong"}}}
    told = section(page(with_check(recorded("cpu-only"), "operators", results=[row], model=model)), "operators")
    assert told.startswith("Operators (1) mps: runs but wrong 1 wrong")
    assert "float32 forward: contiguous train.py:6: x.cumsum(0)" in told


def test_charts_draw_every_settled_time_with_its_interval() -> None:
    """A mark each; a whisker where the interval tells something, a hollow mark else."""
    report = recorded("accelerator-wins")
    timed = list(rows.timed(report))
    marks = [mark for chart in drawing.by_size(report) for curve in chart.curves for mark in curve.marks]
    assert len(marks) == len(timed)
    assert sum(mark.ends is not None for mark in marks) == sum("not settled" not in row.interval for row in timed)
    html = page(report)
    assert html.count(' whisker"') == sum(mark.ends is not None for mark in marks)
    assert html.count(' hollow"') == sum(mark.ends is None for mark in marks)


def test_marks_lie_within_the_picture_and_slow_is_high(html: str) -> None:
    """Both axes are logarithmic; the slower of two lies above."""
    for chart in (*drawing.by_size(FULL), *drawing.by_batch(FULL)):
        for curve in chart.curves:
            for mark in curve.marks:
                ends = (mark.y, *(mark.ends or ()))
                assert drawing.LEFT < mark.x < drawing.WIDTH - drawing.RIGHT + drawing.APART
                assert all(drawing.TOP <= end <= drawing.HEIGHT - drawing.BOTTOM for end in ends)
    workload, points = next(iter(curves.by_workload(FULL_TRAINING).items()))
    chart = next(chart for chart in drawing.by_size(FULL) if chart.title == workload)
    for curve in chart.curves:
        of_device = [point for point in points if point.device == curve.name]
        slower = sorted(zip((p.ms for p in of_device), (m.y for m in curve.marks), strict=True))
        assert [y for _, y in slower] == sorted((y for _, y in slower), reverse=True)


def test_crossovers_are_marked_and_told(html: str) -> None:
    """Of sizes and of batches; the line of the CPU's speed lies across the second."""
    told = section(html, "training")
    assert "crossover at about 144k parameters: mps is faster beyond" in told
    assert "crossover at about batch 96: mps is faster beyond" in told
    assert html.count('class="crossing"') == 2
    assert html.count('class="level"') == 1


def test_batch_sizes_of_a_step_of_ones_own_are_drawn() -> None:
    """Of `bench --find-batch`, whose intervals are of samples a second."""
    tries = [
        {"batch": 2**n, "outcome": "ok", "step_ms": 1000.0, "ci95": [2**n / (1.1 if n else 50), 2**n / 0.9]}
        for n in range(5)
    ]
    search = {"device": "mps", "tries": [*tries, {"batch": 64, "outcome": "over", "step_ms": 80.0, "ci95": None}]}
    report = with_check(recorded("cpu-only"), "training", results=[], workload="mine", batch_search=[search])
    (chart,) = drawing.by_try(report)
    assert chart.title == "mine"
    (curve,) = chart.curves
    assert [mark.ends is None for mark in curve.marks] == [True, False, False, False, False]
    assert all(mark.ends[0] < mark.y < mark.ends[1] for mark in curve.marks if mark.ends)
    assert chart.notes == ["○ not settled"]
    assert "Step time by batch size" in page(report)


def test_trainings_that_failed_are_told_with_what_was_seen() -> None:
    told = section(page(recorded("trouble")), "training")
    assert "diverged" in told
    assert "times its length away from the CPU's" in told


def test_known_issues_that_are_present_come_before_those_that_are_not(html: str) -> None:
    """With what is recorded of them; the others in groups by what is recorded."""
    told = section(html, "known-issues")
    assert told.index("wrong sort-transposed-input") < told.index(
        "mps: recorded as wrong for this torch and macOS, right here (1)"
    )
    assert "mps: not tried (1)" in told
    assert "It takes:" in told


def test_libraries_tell_what_they_take_and_the_line_to_write(html: str) -> None:
    told = section(html, "libraries")
    assert "transformers 5.23.1 mps yes TrainingArguments(use_cpu=device.type == 'cpu')" in told


def test_conditions_tell_before_and_after_and_what_disturbed(html: str) -> None:
    told = section(html, "conditions")
    assert "swap in use 0 bytes 512 MiB" in told
    assert "low power mode no no" in told
    assert "other programs took 30 % of the processors between workloads" in told
    assert FULL.generated_at in told


def test_what_is_not_known_is_said(html: str) -> None:
    """Checks left out, trainings not timed or not settled, issues not tried, silence of the machine, limits."""
    told = section(html, "unknown")
    for words in (
        "Memory and swap: left out",
        "Not timed: cnn large (no time was left).",
        "Whether mps is faster than the CPU is not settled: mlp medium.",
        "Known issues not tried: replication-pad-backward-hang (dangerous).",
        "Of the machine nothing tells low power mode, the thermal state.",
        "Other shapes, other versions and longer trainings were not tried",
    ):
        assert words in told


STRANGE: list[dict[str, Any]] = [
    {"results": [{"outcome": "ok"}]},
    {"results": 5, "comparisons": None, "batches": [1], "conditions": "x", "issues": {}, "libraries": 3},
    {"results": [{"workload": "w", "size": "s", "device": "d", "outcome": "ok", "step_ms": -1.0, "ci95_ms": [0, 0]}]},
    {"batches": {"cnn": [{"batch": 0, "device": "mps", "speedup": 0.0, "ci95": [0.0, 0.0]}]}, "results": []},
    {"batch_search": [{"device": "mps"}], "results": []},
]


@pytest.mark.parametrize("facts", STRANGE)
@pytest.mark.parametrize("check", ["operators", "training", "known-issues", "libraries"])
def test_facts_of_another_shape_leave_their_part_out(check: str, facts: dict[str, Any]) -> None:
    """A third-party check may have the name of one of ours; the rest of the page stays."""
    report = recorded("cpu-only")
    told = msgspec.structs.replace(
        next(each for each in report.checks if each.id == "training"), id=check, facts=dict(facts)
    )
    html = page(msgspec.structs.replace(report, checks=(told,)))
    assert '<section id="verdict">' in html
    assert '<section id="unknown">' in html


def test_long_evidence_is_cut() -> None:
    """The JSON report holds all of it."""
    finding = Finding("MPS999", "error", "long", evidence={"rows": list(range(5000))})
    check = msgspec.structs.replace(recorded("cpu-only").checks[0], findings=(finding,))
    assert len(page(msgspec.structs.replace(recorded("cpu-only"), checks=(check,)))) < 20_000


@pytest.mark.parametrize("kind", long_report.KINDS)
def test_5000_rows_of_operators_stay_below_300_kilobytes(kind: str) -> None:
    """Whatever came of them: all right, a few that are not, all that are not, each another operator."""
    assert 20_000 < len(page(long_report.with_rows(5000, kind)).encode()) < 300_000


def test_the_page_is_in_the_language_of_who_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """All headings, and the attribute that browsers choose fonts by."""
    english = set(re.findall(r"<h[123]>(.*?)</h[123]>", page(FULL)))
    monkeypatch.setattr(texts, "_language", "zh")
    html = page(FULL)
    assert '<html lang="zh">' in html
    assert not english & set(re.findall(r"<h[23]>(.*?)</h[23]>", html))


def test_templates_are_read_for_pages_alone() -> None:
    """No other format waits for jinja2."""
    code = (
        "import sys; from mpsdoctor.formats import FORMATS, Style; from mpsdoctor.intake import read_report\n"
        "report = read_report(open(sys.argv[2], 'rb').read())\n"
        "FORMATS[sys.argv[1]].render(report, Style()); print('jinja2' in sys.modules)"
    )
    for form, used in (("text", "False"), ("markdown", "False"), ("html", "True")):
        done = subprocess.run(
            [sys.executable, "-c", code, form, str(RECORDED / "trouble.json")],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == used
