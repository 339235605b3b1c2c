"""The three lines that are always there: verdict, tabs, keys. All of the first paint, so they import little."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from mpsdoctor.texts import say
from mpsdoctor.tui.panes import TABS


class Line(Widget):
    """One line of text that is drawn again only when it changes."""

    DEFAULT_CSS = """
    Line { height: 1; width: 1fr; link-style: none; link-color: $foreground; link-background: transparent; }
    """

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._content = Content("")

    def show(self, content: Content) -> None:
        """Show this."""
        if not content.is_same(self._content):
            self._content = content
            self.refresh()

    def render(self) -> Content:
        return self._content


def tab_name(tab: str) -> str:
    return say(f"screen.tab_{tab}")


def tabs(active: str, width: int) -> Content:
    """The tabs with their digits, close together where they must be; where even that is too wide, with one name."""
    for label, gap in ((" {} {} ", " "), (" {} {} ", ""), ("{} {} ", "")):
        line = Content(gap).join([Content(" "), *(_tab(label, active, *tab) for tab in enumerate(TABS, 1))])
        if line.cell_length <= width:
            return line
    short = [_tab(" {} {} " if name == active else " {} ", active, number, name) for number, name in enumerate(TABS, 1)]
    return Content(" ").append(Content("").join(short))


def _tab(label: str, active: str, number: int, name: str) -> Content:
    text = label.format(number, tab_name(name).capitalize())
    look = Style.from_meta({"@click": f"app.tab('{name}')"})
    return Content.styled(text, "bold reverse" if name == active else "").stylize(look)


def keys(bindings: list[tuple[str, str, str]], why_not: Callable[[str], str | None], width: int) -> Content:
    """The keys that matter here; those that do nothing now are dim and struck out, or left out for want of room."""
    parts = [(_key(*binding, idle=bool(why_not(binding[2]))), bool(why_not(binding[2]))) for binding in bindings]
    all_parts = [part for part, _ in parts]
    working = [part for part, idle in parts if not idle]
    for shown_parts, gap in ((all_parts, "  "), (all_parts, " "), (working, "  "), (working, " ")):
        line = Content(" ").append(Content(gap).join(shown_parts))
        if line.cell_length <= width:
            return line
    while len(working) > 2 and Content(" ").join(working).cell_length > width - 2:
        del working[-2]  # the last one opens the palette, which has them all
    return Content(" ").append(Content(" ").join(working))


def _key(key: str, name: str, action: str, *, idle: bool) -> Content:
    styles = ("dim", "dim strike") if idle else ("bold", "")
    look = Style.from_meta({"@click": f"app.{action}"})
    return Content.assemble((key, styles[0]), " ", (name, styles[1])).stylize(look)
