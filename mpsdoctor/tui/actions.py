"""What keys do: run, cancel, write, force, export, copy, filter, help."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from textual.content import Content

from mpsdoctor.checkup import Settings
from mpsdoctor.tui import clipboard, keys, recorded, words
from mpsdoctor.tui.background import run_in_background
from mpsdoctor.tui.engine import Broke, Done, Engine
from mpsdoctor.tui.model import Model
from mpsdoctor.tui.panes import PANES
from mpsdoctor.tui.panes.pane import Pane
from mpsdoctor.tui.widgets.details import Details
from mpsdoctor.tui.widgets.rows import Rows

if TYPE_CHECKING:
    from mpsdoctor.report import Report
    from mpsdoctor.tui.app import DoctorApp


class Actions:
    """What the application does when a key is pressed; made after the first paint, as it imports all the rest."""

    def __init__(self, app: DoctorApp, engine: Engine, model: Model) -> None:
        self.app, self.engine, self.model = app, engine, model

    def idle(self, action: str) -> bool:
        """Whether a key does nothing now, which is told with the reason."""
        reason = self.app.why_not(action)
        if reason:
            self.say(reason, "warning")
        return reason is not None

    def say(self, text: str, severity: Any = "information") -> None:
        """A line in the corner for a moment; never read as markup."""
        self.app.notify(text, severity=severity, markup=False, timeout=4)

    @property
    def settings(self) -> Settings:
        return self.model.settings

    def make_pane(self, name: str) -> Pane:
        """A tab, imported when it is opened for the first time."""
        module, _, kind = PANES[name].partition(":")
        pane: type[Pane] = getattr(importlib.import_module(f"mpsdoctor.tui.panes.{module}"), kind)
        return pane.open(name, self)

    def first_panel(self, pane: Pane) -> None:
        """Focus goes to the first panel of a tab that can have it."""
        panel = next(iter([*pane.query("Rows"), *pane.query("Details")]), None)
        if panel:
            panel.focus()

    def take_signals(self) -> Exception | None:
        """Take what the engine said; what kept it from beginning, if anything did."""
        for signal in self.engine.drain():
            if isinstance(signal, Broke):
                return signal.error
            self.model.apply(signal)
            if isinstance(signal, Done):
                self.ended(signal)
        return None

    def ended(self, done: Done) -> None:
        """A run is over."""
        if done.trouble:
            self.say(f"the profile was not written: {done.trouble}", "error")
        elif done.cancelled and not self.model.cancelled:
            self.say("cancelled; what was found before stands again", "warning")
        elif done.report.profile.written:
            self.say(f"profile written to {done.report.profile.path}")
        self.look()

    def look(self) -> None:
        """Read the profile in a thread; the tab takes it when it has come."""
        report = None if self.model.running else self.model.report

        run_in_background(self.app, "look at the profile", lambda: self._recorded(report), self.take)

    def _recorded(self, report: Report | None) -> recorded.Recorded:
        return recorded.look(self.settings, report, self.engine.fingerprint)

    def take(self, record: recorded.Recorded) -> None:
        """The profile was looked at."""
        from mpsdoctor.tui.panes.profile import Profile

        for pane in self.app.screen_stack[0].query(Profile):
            pane.take(record)

    def again(self) -> None:
        pane = self.app.pane()
        check = pane.check_id() if pane else None
        if self.idle("again"):
            return
        if check is None:
            self.say("no check is selected here; R runs all of them", "warning")
            return
        self._run((check,))

    def all(self) -> None:
        if not self.idle("all"):
            self.model.checks = {}
            self._run(())

    def _run(self, only: tuple[str, ...]) -> None:
        self.model.begin()
        self.engine.start(only)

    def stop(self) -> None:
        """Esc: cancel the run; where nothing runs, clear the filter of the list in focus."""
        table = self.app.focused
        if not self.model.running and isinstance(table, Rows) and table.filter:
            table.narrow("")
            return
        if self.idle("stop"):
            return
        self.model.stop()
        self.engine.cancel()

    def write(self) -> None:
        """Show what would change; Enter writes."""
        if self.idle("write"):
            return
        report = self.model.report

        run_in_background(self.app, "write the profile", lambda: self._recorded(report), self._ask_to_write)

    def _ask_to_write(self, record: recorded.Recorded) -> None:
        from mpsdoctor.tui.dialogs.dialog import Confirm
        from mpsdoctor.tui.panes.profile import describe_change

        if record.proposal is None:
            self.say(record.trouble or "this check-up timed no training, so it makes no profile", "warning")
            return
        proposal = record.proposal
        text = words.lines([words.styled(("file ", "title"), record.place or ""), "", *describe_change(record)])

        def write_if_agreed(agreed: bool | None) -> None:
            if agreed:
                self._write(proposal, f"profile written to {record.place}")

        self.app.push_screen(Confirm("Write the profile", text, "Enter writes · Esc closes"), write_if_agreed)

    def _write(self, content: Any, success: str) -> None:
        from mpsdoctor.runtime.profile import ProfileError

        try:
            recorded.write(self.settings, content)
        except ProfileError as error:
            self.say(str(error), "error")
            return
        self.say(success)
        self.look()

    def force(self) -> None:
        """Turn the override in the profile on or off."""
        if self.idle("force"):
            return
        record = self._recorded(None)
        if record.content is None:
            self.say(record.trouble or "there is no profile yet; a finished check-up writes one", "warning")
            return
        force = not record.content["force_mps"]
        success = f"force MPS is {'on' if force else 'off'} in {record.place}"
        torch = self.model.report.torch if self.model.report else None
        if force and torch and not torch.mps_available:
            success += "; MPS is not available here, so trainers go on without it"
        self._write({**record.content, "force_mps": force}, success)

    def export(self) -> None:
        from mpsdoctor.tui.dialogs import export

        report = None if self.model.running else self.model.report
        picture = self.app.export_screenshot()

        def write_form(form: str | None) -> None:
            if form is None:
                return
            try:
                path = export.write(form, report, lambda: picture)
            except OSError as error:
                self.say(f"{error.filename or 'the file'} cannot be written: {error.strerror}", "error")
                return
            self.say(f"written to {path}")

        self.app.push_screen(export.Export(export.choices(report), ""), write_form)

    def copy(self) -> None:
        """To the clipboard: the finding, operator or panel."""
        pane = self.app.pane()
        text = pane.copied() if pane else ""
        if not text.strip():
            self.say("there is nothing to copy here", "warning")
            return

        def report_copied(program: str | None) -> None:
            self._copied(text, program)

        run_in_background(self.app, "copy", lambda: clipboard.by_program(text), report_copied)

    def _copied(self, text: str, program: str | None) -> None:
        if program:
            self.say(f"copied with {program}")
        elif clipboard.terminal_can():
            self.app.copy_to_clipboard(text)
            self.say("sent to the terminal's clipboard (OSC 52); if nothing arrives, e exports")
        else:
            from mpsdoctor.tui.dialogs.dialog import Told

            self.app.push_screen(Told("Select and copy", Content(text), "no program could copy · Esc closes"))

    def filter(self) -> None:
        """A line to type into, above the keys, for the list in focus or the first of this tab."""
        if self.idle("filter"):
            return
        from mpsdoctor.tui.widgets.filter import Filter

        pane = self.app.pane()
        if pane is None or self.app.screen_stack[0].query(Filter):
            return
        table = self.app.focused if isinstance(self.app.focused, Rows) else pane.query(Rows).first()
        self.app.screen_stack[0].mount(Filter(table), before="#keys")

    def help(self) -> None:
        from mpsdoctor.tui.dialogs.dialog import Told

        pane, panel = self.app.pane(), self.app.focused
        about = panel.HELP if isinstance(panel, Rows | Details) else ""
        pairs = keys.help_lines(about or "", pane.HELP if pane else "")
        lines = [words.styled((f"{key:7}", "accent"), text) if key else text for key, text in pairs]
        name = panel.title if isinstance(panel, Rows | Details) else self.app.tab.capitalize()
        self.app.push_screen(Told(f"Help · {name}", words.lines(lines)))
