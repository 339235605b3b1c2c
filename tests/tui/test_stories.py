"""What a person does at the screen, told by keys."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from mpsdoctor.tui import clipboard, words
from mpsdoctor.tui.app import Screenful
from mpsdoctor.tui.engine import Done
from mpsdoctor.tui.widgets.details import Details
from mpsdoctor.tui.widgets.rows import Rows
from tui.screens import Played, recorded, running, screen, settle

Story = Callable[[Screenful, Pilot[Any], Played], Awaitable[None]]


def told(said: list[Any], profile: Path, story: Story, **settings: Any) -> None:
    """Play these events at 120×40, then the story."""

    async def play() -> None:
        async with screen(said, (120, 40), profile, **settings) as opened:
            await story(*opened)

    asyncio.run(play())


def notes(app: Screenful) -> str:
    """What the corner says."""
    return " ".join(note.message for note in app._notifications)


def test_the_run_begins_by_itself_and_escape_cancels_it(tmp_path: Path) -> None:
    """A check-up is started without being asked for; Esc cancels it and the header says so at once."""

    async def story(app: Screenful, pilot: Pilot[Any], engine: Played) -> None:
        assert engine.asked == [("start", ())]
        await pilot.press("escape")
        assert engine.asked[-1] == "cancel"
        assert app.deeds is not None
        assert words.headline(app.deeds.model)[0] == "cancelling…"

    told(running(), tmp_path / "profile.json", story)


def test_ctrl_c_cancels_and_twice_quits(tmp_path: Path) -> None:
    """The first Ctrl+C cancels, the second leaves the screen."""

    async def story(app: Screenful, pilot: Pilot[Any], engine: Played) -> None:
        await pilot.press("ctrl+c")
        assert engine.asked[-1] == "cancel"
        assert "again quits" in notes(app)
        await pilot.press("ctrl+c")
        assert app._exit

    told(running(), tmp_path / "profile.json", story)


@pytest.mark.parametrize(("key", "reason"), [("r", "still runs"), ("R", "still runs"), ("w", "still runs")])
def test_a_key_that_does_nothing_now_says_why(key: str, reason: str, tmp_path: Path) -> None:
    """While a check-up runs, keys that need its end give the reason instead of nothing."""

    async def story(app: Screenful, pilot: Pilot[Any], engine: Played) -> None:
        await pilot.press(key)
        assert reason in notes(app)
        assert engine.asked == [("start", ())]

    told(running(), tmp_path / "profile.json", story)


def test_the_selected_check_runs_again_alone(tmp_path: Path) -> None:
    """On the tab of checks, r runs the one under the cursor."""

    async def story(app: Screenful, pilot: Pilot[Any], engine: Played) -> None:
        await pilot.press("2", "j", "j", "r")
        assert engine.asked[-1] == ("start", ("environment",))

    told(recorded("cpu"), tmp_path / "profile.json", story)


def test_a_filter_narrows_operators_and_escape_clears_it(tmp_path: Path) -> None:
    """Rows without the words typed after / are hidden; Esc in the filter shows them again."""

    async def story(app: Screenful, pilot: Pilot[Any], engine: Played) -> None:
        await pilot.press("3")
        await settle(app, pilot)
        table = app.query_one("#operators", Rows)
        every = len(table._shown)
        await pilot.press("slash", *"add", "enter")
        assert 0 < len(table._shown) < every
        assert all("add" in row.cells[0][0] for row in table._shown)
        assert app.focused is table
        await pilot.press("slash", "escape")
        assert len(table._shown) == every

    told(recorded("wins"), tmp_path / "profile.json", story)


def test_writing_shows_the_change_first_and_then_writes(tmp_path: Path) -> None:
    """w shows what the profile would hold; only Enter writes it, and the force switch keeps the rest."""
    profile = tmp_path / "profile.json"

    async def story(app: Screenful, pilot: Pilot[Any], engine: Played) -> None:
        await pilot.press("w")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert not profile.exists()
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        assert json.loads(profile.read_text())["recommended"]["device"] == "sim"
        await pilot.press("f")
        assert json.loads(profile.read_text())["force_mps"] is True
        await app.workers.wait_for_complete()

    told(recorded("wins"), profile, story)


def test_without_a_profile_nothing_is_written(tmp_path: Path) -> None:
    """Under --no-profile, w and f say why they do nothing."""
    profile = tmp_path / "profile.json"

    async def story(app: Screenful, pilot: Pilot[Any], engine: Played) -> None:
        await pilot.press("w", "f")
        assert "--no-profile" in notes(app)
        assert not profile.exists()

    told(recorded("wins"), profile, story, write_profile=False)


def test_the_report_is_exported_in_the_chosen_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """e lists the formats; Enter writes a file of that format into the current folder, never over another."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mpsdoctor-report.json").write_text("mine")

    async def story(app: Screenful, pilot: Pilot[Any], engine: Played) -> None:
        await pilot.press("e")
        await pilot.pause()
        rows = app.screen.query_one("#formats", Rows)
        while rows.row and rows.row.key != "json":
            await pilot.press("j")
        await pilot.press("enter")
        await pilot.pause()

    told(recorded("wins"), tmp_path / "profile.json", story)
    assert (tmp_path / "mpsdoctor-report.json").read_text() == "mine"
    document = json.loads((tmp_path / "mpsdoctor-report-1.json").read_text())
    assert document["verdict"]["device"] == "sim"


def test_help_is_about_the_panel_in_focus(tmp_path: Path) -> None:
    """? explains the tab, the panel and every key; Esc closes it."""

    async def story(app: Screenful, pilot: Pilot[Any], engine: Played) -> None:
        await pilot.press("3", "question_mark")
        await pilot.pause()
        text = app.screen.query_one(Details).plain
        assert "W wrong" in text
        assert "sorts" in text
        await pilot.press("escape")
        assert len(app.screen_stack) == 1

    told(recorded("wins"), tmp_path / "profile.json", story)


def test_markup_of_strangers_is_text(tmp_path: Path) -> None:
    """Brackets in what a check tells are shown as they are."""
    said = recorded("crash")
    end = said[-1]
    assert isinstance(end, Done)

    async def story(app: Screenful, pilot: Pilot[Any], engine: Played) -> None:
        assert app.deeds is not None
        text = words.lines(["[bold red]x[/] [@click=app.leave]y[/]", ("[/nothing]", "fail")])
        app.query_one("#finding", Details).show(text)
        await pilot.pause()
        assert app.query_one("#finding", Details).plain.startswith("[bold red]x[/] [@click=app.leave]y[/]")

    told(said, tmp_path / "profile.json", story)


def test_facts_of_another_shape_do_not_end_the_screen(tmp_path: Path) -> None:
    """A stranger's check that is named as one of ours leaves the tabs usable."""
    said = recorded("wins")

    async def story(app: Screenful, pilot: Pilot[Any], engine: Played) -> None:
        assert app.deeds is not None
        for check in ("operators", "training"):
            app.deeds.model.facts(check).update(results=[{"no": "such keys"}], comparisons=[7])
        for key in "345612":
            await pilot.press(key)
            await app.workers.wait_for_complete()
        assert app.return_code is None

    told(said, tmp_path / "profile.json", story)


def test_the_clipboard_programs_are_asked_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first program that is there and takes the text is named; over SSH none is asked."""
    taken = tmp_path / "taken"
    program = tmp_path / "wl-copy"
    program.write_text(f"#!/bin/sh\n/bin/cat > {taken}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert clipboard.by_program("text", {"WAYLAND_DISPLAY": "w"}) == "wl-copy"
    assert taken.read_text() == "text"
    assert clipboard.by_program("text", {}) is None
    assert clipboard.by_program("text", {"WAYLAND_DISPLAY": "w", "SSH_CONNECTION": "1"}) is None
    assert not clipboard.terminal_can({"TERM_PROGRAM": "Apple_Terminal"})
