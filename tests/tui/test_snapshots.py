"""Every tab in every state at every size, as pictures; changed on purpose: `pytest tests/tui --snapshot-update`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from mpsdoctor.tui.widgets.bars import TABS
from tui.screens import SIZES, STATES, screen, settle


class Picture(SingleFileSnapshotExtension):
    """One SVG a snapshot."""

    file_extension = "svg"
    _write_mode = WriteMode.TEXT


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", STATES)
def test_the_tabs_look_as_reviewed(state: str, size: tuple[int, int], snapshot: Any) -> None:
    """Each tab, in this state and size, is drawn as when it was last looked at."""
    pictures = asyncio.run(pictures_of(state, size))
    changed = [tab for tab, svg in pictures.items() if snapshot(name=tab, extension_class=Picture) != svg]
    assert not changed


async def pictures_of(state: str, size: tuple[int, int]) -> dict[str, str]:
    pictures = {}
    async with screen(STATES[state](), size, Path("/nonexistent/mpsdoctor/profile.json")) as (app, pilot, _):
        for number, tab in enumerate(TABS, 1):
            await pilot.press(str(number))
            await settle(app, pilot)
            pictures[tab] = app.export_screenshot()
    return pictures
