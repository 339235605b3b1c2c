"""The table of single operators in the text report."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.check_ups import recorded, with_check
from mpsdoctor.formats import FORMATS, Style, expected

ROW = {
    "operator": "sum of a million numbers",
    "device": "mps",
    "ms": 0.9,
    "range_ms": [0.8, 1.0],
    "chip": "M1",
    "machines": 1,
    "chip_ms": 0.43,
    "times": 2.093,
    "all_chips_ms": [0.19, 0.75],
}


def table(*operators: Any) -> list[str]:
    return list(expected.table(with_check(recorded(), "training", operators=list(operators))))


def test_each_operator_stands_beside_the_chips_own() -> None:
    """Here, on another machine with this chip, on all chips; in the report of text too, within 80 columns."""
    head, line = table(ROW)
    assert " ".join(head.split()) == "single operator here other M1 all chips"
    assert " ".join(line.split()) == "sum of a million numbers mps 0.900 ms 0.430 ms 0.190 to 0.750 ms"
    longest = {
        **ROW,
        "operator": "convolution of 100 small images",
        "chip": "M3 Ultra",
        "all_chips_ms": [0.0224, 0.11],
    }
    assert max(map(len, table(longest))) == 80
    report = with_check(recorded(), "training", operators=[ROW])
    text = FORMATS["text"].render(report, Style()).splitlines()
    assert {head, line} <= set(text)


def test_a_chip_that_nobody_measured_has_no_table() -> None:
    """There is nothing to stand beside."""
    assert table({**ROW, "chip_ms": None, "times": None}) == []
    assert list(expected.table(recorded())) == []


@pytest.mark.parametrize(
    "row", [{}, "row", {"chip_ms": 1.0}, {**ROW, "ms": "long"}, {**ROW, "all_chips_ms": [1]}, None]
)
def test_rows_of_another_shape_are_left_out(row: Any) -> None:
    """A third-party check may have the name of ours."""
    assert table(row) == []
