"""Explain a text: what is pasted above is explained below, as `mpsdoctor explain -` does."""

from __future__ import annotations

import io

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import TextArea

from mpsdoctor import clean
from mpsdoctor.explain.engine import diagnose
from mpsdoctor.explain.sieve import read_stream
from mpsdoctor.formats.explained import told_diagnosis
from mpsdoctor.texts import say
from mpsdoctor.tui.dialogs.dialog import Dialog
from mpsdoctor.tui.widgets.details import Details


class ExplainText(Dialog[None]):
    """A place to paste into, and the answer to what stands there."""

    DEFAULT_CSS = """
    ExplainText TextArea { height: 1fr; min-height: 3; border: none; }
    ExplainText Vertical { height: 100%; }
    ExplainText #answer { height: 2fr; }
    """

    def __init__(self) -> None:
        super().__init__(say("screen.explain_title"), Content(""), say("screen.explain_closes"))

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content(self._title)
            box.border_subtitle = Content(self._hint)
            yield TextArea(id="pasted")
            yield Details("", empty=say("screen.explain_empty"), id="answer")

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Answer what stands there now."""
        event.stop()
        text = event.text_area.text
        self.query_one(Details).show(Content(answer_to(text) if text.strip() else say("screen.explain_empty")))


def answer_to(text: str) -> str:
    """The answer in lines, of a large text as of a file."""
    lines = told_diagnosis(diagnose(read_stream(io.BytesIO(text.encode("utf-8", "replace")))))
    return clean.text("\n".join(lines))
