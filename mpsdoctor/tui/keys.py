"""The keys of the screen, and why one of them does nothing now."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mpsdoctor.tui.panes import TABS

if TYPE_CHECKING:
    from mpsdoctor.tui.model import Model

# Key, action, the word in the footer, what the help says.
KEYS: tuple[tuple[str, str, str, str], ...] = (
    ("q", "leave", "quit", "quit; a running check-up is cancelled"),
    ("?", "help", "help", "this help, for the panel in focus (also F1)"),
    ("/", "filter", "filter", "show only rows that hold these words"),
    ("r", "again", "again", "run the selected check again"),
    ("R", "all", "all", "run all checks again"),
    ("esc", "stop", "cancel", "cancel the run (Ctrl+C too; twice quits)"),
    ("w", "write", "write", "write the profile; shows first what changes"),
    ("f", "force", "mps", "force MPS: make trainers use MPS whatever was measured, or no longer"),
    ("e", "export", "export", "write the report or a picture of the screen"),
    ("y", "copy", "copy", "copy the finding, operator or panel"),
    ("^p", "command_palette", "more", "everything that can be done now, and the themes"),
)


def needs_report(model: Model) -> str | None:
    if model.running:
        return "the check-up still runs; Esc cancels it"
    return None if model.report else "there is no report yet; R begins a check-up"


def needs_idle(model: Model) -> str | None:
    return "the check-up still runs; Esc cancels it" if model.running else None


def needs_run(model: Model) -> str | None:
    if model.cancelled and model.running:
        return "it is being cancelled"
    return None if model.running else "nothing is running"


def needs_verdict(model: Model) -> str | None:
    if not model.settings.write_profile:
        return "mpsdoctor was started with --no-profile"
    lack = needs_report(model)
    if lack or (model.report and model.report.verdict):
        return lack
    return "no verdict: a finished check-up carries one"


def may_change(model: Model) -> str | None:
    return None if model.settings.write_profile else "mpsdoctor was started with --no-profile"


REASONS: dict[str, Callable[[Model], str | None]] = {
    "again": needs_idle,
    "all": needs_idle,
    "stop": needs_run,
    "write": needs_verdict,
    "force": may_change,
}


def why_not(action: str, model: Model, focused_filters: bool) -> str | None:
    """Why a key does nothing now; None: it works."""
    if action == "filter" and not focused_filters:
        return "there is no list on this tab"
    reason = REASONS.get(action)
    return reason(model) if reason else None


def help_lines(panel: str, tab: str) -> list[tuple[str, str]]:
    """Pairs of key and meaning; an empty key stands before running text."""
    pairs = [("", tab), ("", panel), ("", "")]
    pairs += [(key, meaning) for key, _, _, meaning in KEYS]
    pairs += [
        (f"1–{len(TABS)}", "the tabs; [ and ] go to the one before and after"),
        ("Tab", "next panel; Shift+Tab the one before"),
    ]
    return pairs
