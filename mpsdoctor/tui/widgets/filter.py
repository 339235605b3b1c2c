"""The line to type a filter into. Enter keeps it, Esc clears it; either way the list has the focus again."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from mpsdoctor.texts import say
from mpsdoctor.tui.widgets.rows import Rows


class Filter(Input):
    """Narrows a list while it is typed."""

    DEFAULT_CSS = "Filter { height: 1; border: none; padding: 0 1; background: $boost; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear_filter", show=False),
        Binding("down", "keep", show=False),
    ]

    def __init__(self, rows: Rows) -> None:
        super().__init__(rows.filter, placeholder=say("screen.filter_hint"), id="filter", compact=True)
        self._rows = rows

    def on_mount(self) -> None:
        self.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._rows.narrow(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_keep()

    def action_keep(self) -> None:
        self._rows.focus()
        self.remove()

    def action_clear_filter(self) -> None:
        self._rows.narrow("")
        self.action_keep()
