"""The answer of a race in words."""

from __future__ import annotations

import pytest

from mpsdoctor import texts
from mpsdoctor.race import telling
from mpsdoctor.race.results import RaceReport, RaceVerdict
from mpsdoctor.report import Confidence


@pytest.mark.parametrize("language", texts.LANGUAGES)
@pytest.mark.parametrize("confidence", ["high", "medium", "low"])
def test_every_confidence_has_its_word(language: str, confidence: Confidence) -> None:
    """The line of the verdict names the device, however sure that is."""
    report = RaceReport(("python", "train.py"), (), (), RaceVerdict("mps", confidence, ()))
    before = texts.language()
    texts.choose_language(language)
    try:
        assert any("mps" in line for line in telling.lines(report))
    finally:
        texts.choose_language(before)
