"""Every tab in every state, as pictures to look at; `--snapshot-update` draws them anew."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.app import App
from textual.pilot import Pilot

import mpsdoctor
from mpsdoctor.tui.app import DoctorApp
from mpsdoctor.tui.panes import TABS
from mpsdoctor.tui.panes import memory as memory_pane
from mpsdoctor.tui.panes.memory import Memory
from tui.screens import STATES, memory, screen, settle

DRAWN = (120, 40)  # the size that is kept as SVG
FIRST = (80, 24)
# Which states are kept at which size; docs/decisions/003 tells why not all are.
KEPT = {
    FIRST: tuple(STATES),
    DRAWN: ("done-accelerator-wins",),
    (160, 48): ("done-accelerator-wins", "running"),
    (40, 12): ("done-accelerator-wins", "crash"),
}
BEFORE = {
    "schema": 1,
    "created": "2026-01-01T08:00:00Z",
    "tool": "mpsdoctor 0.0.9",
    "fingerprint": {
        **{"os": "Linux", "os_version": "debian 12", "arch": "x86_64", "chip": "example processor"},
        **{"memory_bytes": 25276502016, "python": "3.11.7", "torch": "2.12.0"},
    },
    "recommended": {"device": "cpu", "confidence": "medium", "reason": "the CPU is the only usable device"},
    "workloads": {"cnn": {"small": {"device": "cpu", "speedup": None, "ci95": None}}},
    "force_mps": False,
    "environment": {},
    "settings": {"num_threads": 2},
    "hints": [],
}


class Drawing(SingleFileSnapshotExtension):
    """A picture as a browser shows it."""

    _write_mode = WriteMode.TEXT
    file_extension = "svg"


class Cells(SingleFileSnapshotExtension):
    """A picture as text, below it a letter for the style of each cell, below all what the letters mean."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


def cells(app: App[Any]) -> str:
    """The screen as such text."""
    letters: dict[str, str] = {}
    told: list[str] = []
    for strip in app.screen._compositor.render_strips():
        text = "".join(segment.text for segment in strip)
        styles = "".join(
            letters.setdefault(str(segment.style), _letter(len(letters))) * len(segment.text) for segment in strip
        )
        told += [text.rstrip(), styles.rstrip(_letter(0))]
    return "\n".join([*told, *(f"{letter} {style}" for style, letter in letters.items())]) + "\n"


def _letter(number: int) -> str:
    return chr(ord("a") + number) if number < 26 else chr(ord("A") + number - 26)


async def quiet(app: DoctorApp, pilot: Pilot[Any]) -> str:
    """Wait until two pictures agree; the picture."""
    before = ""
    while True:
        app.clear_notifications()
        await settle(app, pilot)
        now = cells(app)
        if now == before:
            return now
        before = now


def remember(app: DoctorApp) -> None:
    """A minute and a half of memory, as it would have been seen."""
    for second in range(90):
        app.query_one(Memory).add_sample(memory(second))


@pytest.mark.parametrize("state", STATES)
def test_every_tab_at_every_size(
    state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    """The tabs look as they did when somebody last looked at them."""
    monkeypatch.setattr(memory_pane, "EVERY", 3600.0)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(mpsdoctor, "__version__", "1.0")
    profile = tmp_path / "profile.json"
    if state not in ("empty", "running"):
        profile.write_text(json.dumps(BEFORE))
    changed: list[str] = []

    async def look() -> None:
        async with screen(STATES[state](), FIRST, profile) as (app, pilot, _):
            for size in (size for size, states in KEPT.items() if state in states):
                await pilot.resize_terminal(*size)
                for tab in TABS:
                    await app.action_tab(tab)
                    if tab == "memory" and size == FIRST:
                        remember(app)
                    picture = await quiet(app, pilot)
                    name = f"{tab}-{size[0]}x{size[1]}"
                    kept = snapshot(name=name, extension_class=Cells)
                    if size == DRAWN:
                        picture, kept = app.export_screenshot(), snapshot(name=name, extension_class=Drawing)
                    if picture != kept:
                        changed.append(name)

    asyncio.run(look())
    assert changed == []
