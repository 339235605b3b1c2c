"""The application: tabs over one model, which the engine's events change some twenty times a second.

The first paint is three lines. What they do not need is imported after it, which is why imports stand in functions.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.driver import Driver
from textual.screen import Screen
from textual.timer import Timer

from mpsdoctor.texts import say
from mpsdoctor.tui import keys
from mpsdoctor.tui.drawing import on_stdout
from mpsdoctor.tui.panes import TABS
from mpsdoctor.tui.widgets import bars

if TYPE_CHECKING:
    from textual.notifications import SeverityLevel

    from mpsdoctor.tui.actions import Actions
    from mpsdoctor.tui.engine import Engine
    from mpsdoctor.tui.messages import Message
    from mpsdoctor.tui.model import Model
    from mpsdoctor.tui.panes.pane import Pane

INTERRUPTED = 130  # the exit status
TICK = 0.05  # seconds; events are drawn together, however many there are; the bar is a frame each 0.1 s
KEPT = 50  # messages
TWICE = 2.0  # seconds within which a second Ctrl+C quits

Boot = Callable[[], "tuple[Engine, Model]"]


def action_of(name: str) -> Callable[[DoctorApp], None]:
    """The action of a key; one that comes before the engine waits for it."""

    def action(app: DoctorApp) -> None:
        if app.actions:
            getattr(app.actions, name)()
        else:
            app.early.append(lambda: action(app))

    return action


class DoctorApp(App[Exception]):
    """mpsdoctor on a screen. Returns what kept the engine from beginning, if anything did."""

    TITLE = "mpsdoctor"
    CSS = """
    Screen { layout: vertical; overflow: hidden; }
    #header, #keys { background: $panel; }
    #tabs { background: $surface; }
    #body { height: 1fr; layers: below above; }
    #message { layer: above; dock: bottom; display: none; background: $boost; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual declares it so
    VERTICAL_BREAKPOINTS = [(0, "-low"), (18, "-high")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(number), f"tab('{name}')") for number, name in enumerate(TABS, 1)),
        Binding("left_square_bracket", "turn(-1)"),
        Binding("right_square_bracket", "turn(1)"),
        Binding("q", "leave"),
        Binding("question_mark,f1", "help"),
        Binding("slash", "filter"),
        Binding("r", "again"),
        Binding("R", "all"),
        Binding("escape", "stop"),
        Binding("ctrl+c", "interrupt", priority=True),
        Binding("ctrl+q", "leave", priority=True),
        Binding("w", "write"),
        Binding("f", "force"),
        Binding("e", "export"),
        Binding("y", "copy"),
        Binding("plus", "zoom"),
        Binding("m", "messages"),
    ]
    action_again, action_all, action_stop = action_of("run_check"), action_of("run_all"), action_of("cancel")
    action_write, action_force = action_of("write_profile"), action_of("force_mps")
    action_export, action_copy = action_of("export"), action_of("copy")
    action_filter, action_help = action_of("filter"), action_of("help")
    action_zoom, action_messages = action_of("zoom"), action_of("messages")
    action_explain = action_of("explain")

    def __init__(self, boot: Boot) -> None:
        super().__init__()
        self._boot = boot
        self.actions: Actions | None = None
        self.early: list[Callable[[], object]] = []
        self.leaving = False
        self.tab = "overview"
        self._drawn: object = None
        self._pressed = 0.0
        self.told: deque[Message] = deque(maxlen=KEPT)
        self._message_timer: Timer | None = None

    def get_driver_class(self) -> type[Driver]:
        return on_stdout(super().get_driver_class())

    def compose(self) -> ComposeResult:
        yield bars.Line("header")
        yield bars.Line("tabs")
        with Container(id="body"):
            yield bars.Line("message")
        yield bars.Line("keys")

    def on_mount(self) -> None:
        self.query_one("#header", bars.Line).show(Content(f" mpsdoctor  {say('screen.examining')}"))
        self._draw_frame(lambda action: None)
        self._listen_to_signals()
        # Once this is on the screen: whatever takes time begins after it.
        self.call_after_refresh(self._begin)

    async def _begin(self) -> None:
        from mpsdoctor.tui.actions import Actions
        from mpsdoctor.tui.background import freeze_heap

        engine, model = self._boot()
        self.actions = Actions(self, engine, model)
        model.begin()
        engine.start()
        self.tab = ""
        await self.action_tab("overview")
        freeze_heap()
        self.set_interval(TICK, self.tick)
        self.set_interval(1.0, self._leave_without_terminal)
        for pressed in self.early:
            self.call_later(pressed)

    def _listen_to_signals(self) -> None:
        import asyncio
        import contextlib

        # Where there are none (Windows) or in tests outside of the main thread, keys alone end it.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            for name in ("SIGINT", "SIGTERM", "SIGHUP"):
                asyncio.get_running_loop().add_signal_handler(getattr(signal, name), self.action_leave)

    def _leave_without_terminal(self) -> None:
        """End at once when the terminal is gone: Textual would wait for ever to write to it."""
        if not self.is_headless and not (sys.__stdin__ and sys.__stdin__.isatty()):
            if self.actions:
                self.actions.engine.close()
            os._exit(INTERRUPTED)

    def tick(self) -> None:
        """Take the engine's signals and draw them."""
        if self.actions:
            failure = self.actions.take_signals()
            if failure:
                self.exit(failure)
                return
        self.draw()

    def draw(self) -> None:
        """The header moves while anything runs; all else is drawn when something changed, for timing goes on beside."""
        from mpsdoctor.tui import words

        if (
            self.leaving or not self.actions or not self.screen_stack
        ):  # not yet, or no longer: a tick may come while it closes
            return
        main = self.screen_stack[0]
        if not main.query("#keys"):
            return
        model = self.actions.model
        main.query_one("#header", bars.Line).show(words.header(model, self.size.width))
        moves = model.running or model.own_active
        beat = (self.tab, model.version, int(model.clock() * 2) if moves else 0, self.size)
        if beat == self._drawn:
            return
        self._draw_frame(self.why_not)
        pane = self.pane()
        if pane and pane.is_mounted and len(self.screen_stack) == 1:
            self._drawn = beat
            pane.redraw()

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Tell it in the line above the keys, for some seconds; `m` shows what was told before."""
        from mpsdoctor.tui import messages

        told = messages.Message(message, severity)
        self.told.append(told)
        self._show_message(messages.line(told, self.size.width))
        self._message_timer = self.set_timer(timeout or messages.SHOWN, self.clear_notifications)

    def clear_notifications(self) -> None:
        """Show no message, as those that are too old."""
        self._show_message(None)

    def _show_message(self, text: Content | None) -> None:
        if self._message_timer:
            self._message_timer.stop()
            self._message_timer = None
        for line in self.screen_stack[0].query("#message").results(bars.Line):
            line.display = text is not None
            line.show(text or Content(""))

    def _draw_frame(self, why_not: Callable[[str], str | None]) -> None:
        main, width = self.screen_stack[0], self.size.width
        main.query_one("#tabs", bars.Line).show(bars.tabs(self.tab, width))
        footer = [(key, keys.name(action), action) for key, action in keys.KEYS]
        main.query_one("#keys", bars.Line).show(bars.keys(footer, why_not, width))

    def pane(self) -> Pane | None:
        """The open tab."""
        return next((pane for pane in self._panes() if pane.id == f"{self.tab}-pane"), None)

    def _panes(self) -> list[Pane]:
        from mpsdoctor.tui.panes.pane import Pane

        return list(self.screen_stack[0].query(Pane))

    def why_not(self, action: str) -> str | None:
        """Why a key does nothing now; None: it works."""
        pane = self.pane()
        return keys.why_not(action, self.actions.model, bool(pane and pane.query("Rows"))) if self.actions else None

    async def action_tab(self, name: str) -> None:
        """Open a tab; it is made when it is opened for the first time."""
        if not self.actions:
            self.early.append(lambda: self.action_tab(name))
            return
        if name == self.tab:
            return
        self.tab = name
        if self.pane() is None:
            await self.screen_stack[0].query_one("#body").mount(self.actions.make_pane(name))
        for pane in self._panes():
            pane.set_class(pane.id == f"{name}-pane", "open")
        if opened := self.pane():
            opened.redraw()
            self.actions.focus_first_panel(opened)
        self.draw()

    async def action_turn(self, by: int) -> None:
        """The tab beside this one."""
        if not self.actions:
            self.early.append(lambda: self.action_turn(by))
            return
        await self.action_tab(TABS[(TABS.index(self.tab) + by) % len(TABS)])

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self.draw)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What applies now."""
        for _, action in keys.KEYS:
            if action != "command_palette" and self.why_not(action) is None:
                name = keys.name(action).capitalize()
                yield SystemCommand(name, keys.meaning(action), getattr(self, f"action_{action}"))
        for tab in TABS:
            if tab != self.tab:
                title, meaning = (say(name, tab=bars.tab_name(tab)) for name in ("screen.go_to", "screen.go_to_help"))
                yield SystemCommand(title, meaning, lambda name=tab: self.call_later(self.action_tab, name))
        yield SystemCommand(say("screen.explain"), say("screen.explain_help"), self.action_explain)
        yield SystemCommand(say("screen.theme"), say("screen.theme_help"), self.action_change_theme)

    def action_interrupt(self) -> None:
        """Ctrl+C: cancel what runs; a second one quits."""
        import time

        now, before = time.monotonic(), self._pressed
        self._pressed = now
        if now - before < TWICE or not self.actions:
            self.action_leave()
            return
        if self.why_not("stop") is None:
            self.action_stop()
        self.notify(say("screen.ctrl_c_again"), timeout=TWICE)

    def action_leave(self) -> None:
        """Quit; whoever started the screen ends what still runs."""
        self._leave_without_terminal()
        self.leaving = True
        self.exit()
