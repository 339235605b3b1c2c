"""The screen of `mpsdoctor watch`: a training that is sampled, or was; it follows the file while that grows."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content

from mpsdoctor.formats import wrapping
from mpsdoctor.signals import on_signals
from mpsdoctor.texts import say, size
from mpsdoctor.tui import restored_terminal, words
from mpsdoctor.tui.drawing import on_stdout
from mpsdoctor.tui.panes.memory import PRESSURE, sparkline
from mpsdoctor.tui.widgets.bars import Line
from mpsdoctor.tui.widgets.details import Details
from mpsdoctor.tui.words import Piece
from mpsdoctor.watch import telling
from mpsdoctor.watch.history import History
from mpsdoctor.watch.shapes import Sample

if TYPE_CHECKING:
    from textual.driver import Driver

    from mpsdoctor.watch.log import Reader

EVERY = 1.0  # seconds between two looks at the file
SILENT = 10.0  # seconds, after which a training that writes each second is said to be silent
LABEL = 12  # cells
HEAT = {"nominal": "pass", "fair": "warn", "serious": "fail", "critical": "fail"}


class WatchApp(App[None]):
    """`reader` may bring more lines into `history`; `clock` is that of the wall."""

    TITLE = "mpsdoctor watch"
    CSS = """
    Screen { layout: vertical; overflow: hidden; }
    #header, #keys { background: $panel; }
    #body { height: 1fr; layout: horizontal; }
    #body Details { border: round $foreground 30%; border-title-color: $foreground; height: 1fr; width: 1fr; }
    #body Details:focus { border: heavy $accent; border-title-color: $text-accent; border-title-style: bold; }
    Screen.-narrow #body { layout: vertical; }
    Screen.-narrow #live { height: 3fr; }
    Screen.-narrow #summary { height: 2fr; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual declares it so
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,escape,ctrl+c,ctrl+q", "quit", priority=True)]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, reader: Reader | None, history: History, clock: float | None = None) -> None:
        super().__init__()
        self.reader, self.history, self._clock = reader, history, clock

    def get_driver_class(self) -> type[Driver]:
        return on_stdout(super().get_driver_class())

    def compose(self) -> ComposeResult:
        yield Line("header")
        with Container(id="body"):
            yield Details(say("watch.now"), id="live")
            yield Details(say("watch.summary"), id="summary")
        yield Line("keys")

    def on_mount(self) -> None:
        self.set_interval(EVERY, self.follow)
        self.call_after_refresh(self.draw)

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    def follow(self) -> None:
        """Take what has come."""
        if self.reader:
            for line in self.reader.lines():
                self.history.add(line)
        self.draw()

    def draw(self) -> None:
        silent = self.silent_for()
        self.query_one("#header", Line).show(header(self.history, silent, self.size.width))
        self.query_one("#keys", Line).show(words.styled(f" {say('watch.keys')}"))
        live, summary = (self.query_one(name, Details) for name in ("#live", "#summary"))
        live.show(words.lines(now(self.history.samples, live.room)))
        told = telling.lines(self.history, lives=silent < SILENT)
        wrapped = (part for line in told for part in wrapping.wrap(line.strip(), summary.room, "", "  "))
        summary.show(words.lines(wrapped))

    def silent_for(self) -> float:
        return self.reader.age(self._clock or time.time()) if self.reader else 0.0


def show(reader: Reader, history: History, *, no_color: bool = False) -> None:
    """Run the screen until it is left."""
    if no_color:
        os.environ["NO_COLOR"] = "1"
    with restored_terminal():
        on_signals(at_once=False)
        WatchApp(reader, history).run()


def header(history: History, silent: float, width: int) -> Content:
    """Which training, and how it stands."""
    state, tone = say("watch.state_running"), "accent"
    if history.end:
        status = history.end.status
        name = str(status) if status >= 0 else telling.signal_name(-status)
        state, tone = say("watch.state_ended", status=name), "pass" if status == 0 else "fail"
    elif silent >= SILENT:
        state, tone = say("watch.state_silent", seconds=silent), "warn"
    spent = telling.duration(history.samples[-1].at) if history.samples else ""
    right = f"{spent} "
    left = words.styled((f" {say('watch.title')}  ", "title"), (state, tone), f"  {telling.command(history)}")
    room = width - len(right)
    left = left.truncate(room, ellipsis=True) if left.cell_length > room else left
    return words.styled(left, " " * (width - left.cell_length - len(right)), (right, "muted"))


def now(samples: Sequence[Sample], width: int) -> Iterator[Piece]:
    """The latest figures, each with its past."""
    if not samples:
        yield (say("watch.waiting"), "muted")
        return
    yield from step_times(samples, width)
    for device in samples[-1].devices:
        if device != "cpu":
            yield from device_memory(device, samples, width)
    yield from curve(
        say("watch.process_memory"),
        size(samples[-1].resident_bytes or 0),
        [sample.resident_bytes for sample in samples],
        width,
    )
    yield from swap(samples, width)
    yield from machine(samples, width)


def curve(label: str, figure: str, values: Sequence[float | None], width: int, limit: float = 0.0) -> Iterator[Piece]:
    """A label with a figure, and below it a line of blocks from nothing to the most, or a limit."""
    recent = list(values)[-width:]
    top = max(limit, *(value or 0.0 for value in recent)) or 1.0
    yield words.styled(wrapping.pad(label, LABEL), (figure, "strong"))
    yield (sparkline(recent, top, width), "pass")


def step_times(samples: Sequence[Sample], width: int) -> Iterator[Piece]:
    last = samples[-1]
    figure = say("watch.no_step_now")
    if last.steps:
        figure = say("watch.step_now", step_ms=1e3 * last.step_seconds / last.steps, longest=1e3 * last.longest_s)
    values = [sample.step_seconds / sample.steps if sample.steps else None for sample in samples]
    yield from curve(say("watch.step_time"), figure, values, width)


def device_memory(device: str, samples: Sequence[Sample], width: int) -> Iterator[Piece]:
    memory = [sample.devices.get(device) for sample in samples]
    last = samples[-1].devices[device]
    held, tensors = last.reserved_bytes, last.tensors_bytes or 0
    figure = say("watch.memory_held", tensors=tensors, held=held) if held else size(tensors)
    label = say("watch.device_memory", device=device)
    values = [it and it.tensors_bytes for it in memory]
    yield from curve(wrapping.clip(label, LABEL * 2), f" {figure}", values, width, held or 0.0)


def swap(samples: Sequence[Sample], width: int) -> Iterator[Piece]:
    last = samples[-1]
    if last.swap_used_bytes is None:
        return
    flows = [None if s.swapped_bytes is None else s.swapped_bytes / max(s.seconds, 0.1) for s in samples]
    figure = say("watch.swap_now", used=last.swap_used_bytes, flow=flows[-1] or 0.0)
    if not any(flows):
        yield words.styled(wrapping.pad(say("watch.swap"), LABEL), (size(last.swap_used_bytes), "strong"))
        return
    yield from curve(say("watch.swap"), figure, flows, width)


def machine(samples: Sequence[Sample], width: int) -> Iterator[Piece]:
    """Pressure, processors, heat and power, a line each; what the system does not tell is left out."""
    last = samples[-1]
    if last.pressure:
        word = say(f"screen.pressure_{last.pressure}") if last.pressure in PRESSURE else last.pressure
        yield words.styled(wrapping.pad(say("watch.pressure_label"), LABEL), (word, PRESSURE.get(last.pressure, "muted")))
    if last.cpu_percent is not None:
        others = last.others_percent
        load = say("watch.load_only", percent=last.cpu_percent)
        if others is not None:
            load = say("watch.others", percent=last.cpu_percent, others=others)
        names = f" ({', '.join(last.programs)})" if last.programs else ""
        text = wrapping.clip(load + names, max(8, width - LABEL))
        yield words.styled(wrapping.pad(say("watch.load"), LABEL), text)
    if last.thermal_state:
        state = (last.thermal_state, HEAT.get(last.thermal_state, "muted"))
        yield words.styled(wrapping.pad(say("watch.thermal"), LABEL), state)
    if last.on_battery is not None or last.low_power is not None:
        power = [say("watch.battery" if last.on_battery else "watch.mains")]
        power += [say("watch.low_power")] if last.low_power else []
        yield words.styled(wrapping.pad(say("watch.power"), LABEL), (", ".join(power), "warn" if power[1:] else "plain"))
