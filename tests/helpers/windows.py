"""Windows of real reports whose cause is known: a file a cause, and what belongs to none.

A window begins with `# source`; a line of it stands behind two blanks, one that gives the cause away behind `> `.
`# not …` marks a confuser: it looks like the cause of its file and has another one, or none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mpsdoctor.explain.conditions import Case
from mpsdoctor.explain.engine import find_hits
from mpsdoctor.explain.environment import read_environment
from mpsdoctor.explain.lines import split

FOLDER = Path(__file__).parents[1] / "unit" / "explain" / "windows"
NONE = "none"  # the file of texts that have none of the causes
MARK, PLAIN, HEAD = "> ", "  ", "# "


@dataclass(frozen=True)
class Window:
    """A few lines of a report; `marked` are the places of those that give the cause away."""

    cause: str
    source: str
    lines: tuple[str, ...]
    marked: tuple[int, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def confuser(self) -> bool:
        """Whether it looks like the cause of its file and has it not."""
        return self.source.startswith("not ")

    @property
    def expected(self) -> str | None:
        """The cause that is right; None for confusers, of which only the wrong one is known, and for foreign texts."""
        return None if self.cause == NONE or self.confuser else self.cause


def read_windows(folder: Path = FOLDER) -> list[Window]:
    """All windows, file by file."""
    return [window for file in sorted(folder.glob("*.txt")) for window in _windows(file)]


def _windows(file: Path) -> Iterator[Window]:
    source: str | None = None
    lines: list[str] = []
    for line in file.read_text(encoding="utf-8").split("\n"):
        if line.startswith(HEAD):
            if source is not None:
                yield _window(file.stem, source, lines)
            source, lines = line.removeprefix(HEAD), []
        elif line.strip():
            lines.append(line)
    if source is not None:
        yield _window(file.stem, source, lines)


def _window(cause: str, source: str, lines: list[str]) -> Window:
    marked = tuple(at for at, line in enumerate(lines) if line.startswith(MARK))
    return Window(cause, source, tuple(line[len(PLAIN) :] for line in lines), marked)


def written(windows: Iterable[Window]) -> str:
    """A file of windows as it is read again."""
    parts = []
    for window in windows:
        body = [f"{MARK if at in window.marked else PLAIN}{line}" for at, line in enumerate(window.lines)]
        parts.append("\n".join([f"{HEAD}{window.source}", *body]))
    return "\n\n".join(parts) + "\n"


def signs_alone(windows: Sequence[Window]) -> list[frozenset[str]]:
    """For each window the signs of its cause that no other window of that cause has."""
    keys = [
        {hit.sign.key for hit in find_hits(case_of(window)) if hit.sign.cause == window.expected} for window in windows
    ]
    counts = Counter(key for found in keys for key in found)
    return [frozenset(key for key in found if counts[key] == 1) for found in keys]


def case_of(window: Window) -> Case:
    text = split(window.text)
    return Case(text, read_environment(text))
