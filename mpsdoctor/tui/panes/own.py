"""Your model: a person names a file of theirs, chooses a question, and reads the answer. Nothing of it runs before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Self

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.widgets import Input, Static

from mpsdoctor import overall
from mpsdoctor.events import Answer, Busy, Request
from mpsdoctor.texts import say, tell
from mpsdoctor.tui import own_answer, own_state, words
from mpsdoctor.tui.own_answer import Shown
from mpsdoctor.tui.own_state import OwnState
from mpsdoctor.tui.panes.pane import Pane
from mpsdoctor.tui.widgets.details import Details
from mpsdoctor.tui.widgets.rows import Column, Row, Rows
from mpsdoctor.tui.words import Piece

if TYPE_CHECKING:
    from mpsdoctor.tui.actions import Actions

COMMANDS = {
    "runs": "ops --model FILE:FUNC",
    "predicted": "ops --predict mps --torch X --model …",
    "step": "bench --step FILE:FUNC",
    "race": "race -- python FILE …",
}
METER = 24
# That of #asking:focus-within changes nothing, but has Textual look at the rules below it when the focus moves.
STYLE = """
.pane.open#own-pane { layout: vertical; }
#own-pane > #asking, #own-pane > #asking:focus-within { height: auto; }
#asking > #named { height: 1; }
#named > #target { width: 1fr; }
#named > #torch { width: 20; }
#named > Input { height: 1; border: none; padding: 0 1; background: $boost; }
#named > Input:focus { background: $primary-muted; }
#asking > #choosing { height: 7; }
#choosing > #questions { width: 3fr; height: 1fr; }
#choosing > #used { width: 2fr; height: 1fr; }
#own-pane > #told { height: auto; max-height: 6; padding: 0 1; }
#own-pane > #answer { height: 1fr; }
#own-pane > #about { height: 1fr; }
Screen.-narrow #own-pane.answered #choosing { display: none; }
Screen.-narrow #own-pane.answered #asking:focus-within #choosing { display: block; }
Screen.-low #own-pane > #told { max-height: 2; }
Screen.-low #asking > #choosing { height: 4; }
Screen.-low #own-pane:focus-within #about:focus { height: 3fr; }
"""


class Field(Input):
    """A line to type into; Esc and the arrow down leave it, so that keys are keys again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave_field", show=False),
        Binding("down", "screen.focus('questions')", show=False),
    ]

    def action_leave_field(self) -> None:
        """Cancels the run of the person's file if there is one, and never a check-up."""
        pane = self.screen.query_one("#own-pane", Own)
        if pane.model.own_active:
            pane.actions.cancel()
        pane.query_one("#questions", Rows).focus()


class Own(Pane):
    """The seventh tab."""

    SCOPED_CSS = False
    DEFAULT_CSS = STYLE

    def __init__(self, actions: Actions, id: str) -> None:
        super().__init__(actions.model, id)
        self.actions = actions
        self._used: list[str] = []
        self._answer: tuple[Answer, Shown] | None = None

    @classmethod
    def open(cls, name: str, actions: Actions) -> Self:
        return cls(actions, f"{name}-pane")

    def explain(self) -> str:
        return say("own.help")

    def compose(self) -> ComposeResult:
        with Container(id="asking"):
            with Horizontal(id="named"):
                yield Field(placeholder=say("own.hint"), id="target", compact=True)
                yield Field(placeholder=say("own.torch_hint"), id="torch", compact=True)
            with Horizontal(id="choosing"):
                question, command = Column(say("own.column_question"), 27), Column(say("own.column_command"), beyond=60)
                yield Rows((question, command), say("own.questions"), id="questions")
                yield Rows((Column(say("own.column_file")),), say("own.used"), empty=say("own.none_used"), id="used")
        yield Static(id="told", markup=False)
        yield Rows((), say("own.results"), empty=say("own.no_rows"), id="answer")
        yield Details(say("own.row"), empty=say("own.details_later"), id="about")

    def on_mount(self) -> None:
        questions = [
            Row(name, ((say(f"own.question_{name}"), "strong"), (command, "muted")))
            for name, command in COMMANDS.items()
        ]
        self.query_one("#questions", Rows).fill(questions)

    def list_to_filter(self) -> Rows:
        return self.query_one("#answer", Rows)

    def show(self) -> None:
        own = self.model.own
        self.set_class(own is not None, "answered")
        shown = self._shown(own)
        table, panel = self.query_one("#answer", Rows), self.query_one("#about", Details)
        table.border_title = words.styled(_title(own, shown))
        table.columns = shown.listing.columns
        table.empty = say("own.no_rows_needed" if own and not own.active else "own.no_rows")
        table.fill(shown.listing.rows)
        self.query_one("#told", Static).update(words.lines(shown.verdict))
        details = shown.listing.details.get(table.row.key) if table.row else None
        panel.show(words.lines(details() if details else shown.rest), table.row and table.row.key)

    def _shown(self, own: OwnState | None) -> Shown:
        if own is None:
            return Shown([(say("own.idle"), "muted")])
        if own.answer is None:
            return Shown(list(self._progress(own)))
        if self._answer is None or self._answer[0] is not own.answer:
            self._answer = own.answer, own_answer.shown(own.request, own.answer)
        return self._answer[1]

    def _progress(self, own: OwnState) -> Iterator[Piece]:
        """The question, how long it has run, and what is done now."""
        asked = words.styled((own.request.target, "strong"), f" · {say(f'own.question_{own.request.question}')}")
        if own.phase == "waiting":
            yield asked
            yield (say("own.waits"), "warn")
            return
        yield words.styled(asked, (f" · {words.seconds(self.model.clock() - own.began_at)}", "muted"))
        if own.phase == "cancelling":
            yield (say("screen.cancelling"), "warn")
        elif isinstance(own.doing, Busy):
            yield (tell(own.doing.text, own.doing.values), "warn")
        elif own.doing is None:
            yield (say("screen.starting"), "accent")
        else:
            yield (overall.describe(own.doing), "accent")
            if share := overall.share_told(own.doing):
                yield (words.meter(share, 1.0, METER), "accent")

    def on_paste(self, event: events.Paste) -> None:
        """Text pasted beside the fields names the file: a terminal pastes what is dropped on it."""
        event.stop()
        self._fill_in(event.text.strip().partition("\n")[0])

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        question = self.query_one("#questions", Rows).row
        predicted = event.input.id == "torch"
        self._ask("predicted" if predicted else question.key if question else "runs")

    def on_rows_opened(self, event: Rows.Opened) -> None:
        if event.rows.id == "answer" or event.key is None:
            return  # Textual calls what other tabs do then too
        event.prevent_default()
        if event.rows.id == "questions":
            self._ask(event.key)
        else:
            self._fill_in(event.key)

    def _fill_in(self, target: str) -> None:
        field = self.query_one("#target", Field)
        field.value, field.cursor_position = target, len(target)
        field.focus()

    def _ask(self, question: str) -> None:
        """Ask it, if a file was named; else the field to name one has the focus."""
        field = self.query_one("#target", Field)
        target = field.value.strip() if question == "race" else own_state.read_target(field.value)
        if not target:
            self.actions.notify(say("own.no_target"))
            field.focus()
            return
        version = self.query_one("#torch", Field).value.strip() if question == "predicted" else ""
        if self.actions.ask(Request(question, target, version or None)):
            self._used = [target, *(used for used in self._used if used != target)]
            self.query_one("#used", Rows).fill([Row(used, ((used, "plain"),)) for used in self._used])
            self.query_one("#answer", Rows).focus()


def _title(own: OwnState | None, shown: Shown) -> str:
    title = shown.listing.title or say("own.results")
    return say("own.title", title=title, question=say(f"own.question_{own.request.question}")) if own else title
