"""What a person does at the screen, told by keys."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static, TextArea

from helpers.trainer import sample
from mpsdoctor import intake
from mpsdoctor.check import Context, Workers
from mpsdoctor.events import Figure, Progress, Settings, progress_of
from mpsdoctor.report import Report
from mpsdoctor.runtime.profile import write as write_profile
from mpsdoctor.runtime.shapes import Fingerprint, Measured
from mpsdoctor.tui import clipboard, words
from mpsdoctor.tui.app import DoctorApp
from mpsdoctor.tui.background import work_is_running
from mpsdoctor.tui.engine import Done
from mpsdoctor.tui.model import Model
from mpsdoctor.tui.widgets.bars import Line
from mpsdoctor.tui.widgets.details import Details
from mpsdoctor.tui.widgets.rows import Rows
from mpsdoctor_checks.training import narrator
from mpsdoctor_checks.training.plan import Workload
from tui.screens import Played, cancelled, recorded, running, screen, settle

Story = Callable[[DoctorApp, Pilot[Any], Played], Awaitable[None]]


def told(said: list[Any], profile: Path, story: Story, **settings: Any) -> None:
    """Play these events at 120×40, then the story."""

    async def play() -> None:
        async with screen(said, (120, 40), profile, **settings) as opened:
            await story(*opened)

    asyncio.run(play())


def notes(app: DoctorApp) -> str:
    """What was told in the line above the keys."""
    return " ".join(message.text for message in app.told)


def test_the_run_begins_by_itself_and_escape_cancels_it(tmp_path: Path) -> None:
    """A check-up is started without being asked for; Esc cancels it and the header says so at once."""

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        assert engine.asked == [("start", ())]
        await pilot.press("escape")
        assert engine.asked[-1] == "cancel"
        assert app.actions is not None
        assert words.headline(app.actions.model)[0] == "cancelling…"

    told(running(), tmp_path / "profile.json", story)


def test_a_cancelled_run_again_leaves_what_was_found(tmp_path: Path) -> None:
    """Cancelling one check that runs again loses nothing: its results, the verdict and the profile stand again."""

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        assert app.actions is not None
        model = app.actions.model
        before = (words.headline(model), model.training(), model.findings())
        await pilot.press("2", "G", "r")
        assert engine.asked[-1] == ("start", ("training",))
        engine.said = [one for one in cancelled() if isinstance(one, Done)]
        await pilot.press("escape")
        await settle(app, pilot)
        assert (words.headline(model), model.training(), model.findings()) == before
        assert "stands again" in notes(app)

    told(recorded("wins"), tmp_path / "profile.json", story)


def test_ctrl_c_cancels_and_twice_quits(tmp_path: Path) -> None:
    """The first Ctrl+C cancels, the second leaves the screen."""

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        await pilot.press("ctrl+c")
        assert engine.asked[-1] == "cancel"
        assert "again quits" in notes(app)
        await pilot.press("ctrl+c")
        assert app._exit

    told(running(), tmp_path / "profile.json", story)


@pytest.mark.parametrize(("key", "reason"), [("r", "still runs"), ("R", "still runs"), ("w", "still runs")])
def test_a_key_that_does_nothing_now_says_why(key: str, reason: str, tmp_path: Path) -> None:
    """While a check-up runs, keys that need its end give the reason instead of nothing."""

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        await pilot.press(key)
        assert reason in notes(app)
        assert engine.asked == [("start", ())]

    told(running(), tmp_path / "profile.json", story)


def test_the_selected_check_runs_again_alone(tmp_path: Path) -> None:
    """On the tab of checks, r runs the one under the cursor."""

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        await pilot.press("2", "j", "j", "r")
        assert engine.asked[-1] == ("start", ("environment",))

    told(recorded("cpu"), tmp_path / "profile.json", story)


def test_a_filter_narrows_operators_and_escape_clears_it(tmp_path: Path) -> None:
    """Rows without the words typed after / are hidden; Esc in the filter shows them again."""

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        await pilot.press("3")
        await settle(app, pilot)
        table = app.query_one("#operators", Rows)
        every = len(table._visible)
        await pilot.press("slash", *"add", "enter")
        assert 0 < len(table._visible) < every
        assert all("add" in row.key for row in table._visible)
        assert app.focused is table
        await pilot.press("slash", "escape")
        assert len(table._visible) == every
        await pilot.press("slash", *"zz", "enter")
        assert not table._visible
        await pilot.press("escape")
        assert len(table._visible) == every

    told(recorded("wins"), tmp_path / "profile.json", story)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("wrong", ["softmax", "scaled_dot_product_attention", "addcmul_", "cumsum"]),
        ("W", ["softmax", "scaled_dot_product_attention", "addcmul_", "cumsum"]),
        ("unsupported", ["erf", "logsumexp"]),
        ("needed", ["softmax", "scaled_dot_product_attention"]),
        ("wrong cum", ["cumsum"]),
    ],
)
def test_a_filter_knows_outcomes(typed: str, found: list[str], tmp_path: Path) -> None:
    """By their words, also those of other reports, and by their letters; what every training needs comes first."""

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        await pilot.press("3")
        await settle(app, pilot)
        table = app.query_one("#operators", Rows)
        table.narrow(typed)
        assert [row.cells[1][0] for row in table._visible] == found

    told(recorded("wrong"), tmp_path / "profile.json", story)


def test_the_legend_stays_and_the_title_counts(tmp_path: Path) -> None:
    """The letters are explained beside a wrong operator too; the title tells how many there are of what."""

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        await pilot.press("3", "j")
        await settle(app, pilot)
        text = cells(app)[0]
        assert "W wrong  E error" in text
        assert "* every training needs it" in text
        assert "Operators · 74 · 4 wrong, 3 error" in text

    told(recorded("wrong"), tmp_path / "profile.json", story)


def test_a_list_is_sorted_from_its_top_and_turned_round(tmp_path: Path) -> None:
    """s takes the next column and S the other direction, a second click too; headings are not cut for the sign."""

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        await pilot.press("3", "G", "s", "s")
        await settle(app, pilot)
        table = app.query_one("#operators", Rows)
        names = [row.cells[1][0] for row in table._visible]
        assert names == sorted(names)
        assert (table.cursor, table.scroll_offset.y) == (0, 0)
        await pilot.press("G", "S")
        assert [row.cells[1][0] for row in table._visible] == names[::-1]
        assert table.cursor == 0
        for column, _ in table._widths():
            table.sort(column)
            heading = table.render_line(0).text
            assert "…" not in heading
            assert "↓" in heading
        await pilot.click(table, offset=(15, 1))
        await pilot.click(table, offset=(15, 1))
        assert (table.order, table.reverse) == (1, True)

    told(recorded("wrong"), tmp_path / "profile.json", story)


def test_escape_clears_the_filter_before_it_cancels(tmp_path: Path) -> None:
    """As the list says: "Esc clears the filter"; a second Esc cancels the run."""

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        await pilot.press("2")
        await settle(app, pilot)
        table = app.query_one("#checks", Rows)
        table.focus()
        await pilot.press("slash", *"zz", "enter", "escape")
        assert table._visible
        assert "cancel" not in engine.asked
        await pilot.press("escape")
        assert engine.asked[-1] == "cancel"

    told(running(), tmp_path / "profile.json", story)


def test_writing_shows_the_change_first_and_then_writes(tmp_path: Path) -> None:
    """w shows what the profile would hold; only Enter writes it."""
    profile = tmp_path / "profile.json"

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        await pilot.press("w")
        await settle(app, pilot)
        await pilot.pause()
        assert not profile.exists()
        await pilot.press("enter")
        await settle(app, pilot)
        assert json.loads(profile.read_text())["recommended"]["device"] == "sim"

    told(recorded("wins"), profile, story)


@pytest.mark.parametrize(("key", "until"), [("enter", "2.13.0+cpu"), ("a", None)])
def test_forcing_mps_is_asked_for_and_then_seen(tmp_path: Path, key: str, until: str | None) -> None:
    """f shows what was measured and asks; Enter forces until torch changes, a always. Off needs no question."""
    wrong = [{"id": "aten::cumsum", "device": "mps", "what": "wrong"}]
    profile = profile_of(tmp_path, speeds={"mps": {"speedup": 0.5, "ci95": [0.4, 0.6]}}, known_wrong=wrong)
    before = json.loads(profile.read_text())
    forced = "forced to mps, measured: cpu"

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        assert app.actions is not None
        model = app.actions.model
        await pilot.press("6", "f", "escape")
        assert json.loads(profile.read_text()) == before
        await pilot.press("f")
        await pilot.pause()
        dialog = app.screen.query_one(Details).plain
        assert "until torch 2.13.0+cpu changes" in dialog
        assert "measured: cpu" in dialog
        await pilot.press(key)
        await settle(app, pilot)
        told = json.loads(profile.read_text())
        assert (told["force_mps"], told["force_mps_torch"]) == (True, until)
        assert told["recommended"] == before["recommended"]
        assert "MPS is not available here" in notes(app)
        assert words.header(model, 80).plain.startswith(f" mpsdoctor {forced}")
        assert forced in app.query_one("#recorded", Details).plain
        await pilot.press("1")
        assert forced in app.query_one("#verdict", Details).plain
        await pilot.press("f")
        assert json.loads(profile.read_text())["force_mps"] is False
        assert forced not in words.header(model, 80).plain
        await settle(app, pilot)

    told(recorded("cpu"), profile, story)


def profile_of(folder: Path, **parts: Any) -> Path:
    """A profile of some machine."""
    path = folder / "profile.json"
    path.write_text(json.dumps(sample(**parts)), encoding="utf-8")
    return path


def test_without_a_profile_nothing_is_written(tmp_path: Path) -> None:
    """Under --no-profile, w and f say why they do nothing."""
    profile = tmp_path / "profile.json"

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        await pilot.press("w", "f")
        assert "--no-profile" in notes(app)
        assert not profile.exists()

    told(recorded("wins"), profile, story, write_profile=False)


@pytest.mark.parametrize("machine", ["wins", "cpu"])
def test_raced_scripts_stand_below_the_workloads(tmp_path: Path, machine: str) -> None:
    """The training tab lists what `--store` put into the profile, with the winner, and tells the rest of the row."""
    won: Measured = {"device": "sim", "speedup": 1.97, "ci95": [1.9, 2.04], "alike": True}
    path = tmp_path / "profile.json"
    write_profile({**sample(), "workloads": {"mine": {"step": won}}}, path)

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        await pilot.press("4")
        await settle(app, pilot)
        rows = app.query_one("#steps", Rows)
        cells = [cell for cell, _ in rows._all[-1].cells]
        assert (cells[:2], cells[-1]) == (["mine", "script"], "sim 1.97× (1.90 to 2.04)")
        await pilot.press("G")
        await settle(app, pilot)
        assert all(len(row.cells) >= len(rows.columns) for row in rows._all)
        assert "all devices train it alike" in app.query_one("#chart", Details).plain

    told(recorded(machine), path, story)


def test_the_report_is_exported_in_the_chosen_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """e lists the formats; Enter writes a file of that format into the current folder, never over another."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mpsdoctor-report.json").write_text("mine")

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
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


def test_an_export_begins_with_html_and_names_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cursor stands on html, and the message tells where the file is, with the home folder as `~`."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        await pilot.press("e")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert "written to ~/work/mpsdoctor-report.html" in notes(app)

    told(recorded("wins"), tmp_path / "profile.json", story)
    assert (tmp_path / "work/mpsdoctor-report.html").exists()


def test_a_message_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    """One line above the keys, never two; it leaves after some seconds, and m still has it, the latest first."""

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        app.notify("the first [b]one[/b]")
        app.notify("x" * 200, severity="warning", timeout=0.2)
        line = app.query_one("#message", Line).render().plain
        assert line.startswith(" ! xxx")
        assert line.endswith("… m shows all")
        assert len(line) < 120
        await pilot.pause(0.4)
        assert not app.query_one("#message").display
        await pilot.press("m")
        await pilot.pause()
        latest, before, *_ = app.screen.query_one(Details).plain.splitlines()
        assert latest == "! " + "x" * 200
        assert before == "i the first [b]one[/b]"

    told(recorded("wins"), tmp_path / "profile.json", story)


@pytest.mark.parametrize("back", ["plus", "escape"])
def test_a_panel_is_zoomed_and_back(back: str, tmp_path: Path) -> None:
    """+ gives the panel in focus the whole screen; + or Esc shows the others again, and cancels nothing."""

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        await pilot.press("1", "tab", "plus")
        await settle(app, pilot)
        panel = app.query_one("#finding", Details)
        assert app.focused is panel
        assert panel.outer_size == app.query_one("#body").size
        assert not app.query_one("#verdict").region
        await pilot.press(back)
        await settle(app, pilot)
        assert app.query_one("#verdict").region
        assert "cancel" not in engine.asked

    told(running(), tmp_path / "profile.json", story)


def test_enter_in_a_zoomed_list_zooms_what_it_opens(tmp_path: Path) -> None:
    """The details take the place of the list."""

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        await pilot.press("2", "plus", "enter")
        await settle(app, pilot)
        assert app.query_one("#check").outer_size == app.query_one("#body").size
        assert not app.query_one("#checks").region

    told(recorded("wins"), tmp_path / "profile.json", story)


def test_facts_are_told_in_units(tmp_path: Path) -> None:
    """Bytes as GiB and Darwin as macOS, wherever facts are shown as they are."""
    facts = {"os": "Darwin", "total_bytes": 64 << 30, "rows": [{"peak_bytes": 3 << 20}], "free_bytes": None}
    assert words.evidence(facts).split("\n") == [
        "os: macOS",
        "total_bytes: 64 GiB",
        "rows:",
        "  peak_bytes: 3 MiB",
        "free_bytes: null",
    ]


def test_help_is_about_the_panel_in_focus(tmp_path: Path) -> None:
    """? explains the tab, the panel and every key; Esc closes it."""

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
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

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        assert app.actions is not None
        text = words.lines(["[bold red]x[/] [@click=app.leave]y[/]", ("[/nothing]", "fail")])
        app.query_one("#finding", Details).show(text)
        await pilot.pause()
        assert app.query_one("#finding", Details).plain.startswith("[bold red]x[/] [@click=app.leave]y[/]")

    told(said, tmp_path / "profile.json", story)


def test_facts_of_another_shape_do_not_end_the_screen(tmp_path: Path) -> None:
    """A stranger's check that is named as one of ours leaves the tabs usable."""
    said = recorded("wins")

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        assert app.actions is not None
        for check in ("operators", "training"):
            result = app.actions.model.checks[check].result
            assert result is not None
            result.facts.update(results=[{"no": "such keys"}], comparisons=[7])
        for key in "345612":
            await pilot.press(key)
            await settle(app, pilot)
        assert app.return_code is None

    told(said, tmp_path / "profile.json", story)


def test_the_clipboard_programs_are_asked_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first program that is there and takes the text is named; over SSH none is asked."""
    taken = tmp_path / "taken"
    program = tmp_path / "wl-copy"
    program.write_text(f"#!/bin/sh\n/bin/cat > {taken}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert clipboard.copy_by_program("text", {"WAYLAND_DISPLAY": "w"}) == "wl-copy"
    assert taken.read_text() == "text"
    assert clipboard.copy_by_program("text", {}) is None
    assert clipboard.copy_by_program("text", {"WAYLAND_DISPLAY": "w", "SSH_CONNECTION": "1"}) is None
    assert not clipboard.terminal_may_copy({"TERM_PROGRAM": "Apple_Terminal"})


def test_leaving_does_not_wait_for_work_beside_the_screen(tmp_path: Path) -> None:
    """The screen closes while the examined interpreter still describes its machine."""
    said, asked, answered = recorded("cpu"), threading.Event(), threading.Event()

    class Slow(Played):
        def fingerprint(self, report: Report) -> Fingerprint:
            asked.set()
            answered.wait(30)
            return super().fingerprint(report)

    engine = Slow(said)
    settings = Settings(profile_path=str(tmp_path / "profile.json"))
    app = DoctorApp(lambda: (engine, Model(settings)))

    async def leave() -> None:
        async with app.run_test() as pilot:
            while not asked.is_set():
                await asyncio.sleep(0.01)
            await pilot.press("q")

    asyncio.run(leave())
    assert work_is_running()
    app.draw()  # as a tick would that comes while it closes
    answered.set()
    while work_is_running():
        time.sleep(0.01)


def test_a_mouse_opens_tabs_and_selects_rows(tmp_path: Path) -> None:
    """A click on a tab opens it, on a row selects it, on a heading sorts, on a key presses it."""

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        header = str(app.query_one("#tabs").render())
        await pilot.click("#tabs", offset=(header.index("Training") + 2, 0))
        assert app.tab == "training"
        table = app.query_one("#steps", Rows)
        await pilot.click(table, offset=(5, 4))
        assert table.cursor == 2
        await pilot.click(table, offset=(5, 1))
        assert table.order == 0
        keys = str(app.query_one("#keys").render())
        await pilot.click("#keys", offset=(keys.index("help"), 0))
        assert len(app.screen_stack) == 2

    told(recorded("wins"), tmp_path / "profile.json", story)


def test_the_palette_offers_what_applies_now(tmp_path: Path) -> None:
    """Cancel is offered while a check-up runs and not afterwards; a command chosen by its name acts."""

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        offered = {command.title for command in app.get_system_commands(app.screen)}
        assert ("Cancel" in offered) == (app.actions is not None and app.actions.model.running)
        await pilot.press("ctrl+p", *"go to memory")
        await pilot.pause(0.3)
        await pilot.press("enter")
        await pilot.pause()
        assert app.tab == "memory"

    told(running(), tmp_path / "profile.json", story)
    told(recorded("wins"), tmp_path / "profile.json", story)


def test_a_text_can_be_pasted_and_is_explained(tmp_path: Path) -> None:
    """The palette opens a place to paste into; the answer stands below, and changes with the text; Esc closes."""

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        await pilot.press("ctrl+p", *"explain a text")
        await pilot.pause(0.3)
        await pilot.press("enter")
        await pilot.pause()
        pasted = app.screen.query_one("#pasted", TextArea)
        assert app.focused is pasted
        pasted.load_text("RuntimeError: Invalid buffer size: 19.45 GB\n\x1b]0;title\x07(torch 2.6.0 on macOS 14.5)")
        await pilot.pause()
        shown = str(app.screen.query_one("#answer Static", Static).render())
        assert "One tensor is larger than a Metal buffer may be (invalid_buffer_size," in shown
        assert "torch 2.6.0, macOS 14.5" in shown
        pasted.load_text("hello")
        await pilot.pause()
        assert "I don't know" in str(app.screen.query_one("#answer Static", Static).render())
        await pilot.press("escape")
        await pilot.pause()
        assert len(app.screen_stack) == 1

    told(recorded("wins"), tmp_path / "profile.json", story)


def test_without_colours_and_in_other_themes_the_words_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A monochrome terminal shows greys and every word; so does each theme."""

    async def story(app: DoctorApp, pilot: Pilot[Any], engine: Played) -> None:
        plain = cells(app)[0]
        for theme in ("textual-light", "nord", "gruvbox"):
            app.theme = theme
            await settle(app, pilot)
            assert cells(app)[0] == plain
        seen.append((plain, cells(app)[1]))

    seen: list[tuple[str, set[str]]] = []
    told(recorded("wrong"), tmp_path / "profile.json", story)
    monkeypatch.setenv("NO_COLOR", "1")
    told(recorded("wrong"), tmp_path / "profile.json", story)
    (plain, colours), (bare, greys) = seen
    assert bare == plain
    assert any(grey(colour) is False for colour in colours)
    assert all(grey(colour) for colour in greys)


def cells(app: DoctorApp) -> tuple[str, set[str]]:
    """What the screen says, and its colours as `#rrggbb`."""
    strips = app.screen._compositor.render_strips()
    styles = [segment.style for strip in strips for segment in strip if segment.style]
    colours = {part.name for style in styles for part in (style.color, style.bgcolor) if part}
    return "\n".join(strip.text for strip in strips), colours


def grey(colour: str) -> bool:
    return len({colour[place : place + 2] for place in (1, 3, 5)}) == 1


def test_the_figures_of_training_are_shown_while_they_come() -> None:
    """The last figure of each workload, size and device stays; one that is being timed has none yet."""
    model = Model(Settings())
    for figures in (
        (),
        (Figure("cnn", "medium", "cpu"), Figure("cnn", "medium", "sim")),
        (Figure("cnn", "medium", "cpu", 149.0, (144.5, 153.5)), Figure("cnn", "medium", "sim", 131.0, (106.0, 156.0))),
        (Figure("cnn", "medium", "cpu", 3700.0, (3550.0, 3850.0)),),
        tuple(Figure("mlp", "small", device) for device in ("cpu", "xpu", "sim")),
    ):
        model.apply(Progress("training", "whatever it says", figures=figures))
    shown = {(row["workload"], row["device"]): (row["outcome"], row["step_ms"]) for row in model.figures()}
    assert shown == {
        ("cnn", "cpu"): ("ok", 3700.0),
        ("cnn", "sim"): ("ok", 131.0),
        **{("mlp", device): ("timing", None) for device in ("cpu", "xpu", "sim")},
    }


def test_the_chart_does_not_depend_on_the_words_of_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the training check measures reaches the screen when every sentence about it is another one."""
    monkeypatch.setattr(narrator, "sentences", lambda blocks, left: ["正在测量"])
    monkeypatch.setattr(narrator, "EVERY", 0.0)
    model = Model(Settings())

    def take(message: dict[str, Any]) -> None:
        model.apply(progress_of("training", intake.take(message)))

    context = Context("quick", 1.0, None, {}, Workers(sys.executable), take)
    say = narrator.Narrator(context, Workload("cnn", "small"), "计时", ("cpu", "mps"))
    say()
    say({"cpu": [0.002, 0.002], "mps": [0.001, 0.001]}, 3.0)
    rows: list[Any] = [(row["device"], row["outcome"], row["step_ms"]) for row in model.figures()]
    assert rows == [
        ("cpu", "ok", pytest.approx(2.0)),
        ("mps", "ok", pytest.approx(1.0)),
    ]
