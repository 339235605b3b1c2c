"""How often each sign was right, on recorded reports whose cause is known."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass

from mpsdoctor.explain.rules import Sign
from mpsdoctor.explain.source import DATA

FILE = DATA / "explain_record.json"


@dataclass(frozen=True)
class Record:
    """By kind and by sign: how often it gave the first answer, and how often that was right."""

    kinds: Mapping[str, tuple[int, int]]
    signs: Mapping[str, tuple[int, int]]

    def precision(self, sign: Sign) -> float:
        """Laplace's rule for the kind; for the sign itself, where it was seen, the kind's counts as one more report."""
        hits, right = self.kinds.get(sign.kind, (0, 0))
        kind = (right + 1) / (hits + 2)
        hits, right = self.signs.get(sign.key, (0, 0))
        return (right + kind) / (hits + 1)


@functools.cache
def load_record() -> Record:
    """The record that ships with mpsdoctor."""
    try:
        data = json.loads(FILE.read_text(encoding="utf-8"))
    except FileNotFoundError:  # while it is being made
        data = {"kinds": {}, "signs": {}}
    return Record(*({name: (pair[0], pair[1]) for name, pair in data[part].items()} for part in ("kinds", "signs")))
