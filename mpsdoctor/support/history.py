"""Which aten operators have a kernel for MPS, by torch version: the data file that ships with mpsdoctor.

The letters, and where they come from, are explained at the head of data/mps_support.txt.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mpsdoctor import versions

DATA = Path(__file__).parent.parent / "data" / "mps_support.txt"
ABSENT = "-"
KERNEL, COMPOSITE, CPU, NONE = frozenset("MDXP"), frozenset("IEG"), frozenset("F"), frozenset("NS")
RUNS = KERNEL | COMPOSITE | CPU
PREFIX = "aten::"


@dataclass(frozen=True)
class History:
    """Versions as X.Y, oldest first; by overload (`add.Tensor`, `relu`) one letter for each of them."""

    versions: tuple[str, ...]
    letters: Mapping[str, str]

    def since(self, overload: str, version: str) -> str | None:
        """The first version from which the overload works without a break up to `version`, or after it.

        Where it works in `version` that is the beginning of the stretch; else of the next stretch, None if there
        is none.
        """
        row, at = self.letters.get(overload), self.versions.index(version)
        if row is None:
            return None
        if row[at] not in RUNS:
            return next(
                (version for version, letter in zip(self.versions[at:], row[at:], strict=True) if letter in RUNS), None
            )
        while at and row[at - 1] in RUNS:
            at -= 1
        return self.versions[at]


@functools.lru_cache(maxsize=1)
def load_history() -> History:
    """The history that ships with mpsdoctor; read once, about 5 ms."""
    versions, rows = parse(DATA.read_text(encoding="ascii"))
    return History(versions, rows)


def parse(text: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Versions, and the letters by overload, of a data file."""
    lines = [line for line in text.split("\n") if not line.startswith("#")]
    end = lines.index("")
    histories = dict(line.split() for line in lines[1:end])
    rows: dict[str, str] = {}
    for line in lines[end + 1 :]:
        name, *groups = line.split() or [""]
        for group in groups:
            number, _, overloads = group.partition(":")
            row = histories[number]
            for overload in overloads.split(","):
                rows[name if overload == "-" else f"{name}.{overload}"] = row
    return tuple(lines[0].split()), rows


def minor(version: str) -> str | None:
    """`2.13` of `2.13.0+cpu`; None for what is no version."""
    release = versions.release(version)
    return f"{release[0]}.{release[1]}" if release else None


def bare(name: str) -> str:
    """`add.Tensor` of `aten::add.Tensor` and `aten.add.Tensor`; `relu` of `aten.relu.default`."""
    return re.sub(r"^aten(::|\.)", "", name.strip()).removesuffix(".default")


def full(name: str) -> str:
    """`aten::add.Tensor` however it was spelt; operators of other libraries keep their own prefix."""
    short = bare(name)
    return short if "::" in short else PREFIX + short


def operator(name: str) -> str:
    """`add` of `aten::add.Tensor`."""
    return bare(name).partition(".")[0]


def order(version: str) -> tuple[int, ...]:
    """A key to sort X.Y by: 2.10 is after 2.9."""
    return versions.numbers(version)
