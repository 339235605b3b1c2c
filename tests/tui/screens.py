"""Recorded check-ups, played to the screen by an engine that runs nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from textual.pilot import Pilot

from mpsdoctor.checkup import Event, Finished, Settings
from mpsdoctor.report import Report
from mpsdoctor.tui.app import Screenful
from mpsdoctor.tui.engine import Done, Signal
from mpsdoctor.tui.model import Model

RECORDED = Path(__file__).with_name("recorded")
SIZES = ((80, 24), (120, 40), (160, 48), (40, 12))
MEMORY = {
    "total_bytes": 24 << 30,
    "available_bytes": 15 << 30,
    "swap_total_bytes": 4 << 30,
    "swap_used_bytes": 1 << 30,
    "compressed_bytes": 3 << 30,
    "pressure": "normal",
}


class Played:
    """An engine that says what was recorded, and remembers what it was asked."""

    def __init__(self, said: list[Signal]) -> None:
        self.said, self.asked = said, list[Any]()

    def start(self, only: tuple[str, ...] = ()) -> None:
        self.asked.append(("start", only))

    def cancel(self) -> None:
        self.asked.append("cancel")

    def drain(self) -> list[Signal]:
        said, self.said = self.said, []
        return said

    def memory(self) -> dict[str, Any]:
        return dict(MEMORY)


def recorded(name: str) -> list[Signal]:
    """The events of a recorded check-up and its end."""
    events: list[Signal] = []
    for line in (RECORDED / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        document = json.loads(line)
        if document["event"] == "report":
            checks = tuple(event.result for event in events if isinstance(event, Finished))
            report = msgspec.convert(document["report"], Report)
            events.append(Done(msgspec.structs.replace(report, checks=checks), cancelled=False))
        else:
            events.append(msgspec.convert(document, Event))  # type: ignore[call-overload]
    return events


def running() -> list[Signal]:
    """A check-up that times its first workloads."""
    events = recorded("wins")
    last = next(n for n, event in enumerate(events) if isinstance(event, Finished) and event.result.id == "training")
    return events[:last]


def cancelled() -> list[Signal]:
    """A check-up that was cancelled while it probed operators."""
    events = recorded("wins")
    last = next(n for n, event in enumerate(events) if isinstance(event, Finished) and event.result.id == "operators")
    end = events[-1]
    assert isinstance(end, Done)
    checks = [check if check.id in ("chip", "build", "environment") else _skipped(check) for check in end.report.checks]
    report = msgspec.structs.replace(end.report, checks=tuple(checks), verdict=None)
    return [*events[:last], Done(report, cancelled=True)]


def _skipped(check: Any) -> Any:
    return msgspec.structs.replace(check, status="skip", reason="cancelled", findings=(), facts={}, duration_s=0.0)


STATES: dict[str, Callable[[], list[Signal]]] = {
    "empty": list,
    "running": running,
    "done-cpu": lambda: recorded("cpu"),
    "done-accelerator-wins": lambda: recorded("wins"),
    "accelerator-wrong": lambda: recorded("wrong"),
    "crash": lambda: recorded("crash"),
    "cancelled": cancelled,
}


@asynccontextmanager
async def screen(
    said: list[Signal], size: tuple[int, int], profile: Path, **settings: Any
) -> AsyncIterator[tuple[Screenful, Pilot[Any], Played]]:
    """The application with these events taken, at this size, its clock standing still."""
    engine = Played(said)
    model = Model(Settings(profile_path=str(profile), **settings), clock=lambda: 12.0)
    app = Screenful(lambda: (engine, model))
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        yield app, pilot, engine


async def settle(app: Screenful, pilot: Pilot[Any]) -> None:
    """Wait until threads have answered and everything is drawn."""
    while app.deeds is None or app.deeds.engine.said:  # type: ignore[attr-defined]
        await asyncio.sleep(0.01)
    await app.workers.wait_for_complete()
    app.draw()
    await pilot.pause()
