"""Export: the report in any format, or a picture of the screen, as a file in the current folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from mpsdoctor.formats import FORMATS, Style
from mpsdoctor.report import Report
from mpsdoctor.texts import say
from mpsdoctor.tui.dialogs.dialog import Dialog
from mpsdoctor.tui.widgets.rows import Column, Row, Rows

PICTURE = "screenshot"
FIRST = "html"  # under the cursor: what people mail to each other


class Export(Dialog[str]):
    """A list of formats; Enter writes. The answer is the format."""

    DEFAULT_CSS = "Export Rows { height: auto; max-height: 12; min-height: 4; }"

    def __init__(self, forms: list[str]) -> None:
        super().__init__(say("screen.export_title"), Content(""), say("screen.writes_or_closes"))
        self._forms = forms

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content(self._title)
            box.border_subtitle = Content(self._hint)
            columns = (Column(say("screen.column_format"), 12), Column(say("screen.column_file")))
            rows = Rows(columns, "", id="formats")
            rows.styles.height = len(self._forms) + 1
            rows.fill([Row(form, ((form, "strong"), (free_name(form).name, "muted"))) for form in self._forms])
            rows.suggest(FIRST)
            yield rows

    def on_rows_opened(self, event: Rows.Opened) -> None:
        event.stop()
        self.dismiss(event.key)


def choices(report: Report | None) -> list[str]:
    """Formats that can be written now."""
    return [*(sorted(FORMATS) if report else ()), PICTURE]


def free_name(form: str) -> Path:
    """A file that does not exist yet, in the current folder."""
    stem, ending = ("mpsdoctor-screen", "svg") if form == PICTURE else ("mpsdoctor-report", FORMATS[form].ending)
    names = (f"{stem}{f'-{number}' if number else ''}.{ending}" for number in range(1000))
    return next((Path(name) for name in names if not Path(name).exists()), Path(f"{stem}.{ending}"))


def write(form: str, report: Report | None, picture: Callable[[], str]) -> Path:
    """Write it; the file. OSError."""
    path = free_name(form)
    text = picture() if report is None or form == PICTURE else FORMATS[form].render(report, Style(verbosity=1))
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
    return path
