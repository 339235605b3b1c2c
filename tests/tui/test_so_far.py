"""What the screen tells while a check-up goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from mpsdoctor.events import Busy, BusyProgram, Finished
from mpsdoctor.tui.panes.pane import Pane
from mpsdoctor.tui.widgets.details import Details
from tui.screens import recorded, running, screen

TEXT = "the machine is busy: Google Chrome takes 340 % of a processor; waiting up to 10 s"
BUSY = Busy(TEXT, {}, 42.5, (BusyProgram("Google Chrome", 340.0),), 10.0)


def panel(said: list[Any], profile: Path, name: str, tab: str = "1") -> tuple[str, str]:
    """The header and a panel, with these events taken."""

    async def play() -> tuple[str, str]:
        async with screen(said, (120, 40), profile) as (app, pilot, _):
            await pilot.press(tab)
            await pilot.pause()
            header = str(app.query_one("#header").render())
            return header, app.query_one(Pane).screen.query_one(name, Details).plain

    return asyncio.run(play())


def test_a_busy_machine_is_told_while_it_is_waited_for(tmp_path: Path) -> None:
    """In the header and in the overview; later the overview tells who it was."""
    listed, *events = running()
    header, verdict = panel([listed, BUSY], tmp_path, "#verdict")
    assert TEXT in header
    assert TEXT in " ".join(verdict.split())
    header, verdict = panel([listed, BUSY, *events], tmp_path, "#verdict")
    assert "busy" not in header
    assert "before the first check Google Chrome took 340 % of a processor" in " ".join(verdict.split())


def test_the_overview_tells_how_far_it_is_and_the_figures_so_far(tmp_path: Path) -> None:
    """The time left, what is done now, step times by workload, the checks and the machine; nothing twice."""
    header, verdict = panel(running(), tmp_path, "#verdict")
    assert "% · a few seconds left" in header
    for words in ("A few seconds left", "cnn medium", "cpu 295 ms · sim 80.1 ms", "✓ pass    memory", "Machine"):
        assert words in verdict
    assert "examining" not in header + verdict


def test_a_check_that_skipped_most_does_not_call_all_well(tmp_path: Path) -> None:
    """Its details tell how much of the plan was reached, and what was not."""
    row = {"planned": 2134, "made": 1544, "operators": 300, "variants": {"contiguous": 900}, "dtypes": {}}
    row["not_reached"] = ["aten::cumsum", "aten::svd", "aten::sort", "aten::mm"]
    events = [event for event in recorded("wins") if isinstance(event, Finished) and event.result.id == "operators"]
    passed = msgspec.structs.replace(events[0].result, status="pass", findings=(), facts={"coverage": {"mps": row}})
    _, details = panel([recorded("wins")[0], Finished(passed)], tmp_path, "#check", tab="2")
    assert "nothing to complain" not in details
    assert "1,544 of 2,134 probes on mps" in " ".join(details.split())
    assert "cumsum, svd and 2 others not reached" in " ".join(details.split())
