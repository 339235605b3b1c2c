"""Force MPS: what was measured of it, and how long it is to be forced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.binding import Binding, BindingType

from mpsdoctor.formats import rows
from mpsdoctor.report import Forced
from mpsdoctor.texts import joined, say
from mpsdoctor.tui import words
from mpsdoctor.tui.dialogs.dialog import Dialog
from mpsdoctor.tui.words import Piece


class Force(Dialog[str]):
    """Enter forces until torch changes, `a` always; the answer is which."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose('until')", priority=True),
        Binding("a", "choose('always')", priority=True),
    ]

    def __init__(self, measured: Forced) -> None:
        super().__init__(say("screen.force_title"), words.lines(_describe(measured)), say("screen.forces_or_closes"))

    def action_choose(self, how_long: str) -> None:
        self.dismiss(how_long)


def _describe(measured: Forced) -> Iterator[Piece]:
    yield say("screen.force_means")
    yield ""
    speed = rows.speed_of_mps(measured) or say("screen.force_unmeasured")
    yield words.styled((f"{say('screen.force_measured')} ", "title"), rows.join([measured.recommended, speed]))
    wrong = joined(", ", measured.wrong) or say("screen.none")
    yield words.styled((f"{say('screen.force_wrong')} ", "title"), (wrong, "fail" if measured.wrong else "plain"))
    yield ""
    yield words.styled(("Enter  ", "accent"), rows.how_long(measured.until_torch))
    yield words.styled(("a      ", "accent"), say("screen.force_always"))
