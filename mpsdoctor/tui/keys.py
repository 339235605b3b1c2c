"""The keys of the screen, and why one of them does nothing now."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mpsdoctor.texts import say
from mpsdoctor.tui.panes import TABS

if TYPE_CHECKING:
    from mpsdoctor.tui.model import Model

# Key and action, in the order of the last line.
KEYS: tuple[tuple[str, str], ...] = (
    ("q", "leave"),
    ("?", "help"),
    ("/", "filter"),
    ("+", "zoom"),
    ("r", "again"),
    ("R", "all"),
    ("esc", "stop"),
    ("w", "write"),
    ("f", "force"),
    ("e", "export"),
    ("y", "copy"),
    ("m", "messages"),
    ("^p", "command_palette"),
)


def name(action: str) -> str:
    """The word of a key in the last line."""
    return say(f"screen.key_{action}")


def meaning(action: str) -> str:
    """What the help says about it."""
    return say(f"screen.help_{action}")


def needs_report(model: Model) -> str | None:
    if model.running:
        return say("screen.still_runs")
    return None if model.report else say("screen.no_report")


def needs_idle(model: Model) -> str | None:
    if model.running:
        return say("screen.still_runs")
    return say("screen.own_runs") if model.own_active else None


def needs_run(model: Model) -> str | None:
    if model.cancelled if model.running else model.own and model.own.phase == "cancelling":
        return say("screen.being_cancelled")
    return None if model.running or model.own_active else say("screen.nothing_runs")


def needs_answer(model: Model) -> str | None:
    return say("screen.own_runs") if model.own_active else None


def needs_verdict(model: Model) -> str | None:
    if not model.settings.write_profile:
        return say("screen.no_profile_option")
    lack = needs_report(model)
    if lack or (model.report and model.report.verdict):
        return lack
    return say("screen.no_verdict")


def may_change(model: Model) -> str | None:
    return None if model.settings.write_profile else say("screen.no_profile_option")


REASONS: dict[str, Callable[[Model], str | None]] = {
    "again": needs_idle,
    "all": needs_idle,
    "stop": needs_run,
    "ask": needs_answer,
    "write": needs_verdict,
    "force": may_change,
}


def why_not(action: str, model: Model, focused_filters: bool) -> str | None:
    """Why a key does nothing now; None: it works."""
    if action == "filter" and not focused_filters:
        return say("screen.no_list")
    reason = REASONS.get(action)
    return reason(model) if reason else None


def help_lines(panel: str, tab: str) -> list[tuple[str, str]]:
    """Pairs of key and meaning; an empty key stands before running text."""
    pairs = [("", tab), ("", panel), ("", "")]
    pairs += [(key, meaning(action)) for key, action in KEYS]
    return [*pairs, (f"1–{len(TABS)}", say("screen.help_tab_keys")), ("Tab", say("screen.help_panel_keys"))]
