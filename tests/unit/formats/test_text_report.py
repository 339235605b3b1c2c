"""The report for people, from a recorded report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
from rich.cells import cell_len

from mpsdoctor import console
from mpsdoctor.doubts import NAMED, REMEDIES, Doubt, explain
from mpsdoctor.formats import FORMATS, Style
from mpsdoctor.formats.rows import LONG
from mpsdoctor.report import CheckResult, Finding, Remedy, Report
from mpsdoctor.texts import Part
from mpsdoctor.texts.en.verdict import PHRASES

RECORDED = Path(__file__).parents[1] / "recorded"
NAMES = ["cpu-only", "accelerator-wins", "trouble"]
SENTENCE = "The device returned other numbers than the CPU did, beyond what rounding explains. "
TIMED = {"baseline": "cpu", "size": "step", "device": "mps", "outcome": "ok"}


def recorded(name: str) -> Report:
    return msgspec.json.decode((RECORDED / f"{name}.json").read_bytes(), type=Report)


def text_of(report: Report, verbosity: int = 0) -> str:
    return FORMATS["text"].render(report, Style(verbosity=verbosity))


def holding(*findings: Finding, id: str = "operators", **facts: Any) -> Report:
    """A report with one check."""
    check = CheckResult(id, "Title", "test", "fail", findings=findings, facts=facts)
    return msgspec.structs.replace(recorded("cpu-only"), checks=(check,))


def told_of(report: Report, *reasons: str) -> Report:
    """The same report with other reasons of its verdict."""
    assert report.verdict is not None
    return msgspec.structs.replace(report, verdict=msgspec.structs.replace(report.verdict, reasons=reasons))


@pytest.mark.parametrize("name", NAMES)
def test_the_text_report_stays_as_it_was_reviewed(name: str) -> None:
    """Golden file: changed only on purpose."""
    file, text = RECORDED / f"{name}.txt", text_of(recorded(name))
    if os.environ.get("MPSDOCTOR_GOLDEN") == "write":  # on purpose: look at the difference
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("verbosity", [0, 1])
@pytest.mark.parametrize("name", NAMES)
def test_no_line_is_wider_than_a_terminal_of_80(name: str, verbosity: int) -> None:
    """Only commands, which are to be copied whole, may be longer."""
    lines = text_of(recorded(name), verbosity).splitlines()
    assert [line for line in lines if cell_len(line) > 80 and not line.startswith(" " * 8)] == []


@pytest.mark.parametrize("verbosity", [0, 1])
def test_names_in_chinese_take_two_cells_a_character(verbosity: int) -> None:
    """The name of a person's own step, wherever it stands: the tables keep their columns, no line is too wide."""
    data = (RECORDED / "accelerator-wins.json").read_text().replace("transformer", "训练脚本的名字很长.py:训练一步")
    lines = text_of(msgspec.json.decode(data, type=Report), verbosity).splitlines()
    assert sum("训练" in line for line in lines) > 3
    assert [line for line in lines if cell_len(line) > 80 and not line.startswith(" " * 8)] == []
    heading = next(line for line in lines if line.startswith("Training "))
    column = cell_len(heading[: heading.index("95 %")])
    rows = lines[lines.index(heading) + 1 :]
    starts = {cell_len(row[: row.index(" ms  ") + 5]) for row in rows if " ms  " in row}
    assert starts == {column}


def test_what_goes_on_fits_a_line_of_the_terminal() -> None:
    """A wide character takes two cells, and none is cut in half."""
    assert console.cut("timing cpu", 6) == "timing"
    assert console.cut("计时 训练", 4) == "计时"
    assert console.cut("计时 训练", 6) == "计时"


@pytest.mark.parametrize("name", NAMES)
def test_one_screen_comes_before_the_details(name: str) -> None:
    """Verdict, machine and a line for each check fit into a terminal of 24 lines."""
    lines = text_of(recorded(name)).splitlines()
    first_finding = next(number for number, line in enumerate(lines) if " MPS" in line[:6])
    assert first_finding <= 24
    assert [line.split()[2] for line in lines[:first_finding] if line[:2] in ("✓ ", "! ", "✗ ")] == [
        check.id for check in recorded(name).checks
    ]


def test_three_reasons_stand_in_a_line_each_and_the_rest_is_counted() -> None:
    """Nobody reads nine; -v shows them whole."""
    reasons = [f"the {word} interval is wide: the mean over everything that was measured here" for word in "abcde"]
    report = told_of(recorded("cpu-only"), *(f"{reason}, twice and once more" for reason in reasons))
    lines = text_of(report).split("\n\n")[1].splitlines()
    told = [line for line in lines if line.startswith("  - ")]
    assert told == [
        f"  - the {word} interval is wide: the mean over everything that was measured here," for word in "bcd"
    ]
    assert lines[-1] == "    and 1 more (-v)"
    assert "the e interval is wide: the mean" in text_of(report, 1)
    assert "more (-v)" not in text_of(report, 1)


@pytest.mark.parametrize("commands", [(), ("pip install torch",), ("echo " + "x" * 100,) * 4])
def test_a_grave_finding_takes_eight_lines(commands: tuple[str, ...]) -> None:
    """The detail gives way to what to do, and commands are never cut; -v shows all."""
    found = Finding("MPS311", "error", "softmax differs", SENTENCE * 9, remedy=Remedy(SENTENCE * 3, commands))
    block = text_of(holding(found)).split("\n\n")[4].splitlines()
    assert len(block) == 8
    assert block[0] == "✗ MPS311 error: softmax differs"
    assert [line for line in block if line.startswith(" " * 8)] == [" " * 8 + command for command in commands]
    assert any("→ The device returned" in line for line in block)
    assert sum(line.endswith(" … (-v)") for line in block) >= 1
    whole = " ".join(text_of(holding(found), 1).split())
    assert " ".join((SENTENCE * 9).split()) in whole
    assert f"→ {' '.join((SENTENCE * 3).split())}" in whole


def test_what_is_good_to_know_takes_a_line() -> None:
    """An info is its code and title, after all that is graver; -q leaves it out, -v explains it."""
    known = [Finding(f"MPS60{number}", "info", f"fact {number}", SENTENCE) for number in (1, 2)]
    report = holding(*known, Finding("MPS311", "warning", "softmax differs", SENTENCE))
    assert text_of(report).split("\n\n")[5].splitlines() == ["i MPS601 info: fact 1", "i MPS602 info: fact 2"]
    assert "MPS601" not in text_of(report, -1)
    assert text_of(report, 1).count("The device returned") == 3


def test_how_much_of_the_operators_was_reached_stands_beside_the_check() -> None:
    """Probes made of those planned, and layouts; a report without the figures is printed without the line."""
    variants = {"contiguous": 1500, "transposed": 600, "strided": 89}
    row = {"planned": 13488, "made": 2189, "operators": 430, "dtypes": {"float32": 2189}, "variants": variants}
    checks = text_of(holding(coverage={"cpu": row, "mps": row})).split("\n\n")[3].splitlines()
    assert checks[1:] == [" " * 9 + "2,189 of 13,488 probes on mps: 430 operators, 689 in other layouts"]
    missed = {**row, "not_reached": ["aten::cumsum", "aten::svd", "aten::sort", "aten::mm"]}
    for form in ("text", "markdown", "html", "github"):
        report = " ".join(FORMATS[form].render(holding(coverage={"mps": missed}), Style()).replace("\\", "").split())
        assert "689 in other layouts; cumsum, svd and 2 others not reached" in report
    alone = {**row, "made": 9, "operators": 8, "variants": {"contiguous": 9}}
    sentence = "9 of 13,488 probes on cpu: 8 operators, none in other layouts"
    for form in ("text", "markdown", "html", "github"):
        assert sentence in FORMATS[form].render(holding(coverage={"cpu": alone}), Style())
    shapes: list[dict[str, Any]] = [{}, {"coverage": {"mps": {}}}, {"coverage": [1]}, {"coverage": {"mps": None}}]
    for facts in shapes:
        assert len(text_of(holding(**facts)).split("\n\n")[3].splitlines()) == 1


def test_times_are_told_without_powers_of_ten() -> None:
    """`1.43 s`, and "not settled" where the ends of an interval are far apart or blocks too few."""
    results = [
        {**TIMED, "workload": "mlp", "step_ms": 1430.4, "ci95_ms": [1076.0, 1812.0]},
        {**TIMED, "workload": "cnn", "step_ms": 999.7, "ci95_ms": [5.99, 30002.0]},
        {**TIMED, "workload": "lstm", "step_ms": 0.0123, "ci95_ms": [0.01234, 0.0125]},
        {**TIMED, "workload": "训练脚本.py:bench", "step_ms": 12.0, "ci95_ms": [950.0, 1200.0]},
        {**TIMED, "workload": "few", "step_ms": 12.0, "ci95_ms": None},
    ]
    ratio = {**TIMED, "baseline": "cpu"}
    ratios = [
        {**ratio, "workload": "mlp", "speedup": 24.3, "ci95": [0.18, 640.0], "winner": "tie"},
        {**ratio, "workload": "cnn", "speedup": 24.3, "ci95": [2.5, 640.0], "winner": "mps"},
        {**ratio, "workload": "few", "speedup": 0.584, "ci95": [0.464, 0.681], "winner": "tie"},
        {**ratio, "workload": "lstm", "speedup": 1234.5, "ci95": [1000.0, 2000.0], "winner": "mps"},
    ]
    table = text_of(holding(id="training", results=results, comparisons=ratios)).split("\n\n")[-1].splitlines()
    assert table[1:] == [
        "mlp          step    mps       1.43 s  1.08 to 1.81 s   not settled",
        "cnn          step    mps       1.00 s  not settled      at least 2.50×",
        "lstm         step    mps      12.3 µs  12.3 to 12.5 µs  1,230× (1,000 to 2,000)",
        "训练脚本.py:bench",
        "             step    mps      12.0 ms  950 ms to 1.20 s",
        "few          step    mps      12.0 ms                   0.584×, not settled",
    ]


def test_ascii_is_enough_where_the_locale_has_no_more() -> None:
    """Every sign has a spelling in ASCII, and the word beside it."""
    text = FORMATS["text"].render(recorded("trouble"), Style(unicode=False))
    assert text.isascii()
    assert "x fail" in text
    assert "?" not in text.replace("Did you mean PYTORCH_MPS_FAST_MATH?", "")


def test_colour_changes_no_other_byte() -> None:
    """Colour is on top: without its escapes the text is the same."""
    plain = text_of(recorded("trouble"))
    coloured = FORMATS["text"].render(recorded("trouble"), Style(colour=True))
    assert coloured != plain
    assert click.unstyle(coloured) == plain


def test_json_holds_the_whole_report() -> None:
    """What is printed decodes to the same report."""
    report = recorded("trouble")
    assert msgspec.json.decode(FORMATS["json"].render(report, Style()).encode(), type=Report) == report


def test_what_helps_is_never_cut() -> None:
    """The longest doubts and remedies that a verdict can have are shown whole."""
    values = {"settled": 3, "all": 4, "names": ["Chrome", "pytest"], "families": ["transformer", "lstm", "cnn"]}
    values |= {"device": "cuda:0", "disturbance": "the thermal state was 'serious' after the run"}
    parts = [Part(name, values) for name in PHRASES if name.startswith("doubt_")]
    longest = sorted(parts, key=lambda part: -len(str(part)))[:NAMED]
    why = str(explain([Doubt(2, (*longest, *longest), REMEDIES)]))
    assert len(why) <= LONG
    assert why in " ".join(text_of(told_of(recorded("accelerator-wins"), "Train on mps", why)).split())
