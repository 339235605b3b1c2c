"""The tab for a person's own file: with real files, in real workers."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from helpers.support import processes_left
from mpsdoctor.events import Request, Settings
from mpsdoctor.tui import own_state
from mpsdoctor.tui.app import DoctorApp
from mpsdoctor.tui.engine import Done, LiveEngine
from mpsdoctor.tui.model import Model
from mpsdoctor.tui.widgets.details import Details
from mpsdoctor.tui.widgets.rows import Rows
from simulator import simulator
from tui.screens import recorded, running, screen, settle

FILE = """
import pathlib, time, torch
from torch import nn

pathlib.Path(__file__).with_name("ran").touch()

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(8, 8)

    def forward(self, x):
        return self.first(x).cumsum(1).softmax(1)

def build():
    return Net(), torch.randn(4, 8)

def fails():
    raise ValueError("no data")

def sleeps():
    time.sleep(60)
"""
SCRIPT = """
import argparse
import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int)
torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else "cpu"
model = nn.Linear(8, 8).to(device)
optimizer = torch.optim.AdamW(model.parameters())
batch = torch.randn(4, 8)
for _ in range(parser.parse_args().steps):
    optimizer.zero_grad()
    loss = model(batch.to(device)).square().mean()
    loss.backward()
    optimizer.step()
    loss.item()
"""
CUMSUM, FAILS = 13, 19  # lines of it
Story = Callable[[DoctorApp, Pilot[Any], Model], Awaitable[None]]


class Recorded(LiveEngine):
    """An engine whose check-up is recorded, and whose runs of a person's file are real."""

    def start(self, only: tuple[str, ...] = ()) -> None:
        for signal in recorded("cpu"):
            self._signals.put(signal)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "train.py"
    path.write_text(FILE)
    return path


def told(tmp_path: Path, story: Story, size: tuple[int, int] = (100, 30)) -> None:
    """Play the story on the open tab, after a check-up."""

    async def play() -> None:
        settings = Settings(budget="quick", profile_path=str(tmp_path / "profile.json"))
        engine, model = Recorded(settings), Model(settings)
        app = DoctorApp(lambda: (engine, model))
        try:
            async with app.run_test(size=size) as pilot:
                while model.report is None:
                    await pilot.pause(0.02)
                await pilot.press("7")
                await pilot.pause()
                await story(app, pilot, model)
        finally:
            engine.close()

    asyncio.run(play())
    assert processes_left() == []


async def ask(app: DoctorApp, pilot: Pilot[Any], question: int, target: str, version: str = "") -> None:
    """Choose a question, name the file, press Enter."""
    app.query_one("#torch", Input).value, app.query_one("#target", Input).value = version, ""
    app.query_one("#questions", Rows).focus()
    await pilot.press("g", *["j"] * question, "enter")
    await pilot.pause()
    assert app.focused is app.query_one("#target")
    app.query_one("#target", Input).value = target
    await pilot.press("enter")
    await pilot.pause()


async def answered(pilot: Pilot[Any], model: Model) -> None:
    while model.own_active:
        await pilot.pause(0.05)
    await pilot.pause(0.2)


def verdict(app: DoctorApp) -> str:
    return str(app.query_one("#told", Static).content)


def cells(app: DoctorApp) -> list[list[str]]:
    return [[cell for cell, _ in row.cells] for row in app.query_one("#answer", Rows)._all]


def test_operators_of_an_own_model_with_their_places(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not run on an accelerator stands in the first line, with the line of the file in the first row."""
    for name, value in simulator.environment("aten::cumsum=unimplemented").items():
        monkeypatch.setenv(name, value)

    async def story(app: DoctorApp, pilot: Pilot[Any], model: Model) -> None:
        await ask(app, pilot, 0, f"{file}:build")
        await answered(pilot, model)
        first = verdict(app).splitlines()[0]
        assert first.startswith("✗ the step does not run on sim: aten::cumsum is not implemented")
        assert cells(app)[0] == ["U unimplemented", "cumsum", "sim", f"train.py:{CUMSUM} in forward"]
        assert all(row[0] == "o ok" for row in cells(app)[1:])
        about = app.query_one("#about", Details).plain
        assert "return self.first(x).cumsum(1).softmax(1)" in about
        assert "What to do" in about
        assert model.report is not None  # the check-up's, untouched
        assert model.report.verdict is not None
        await pilot.press("slash", *"softmax", "enter")
        assert all("softmax" in row.key for row in app.query_one("#answer", Rows)._visible)

    told(tmp_path, story)


def test_a_step_is_timed_on_each_device(tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The third question gives a row a device, with step time and ratio to the CPU, and says where to train."""
    for name, value in simulator.environment(step_ms=20, speed=2).items():
        monkeypatch.setenv(name, value)

    async def story(app: DoctorApp, pilot: Pilot[Any], model: Model) -> None:
        await ask(app, pilot, 2, str(file))
        await answered(pilot, model)
        assert verdict(app).startswith("Train on ")
        assert [row[0] for row in cells(app)] == ["cpu", "sim"]
        assert all(row[1].endswith("s") for row in cells(app))
        assert cells(app)[1][3]
        assert "steps timed" in app.query_one("#about", Details).plain

    told(tmp_path, story)


def test_a_script_is_raced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fourth question takes a script with its arguments: who is faster, a row a device, whether alike."""
    for name, value in simulator.environment(step_ms=8, speed=3).items():
        monkeypatch.setenv(name, value)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)

    async def story(app: DoctorApp, pilot: Pilot[Any], model: Model) -> None:
        await ask(app, pilot, 3, f"{script} --steps 1000")
        await answered(pilot, model)
        assert "sim" in verdict(app).splitlines()[0]
        assert [row[0] for row in cells(app)] == ["cpu", "sim"]
        assert model.own
        assert model.own.answer
        assert any("trains alike" in line for line in model.own.answer.said)

    told(tmp_path, story)


def test_a_race_ends_with_escape(tmp_path: Path) -> None:
    """Its scripts are ended too, and no logs are left; a quote without its end is told of."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("import argparse", "import argparse, pathlib; pathlib.Path('ran').touch()"))

    async def story(app: DoctorApp, pilot: Pilot[Any], model: Model) -> None:
        await ask(app, pilot, 3, "train.py 'no end")
        await answered(pilot, model)
        assert "No closing quotation" in verdict(app)
        await ask(app, pilot, 3, f"{script} --steps 100000")
        while not Path("ran").exists():
            await pilot.pause(0.05)
        await pilot.press("escape")
        await answered(pilot, model)
        assert "cancelled" in verdict(app)
        assert not [*logs.iterdir()]

    logs = tmp_path / "logs"
    logs.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        patch.setattr("tempfile.tempdir", str(logs))
        told(tmp_path, story)


def test_a_prediction_for_another_torch(tmp_path: Path, file: Path) -> None:
    """The second question answers for the version that is typed beside the file, and lists what is missing first."""

    async def story(app: DoctorApp, pilot: Pilot[Any], model: Model) -> None:
        file.write_text(FILE.replace("cumsum(1)", "logcumsumexp(1)"))
        await ask(app, pilot, 1, f"'{file}'", "2.0")
        await answered(pilot, model)
        assert verdict(app).splitlines()[0].startswith("! MPS with torch 2.0: runs with PYTORCH_ENABLE_MPS_FALLBACK=1")
        assert cells(app)[0][:2] == ["U unimplemented", "logcumsumexp"]
        assert "2.9" in app.query_one("#about", Details).plain

    told(tmp_path, story)


def test_an_answer_is_exported_from_its_tab(tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On this tab `e` writes the answer, as the command would print it; on the others the report of the check-up."""
    monkeypatch.chdir(tmp_path)

    async def story(app: DoctorApp, pilot: Pilot[Any], model: Model) -> None:
        await ask(app, pilot, 0, f"{file}:build")
        await answered(pilot, model)
        for tab, name in (("7", "mpsdoctor-answer"), ("1", "mpsdoctor-report")):
            await pilot.press(tab, "e", "g")
            await pilot.pause()
            names = [row.cells[1][0] for row in app.screen.query_one("#formats", Rows)._all]
            assert f"{name}.txt" in names
            await pilot.press(*["j"] * names.index(f"{name}.txt"), "enter")
            await pilot.pause()
            assert ("aten::" in (tmp_path / f"{name}.txt").read_text()) == (tab == "7")
        assert "operator calls" in (tmp_path / "mpsdoctor-answer.txt").read_text()

    told(tmp_path, story)


def test_nothing_of_the_person_runs_before_enter_and_its_errors_are_a_line(tmp_path: Path, file: Path) -> None:
    """Typing runs nothing. An error of the file is told with its place; the traceback stands in the details."""

    async def story(app: DoctorApp, pilot: Pilot[Any], model: Model) -> None:
        app.query_one("#target", Input).value = f"{file}:fails"
        await pilot.pause(0.3)
        assert not (tmp_path / "ran").exists()
        await ask(app, pilot, 0, f"{file}:fails")
        await answered(pilot, model)
        assert (tmp_path / "ran").exists()
        line = verdict(app)
        assert line.startswith("✗ your code failed: ")
        assert f"train.py:{FAILS} in fails: ValueError: no data" in line
        assert "\n" not in line
        assert 'raise ValueError("no data")' in app.query_one("#about", Details).plain

    told(tmp_path, story)


def test_a_file_that_is_not_there_is_told(tmp_path: Path, file: Path) -> None:
    """A name without a file is answered with those beside it; the list of last used files keeps what was asked."""

    async def story(app: DoctorApp, pilot: Pilot[Any], model: Model) -> None:
        await ask(app, pilot, 0, f"{tmp_path}/other.py:build")
        await answered(pilot, model)
        assert f"there is no file {tmp_path}/other.py (beside it: train.py)" in verdict(app)
        app.query_one("#used", Rows).focus()
        app.query_one("#target", Input).value = ""
        await pilot.press("enter")
        await pilot.pause()
        assert app.query_one("#target", Input).value == f"{tmp_path}/other.py:build"

    told(tmp_path, story)


@pytest.mark.parametrize("field", [False, True])
def test_escape_ends_an_own_run_alone(tmp_path: Path, file: Path, field: bool) -> None:
    """Esc, from the field too, ends the run and its processes; the check-up's report stays. No check runs beside it."""

    async def story(app: DoctorApp, pilot: Pilot[Any], model: Model) -> None:
        await ask(app, pilot, 0, f"{file}:sleeps")
        while not (tmp_path / "ran").exists():
            await pilot.pause(0.05)
        await pilot.press("R")
        assert not model.running
        assert "your own file is being examined" in app.told[-1].text
        if field:
            app.query_one("#target", Input).focus()
        await pilot.press("escape")
        await answered(pilot, model)
        assert "cancelled" in verdict(app)
        assert model.report is not None
        assert not model.cancelled

    told(tmp_path, story)


def test_a_question_waits_for_the_check_up(tmp_path: Path) -> None:
    """While a check-up runs, a question waits and says so; Esc takes it back without touching the check-up."""

    async def story() -> None:
        async with screen(running(), (80, 24), tmp_path / "profile.json") as (app, pilot, engine):
            await pilot.press("7")
            await pilot.pause()
            await ask(app, pilot, 0, "train.py:build")
            await settle(app, pilot)
            assert "waits until the check-up has ended" in verdict(app)
            assert engine.asked == [("start", ())]
            await pilot.press("escape")
            await settle(app, pilot)
            assert app.actions
            assert app.actions.model.own is None
            assert app.actions.model.running
            assert "cancel" not in engine.asked
            await ask(app, pilot, 2, "train.py")
            engine.said = [signal for signal in recorded("wins") if isinstance(signal, Done)]
            await settle(app, pilot)
            app.tick()
            assert engine.asked[1:] == [("ask", Request("step", "train.py:build"))]

    asyncio.run(story())


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
def test_small_terminals_have_all_of_it(tmp_path: Path, size: tuple[int, int]) -> None:
    """Field, answer and details are on the screen after an answer; the questions are where they are used."""

    async def story(app: DoctorApp, pilot: Pilot[Any], model: Model) -> None:
        assert app.query_one("#questions").region.height > 1
        await ask(app, pilot, 0, f"{tmp_path}/none.py:build")
        await answered(pilot, model)
        for name in ("#target", "#told", "#answer", "#about"):
            region = app.query_one(name).region
            assert region.height > 0
            assert app.query_one("#body").region.contains_region(region)
        await pilot.press("shift+tab")
        await pilot.pause()
        assert app.query_one("#choosing").display
        assert app.focused in (app.query_one("#torch"), app.query_one("#used"))

    told(tmp_path, story, size)


@pytest.mark.parametrize(
    ("typed", "target"),
    [
        (" train.py:build ", "train.py:build"),
        ("train.py", "train.py:build"),
        ("'my models/train.py:make'", "my models/train.py:make"),
        ("my\\ models/train.py", "my models/train.py:build"),
        ("my models/train.py", "my models/train.py:build"),
        ("it's.py", "it's.py:build"),
        ("", ""),
    ],
)
def test_what_is_typed_or_dropped_names_a_function(typed: str, target: str) -> None:
    """Quotes and escapes of a shell are taken off; a file alone means its `build`."""
    assert own_state.read_target(typed) == target


def test_the_tab_is_loaded_when_it_is_opened() -> None:
    """The screen begins without this tab, what answers its questions, and the checks."""
    program = "import sys, mpsdoctor.tui.app, mpsdoctor.tui.actions; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "mpsdoctor.tui.actions" in loaded
    unwanted = {"mpsdoctor.tui.panes.own", "mpsdoctor.tui.own_answer", "mpsdoctor.owncode", "mpsdoctor_checks"}
    assert not unwanted.intersection(loaded)
