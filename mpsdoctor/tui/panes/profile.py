"""Profile: what is recorded for trainers, whether it still holds, what writing would change, how a trainer reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Self

from textual.app import ComposeResult

from mpsdoctor import clean
from mpsdoctor.formats import rows, wrapping
from mpsdoctor.texts import say, term
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

LABEL = 7  # cells of the labels beside the recommendation
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
        self.query_one("#recorded", Details).show(words.lines(self._recorded()))
        self.query_one("#using", Details).show(words.lines(self._using()))

    def _recorded(self) -> Iterator[Piece]:
        state = self.state
        if state is None:
            yield (say("screen.reading"), "muted")
            return
        yield words.styled(_label("file"), clean.text(state.place or say("screen.no_home")))
        if state.trouble:
            yield (clean.text(state.trouble), "fail")
        elif state.content is None:
            yield (say("screen.no_profile"), "muted")
        if state.content:
            yield from [(clean.text(rows.forced_to(state.forced)), "warn")] if state.forced else []
            yield from _stale(state.stale)
            content: ProfileContent = clean.data(dict(state.content))
            yield from _content(content, state.forced)

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
        yield words.styled((f"! {say('screen.stale')} ", "warn"), "; ".join(stale))
    else:
        yield (f"✓ {say('screen.up_to_date')}", "pass")


def _content(content: ProfileContent, forced: Forced | None) -> Iterator[Piece]:
    recommended = content["recommended"]
    yield ""
    confidence = say("report.confidence", confidence=term("confidence", recommended["confidence"]))
    yield words.styled(_label("device", LABEL), f"{recommended['device']} · {confidence}")
    yield words.styled(_label("why", LABEL), f"{recommended['reason']}")
    yield words.styled(_label("made", LABEL), say("screen.made_by", moment=content["created"], tool=content["tool"]))
    yield from _override(content, forced)
    for family, sizes in content["workloads"].items():
        winners = ", ".join(f"{size} {entry['device']}{_ratio(entry)}" for size, entry in sizes.items())
        yield words.styled((f"{family:12}", "title"), winners)
    yield from (words.styled(_label("environment"), f"{k}={v}") for k, v in content["environment"].items())
    yield from (words.styled(_label("setting"), f"{k} = {v}") for k, v in content["settings"].items())
    yield from (words.styled(_label("hint"), str(hint)) for hint in content["hints"])
    machine = ", ".join(str(value) for key, value in content["fingerprint"].items() if value and key != "memory_bytes")
    yield words.styled(_label("made_on"), machine)


def _override(content: ProfileContent, forced: Forced | None) -> Iterator[Piece]:
    if forced:
        how_long = say("screen.force_is_on", how_long=rows.how_long(forced.until_torch))
        yield words.styled(_label("force"), (how_long, "warn"))
    elif content["force_mps"]:
        yield words.styled(_label("force"), say("screen.force_ended", version=content["force_mps_torch"]))
    else:
        yield words.styled(_label("force"), say("screen.off"))


def _ratio(entry: Measured) -> str:
    speedup = entry.get("speedup")
    if speedup is None:
        return ""
    ratio = f"{speedup:.2f}×"
    return f" {ratio}" if entry["device"] != "cpu" else f" {say('screen.an_accelerator', speedup=ratio)}"


def _label(name: str, width: int = 0) -> tuple[str, str]:
    return f"{wrapping.pad(say(f'screen.label_{name}'), width)} ", "title"
