"""The screen of `mpsdoctor watch`: pictures of it, and that it follows a file that grows."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from mpsdoctor import texts
from mpsdoctor.tui import watched
from mpsdoctor.tui.watched import WatchApp
from mpsdoctor.tui.widgets.bars import Line as Bar
from mpsdoctor.tui.widgets.details import Details
from mpsdoctor.watch.history import History
from mpsdoctor.watch.log import Reader, Writer
from mpsdoctor.watch.shapes import Begin, DeviceMemory, End, Sample
from tui.test_pictures import Cells, cells

GIB = 1 << 30
BEGIN = Begin(1, "mpsdoctor 1.0", "2026-11-27T12:00:00Z", ("python", "train.py", "--epochs", "3"), "Darwin", "26.4")


def sample(second: int) -> Sample:
    """A Mac that is short of memory and warm for a while."""
    slow = 120 <= second < 140
    return Sample(
        at=second + 1.0,
        seconds=1.0,
        done=20 * (second + 1),
        steps=12 if slow else 20,
        step_seconds=0.98,
        longest_s=0.06,
        devices={"mps": DeviceMemory(3 * GIB + second * 400_000, 9 * GIB // 2, 18 * GIB // 5)},
        resident_bytes=2 * GIB + second * GIB // 200,
        pressure="warning" if slow else "normal",
        swap_used_bytes=GIB if second > 120 else 0,
        swapped_bytes=40 << 20 if slow else 0,
        cpu_percent=round(34 + 5 * math.sin(second / 9), 1),
        others_percent=12.0,
        programs=("Example Browser",),
        thermal_state="fair" if slow else "nominal",
        low_power=False,
        on_battery=second > 150,
    )


def course(seconds: int, status: int | None = None) -> History:
    history = History()
    history.add(BEGIN)
    for second in range(seconds):
        history.add(sample(second))
    if status is not None:
        history.add(End(float(seconds), status))
    return history


STATES = {"empty": (0, None), "running": (135, None), "ended": (200, 0), "killed": (200, -9)}


def picture(app: WatchApp, size: tuple[int, int]) -> str:
    async def look() -> str:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            app.draw()
            await pilot.pause()
            return cells(app)

    return asyncio.run(look())


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (40, 12)])
@pytest.mark.parametrize("state", STATES)
def test_it_looks_as_it_did_when_somebody_last_looked(
    state: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    """At each size while a training runs, after its end, and where it was killed."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    app = WatchApp(None, course(*STATES[state]))
    assert picture(app, size) == snapshot(extension_class=Cells)


def test_it_looks_so_in_chinese(monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    """Wide characters keep the columns."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(texts, "_language", "zh")
    assert picture(WatchApp(None, course(200, 0)), (120, 40)) == snapshot(extension_class=Cells)


def plain(app: WatchApp, id: str) -> str:
    return app.query_one(f"#{id}", Details).plain


def test_it_follows_a_file_that_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sample by sample, to the end; a training that falls silent is said to be so, and `q` leaves."""
    monkeypatch.setattr(watched, "EVERY", 3600.0)
    path = tmp_path / "w.jsonl"
    writer = Writer(path)
    writer.write(BEGIN)
    reader, history = Reader(path), History()

    async def follow(pilot: Pilot[None], app: WatchApp) -> str:
        app.follow()
        await pilot.pause()
        return app.query_one("#header", Bar)._content.plain

    async def look() -> None:
        app = WatchApp(reader, history)
        async with app.run_test(size=(80, 24)) as pilot:
            assert "running" in await follow(pilot, app)
            for second in range(3):
                writer.write(sample(second))
                await follow(pilot, app)
                assert f"{20 * (second + 1)} steps" in plain(app, "summary")
            assert "memory of mps" in plain(app, "live")
            app.clock = lambda: path.stat().st_mtime + 60
            assert "no news for 60 s" in await follow(pilot, app)
            writer.write(End(3.0, -15))
            assert "ended (SIGTERM)" in await follow(pilot, app)
            assert "ended by SIGTERM" in plain(app, "summary")
            await pilot.press("q")
        assert not app.is_running

    asyncio.run(look())
    writer.close()
    reader.close()


def test_a_strangers_file_draws_nothing_of_its_own() -> None:
    """Escapes and markup in names and levels are text."""
    history = History()
    history.add(Begin(1, "x", "x", ("\x1b[2J", "[bold]")))
    history.add(
        Sample(1.0, 1.0, devices={"\x1b]0;x\x07": DeviceMemory(1, 2, 3)}, pressure="[red]\x1b", cpu_percent=1.0)
    )
    drawn = picture(WatchApp(None, history), (80, 24))
    assert "\x1b" not in drawn
    assert "[red]" in drawn
