"""Export: a report in any format, or a picture of the screen, as a file in the current folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from mpsdoctor import clean
from mpsdoctor.formats import FORMATS, Style, told
from mpsdoctor.report import Report
from mpsdoctor.texts import say
from mpsdoctor.tui.dialogs.dialog import Dialog
from mpsdoctor.tui.widgets.rows import Column, Row, Rows

PICTURE = "screenshot"
FIRST = "html"  # under the cursor: what people mail to each other


class Subject(NamedTuple):
    """What is exported: the check-up's report, or the answer to a question about the person's own file."""

    report: Report | None
    is_answer: bool = False

    @property
    def stem(self) -> str:
        """What its files are called."""
        return "mpsdoctor-answer" if self.is_answer else "mpsdoctor-report"


class Export(Dialog[str]):
    """A list of formats; Enter writes. The answer is the format."""

    DEFAULT_CSS = "Export Rows { height: auto; max-height: 12; min-height: 4; }"

    def __init__(self, subject: Subject) -> None:
        title = "screen.export_answer" if subject.is_answer else "screen.export_title"
        super().__init__(say(title), Content(""), say("screen.writes_or_closes"))
        self._subject, self._forms = subject, choices(subject.report)

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content(self._title)
            box.border_subtitle = Content(self._hint)
            columns = (Column(say("screen.column_format"), 12), Column(say("screen.column_file")))
            rows = Rows(columns, "", id="formats")
            rows.styles.height = len(self._forms) + 1
            rows.fill(
                [
                    Row(form, ((form, "strong"), (free_name(form, self._subject.stem).name, "muted")))
                    for form in self._forms
                ]
            )
            rows.suggest(FIRST)
            yield rows

    def on_rows_opened(self, event: Rows.Opened) -> None:
        event.stop()
        self.dismiss(event.key)


def choices(report: Report | None) -> list[str]:
    """Formats that can be written now."""
    return [*(sorted(FORMATS) if report else ()), PICTURE]


def free_name(form: str, stem: str = "mpsdoctor-report") -> Path:
    """A file that does not exist yet, in the current folder."""
    stem, ending = ("mpsdoctor-screen", "svg") if form == PICTURE else (stem, FORMATS[form].ending)
    names = (f"{stem}{f'-{number}' if number else ''}.{ending}" for number in range(1000))
    return next((Path(name) for name in names if not Path(name).exists()), Path(f"{stem}.{ending}"))


def write(form: str, subject: Subject, picture: Callable[[], str]) -> Path:
    """Write it; the file. OSError."""
    path, report = free_name(form, subject.stem), subject.report
    text = picture() if report is None or form == PICTURE else render(form, report, is_answer=subject.is_answer)
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
    return path


def render(form: str, report: Report, *, is_answer: bool) -> str:
    """The text of a format; of an answer about operators that of `mpsdoctor ops`."""
    style = Style(verbosity=1)
    if is_answer and form == "text" and report.checks[-1].id == "operators":
        from mpsdoctor.formats import operators

        return clean.inert(operators.render(told(report), style))
    return FORMATS[form].render(report, style)
