"""The meter and the tab of training: what is settled, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from mpsdoctor.facts import CheckFacts, assume_shapes
from mpsdoctor.facts.training import no_training
from mpsdoctor.formats import curves
from mpsdoctor.formats.rows import is_settled
from mpsdoctor.tui import chart, meter
from mpsdoctor.tui.panes import training


def ratio(workload: str, speedup: float, low: float, high: float, winner: str, size: str = "medium") -> dict[str, Any]:
    row = {"workload": workload, "size": size, "device": "mps", "baseline": "cpu", "speedup": speedup, "pairs": 9}
    return {**row, "ci95": [low, high], "winner": winner, "detail": "", "detail_values": None}


def timed(device: str, size: str, ms: float, low: float, high: float) -> dict[str, Any]:
    row = {"workload": "cnn", "size": size, "device": device, "outcome": "ok", "step_ms": ms, "ci95_ms": [low, high]}
    return {**row, "detail": "", "peak_memory_bytes": None}


def facts(*ratios: dict[str, Any], results: tuple[dict[str, Any], ...] = ()) -> CheckFacts:
    return assume_shapes({"training": {**no_training(), "comparisons": list(ratios), "results": list(results)}})


def drawn(*ratios: dict[str, Any], width: int = 76) -> list[str]:
    return [line.plain for line in meter.draw(meter.compare(facts(*ratios)), width)]


@pytest.mark.parametrize(
    ("low", "high", "winner", "settled"),
    [
        (0.4, 0.6, "cpu", True),
        (0.96, 1.04, "tie", True),
        (0.94, 1.04, "tie", False),
        (1.1, 4.3, "mps", True),
        (1.1, 4.5, "mps", False),
        (1.3, 1.4, "tie", False),
    ],
)
def test_settled_is_a_winner_or_a_tie_within_five_percent(low: float, high: float, winner: str, settled: bool) -> None:
    """An interval whose upper end is over four times its lower one says nothing; nor does an undecided one."""
    row: Any = ratio("cnn", 1.0, low, high, winner)
    assert is_settled(row) == settled


def test_bars_go_to_the_side_of_the_faster_device() -> None:
    """Slower than the CPU to the left, faster to the right, cut at the ends; the device is named."""
    head, slow, fast, far = drawn(
        ratio("cnn", 0.5, 0.45, 0.55, "cpu"),
        ratio("mlp", 2.0, 1.9, 2.1, "mps"),
        ratio("lstm", 24.0, 20.0, 30.0, "mps"),
    )
    assert head.startswith("mps ")
    middle = slow.index("│")
    assert head.index("1×") == middle
    assert (slow.count("█", 0, middle), slow.count("█", middle)) == (fast.count("█", middle), 0)
    assert slow.endswith("0.500×")
    assert far.rstrip().endswith("█> " + "      24.0×")


def test_what_is_not_settled_is_hollow_and_has_no_figure() -> None:
    """Shapes alone tell it apart, so that a monochrome terminal does; a tie within 5 % has a figure."""
    _, open_line, tie = drawn(ratio("cnn", 2.0, 0.5, 8.0, "mps"), ratio("mlp", 1.0, 0.98, 1.02, "tie"))
    assert "█" not in open_line
    assert open_line.count("░") > 10
    assert open_line.rstrip().endswith("not settled")
    assert not set("0123456789") & set(open_line)
    assert tie.endswith("1.00×")


def test_lines_fit_and_wide_names_count_two_cells() -> None:
    """A family named in Chinese moves no bar; below 44 cells there is no meter at all."""
    for width in (44, 57, 76, 110):
        lines = meter.draw(meter.compare(facts(ratio("训练脚本很长的名字", 2, 1.9, 2.1, "mps"))), width)
        assert [line.cell_length in (width, width - 1) for line in lines] == [False, True]
        assert lines[0].cell_length < width
    assert drawn(ratio("cnn", 2, 1.9, 2.1, "mps"), width=43) == []


def test_a_device_that_is_out_has_no_meter() -> None:
    """What computes wrong numbers is not measured by its speed."""
    wrong = {**timed("mps", "medium", 1.0, 0.9, 1.1), "outcome": "diverged"}
    assert meter.compare(facts(ratio("cnn", 3.0, 2.9, 3.1, "mps"), results=(wrong,))) == ()


def test_a_crossover_lies_between_settled_points() -> None:
    """Where one of the two sizes is not settled, nothing is told of where the curves cross."""
    small, large = (timed("cpu", "small", 1.0, 0.9, 1.1), timed("mps", "small", 2.0, 1.9, 2.1)), (4.0, 3.9, 4.1)
    sharp = (*small, timed("cpu", "medium", 9.0, 8.9, 9.1), timed("mps", "medium", *large))
    blurred = (*small, timed("cpu", "medium", 9.0, 0.9, 90.0), timed("mps", "medium", *large))
    undecided = (ratio("cnn", 2.2, 0.9, 3.0, "tie"),)
    assert len(curves.crossings(points(facts(results=sharp)))) == 1
    assert curves.crossings(points(facts(results=blurred))) == []
    assert curves.crossings(points(facts(*undecided, results=sharp))) == []


def points(held: CheckFacts) -> list[curves.Point]:
    return curves.points(held["training"], "cnn")


def test_one_wild_interval_does_not_squash_the_chart() -> None:
    """It is drawn as a hollow mark, and the axis ends where the settled ones do."""
    results = (
        timed("cpu", "small", 5.0, 4.9, 5.1),
        timed("cpu", "medium", 9.0, 8.0, 10.0),
        timed("mps", "medium", 8.0, 0.01, 20000.0),
    )
    picture = chart.draw(points(facts(results=results)), 76, 14).plain
    assert "○" in picture
    assert " s┤" not in picture
    assert "e+" not in picture


def test_bars_begin_at_nothing() -> None:
    """34 and 66 ms look like one to two; one that is not settled has neither bar nor figure."""
    results = (timed("cpu", "medium", 34.0, 33.0, 35.0), timed("mps", "medium", 66.0, 65.0, 67.0))
    cpu, mps, *_ = chart.bars({"cnn": points(facts(results=results))}, 76).plain.splitlines()
    assert mps.count("█") == 2 * cpu.count("█") + (mps.count("█") % 2)
    wild = (timed("cpu", "medium", 34.0, 33.0, 35.0), timed("mps", "medium", 66.0, 6.0, 67.0))
    _, mps, *_ = chart.bars({"cnn": points(facts(results=wild))}, 76).plain.splitlines()
    assert "█" not in mps
    assert "not settled" in mps


def test_the_devices_of_a_workload_stand_in_one_row() -> None:
    """`cnn medium | cpu 34 ms | mps 66 ms | 0.515×`, below the row that sums up all of them."""
    results = (timed("mps", "medium", 66.0, 65.0, 67.0), timed("cpu", "medium", 34.0, 33.0, 35.0))
    races = training.races(facts(ratio("cnn", 0.515, 0.5, 0.53, "cpu"), results=results)["training"])
    every, row = training.rows_of(races)
    assert every.key == training.SUMMARY
    assert [text for text, _ in row.cells] == ["cnn", "medium", "34.0 ms", "66.0 ms", "0.515× (0.500 to 0.530)"]
