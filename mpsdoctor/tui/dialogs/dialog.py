"""A panel above the tabs that Esc closes."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from mpsdoctor.texts import say
from mpsdoctor.tui.widgets.details import Details

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """Title and text; subclasses add what they ask."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "close")]
    DEFAULT_CSS = """
    Dialog { align: center middle; }
    Dialog > Vertical {
        width: 84; max-width: 100%; height: auto; max-height: 100%;
        background: $surface; border: heavy $accent; padding: 0 1;
    }
    Dialog Details { height: auto; max-height: 100%; border: none; padding: 0; }
    """

    def __init__(self, title: str, text: Content, hint: str | None = None) -> None:
        super().__init__()
        self._title, self._text, self._hint = title, text, hint or say("screen.closes")

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content(self._title)
            box.border_subtitle = Content(self._hint)
            panel = Details("")
            panel.show(self._text)
            yield panel

    def action_close(self) -> None:
        self.dismiss(None)


class Message(Dialog[None]):
    """Something to read."""


class Confirm(Dialog[bool]):
    """Something to agree to: Enter."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,y", "agree", priority=True)]

    def action_agree(self) -> None:
        self.dismiss(True)
