"""A list or table of rows of which only the visible ones are ever drawn: 5,000 cost no more than 20."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mpsdoctor.texts import say

Cell = tuple[str, str]  # text and tone
MARK = "▸ "


@dataclass(frozen=True)
class Column:
    """A heading and a width in cells; `width` 0 takes what is left; narrower than `beyond` in all, it is left out."""

    title: str
    width: int = 0
    right: bool = False
    beyond: int = 0


@dataclass(frozen=True)
class Row:
    """A key that stays the same when the row changes, its cells, and the value that each column is sorted by.

    `keywords` are what a filter finds it by, beside the words of its cells. `on_request` is whether it is seen only
    where a filter finds it.
    """

    key: str
    cells: tuple[Cell, ...]
    ranks: tuple[float | str, ...] = ()
    keywords: tuple[str, ...] = ()
    on_request: bool = False


class Rows(ScrollView, can_focus=True):
    """Rows with a cursor, a filter and an order."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown,space", "page(1)", show=False),
        Binding("home,g", "edge(-1)", show=False),
        Binding("end,G", "edge(1)", show=False),
        Binding("enter", "open", show=False),
        Binding("s", "sort", show=False),
        Binding("S", "turn", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"rows--{tone}"
        for tone in ("pass", "warn", "fail", "accent", "muted", "strong", "title", "plain", "cursor", "here")
    }
    DEFAULT_CSS = """
    Rows {
        overflow-x: hidden; scrollbar-size-vertical: 1;
        & > .rows--pass { color: $text-success; }
        & > .rows--warn { color: $text-warning; }
        & > .rows--fail { color: $text-error; text-style: bold; }
        & > .rows--accent { color: $text-accent; text-style: bold; }
        & > .rows--muted { text-style: dim; }
        & > .rows--strong { text-style: bold; }
        & > .rows--title { color: $text-primary; text-style: bold; }
        & > .rows--cursor { background: $primary-muted; text-style: bold; }
        & > .rows--here { text-style: bold; }
    }
    """
    cursor = reactive(0)
    empty = reactive("")  # what stands there instead of rows

    class Moved(Message):
        """The cursor stands on another row; None: there is none."""

        def __init__(self, rows: Rows, key: str | None) -> None:
            super().__init__()
            self.rows, self.key = rows, key

        @property
        def control(self) -> Rows:
            return self.rows

    class Opened(Moved):
        """Enter or a click on a row."""

    def __init__(self, columns: Sequence[Column], title: str, *, empty: str = "", id: str | None = None) -> None:
        super().__init__(id=id)
        self.columns, self.title, self.empty = columns, title, empty
        self.border_title = Content(title)
        self.filter = ""
        self.order, self.reverse = -1, False  # the column that it is sorted by; -1: as given, the worst first
        self._all: list[Row] = []
        self._visible: list[Row] = []
        self._reported_key: str | None = None
        self.chosen = False  # by the person: nothing else moves the cursor then

    def explain(self) -> str:
        """What the help says of its keys."""
        return say("screen.rows_help")

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self._visible[self.cursor] if self.cursor < len(self._visible) else None

    def fill(self, rows: Sequence[Row]) -> None:
        """Show these; the cursor stays on its row, the view on its place."""
        if rows != self._all:
            self._all = list(rows)
            self._arrange()

    def narrow(self, text: str) -> None:
        """Show only rows that hold every word of this."""
        self.filter = text
        self._arrange()

    def sort(self, column: int, *, reverse: bool = False) -> None:
        """By this column, from its first row on; -1: as given."""
        self.order, self.reverse, self.chosen = column, reverse, True
        self._arrange(keep=False)

    def _arrange(self, *, keep: bool = True) -> None:
        key = self.row.key if self.row and keep else None
        self.order = self.order if self.order < len(self.columns) else -1
        words = self.filter.split()
        matching = [row for row in self._all if (_holds(row, words) if words else not row.on_request)]
        if self.order >= 0:
            matching.sort(key=lambda row: _rank(row, self.order))
        if self.reverse:
            matching.reverse()
        self._visible = matching
        self.virtual_size = Size(self.size.width, len(matching) + 1)
        places = {row.key: place for place, row in enumerate(matching)}
        top = min(self.cursor, max(0, len(matching) - 1)) if keep else 0
        self.set_reactive(Rows.cursor, places.get(key, top) if key else top)
        self.border_subtitle = Content(self._describe_order(len(matching)))
        self._reveal()
        self._announce_cursor()
        self.refresh()

    def _describe_order(self, count: int) -> str:
        if self.filter:
            return say("screen.filtered", count=count, total=len(self._all), words=self.filter)
        if self.order >= 0:
            return say("screen.sorted_down" if self.reverse else "screen.sorted", column=self.columns[self.order].title)
        return say("screen.reversed") if self.reverse else ""

    def _announce_cursor(self) -> None:
        key = self.row.key if self.row else None
        if key != self._reported_key:
            self._reported_key = key
            self.post_message(self.Moved(self, key))

    def watch_cursor(self) -> None:
        self._reveal()
        self._announce_cursor()
        self.refresh()

    def validate_cursor(self, value: int) -> int:
        return max(0, min(value, len(self._visible) - 1))

    def _reveal(self) -> None:
        height = max(1, self.scrollable_content_region.height - 1)
        top = min(self.scroll_offset.y if self.chosen else 0, self.cursor)
        top = max(top, self.cursor - height + 1)
        if top != self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, immediate=True)

    def on_resize(self) -> None:
        self._reveal()

    def suggest(self, key: str | None) -> None:
        """Put the cursor on this row, unless the person has put it somewhere."""
        places = (place for place, row in enumerate(self._visible) if row.key == key)
        if not self.chosen:
            self.cursor = next(places, self.cursor)

    def action_move(self, by: int) -> None:
        self.chosen = True
        self.cursor += by

    def action_page(self, by: int) -> None:
        self.chosen = True
        self.cursor += by * max(1, self.scrollable_content_region.height - 2)

    def action_edge(self, side: int) -> None:
        self.chosen = True
        self.cursor = 0 if side < 0 else len(self._visible) - 1

    def action_open(self) -> None:
        if self.row:
            self.post_message(self.Opened(self, self.row.key))

    def action_sort(self) -> None:
        """By the next column that is seen, and after the last as given."""
        seen = [number for number, _ in self._widths() if self.columns[number].title]
        self.sort(next((number for number in seen if number > self.order), -1))

    def action_turn(self) -> None:
        """The last first."""
        self.sort(self.order, reverse=not self.reverse)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y == 0:
            self._sort_at(offset.x)
        elif self.scroll_offset.y + offset.y - 1 < len(self._visible):
            self.chosen = True
            self.cursor = self.scroll_offset.y + offset.y - 1
            if event.chain == 2:
                self.action_open()

    def _sort_at(self, x: int) -> None:
        right = len(MARK)
        for number, width in self._widths():
            right += width + 1
            if x < right:
                self.sort(number, reverse=self.order == number and not self.reverse)
                return

    def _widths(self) -> list[tuple[int, int]]:
        """The columns that there is room for, each with its width."""
        room = self.scrollable_content_region.width
        columns = [(number, column) for number, column in enumerate(self.columns) if column.beyond <= room]
        fixed = sum(column.width for _, column in columns) + len(columns) + len(MARK)
        free = max(8, room - fixed)
        return [(number, column.width or free) for number, column in columns]

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        base = self.rich_style
        if y == 0:
            return self._heading(base).adjust_cell_length(width, base)
        place = self.scroll_offset.y + y - 1
        if place < len(self._visible):
            return self._line(place, base).adjust_cell_length(width, base)
        hint = (say("screen.nothing_matches") if self.filter else self.empty) if not self._visible else ""
        text = f"  {hint}" if y == 2 or (y == 1 and self.size.height < 4) else ""
        return Strip([Segment(set_cell_size(text, width), base + self._tone("muted"))])

    def _heading(self, base: Style) -> Strip:
        tone = base + self._tone("muted")
        segments = [Segment(" " * len(MARK), base)]
        for number, width in self._widths():
            column, sign = self.columns[number], " "
            title = column.title
            if number == self.order:  # in the gap behind the column, so that no title is cut for it
                sign = "↑" if self.reverse else "↓"
            if sign != " " and not column.right and cell_len(title) + 2 <= width:
                title, sign = f"{title} {sign}", " "
            segments += [Segment(_fit(title, width, column.right), tone), Segment(sign, tone)]
        return Strip(segments)

    def _line(self, place: int, base: Style) -> Strip:
        row, here = self._visible[place], place == self.cursor
        if here:
            base += self._tone("cursor" if self.has_focus else "here")
        segments = [Segment(MARK if here else " " * len(MARK), base)]
        for number, width in self._widths():
            text, tone = row.cells[number]
            segments.append(Segment(_fit(text, width, self.columns[number].right), base + self._tone(tone)))
            segments.append(Segment(" ", base))
        rest = self.scrollable_content_region.width - sum(cell_len(segment.text) for segment in segments)
        return Strip([*segments, Segment(" " * max(0, rest), base)])

    def _tone(self, tone: str) -> Style:
        return self.get_component_rich_style(f"rows--{tone}", partial=True)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def shown_region(self) -> Region:
        """Where the cursor is, within the content."""
        return Region(0, self.cursor - self.scroll_offset.y + 1, self.size.width, 1)


def _holds(row: Row, words: Sequence[str]) -> bool:
    """A single capital letter is a whole cell, as a letter of an outcome is; other words may be part of a text."""
    cells = [cell[0].strip(" *") for cell in row.cells]
    text = " ".join(cells).lower()
    return all(
        word in cells if len(word) == 1 and word.isupper() else word.lower() in text or _begins(row.keywords, word)
        for word in words
    )


def _begins(keywords: Sequence[str], word: str) -> bool:
    return any(keyword.startswith(word.lower()) for keyword in keywords)


def _rank(row: Row, column: int) -> tuple[int, float, str]:
    value = row.ranks[column] if column < len(row.ranks) else row.cells[column][0].lower()
    return (1, 0.0, value) if isinstance(value, str) else (0, value, "")


def _fit(text: str, width: int, right: bool) -> str:
    text = text.replace("\n", " ")
    if cell_len(text) > width:
        return set_cell_size(text, width - 1) + "…"
    return " " * (width - cell_len(text)) + text if right else set_cell_size(text, width)
