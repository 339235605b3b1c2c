"""Recorded check-ups, played to the screen by an engine that runs nothing."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from textual.pilot import Pilot

from mpsdoctor import verdict
from mpsdoctor.events import Event, Finished, Progress, Request, Settings
from mpsdoctor.machine.shapes import GpuMemory, MemorySample
from mpsdoctor.report import Report
from mpsdoctor.runtime.shapes import Fingerprint
from mpsdoctor.tui.app import DoctorApp
from mpsdoctor.tui.background import work_is_running
from mpsdoctor.tui.engine import Done, Signal
from mpsdoctor.tui.model import Model

RECORDED = Path(__file__).with_name("recorded")
TOOK = 34.0  # seconds that a recorded check-up seems to run where it has no end
GIB = 1 << 30


def memory(second: int) -> MemorySample:
    """What an engine tells of memory, rising and falling."""
    used = 9 + 5 * math.sin(second / 15)
    gpus: list[GpuMemory] = [{"name": "Example GPU", "used_bytes": int((used - 3) * GIB), "total_bytes": None}]
    return {
        "total_bytes": 24 * GIB,
        "available_bytes": int((24 - used) * GIB),
        "swap_total_bytes": 4 * GIB,
        "swap_used_bytes": GIB if second > 40 else 0,
        "swap_in_bytes": 0,
        "swap_out_bytes": max(0, min(second - 40, 40)) * GIB // 40,
        "at": float(second),
        "compressed_bytes": 3 * GIB,
        "pressure": "normal",
        "gpus": gpus,
    }


class Played:
    """An engine that says what was recorded, and remembers what it was asked. Its clock moves while it speaks."""

    def __init__(self, said: list[Signal]) -> None:
        self.said, self.asked, self.now = said, list[Any](), 0.0

    def start(self, only: tuple[str, ...] = ()) -> None:
        self.asked.append(("start", only))

    def cancel(self) -> None:
        self.asked.append("cancel")

    def ask(self, request: Request) -> None:
        self.asked.append(("ask", request))

    def stop_asking(self) -> None:
        self.asked.append("stop asking")

    def close(self) -> bool:
        return False

    def drain(self) -> list[Signal]:
        said, self.said = self.said, []
        self.now += next((each.report.duration_s for each in said if isinstance(each, Done)), TOOK if said else 0.0)
        return said

    def memory(self) -> MemorySample:
        return memory(90)

    def fingerprint(self, report: Report) -> Fingerprint:
        it, torch = report.machine, report.torch.version if report.torch else None
        told: Fingerprint = {"os": it.os, "os_version": it.os_version, "arch": it.arch, "chip": it.chip}
        return {**told, "memory_bytes": it.memory_bytes, "python": report.python.version, "torch": torch}


def recorded(name: str) -> list[Signal]:
    """The events of a recorded check-up and its end, judged as today."""
    events: list[Signal] = []
    for line in (RECORDED / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        document = json.loads(line)
        if document["event"] == "report":
            checks = tuple(event.result for event in events if isinstance(event, Finished))
            report = msgspec.convert(document["report"], Report)
            answer = verdict.judge_checkup({check.id: check.facts for check in checks})
            events.append(Done(msgspec.structs.replace(report, checks=checks, verdict=answer), cancelled=False))
        else:
            events.append(msgspec.convert(document, Event))
    return events


def running() -> list[Signal]:
    """A check-up that times its last workload."""
    events = recorded("wins")
    last = max(n for n, event in enumerate(events) if isinstance(event, Progress) and "timing" in event.text)
    return events[: last + 1]


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
) -> AsyncIterator[tuple[DoctorApp, Pilot[Any], Played]]:
    """The application with these events taken, at this size, its clock standing still."""
    engine = Played(said)
    model = Model(Settings(profile_path=str(profile), **settings), clock=lambda: engine.now)
    app = DoctorApp(lambda: (engine, model))
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        yield app, pilot, engine


async def settle(app: DoctorApp, pilot: Pilot[Any]) -> None:
    """Wait until what was recorded is taken, threads have answered and everything is drawn."""
    while app.actions is None or app.actions.engine.said:  # type: ignore[attr-defined]
        await asyncio.sleep(0.01)
    while work_is_running():
        await asyncio.sleep(0.005)
    await pilot.pause(0)
    app.draw()
    await pilot.pause(0)
