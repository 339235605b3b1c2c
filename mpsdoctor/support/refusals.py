"""Calls that MPS refuses although it has a kernel, by arguments, torch and macOS: data/mps_refusals.txt.

A check that raises is not caught by the fallback.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mpsdoctor import versions
from mpsdoctor.support.given import ANY, Condition, Given, condition, every
from mpsdoctor.support.history import load_history, order
from mpsdoctor.support.limits import macos_needed

DATA = Path(__file__).parent.parent / "data" / "mps_refusals.txt"


class Refusal(NamedTuple):
    """Calls that are refused, as one line of the data file tells them.

    `first` and `last` torch, without a last one where the newest still refuses; `macos` is the first that takes the
    call, None where none does; with `on_cpu` MPS lets the CPU do it, whatever the fallback is set to.
    """

    first: str
    last: str | None
    kind: str
    refuses: Condition
    macos: str | None
    on_cpu: bool
    message: str

    def concerns(self, version: str) -> bool:
        """Whether it holds in this torch, on some macOS that its MPS runs on."""
        if order(version) < order(self.first) or (self.last and order(version) > order(self.last)):
            return False
        return self.holds_on(macos_needed(version) or "") if self.macos else True

    def holds_on(self, macos: str | None) -> bool:
        """Whether it holds on this macOS; of one that is not known, on every macOS."""
        if self.macos is None or macos is None:
            return self.macos is None
        return (*versions.numbers(macos), 0)[:2] < (*versions.numbers(self.macos), 0)[:2]

    @property
    def since(self) -> str | None:
        """The torch from which on it no longer holds; None for none so far."""
        later = [version for version in load_history().versions if self.last and order(version) > order(self.last)]
        return later[0] if later else None


@functools.lru_cache(maxsize=1)
def load_refusals() -> dict[str, tuple[Refusal, ...]]:
    """The refusals by operator, without overload (`convolution`)."""
    by_operator: dict[str, tuple[Refusal, ...]] = {}
    for line in DATA.read_text(encoding="utf-8").split("\n"):
        if line and not line.startswith("#"):
            operators, refusal = parse(line)
            for name in operators:
                by_operator[name] = (*by_operator.get(name, ()), refusal)
    return by_operator


def parse(line: str) -> tuple[list[str], Refusal]:
    """The operators of a line, and what it says of them."""
    operators, torch, kind, call, macos, message = (column.strip() for column in line.split(" | ", 5))
    first, _, last = torch.partition("-")
    refuses = every([condition(word) for word in call.split()])
    refusal = Refusal(
        first, last or None, kind.rstrip("+"), refuses, None if macos == "-" else macos, kind.endswith("+"), message
    )
    return operators.split(), refusal


def refusals(name: str, given: Given, version: str) -> Iterator[Refusal]:
    """What refuses a call of an operator in a torch version, on every macOS or on some."""
    if given:
        table = load_refusals()
        for refusal in (*table.get(name, ()), *table.get(ANY, ())):
            if refusal.concerns(version) and refusal.refuses(given):
                yield refusal
