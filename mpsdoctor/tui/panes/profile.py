"""Profile: what is recorded for trainers, whether it still holds, what writing would change, how a trainer reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Self

from textual.app import ComposeResult

from mpsdoctor import clean
from mpsdoctor.figures import times
from mpsdoctor.formats import rows, wrapping
from mpsdoctor.texts import joined, say, term
from mpsdoctor.tui import keys, words
from mpsdoctor.tui.model import Model
from mpsdoctor.tui.panes.pane import Pane
from mpsdoctor.tui.profile_state import ProfileState, difference
from mpsdoctor.tui.widgets.details import Details
from mpsdoctor.tui.words import Piece

if TYPE_CHECKING:
    from mpsdoctor.report import Forced
    from mpsdoctor.runtime.shapes import Measured
    from mpsdoctor.runtime.shapes import Profile as ProfileContent
    from mpsdoctor.tui.actions import Actions

LABEL = 13  # cells of the labels, families among them
PASTE = (
    "from mpsdoctor import get_optimal_device",
    "device, info = get_optimal_device()",
    "model.to(device)",
)


class Profile(Pane):
    """The sixth tab."""

    def __init__(self, model: Model, id: str) -> None:
        super().__init__(model, id)
        self.state: ProfileState | None = None

    @classmethod
    def open(cls, name: str, actions: Actions) -> Self:
        actions.read_profile()
        return super().open(name, actions)

    def explain(self) -> str:
        return say("screen.profile_help")

    def compose(self) -> ComposeResult:
        yield Details(say("screen.recorded"), id="recorded")
        yield Details(say("screen.using"), id="using")

    def set_state(self, state: ProfileState) -> None:
        """Show this state of the file."""
        self.state = state
        if self.is_mounted:
            self.redraw()

    def show(self) -> None:
        panel = self.query_one("#recorded", Details)
        panel.show(words.lines(self._recorded(panel.room)))
        self.query_one("#using", Details).show(words.lines(self._using()))

    def _recorded(self, width: int) -> Iterator[Piece]:
        state = self.state
        if state is None:
            yield (say("screen.reading"), "muted")
            return
        yield words.wrap_beside(_label("file"), clean.text(state.place or say("screen.no_home")), LABEL, width)
        if state.trouble:
            yield (clean.text(state.trouble), "fail")
        elif state.content is None:
            yield (say("screen.no_profile"), "muted")
        if state.content:
            yield from [(clean.text(rows.forced_to(state.forced)), "warn")] if state.forced else []
            yield from _stale(state.stale)
            content: ProfileContent = clean.data(dict(state.content))
            yield from _content(content, state.forced, width)

    def _using(self) -> Iterator[Piece]:
        yield (say("screen.in_a_trainer"), "title")
        yield from map(words.command_line, PASTE)
        run = words.command_line("mpsdoctor run -- python train.py")
        yield words.styled(run, (f" {say('screen.run_sets')}", "muted"))
        yield ""
        yield (say("screen.would_change"), "title")
        reason = keys.may_change(self.model)
        if reason or self.state is None or self.state.proposal is None:
            lack = "screen.check_up_runs" if self.model.running else "screen.no_timed_check_up"
            yield (say("screen.cannot_be_written", why=reason or say(lack)), "muted")
            return
        yield from describe_change(self.state)


def describe_change(state: ProfileState) -> Iterator[Piece]:
    """The difference that writing makes, in lines."""
    lines = difference(state.content, state.proposal) if state.proposal else []
    if not lines:
        yield (say("screen.no_change"), "pass")
    tones = {"+": "pass", "-": "fail"}
    yield from ((clean.text(line), tones.get(line[:1], "muted")) for line in lines)


def _stale(stale: tuple[str, ...] | None) -> Iterator[Piece]:
    if stale is None:
        yield (say("screen.stale_later"), "muted")
    elif stale:
        yield words.styled((f"! {say('screen.stale')} ", "warn"), joined("; ", stale))
    else:
        yield (f"✓ {say('screen.up_to_date')}", "pass")


def _content(content: ProfileContent, forced: Forced | None, width: int) -> Iterator[Piece]:
    yield ""
    for label, text in _answers(content):
        yield words.wrap_beside(label, text, LABEL, width)
    yield from _override(content, forced)
    for label, text in _conditions(content):
        yield words.wrap_beside(label, text, LABEL, width)


def _answers(content: ProfileContent) -> Iterator[tuple[tuple[str, str], str]]:
    """What a trainer is told, each with its label."""
    recommended = content["recommended"]
    confidence = say("report.confidence", confidence=term("confidence", recommended["confidence"]))
    yield _label("device"), f"{recommended['device']} · {confidence}"
    yield _label("why"), f"{recommended['reason']}"
    for family, sizes in content["workloads"].items():
        winners = " · ".join(f"{size} {_winner(entry)}" for size, entry in sizes.items())
        yield (f"{wrapping.clip(family, LABEL - 1)} ", "title"), winners


def _conditions(content: ProfileContent) -> Iterator[tuple[tuple[str, str], str]]:
    """Variables, settings and hints, and on what and when it was measured, each with its label."""
    yield from ((_label("environment"), f"{name}={value}") for name, value in content["environment"].items())
    yield from ((_label("setting"), f"{name} = {value}") for name, value in content["settings"].items())
    yield from ((_label("hint"), str(hint)) for hint in content["hints"])
    yield _label("made_on"), " · ".join(rows.fingerprint_parts(content["fingerprint"]))
    yield _label("made"), say("screen.made_by", moment=content["created"], tool=content["tool"])


def _override(content: ProfileContent, forced: Forced | None) -> Iterator[Piece]:
    if forced:
        how_long = say("screen.force_is_on", how_long=rows.how_long(forced.until_torch))
        yield words.styled(_label("force"), (how_long, "warn"))
    elif content["force_mps"]:
        yield words.styled(_label("force"), say("screen.force_ended", version=content["force_mps_torch"]))
    else:
        yield words.styled(_label("force"), say("screen.off"))


def _winner(entry: Measured) -> str:
    """`mps, 1.97× the CPU`; the best accelerator's speed where the CPU won, none where it is not settled."""
    speedup, ends = entry.get("speedup"), entry.get("ci95")
    if entry["device"] == "tie":
        return say("report.not_settled")
    if speedup is None or (ends and rows.is_wide(ends)):
        return entry["device"]
    name = "screen.winner_cpu" if entry["device"] == "cpu" else "screen.winner_other"
    return say(name, device=entry["device"], speedup=times(speedup))


def _label(name: str) -> tuple[str, str]:
    return f"{wrapping.pad(say(f'screen.label_{name}'), LABEL - 1)} ", "title"
