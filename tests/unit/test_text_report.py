"""The report for people, from a recorded report."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from mpsdoctor.formats import FORMATS, Style
from mpsdoctor.report import Report

RECORDED = Path(__file__).parent / "recorded"


def recorded(name: str) -> Report:
    return msgspec.json.decode((RECORDED / f"{name}.json").read_bytes(), type=Report)


@pytest.mark.parametrize("name", ["cpu-only", "accelerator-wins", "trouble"])
def test_the_text_report_stays_as_it_was_reviewed(name: str) -> None:
    """Golden file: changed only on purpose."""
    assert FORMATS["text"](recorded(name), Style()) == (RECORDED / f"{name}.txt").read_text()


@pytest.mark.parametrize("name", ["cpu-only", "accelerator-wins", "trouble"])
def test_no_line_is_wider_than_a_terminal_of_80(name: str) -> None:
    """Only commands, which are to be copied whole, may be longer."""
    lines = FORMATS["text"](recorded(name), Style()).splitlines()
    assert [line for line in lines if len(line) > 80 and not line.startswith(" " * 15)] == []


def test_ascii_is_enough_where_the_locale_has_no_more() -> None:
    """Every sign has a spelling in ASCII, and the word beside it."""
    text = FORMATS["text"](recorded("trouble"), Style(unicode=False))
    assert text.isascii()
    assert "x fail" in text


def test_colour_changes_no_other_byte() -> None:
    """Colour is on top: without its escapes the text is the same."""
    plain = FORMATS["text"](recorded("trouble"), Style())
    coloured = FORMATS["text"](recorded("trouble"), Style(colour=True))
    assert coloured != plain
    import click

    assert click.unstyle(coloured) == plain


def test_json_holds_the_whole_report() -> None:
    """What is printed decodes to the same report."""
    report = recorded("trouble")
    assert msgspec.json.decode(FORMATS["json"](report, Style()).encode(), type=Report) == report
