"""The answer of a race in words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mpsdoctor import texts
from mpsdoctor.race import results, telling
from mpsdoctor.race.results import RaceReport, RaceVerdict
from mpsdoctor.report import Confidence


@pytest.fixture(params=texts.LANGUAGES)
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each language, while who reads speaks it."""
    before = texts.language()
    texts.choose_language(request.param)
    yield request.param
    texts.choose_language(before)


@pytest.mark.parametrize("confidence", ["high", "medium", "low"])
def test_every_confidence_has_its_word(language: str, confidence: Confidence) -> None:
    """The line of the verdict names the device, however sure that is."""
    report = RaceReport(("python", "train.py"), (), (), RaceVerdict("mps", confidence, ()))
    assert any("mps" in line for line in telling.lines(report))


def test_what_disturbed_a_race_is_told_in_the_language_of_who_reads(language: str) -> None:
    """The report keeps English, and the values from which another language is filled."""
    judged = results.judge("mine", ["python", "train.py"], [], {"before": {"low_power": True}})
    said = {"en": "disturbed: low power mode was on", "zh": "受到干扰：开着低电量模式"}  # noqa: RUF001
    assert judged.report.disturbances == ("low power mode was on",)
    assert said[language] in list(telling.lines(judged.report))
