"""Programs as people write them, of the kinds that are easily told wrong, each with what is right.

The first line of a program says its kind and what is expected: `torch` (the version asked about), `answer`, and `op`,
the first operator that stops. `# here` marks the line that is to be named for it, `# made` the one where the tensor of
the CPU was made, `# asks` lines that ask for the device. Lines are added by `program`: all of them import torch and nn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

IMPORTS = "import torch\nfrom torch import nn\nfrom torch.nn import functional as F\n"
TOLD = re.compile(r"(\w+)=([^;]+)(?:;|$)")


@dataclass(frozen=True)
class OwnCase:
    """A program and what is right of it; None where nothing is asked."""

    name: str
    kind: str
    text: str
    torch: str = "2.13"
    answer: str | None = None
    op: str | None = None

    @property
    def here(self) -> int | None:
        return next(iter(self.marked("here")), None)

    @property
    def made(self) -> int | None:
        return next(iter(self.marked("made")), None)

    def marked(self, word: str) -> list[int]:
        """The lines with a mark."""
        lines = enumerate(self.text.splitlines()[1:], 2)
        return [number for number, line in lines if re.search(rf"#.*\b{word}\b", line)]

    def faults(self, prediction: dict[str, object], *, lines: bool = True) -> list[str]:
        """What is wrong with the JSON of a prediction."""
        rows: list[dict[str, object]] = prediction["results"]  # type: ignore[assignment]
        first = rows[0] if rows else {}
        found = []
        if self.answer and prediction["answer"] != self.answer:
            found.append(f"{prediction['answer']}, not {self.answer}")
        if self.op and first.get("op") != self.op:
            found.append(f"{first.get('op')} comes first, not {self.op}")
        if lines and self.here and f":{self.here} " not in f"{first.get('place')} ":
            found.append(f"at {first.get('place')}, not in line {self.here}")
        if lines and self.made and f"made in line {self.made};" not in str(first.get("reason")):
            found.append(f"{first.get('reason')}, not line {self.made}")
        asked = [str(place) for place in prediction["questions"]]  # type: ignore[attr-defined]
        marked = self.marked("asks")
        if lines and (len(asked) != len(marked) or not all(f":{n} " in p for n, p in zip(marked, asked, strict=True))):
            found.append(f"questions {asked}, not lines {marked}")
        return found


def read_case(name: str, text: str) -> OwnCase:
    """A case from its program; without a first line of that kind, one of which nothing is expected."""
    lines = text.splitlines()
    told = dict(TOLD.findall(lines[0][1:].replace(" ", ""))) if lines and lines[0].startswith("# kind=") else {}
    return OwnCase(name, told.get("kind", ""), text, told.get("torch", "2.13"), told.get("answer"), told.get("op"))


def own_cases() -> Iterator[OwnCase]:
    """The project's own."""
    folder = Path(__file__).with_name("own_cases")
    for path in sorted(folder.glob("*.txt")):
        for part in path.read_text().split("\n\n\n"):
            head, _, program = part.strip().partition("\n")
            name = head.rpartition("name=")[2]
            yield read_case(name, f"{head}\n{IMPORTS}\n{program}\n")
