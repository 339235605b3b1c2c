"""Memory: pressure, swap and what is free, every second while this tab is open; what training took on the devices."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, Self

from textual.app import ComposeResult

from mpsdoctor.formats import wrapping
from mpsdoctor.texts import say, term
from mpsdoctor.tui import words
from mpsdoctor.tui.background import run_in_background
from mpsdoctor.tui.model import Model
from mpsdoctor.tui.panes.pane import Pane
from mpsdoctor.tui.widgets.details import Details
from mpsdoctor.tui.words import Piece

if TYPE_CHECKING:
    from mpsdoctor.machine.shapes import MemorySample
    from mpsdoctor.tui.actions import Actions

BLOCKS = "▁▂▃▄▅▆▇█"
LABEL = 11  # cells of the labels beside figures
EVERY = 1.0  # seconds
KEPT = 240  # seconds of the past
MUCH = 64 << 20  # bytes swapped in a second that fill the line at least
PRESSURE = {"normal": "pass", "warning": "warn", "critical": "fail"}
# What the peak of a timed run is a figure of; of other devices, what torch allocated on them.
PEAKS = {"cpu": "screen.peak_cpu", "mps": "screen.peak_mps"}


class Moment(NamedTuple):
    """A sample, and what is counted from it; None where the system does not report it."""

    sample: MemorySample
    used: int | None
    swapped: int | None


class Memory(Pane):
    """The fifth tab. Nothing is asked while another tab is open: asking disturbs what is being timed."""

    def __init__(self, model: Model, id: str, take_sample: Callable[[], MemorySample]) -> None:
        super().__init__(model, id)
        self._take_sample = take_sample
        self._past: deque[Moment] = deque(maxlen=KEPT)
        self._asking = False

    @classmethod
    def open(cls, name: str, actions: Actions) -> Self:
        return cls(actions.model, f"{name}-pane", actions.engine.memory)

    def explain(self) -> str:
        return say("screen.memory_help")

    def compose(self) -> ComposeResult:
        yield Details(say("screen.now"), id="now")
        yield Details(say("screen.device_memory"), id="device-memory")

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(EVERY, self.measure)
        self._ask()

    def measure(self) -> None:
        """Ask for one sample, unless this tab is hidden or the last is still being asked for."""
        if self.display:
            self._ask()

    def _ask(self) -> None:
        if not self._asking:
            self._asking = True
            run_in_background(self.app, "memory", self._take_sample, self.add_sample)

    def add_sample(self, sample: MemorySample) -> None:
        """Remember a sample and draw it."""
        self._asking = False
        total, free = sample.get("total_bytes"), sample.get("available_bytes")
        used = total - free if total is not None and free is not None else None
        swapped_in, swapped_out = sample.get("swap_in_bytes"), sample.get("swap_out_bytes")
        swapped = None if swapped_in is None or swapped_out is None else swapped_in + swapped_out
        self._past.append(Moment(sample, used, swapped))
        self.redraw()

    def show(self) -> None:
        now, devices = (self.query_one(name, Details) for name in ("#now", "#device-memory"))
        now.show(words.lines(self._now(now.room + 1)))
        pieces = [*self._gpus(devices.room + 1), *_devices(self.model, devices.room + 1)]
        devices.show(words.lines(pieces))

    def check_id(self) -> str | None:
        return "memory"

    def _gpus(self, width: int) -> Iterator[Piece]:
        if not self._past:
            return
        sample = self._past[-1].sample
        gpus, unified = sample.get("gpus") or (), sample.get("total_bytes")
        for number, gpu in enumerate(gpus):
            past = [_used(moment.sample, number) for moment in self._past]
            yield (gpu["name"], "title")
            yield from _curve(say("screen.in_use"), past, gpu["total_bytes"] or unified, width)
            yield ""
        if not gpus:
            yield (say("screen.no_device_memory"), "muted")
            yield ""

    def _now(self, width: int) -> Iterator[Piece]:
        if not self._past:
            yield (say("screen.measuring"), "muted")
            return
        last = self._past[-1].sample
        pressure = last.get("pressure") or ""
        word = term("pressure", pressure) if pressure in PRESSURE else pressure or say("screen.unknown")
        yield words.styled(_label("screen.pressure"), (word, PRESSURE.get(pressure, "muted")))
        available, total = words.gib(last.get("available_bytes")), words.gib(last.get("total_bytes"))
        yield words.styled(_label("screen.available"), (available, "strong"), say("screen.of_total", total=total))
        yield from self._under_total(say("screen.in_use"), [moment.used for moment in self._past], width)
        yield from _swap(list(self._past), width)
        compressed = [moment.sample.get("compressed_bytes") for moment in self._past]
        yield from self._under_total(say("screen.compressed"), compressed, width)
        if last.get("limit_bytes"):
            yield say("screen.container", size=words.gib(last.get("limit_bytes")))

    def _under_total(self, label: str, values: Sequence[int | None], width: int) -> Iterator[Piece]:
        if values[-1] is not None:
            yield ""
            yield from _curve(label, values, self._past[-1].sample.get("total_bytes"), width)


def _curve(label: str, values: Sequence[float | None], limit: float | None, width: int) -> Iterator[Piece]:
    now = values[-1] or 0.0
    if not limit:
        yield words.styled(wrapping.pad(label, LABEL), (words.gib(now) if now else say("screen.none"), "strong"))
        return
    share = f" · {say('screen.share', share=now / limit, total=words.gib(limit))}"
    tone = "fail" if now > 0.9 * limit else "warn" if now > 0.75 * limit else "pass"
    yield words.styled(wrapping.pad(label, LABEL), (words.gib(now), "strong"), (share, "muted"))
    yield (sparkline(values, limit, max(8, width - 1)), tone)


def _swap(past: Sequence[Moment], width: int) -> Iterator[Piece]:
    """What is swapped out, and a line of what is swapped in and out each second, which is what slows programs.

    No share of the swap's size: macOS makes swap files as it needs them.
    """
    used = past[-1].sample.get("swap_used_bytes")
    if used is None:
        return
    rates = [_rate(before, now) for before, now in pairwise(past)]
    rate = rates[-1] if used and rates else None
    yield ""
    out = say("screen.swapped_out", size=words.gib(used)) if used else say("screen.none")
    if rate is None:
        yield words.styled(_label("screen.swap"), (out, "strong"))
        return
    moving = say("screen.swap_rate", size=words.gib(rate)) if rate >= 1 << 20 else say("screen.hardly_swapping")
    yield words.styled(_label("screen.swap"), (out, "strong"), (f" · {moving}", "muted"))
    yield (sparkline(rates, max(MUCH, *(rate or 0.0 for rate in rates)), max(8, width - 1)), "pass")


def _label(name: str) -> str:
    return wrapping.pad(say(name), LABEL)


def _describe_peak(device: str) -> str:
    return say("screen.peak_of", device=device, figure=say(PEAKS.get(device.partition(":")[0], "screen.peak_other")))


def _rate(before: Moment, now: Moment) -> float | None:
    """Bytes swapped in a second between two samples; None across the time for which the tab was hidden."""
    seconds = now.sample["at"] - before.sample["at"]
    if before.swapped is None or now.swapped is None or not 0 < seconds < 3 * EVERY:
        return None
    return max(0.0, now.swapped - before.swapped) / seconds


def _used(sample: MemorySample, number: int) -> int | None:
    gpus = sample.get("gpus") or []
    return gpus[number]["used_bytes"] if number < len(gpus) else None


def sparkline(values: Sequence[float | None], limit: float, width: int) -> str:
    """The latest values as blocks between nothing and the limit; unknown is a gap."""
    recent = list(values)[-width:]
    drawn = "".join(" " if v is None else BLOCKS[min(7, int(max(0.0, v) / limit * 8))] for v in recent)
    return "·" * (width - len(drawn)) + drawn


def _devices(model: Model, width: int) -> Iterator[Piece]:
    timed = [(row, peak) for row in model.training().get("results", ()) if (peak := row["peak_memory_bytes"])]
    yield (say("screen.peak"), "title") if timed else (say("screen.peak_later"), "muted")
    # By device: the whole of a process is no figure to compare with what a driver reserved.
    for device in sorted({row["device"] for row, _ in timed}, key=lambda device: (device == "cpu", device)):
        yield (_describe_peak(device), "strong")
        peaks = sorted(((row, peak) for row, peak in timed if row["device"] == device), key=lambda pair: -pair[1])
        for row, peak in peaks:
            share = words.meter(peak, peaks[0][1], 10 if width >= 44 else 4)
            what = f"{wrapping.clip(row['workload'], 12)} {wrapping.clip(row['size'], 7)} "
            yield words.styled(what, (share, "accent"), f" {words.gib(peak)}")
    for check, finding in model.findings():
        if check.id == "memory":
            yield ""
            yield from words.describe_finding(check, finding)
