"""Profile: what is recorded for trainers, whether it still holds, what writing would change, how a trainer reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Self

from textual.app import ComposeResult

from mpsdoctor import clean
from mpsdoctor.tui import keys, words
from mpsdoctor.tui.model import Model
from mpsdoctor.tui.panes.pane import Pane
from mpsdoctor.tui.recorded import Recorded, difference
from mpsdoctor.tui.widgets.details import Details
from mpsdoctor.tui.words import Piece

if TYPE_CHECKING:
    from mpsdoctor.runtime.shapes import Measured
    from mpsdoctor.runtime.shapes import Profile as ProfileContent
    from mpsdoctor.tui.actions import Actions

PASTE = (
    "from mpsdoctor import get_optimal_device",
    "device, info = get_optimal_device()",
    "model.to(device)",
)


class Profile(Pane):
    """The sixth tab."""

    HELP = "The file that training scripts read. w shows what writing would change, f turns force-MPS on or off."

    def __init__(self, model: Model, id: str) -> None:
        super().__init__(model, id)
        self.recorded: Recorded | None = None

    @classmethod
    def open(cls, name: str, actions: Actions) -> Self:
        actions.look()
        return super().open(name, actions)

    def compose(self) -> ComposeResult:
        yield Details("Recorded", id="recorded")
        yield Details("Writing and using it", id="using")

    def take(self, recorded: Recorded) -> None:
        """The file was looked at."""
        self.recorded = recorded
        if self.is_mounted:
            self.redraw()

    def show(self) -> None:
        self.query_one("#recorded", Details).show(words.lines(self._recorded()))
        self.query_one("#using", Details).show(words.lines(self._using()))

    def _recorded(self) -> Iterator[Piece]:
        recorded = self.recorded
        if recorded is None:
            yield ("looking…", "muted")
            return
        yield words.styled(("file ", "title"), clean.text(recorded.place or "no home folder is known"))
        if recorded.trouble:
            yield (clean.text(recorded.trouble), "fail")
        elif recorded.content is None:
            yield ("There is no profile yet. A finished check-up writes one.", "muted")
        if recorded.content:
            yield from _stale(recorded.stale)
            content: ProfileContent = clean.data(dict(recorded.content))
            yield from _content(content)

    def _using(self) -> Iterator[Piece]:
        yield ("In a trainer", "title")
        yield from (words.styled("  ", (f" {line} ", "command")) for line in PASTE)
        yield words.styled(
            "  ", (" mpsdoctor run -- python train.py ", "command"), (" sets its variables first", "muted")
        )
        yield ""
        yield ("Writing now would change", "title")
        reason = keys.may_change(self.model)
        if reason or self.recorded is None or self.recorded.proposal is None:
            running = self.model.running
            why = reason or ("the check-up still runs" if running else "no check-up was finished that timed training")
            yield (f"nothing can be written: {why}", "muted")
            return
        yield from describe_change(self.recorded)


def describe_change(recorded: Recorded) -> Iterator[Piece]:
    """The difference that writing makes, in lines."""
    lines = difference(recorded.content, recorded.proposal) if recorded.proposal else []
    if not lines:
        yield ("nothing: the profile holds what this check-up found", "pass")
    tones = {"+": "pass", "-": "fail"}
    yield from ((clean.text(line), tones.get(line[:1], "muted")) for line in lines)


def _stale(stale: tuple[str, ...] | None) -> Iterator[Piece]:
    if stale is None:
        yield ("whether it still holds is known when the check-up ends", "muted")
    elif stale:
        yield words.styled(("! stale ", "warn"), "; ".join(stale))
    else:
        yield ("✓ up to date: made on this machine with this torch", "pass")


def _content(content: ProfileContent) -> Iterator[Piece]:
    recommended = content["recommended"]
    yield ""
    yield words.styled(("device  ", "title"), f"{recommended['device']} · {recommended['confidence']} confidence")
    yield words.styled(("why     ", "title"), f"{recommended['reason']}")
    yield words.styled(("made    ", "title"), f"{content['created']} by {content['tool']}")
    force = content["force_mps"]
    yield words.styled(("force MPS ", "title"), ("on" if force else "off", "warn" if force else "plain"))
    for family, sizes in content["workloads"].items():
        winners = ", ".join(f"{size} {entry['device']}{_ratio(entry)}" for size, entry in sizes.items())
        yield words.styled((f"{family:12}", "title"), winners)
    yield from (words.styled(("environment ", "title"), f"{k}={v}") for k, v in content["environment"].items())
    yield from (words.styled(("setting ", "title"), f"{k} = {v}") for k, v in content["settings"].items())
    yield from (words.styled(("hint ", "title"), str(hint)) for hint in content["hints"])
    machine = ", ".join(str(value) for key, value in content["fingerprint"].items() if value and key != "memory_bytes")
    yield words.styled(("made on ", "title"), machine)


def _ratio(entry: Measured) -> str:
    speedup = entry.get("speedup")
    if speedup is None:
        return ""
    return f" {speedup:.2f}×" if entry["device"] != "cpu" else f" (an accelerator {speedup:.2f}×)"
