"""Every string of a report, whoever wrote it, through every format, the narration and the screen."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from helpers.hostile import COMMANDS, ESCAPES
from mpsdoctor import clean, console
from mpsdoctor.events import Finished, Progress, Started
from mpsdoctor.formats import FORMATS, Style
from mpsdoctor.intake import UnfitError, read_report
from mpsdoctor.report import Report
from mpsdoctor.tui.engine import Done
from mpsdoctor.tui.panes import TABS
from tui import screens

RECORDED = Path(__file__).parents[1] / "recorded"
FORGED_LINE = "use mps, high confidence"
POISON = f"{ESCAPES}{COMMANDS}\n{FORGED_LINE}\n"
FORGED = re.compile(r"^\s*::", re.MULTILINE)


def poisoned(value: Any) -> Any:
    """The same, with poison at the end and at the begin of every string, those of keys apart."""
    if isinstance(value, str):
        return f"{COMMANDS}{value}{POISON}"
    if isinstance(value, dict):
        return {key: poisoned(part) for key, part in value.items()}
    return [poisoned(part) for part in value] if isinstance(value, list) else value


def evil(name: str) -> Report:
    """A recorded report in which every string that may be any text holds poison."""
    document = json.loads((RECORDED / f"{name}.json").read_bytes())
    for path in list(strings(document)):
        *above, last = path
        target: Any = document
        for key in above:
            target = target[key]
        good, target[last] = target[last], poisoned(target[last])
        try:
            read_report(json.dumps(document).encode())
        except UnfitError:  # a status, a code, a moment: no other text can stand there
            target[last] = good
    return read_report(json.dumps(document).encode())


def strings(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every string of a report, of long lists the first rows."""
    if isinstance(value, str):
        return [above]
    inside = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    return [path for key, part in inside[:40] for path in strings(part, (*above, key))]


@pytest.fixture(scope="module")
def report() -> Report:
    return evil("trouble")


def test_the_report_itself_holds_no_control_character(report: Report) -> None:
    """What is read is clean, and what a person sees on one line is one line."""
    assert not clean.has_controls(msgspec.to_builtins(report))
    for check in report.checks:
        lines = [check.id, check.title, check.source, check.reason or "", *(f.title for f in check.findings)]
        lines += [line for f in check.findings for line in (*f.links, *(f.remedy.commands if f.remedy else ()))]
        assert not any("\n" in line for line in lines)
    assert sum("::error" in str(check) for check in report.checks) == len(report.checks)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("verbosity", [0, 1])
def test_no_format_passes_on_a_command(form: str, verbosity: int, report: Report) -> None:
    """Neither a terminal nor a CI runner finds one, and what is JSON still says what the report says."""
    text = FORMATS[form].render(report, Style(verbosity=verbosity))
    assert clean.CONTROL.search(text) is None
    assert "##[" not in text
    assert form == "github" or not FORGED.search(text)
    if form == "json":
        assert msgspec.json.decode(text, type=Report) == report


@pytest.mark.parametrize("form", ["text", "github"])
def test_no_text_forges_a_line_of_ours(form: str, report: Report) -> None:
    """What somebody else wrote stands within a line of ours, or indented below it."""
    lines = FORMATS[form].render(report, Style(verbosity=1)).splitlines()
    assert any(FORGED_LINE in line for line in lines)
    assert [line for line in lines if line.startswith(FORGED_LINE)] == []


def test_narration_passes_on_no_command(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    """What goes on is told a line an event."""
    narrator = console.Narrator(quiet=False)
    for check in report.checks:
        narrator(Started(check.id, check.title))
        narrator(Progress(check.id, check.title, 1, 2))
        narrator(Finished(check))
    told = capsys.readouterr().err
    assert told
    assert clean.CONTROL.search(told) is None
    assert "##[" not in told
    assert not FORGED.search(told)


def test_the_screen_passes_on_no_command(report: Report, tmp_path: Path) -> None:
    """On every tab, and in what its panels give to the clipboard."""

    async def look() -> list[str]:
        seen = []
        async with screens.screen(screens.recorded("wins"), (120, 40), tmp_path / "p.json") as (app, pilot, _):
            assert app.actions is not None
            app.actions.model.apply(Done(report, cancelled=False))
            for tab in TABS:
                await app.action_tab(tab)
                await pilot.pause(0)
                seen.append(
                    "".join(segment.text for line in app.screen._compositor.render_strips() for segment in line)
                )
        return seen

    for text in asyncio.run(look()):
        assert text
        assert clean.CONTROL.search(text) is None
