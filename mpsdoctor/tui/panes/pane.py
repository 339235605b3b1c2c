"""What all tabs have in common: they draw a model, and tell what to copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from textual import events
from textual.containers import Container
from textual.widget import Widget

from mpsdoctor.texts import say
from mpsdoctor.tui import words
from mpsdoctor.tui.model import Model
from mpsdoctor.tui.panes.style import CSS
from mpsdoctor.tui.widgets.details import Details
from mpsdoctor.tui.widgets.rows import Rows

if TYPE_CHECKING:
    from mpsdoctor.tui.actions import Actions
    from mpsdoctor.tui.profile_state import ProfileState


class Pane(Container):
    """A tab. `model` is what was shown last."""

    SCOPED_CSS = False  # the rules depend on classes of the screen
    DEFAULT_CSS = CSS

    def __init__(self, model: Model, id: str) -> None:
        super().__init__(id=id, classes="pane")
        self.model = model

    @classmethod
    def open(cls, name: str, actions: Actions) -> Self:
        """The pane of that name, for the screen whose actions these are."""
        return cls(actions.model, f"{name}-pane")

    def explain(self) -> str:
        """What the help says of this tab."""
        raise NotImplementedError

    def show(self) -> None:
        """Draw the model as it is now."""
        raise NotImplementedError

    def set_state(self, state: ProfileState) -> None:
        """The profile was read; a tab that shows some of it keeps it."""

    def redraw(self) -> None:
        """Draw; of facts that have not the shape of our check's (a third-party one may be named `training`), say so."""
        if getattr(self.app, "leaving", False):  # panels are being taken away
            return
        try:
            self.show()
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            reason = say("screen.cannot_show", error=f"{type(error).__name__}: {error}")
            message = words.styled(("! ", "warn"), reason)
            for panel in list(self.query(Details))[-1:]:
                panel.show(message, "trouble")

    def first_panel(self) -> Widget | None:
        """The panel that has the focus when the tab is opened."""
        return next(iter([*self.query(Rows), *self.query(Details)]), None)

    def list_to_filter(self) -> Rows:
        """The list that `/` narrows where none has the focus; there is one."""
        return self.query(Rows).first()

    def on_mount(self) -> None:
        self.redraw()

    def on_resize(self, event: events.Resize) -> None:
        """Text is wrapped and charts are drawn for the room that there is, known once the layout stands."""
        self.call_after_refresh(self.redraw)

    def on_rows_moved(self, event: Rows.Moved) -> None:
        """Another row: the details follow."""
        event.stop()
        self.redraw()

    def on_rows_opened(self, event: Rows.Opened) -> None:
        """Enter on a row goes to its details."""
        event.stop()
        if panels := self.query(Details):
            if self.has_class("zoom"):
                self.zoom(panels.last())
            panels.last().focus()

    def zoom(self, panel: Widget | None) -> None:
        """Show this panel alone; None: all of them."""
        for widget in self.query(".zoomed"):
            widget.remove_class("zoomed")
        self.set_class(panel is not None, "zoom")
        if panel:
            around = panel.ancestors_with_self
            for node in around[: around.index(self)]:
                node.add_class("zoomed")
            panel.focus()
        self.call_after_refresh(self.redraw)

    def check_id(self) -> str | None:
        """The check that `r` runs again."""
        return None

    def text_to_copy(self) -> str:
        """What `y` copies: the panel in focus, or the details."""
        focused = self.screen.focused
        if isinstance(focused, Details):
            return focused.plain
        panels = self.query(Details)
        return panels.last().plain if panels else ""
