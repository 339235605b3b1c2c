"""Measures how often each sign of a cause is right on the recorded windows, and marks the lines that give causes away.

python tools/measure_explain.py

Writes mpsdoctor/data/explain_record.json, from which confidence is told, and the marks of tests/unit/explain/windows.
Look at the difference before it is kept: a mark that moves is a rule that changed.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import groupby
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from helpers.windows import FOLDER, Window, read_windows, signs_alone, written
from mpsdoctor.explain.engine import Diagnosis, diagnose
from mpsdoctor.explain.lines import split
from mpsdoctor.explain.record import FILE

Pairs = Mapping[str, list[int]]


def record_of(windows: Iterable[Window]) -> dict[str, Pairs]:
    """By kind and by sign: how often it gave the first answer, and how often that was right.

    A sign of which only one window is known may have been written for it. The kinds are therefore measured without:
    every window is judged by the signs that another window has too.
    """
    known = [window for window in windows if not window.confuser]
    tallies = {"kinds": Counter[str](), "signs": Counter[str]()}
    right = {"kinds": Counter[str](), "signs": Counter[str]()}
    for window, alone in zip(known, signs_alone(known), strict=True):
        for part, left_out in (("kinds", alone), ("signs", frozenset[str]())):
            causes = diagnose(split(window.text), None, left_out).causes
            if causes:
                key = causes[0].hit.sign.kind if part == "kinds" else causes[0].hit.sign.key
                tallies[part][key] += 1
                right[part][key] += causes[0].name == window.expected
    return {part: {key: [tallies[part][key], right[part][key]] for key in sorted(tallies[part])} for part in tallies}


def marks(window: Window, diagnosis: Diagnosis) -> tuple[int, ...]:
    """The places of the lines that gave its cause away, none where it was not found."""
    found = next((cause for cause in diagnosis.causes if cause.name == window.cause), None)
    return tuple(line.number - 1 for line in found.hit.lines) if found else ()


def marked(window: Window) -> Window:
    """The window with the marks of now; confusers and foreign texts have none."""
    return replace(window, marked=() if window.expected is None else marks(window, diagnose(split(window.text))))


def record_in_text(windows: Iterable[Window]) -> str:
    """The file of the record."""
    return json.dumps(record_of(windows), indent=0, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the record and the marks."""
    windows = read_windows()
    FILE.write_text(record_in_text(windows), encoding="utf-8")
    for cause, group in groupby(windows, key=lambda window: window.cause):
        (FOLDER / f"{cause}.txt").write_text(written(map(marked, group)), encoding="utf-8")


if __name__ == "__main__":
    main()
