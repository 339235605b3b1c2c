"""Text that scrolls: what the row under the cursor has to tell."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from mpsdoctor.texts import say

LONGEST = 40_000  # characters; wrapping a megabyte takes seconds, and nobody reads that here


class Details(VerticalScroll, can_focus=True):
    """A titled panel of text; the same text again costs nothing.

    Its scroll bar has a place even where there is none, so that text is wrapped for a width that does not depend on it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "scroll_up", show=False),
        Binding("j", "scroll_down", show=False),
        Binding("g", "scroll_home", show=False),
        Binding("G", "scroll_end", show=False),
    ]
    DEFAULT_CSS = """
    Details { scrollbar-size-vertical: 1; scrollbar-gutter: stable; padding: 0 1; height: 1fr; }
    Details > Static { width: 1fr; height: auto; }
    """

    def __init__(self, title: str, *, empty: str = "", id: str | None = None) -> None:
        super().__init__(id=id)
        self.title = title
        self.border_title = Content(title)
        self._text = Content(empty)
        self._key: object = None

    def explain(self) -> str:
        """What the help says of its keys."""
        return say("screen.details_help")

    def compose(self) -> ComposeResult:
        yield Static(self._text, markup=False)

    def show(self, text: Content, key: object = None) -> None:
        """Show this; from its top if it is about something else than before."""
        if key != self._key:
            self._key = key
            self.scroll_home(animate=False)
        if len(text) > LONGEST:
            text = text[:LONGEST] + Content(f"…\n\n{say('screen.details_cut')}")
        if not text.is_same(self._text):
            self._text = text
            if self.is_mounted and self.children:
                self.query_one(Static).update(text)

    @property
    def room(self) -> int:
        """Cells across that text has."""
        return (self.scrollable_content_region.width or 80) - 1

    @property
    def plain(self) -> str:
        """The text for the clipboard."""
        return self._text.plain

    def on_mount(self) -> None:
        if self.children:  # there are none where the screen is left before it stands
            self.query_one(Static).update(self._text)
