"""Figures as people read them."""

from __future__ import annotations

import pytest

from mpsdoctor import figures, texts


@pytest.mark.parametrize(
    ("ms", "told"),
    [
        (0.0000832, "0.0832 µs"),
        (0.0832, "83.2 µs"),
        (5.9, "5.90 ms"),
        (230.04, "230 ms"),
        (999.4, "999 ms"),
        (999.6, "1.00 s"),
        (1430.4, "1.43 s"),
        (30002.0, "30.0 s"),
        (2.55e9, "2,550,000 s"),
    ],
)
def test_a_duration_has_the_unit_that_fits_and_no_power_of_ten(ms: float, told: str) -> None:
    """Three digits, from billionths of a second to weeks; sentences tell it as tables do."""
    assert figures.duration(ms) == told
    assert texts.Words("en", {}).fill("{ms:duration}", {"ms": ms}) == told


@pytest.mark.parametrize(
    ("value", "told"), [(0.5249, "0.525"), (2.0, "2"), (999.6, "1,000"), (0.00001, "0.00001"), (1234567.0, "1,230,000")]
)
def test_a_figure_in_a_sentence_is_short(value: float, told: str) -> None:
    """Three digits without the zeros that end a fraction, whatever the size."""
    assert texts.Words("en", {}).fill("{value:figure}", {"value": value}) == told


def test_counts_go_over_to_the_next_unit() -> None:
    """999,600 parameters are a million, not a thousand thousands."""
    assert [figures.count(count) for count in (12, 19_900, 999_600, 1_200_000)] == ["12", "19.9k", "1M", "1.2M"]
