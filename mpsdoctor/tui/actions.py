"""What keys do: run, cancel, write, force, export, copy, filter, help."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.content import Content

from mpsdoctor import prescription
from mpsdoctor.events import Answer, Request, Settings
from mpsdoctor.texts import say
from mpsdoctor.tui import clipboard, keys, profile_state, words
from mpsdoctor.tui.background import run_in_background
from mpsdoctor.tui.engine import Broke, Done, Engine, OwnAnswer
from mpsdoctor.tui.model import Model
from mpsdoctor.tui.own_state import OwnState
from mpsdoctor.tui.panes import PANES
from mpsdoctor.tui.panes.pane import Pane
from mpsdoctor.tui.profile_state import ProfileState
from mpsdoctor.tui.widgets.bars import tab_name
from mpsdoctor.tui.widgets.details import Details
from mpsdoctor.tui.widgets.rows import Rows

if TYPE_CHECKING:
    from mpsdoctor.report import Report
    from mpsdoctor.runtime.shapes import Profile
    from mpsdoctor.tui.app import DoctorApp


class Actions:
    """What the application does when a key is pressed; made after the first paint, as it imports all the rest."""

    def __init__(self, app: DoctorApp, engine: Engine, model: Model) -> None:
        self.app, self.engine, self.model = app, engine, model

    def refuse(self, action: str) -> bool:
        """Whether a key does nothing now; the reason is shown."""
        reason = self.app.why_not(action)
        if reason:
            self.notify(reason, "warning")
        return reason is not None

    def notify(self, text: str, severity: Any = "information") -> None:
        """The line above the keys, for some seconds."""
        self.app.notify(text, severity=severity, markup=False)

    @property
    def settings(self) -> Settings:
        return self.model.settings

    def make_pane(self, name: str) -> Pane:
        """A tab, imported when it is opened for the first time."""
        module, _, kind = PANES[name].partition(":")
        pane: type[Pane] = getattr(importlib.import_module(f"mpsdoctor.tui.panes.{module}"), kind)
        return pane.open(name, self)

    def focus_first_panel(self, pane: Pane) -> None:
        """Focus goes to the first panel of a tab."""
        if panel := pane.first_panel():
            panel.focus()

    def take_signals(self) -> Exception | None:
        """Apply the engine's signals; what kept it from beginning, if anything did."""
        for signal in self.engine.drain():
            if isinstance(signal, Broke):
                return signal.error
            self.model.apply(signal)
            if isinstance(signal, Done):
                self._report_end(signal)
            elif isinstance(signal, OwnAnswer):
                self._report_answer(signal.answer)
        self._begin_asked()
        return None

    def _report_end(self, done: Done) -> None:
        """Say how a run ended, and read the profile again."""
        if done.trouble:
            self.notify(say("screen.profile_failed", why=done.trouble), "error")
        elif done.cancelled and not self.model.cancelled:
            self.notify(say("screen.cancelled_kept"), "warning")
        elif done.report.profile.written:
            self.notify(say("screen.profile_written", path=done.report.profile.path))
        self.read_profile()

    def read_profile(self) -> None:
        """Read the profile in a thread; then its tab shows it."""
        report = None if self.model.running else self.model.report

        run_in_background(self.app, "read_profile", lambda: self._inspect_profile(report), self._show_profile)

    def _inspect_profile(self, report: Report | None) -> ProfileState:
        return profile_state.inspect(self.settings, report, self.engine.fingerprint)

    def _show_profile(self, state: ProfileState) -> None:
        for pane in self.app.screen_stack[0].query(Pane):
            pane.set_state(state)

    def run_check(self) -> None:
        pane = self.app.pane()
        check = pane.check_id() if pane else None
        if self.refuse("again"):
            return
        if check is None:
            self.notify(say("screen.no_check_selected"), "warning")
            return
        self._run((check,))

    def run_all(self) -> None:
        if not self.refuse("all"):
            self.model.checks = {}
            self._run(())

    def _run(self, only: tuple[str, ...]) -> None:
        self.model.begin()
        self.engine.start(only)

    def cancel(self) -> None:
        """Esc: clear the filter of the list in focus, else show all panels again, else cancel what runs."""
        table = self.app.focused
        if isinstance(table, Rows) and table.filter:
            table.narrow("")
            return
        pane = self.app.pane()
        if pane and pane.has_class("zoom"):
            pane.zoom(None)
            return
        if self._cancel_own() or self.refuse("stop"):
            return
        self.model.cancel()
        self.engine.cancel()

    def ask(self, request: Request) -> bool:
        """Examine a file of the person's, once the check-up has ended, for both would time; whether it is taken."""
        if self.refuse("ask"):
            return False
        self.model.set_own(OwnState(request))
        self._begin_asked()
        return True

    def _begin_asked(self) -> None:
        own, model = self.model.own, self.model
        if own and own.phase == "waiting" and not model.running:
            model.set_own(replace(own, phase="running", began_at=model.clock()))
            self.engine.ask(own.request)

    def _cancel_own(self) -> bool:
        """Take back what waits, if its tab is open, or end what runs; whether there was any such thing."""
        own = self.model.own
        if own and own.phase == "running":
            self.model.set_own(replace(own, phase="cancelling"))
            self.engine.stop_asking()
            return True
        if own and own.phase == "waiting" and self.app.tab == "own":
            self.model.set_own(None)
            return True
        return False

    def _report_answer(self, answer: Answer) -> None:
        """Say that a run of the person's file has ended, where its tab is not open."""
        own = self.model.own
        if own and self.app.tab != "own" and not answer.cancelled:
            self.notify(say("own.answered", target=own.request.target), "warning" if answer.trouble else "information")

    def write_profile(self) -> None:
        """Show what would change; Enter writes."""
        if self.refuse("write"):
            return
        report = self.model.report

        run_in_background(self.app, "write_profile", lambda: self._inspect_profile(report), self._ask_to_write)

    def _ask_to_write(self, state: ProfileState) -> None:
        from mpsdoctor.tui.dialogs.dialog import Confirm
        from mpsdoctor.tui.panes.profile import describe_change

        if state.proposal is None:
            self.notify(state.trouble or say("screen.makes_no_profile"), "warning")
            return
        proposal = state.proposal
        file = words.styled((f"{say('screen.label_file')} ", "title"), state.place or "")
        text = words.lines([file, "", *describe_change(state)])

        def write_if_agreed(agreed: bool | None) -> None:
            if agreed:
                self._write(proposal, say("screen.profile_written", path=state.place))

        self.app.push_screen(Confirm(say("screen.write_title"), text, say("screen.writes_or_closes")), write_if_agreed)

    def _write(self, content: Profile, success: str) -> None:
        from mpsdoctor.runtime.profile import ProfileError

        try:
            profile_state.write(self.settings, content)
        except ProfileError as error:
            self.notify(str(error), "error")
            return
        self.notify(success)
        self.model.note_forced(prescription.forced(self.model.report, content))
        self.read_profile()

    def force_mps(self) -> None:
        """Turn the override in the profile off, or ask before it is turned on."""
        if self.refuse("force"):
            return
        state = self._inspect_profile(None)
        content, report = state.content, self.model.report
        if content is None:
            self.notify(state.trouble or say("screen.no_profile_to_force"), "warning")
            return
        if prescription.forced(report, content):
            self._write(profile_state.override(content), say("screen.force_off", path=state.place))
            return
        from mpsdoctor.tui.dialogs.force import Force

        torch = profile_state.torch_version(content, report)

        def force_if_agreed(how_long: str | None) -> None:
            if how_long:
                self._force(content, state.place, torch if how_long == "until" else None)

        self.app.push_screen(Force(prescription.measured_of_mps(report, content, torch)), force_if_agreed)

    def _force(self, content: Profile, place: str | None, until_torch: str | None) -> None:
        from mpsdoctor.formats import rows

        done = say("screen.force_on", path=place, how_long=rows.how_long(until_torch))
        torch = self.model.report.torch if self.model.report else None
        if torch and not torch.mps_available:
            done = say("screen.force_without_mps", done=done)
        self._write(profile_state.override(content, on=True, until_torch=until_torch), done)

    def export(self) -> None:
        from mpsdoctor.runtime.profile import shorten_home
        from mpsdoctor.tui.dialogs import export

        subject = export.Subject(None if self.model.running else self.model.report)
        own = self.model.own
        if self.app.tab == "own" and own and own.answer and own.answer.report:
            subject = export.Subject(own.answer.report, is_answer=True)
        picture = self.app.export_screenshot()

        def write_form(form: str | None) -> None:
            if form is None:
                return
            try:
                path = export.write(form, subject, lambda: picture)
            except OSError as error:
                file = error.filename or say("screen.the_file")
                self.notify(say("screen.cannot_write", file=file, why=error.strerror), "error")
                return
            self.notify(say("screen.written", path=shorten_home(path.absolute())))

        self.app.push_screen(export.Export(subject), write_form)

    def explain(self) -> None:
        """A place to paste an error or a log into."""
        from mpsdoctor.tui.dialogs.explain import ExplainText

        self.app.push_screen(ExplainText())

    def copy(self) -> None:
        """To the clipboard: the finding, operator or panel."""
        pane = self.app.pane()
        text = pane.text_to_copy() if pane else ""
        if not text.strip():
            self.notify(say("screen.nothing_to_copy"), "warning")
            return

        def report_copy(program: str | None) -> None:
            self._report_copy(text, program)

        run_in_background(self.app, "copy", lambda: clipboard.copy_by_program(text), report_copy)

    def _report_copy(self, text: str, program: str | None) -> None:
        if program:
            self.notify(say("screen.copied", program=program))
        elif clipboard.terminal_may_copy():
            self.app.copy_to_clipboard(text)
            self.notify(say("screen.sent_to_terminal"))
        else:
            from mpsdoctor.tui.dialogs.dialog import Message

            self.app.push_screen(Message(say("screen.copy_title"), Content(text), say("screen.copy_closes")))

    def filter(self) -> None:
        """A line to type into, above the keys, for the list in focus or the first of this tab."""
        if self.refuse("filter"):
            return
        from mpsdoctor.tui.widgets.filter import Filter

        pane = self.app.pane()
        if pane is None or self.app.screen_stack[0].query(Filter):
            return
        table = self.app.focused if isinstance(self.app.focused, Rows) else pane.list_to_filter()
        self.app.screen_stack[0].mount(Filter(table), before="#keys")

    def zoom(self) -> None:
        """The panel in focus alone, or all of them again."""
        pane, panel = self.app.pane(), self.app.focused
        if pane and pane.has_class("zoom"):
            pane.zoom(None)
        elif pane and isinstance(panel, Rows | Details):
            pane.zoom(panel)

    def messages(self) -> None:
        """What the line above the keys told before."""
        from mpsdoctor.tui import messages
        from mpsdoctor.tui.dialogs.dialog import Message

        self.app.push_screen(Message(say("screen.messages_title"), messages.read(self.app.told)))

    def help(self) -> None:
        from mpsdoctor.tui.dialogs.dialog import Message

        pane, panel = self.app.pane(), self.app.focused
        about = panel.explain() if isinstance(panel, Rows | Details) else ""
        pairs = keys.help_lines(about, pane.explain() if pane else "")
        lines = [words.styled((f"{key:7}", "accent"), text) if key else text for key, text in pairs]
        name = panel.title if isinstance(panel, Rows | Details) else tab_name(self.app.tab).capitalize()
        self.app.push_screen(Message(say("screen.help_title", panel=name), words.lines(lines)))
