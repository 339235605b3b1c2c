"""The screen in Chinese, whose characters take two cells each, and in a language twice as long as English."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from msgspec import structs
from rich.cells import cell_len
from syrupy.assertion import SnapshotAssertion

import mpsdoctor
from mpsdoctor import texts
from mpsdoctor.check import finding
from mpsdoctor.events import Finished
from mpsdoctor.report import CheckResult
from mpsdoctor.tui.engine import Done, Signal
from mpsdoctor.tui.panes import TABS
from mpsdoctor.tui.panes import memory as memory_pane
from tui.screens import STATES, screen
from tui.test_pictures import Cells, quiet

KEPT = {(80, 24): ("overview", "training"), (120, 40): ("operators",)}
HAN = re.compile(r"[\u4e00-\u9fff]")


def with_values(signals: list[Signal]) -> list[Signal]:
    """The recorded signals, whose findings have no values, with those of the examples in their place."""
    return list(map(_told, signals))


def _told(signal: Signal) -> Signal:
    if isinstance(signal, Finished):
        return structs.replace(signal, result=_with_values(signal.result))
    if isinstance(signal, Done):
        checks = tuple(map(_with_values, signal.report.checks))
        return Done(structs.replace(signal.report, checks=checks), signal.cancelled)
    return signal


def _with_values(check: CheckResult) -> CheckResult:
    known = texts.texts("en")
    found = [finding(one.code, one.severity, **known[one.code].example) for one in check.findings if one.code in known]
    return structs.replace(check, findings=tuple(found))


@pytest.fixture
def still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing that changes from run to run is shown; the place of a profile."""
    monkeypatch.setattr(memory_pane, "EVERY", 3600.0)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(mpsdoctor, "__version__", "1.0")
    return tmp_path / "profile.json"


def test_the_screen_in_chinese(still: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    """It looks as it did when somebody last looked at it; every cell is where it belongs."""
    monkeypatch.setattr(texts, "_language", "zh")
    changed: list[str] = []

    async def look() -> None:
        signals = with_values(STATES["done-accelerator-wins"]())
        async with screen(signals, (80, 24), still) as (app, pilot, _):
            for size, tabs in KEPT.items():
                await pilot.resize_terminal(*size)
                for tab in tabs:
                    await app.action_tab(tab)
                    picture, name = await quiet(app, pilot), f"{tab}-{size[0]}x{size[1]}"
                    if picture != snapshot(name=name, extension_class=Cells):
                        changed.append(name)

    asyncio.run(look())
    assert changed == []


def doubled(page: Callable[[str, str], dict[str, str]], language: str, name: str) -> dict[str, str]:
    """A page with a second half for each of its phrases."""
    return {key: words + "\uff3f" * (cell_len(words) // 2) for key, words in page("en", name).items()}


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (120, 40)])
@pytest.mark.parametrize("language", ["zh", "twice as long"])
def test_nothing_leaves_the_screen(
    language: str, size: tuple[int, int], still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames stand where they should, the tab that is open and the first keys are named, at any size."""
    if language == "zh":
        monkeypatch.setattr(texts, "_language", "zh")
    else:
        monkeypatch.setattr(texts, "page", partial(doubled, texts.page))
    width, height = size

    async def look() -> None:
        async with screen(with_values(STATES["accelerator-wrong"]()), size, still) as (app, pilot, _):
            for tab in TABS:
                await app.action_tab(tab)
                lines = (await quiet(app, pilot)).splitlines()[: 2 * height : 2]
                assert [line for line in lines if cell_len(line) > width] == []
                edges = [line for line in lines if line.startswith(("│", "┃"))]
                assert [line for line in edges if cell_len(line) != width] == []
                assert texts.say(f"screen.tab_{tab}")[:2].lower() in lines[1].lower()
                assert lines[-1].startswith(f" q {texts.say('screen.key_leave')}")

    asyncio.run(look())
