"""The screen of `mpsdoctor watch`: a training that is sampled, or was; it follows the file while that grows."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content

from mpsdoctor import clean
from mpsdoctor.formats import wrapping
from mpsdoctor.signals import on_signals
from mpsdoctor.texts import joined, say, size, term
from mpsdoctor.tui import restored_terminal, words
from mpsdoctor.tui.drawing import on_stdout
from mpsdoctor.tui.panes.memory import PRESSURE, sparkline
from mpsdoctor.tui.widgets.bars import Line
from mpsdoctor.tui.widgets.details import Details
from mpsdoctor.tui.words import Piece
from mpsdoctor.watch import telling
from mpsdoctor.watch.history import History, merge
from mpsdoctor.watch.shapes import Sample

if TYPE_CHECKING:
    from textual.driver import Driver

    from mpsdoctor.watch.log import Reader

EVERY = 1.0  # seconds between two looks at the file
SILENT = 10.0  # seconds, after which a training that writes each second is said to be silent
LABEL = 14  # cells
HEAT = {"nominal": "pass", "fair": "warn", "serious": "fail", "critical": "fail"}


class WatchApp(App[None]):
    """`reader` may bring more lines into `history`; `clock` is that of the wall, in seconds."""

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

    def __init__(self, reader: Reader | None, history: History, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.reader, self.history, self.clock = reader, history, clock

    def get_driver_class(self) -> type[Driver]:
        return on_stdout(super().get_driver_class())

    def compose(self) -> ComposeResult:
        yield Line("header")
        with Container(id="body"):
            yield Details("", id="live")
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
        samples = span(self.history, live.room)
        past = say("watch.whole") if self.history.end else say("watch.past", time=telling.duration(covered(samples)))
        live.border_title = Content(past if samples else say("watch.waiting"))
        live.show(words.lines(now(samples, live.room)))
        told = telling.lines(self.history, lives=silent < SILENT)
        wrapped = (part for line in told for part in wrapping.wrap(clean.line(line).strip(), summary.room, "", "  "))
        summary.show(words.lines(wrapped))

    def silent_for(self) -> float:
        return self.reader.age(self.clock()) if self.reader else 0.0


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
    room = width - cell_len(right)
    left = left.truncate(room, ellipsis=True) if left.cell_length > room else left
    return words.styled(left, " " * (room - left.cell_length), (right, "muted"))


def span(history: History, width: int) -> Sequence[Sample]:
    """The latest samples that there is room for; of a training that has ended all, put together."""
    samples = history.samples
    if history.end is None:
        return samples[-width:]
    while len(samples) > width:
        samples = [merge(*pair) for pair in zip(samples[::2], samples[1::2], strict=False)] + samples[
            len(samples) & ~1 :
        ]
    return samples


def covered(samples: Sequence[Sample]) -> float:
    return sum(sample.seconds for sample in samples)


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
    top = max(limit, *(value or 0.0 for value in values)) or 1.0
    yield words.styled(wrapping.pad(label, LABEL), (figure, "strong"))
    yield (sparkline(values, top, width), "pass")


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
    label = say("watch.device_memory", device=clean.line(device))
    values = [it.tensors_bytes if it else None for it in memory]
    yield from curve(wrapping.clip(label, LABEL - 1), figure, values, width, held or 0.0)


def swap(samples: Sequence[Sample], width: int) -> Iterator[Piece]:
    last = samples[-1]
    if last.swap_used_bytes is None:
        return
    flows = [None if s.swapped_bytes is None else s.swapped_bytes / max(s.seconds, 0.1) for s in samples]
    figure = say("watch.swap_now", used=last.swap_used_bytes, flow=flows[-1] or 0.0)
    if not any(flows):
        yield labelled("watch.swap", size(last.swap_used_bytes), "strong")
        return
    yield from curve(say("watch.swap"), figure, flows, width)


def machine(samples: Sequence[Sample], width: int) -> Iterator[Piece]:
    """Pressure, processors, heat and power, a line each; what the system does not tell is left out.

    The file may be a stranger's: what is no word of ours is made fit to be shown.
    """
    last = samples[-1]
    if last.pressure:
        known = last.pressure in PRESSURE
        word = term("pressure", last.pressure) if known else clean.line(last.pressure)
        yield labelled("watch.pressure_label", word, PRESSURE.get(last.pressure, "muted"))
    if last.cpu_percent is not None:
        yield labelled("watch.load", wrapping.clip(load(last), max(8, width - LABEL)))
    if last.thermal_state:
        yield labelled("watch.thermal", clean.line(last.thermal_state), HEAT.get(last.thermal_state, "muted"))
    if last.on_battery is not None or last.low_power is not None:
        power = [say("watch.battery" if last.on_battery else "watch.mains")]
        power += [say("watch.low_power")] if last.low_power else []
        yield labelled("watch.power", joined(", ", power), "warn" if power[1:] else "plain")


def load(sample: Sample) -> str:
    """What is taken of the processors, by others too, and by whom."""
    percent, others = sample.cpu_percent, sample.others_percent
    if others is None:
        return say("watch.load_only", percent=percent)
    names = f" ({clean.line(', '.join(sample.programs))})" if sample.programs else ""
    return say("watch.others", percent=percent, others=others) + names


def labelled(name: str, text: str, tone: str = "plain") -> Piece:
    return words.styled(wrapping.pad(say(name), LABEL), (text, tone))
