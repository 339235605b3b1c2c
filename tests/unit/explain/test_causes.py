"""The causes, on windows of real reports: what is found, by which lines, and what must not be found."""

from __future__ import annotations

import functools
import importlib.util
import random
import string
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from helpers.windows import FOLDER, NONE, Window, read_windows
from mpsdoctor import texts
from mpsdoctor.explain.engine import Diagnosis, diagnose
from mpsdoctor.explain.lines import split
from mpsdoctor.explain.pattern import ROOM, pattern
from mpsdoctor.explain.rules import causes, word_lists
from mpsdoctor.explain.source import load_causes

ROOT = Path(__file__).parents[3]
WINDOWS = read_windows()
TRUE = [window for window in WINDOWS if window.expected]
SIGNS = [sign for cause in causes().values() for sign in cause.signs]
PATTERNS = sorted({sign.text for sign in SIGNS if sign.line is not None})


@functools.cache
def answer(window: Window) -> Diagnosis:
    return diagnose(split(window.text))


def name_of(window: Window) -> str:
    return f"{window.cause}-{window.source.rpartition('/')[2][:30]}"


@pytest.mark.parametrize("window", TRUE, ids=name_of)
def test_a_report_is_explained_by_its_cause(window: Window) -> None:
    """The cause of a report comes first, and the marked lines gave it away; `tools/measure_explain.py` marks anew."""
    found = answer(window).causes
    assert [cause.name for cause in found][:1] == [window.expected]
    assert tuple(line.number - 1 for line in found[0].hit.lines) == window.marked


@pytest.mark.parametrize("window", [window for window in WINDOWS if window.cause == NONE], ids=name_of)
def test_what_has_none_of_the_causes_is_not_explained(window: Window) -> None:
    """Other programs, other GPUs, and what else is called MPS give no cause."""
    assert [cause.name for cause in answer(window).causes] == []


@pytest.mark.parametrize("window", [window for window in WINDOWS if window.confuser], ids=name_of)
def test_what_looks_like_a_cause_is_not_taken_for_it(window: Window) -> None:
    """A confuser has another cause, or none."""
    assert window.cause not in [cause.name for cause in answer(window).causes]


def test_every_cause_has_windows_and_words() -> None:
    """No cause without a report that it explains, a sentence what it is, what it means, what to do, and a link."""
    assert {window.cause for window in TRUE} == set(causes())
    for name, entry in load_causes().items():
        if name in causes():
            assert entry["links"], name
            for sentence in ("what", "means", "do"):
                assert texts.phrase(f"causes.{name}_{sentence}", "en"), name


def test_causes_name_causes_and_word_lists_that_exist() -> None:
    """What a sign asks for is there."""
    for name, cause in causes().items():
        assert set(cause.over) <= set(causes()), name
        for sign in cause.signs:
            assert {word.removeprefix("-") for word in sign.says} <= set(word_lists()), sign.key
            asked = [condition.split()[1] for condition in sign.when if condition.startswith(("says", "lacks"))]
            assert set(asked) <= set(word_lists()), sign.key
        assert name not in cause.over


def test_the_record_and_the_marks_are_those_of_the_rules() -> None:
    """`python tools/measure_explain.py` would change nothing."""
    spec = importlib.util.spec_from_file_location("measure_explain", ROOT / "tools" / "measure_explain.py")
    assert spec is not None
    assert spec.loader is not None
    tool: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.record_in_text(WINDOWS) == tool.FILE.read_text(encoding="utf-8")


def signs_of_one_window() -> dict[str, str]:
    """By sign, the window that alone has it."""
    users: dict[str, list[str]] = {}
    for window in TRUE:
        for found in answer(window).causes:
            if found.name == window.expected:
                users.setdefault(found.hit.sign.key, []).append(name_of(window))
    return {key: names[0] for key, names in users.items() if len(names) == 1}


def test_signs_that_one_window_alone_has_are_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """They may fit an example more than a cause: they are listed, and stay below three quarters of what answers."""
    alone = signs_of_one_window()
    for key, window in sorted(alone.items()):
        print(f"{window} alone has {key}")
    used = {found.hit.sign.key for window in TRUE for found in answer(window).causes[:1]}
    assert len(alone) < 0.75 * len(used)


def hostile_texts() -> list[str]:
    """Long lines that make expressions go back and try again."""
    chooser = random.Random(1)
    letters = string.printable.replace("\n", "")
    return [
        "a" * 100_000,
        "MPS 1.1, " * 11_000,
        "'tensor<1xf32>' and aten::" * 4_000,
        "".join(chooser.choices(letters, k=100_000)),
    ]


def test_no_pattern_takes_long_on_anything() -> None:
    """50 ms on 100 kB, whatever it holds, the pattern's own words over and over among it."""
    slow: Counter[str] = Counter()
    hostile = hostile_texts()
    for text in PATTERNS:
        known = pattern(text)
        own = " ".join(word for group in known.needed for word in group)
        known.search(own)  # compiled
        for line in [*hostile, (own + " ") * (100_000 // (len(own) + 1))]:
            begin = time.process_time()
            known.search(line)
            slow[text] = max(slow[text], round(1000 * (time.process_time() - begin)))
    assert {text: cost for text, cost in slow.items() if cost > 50} == {}
    assert ROOM < 100_000  # what makes it so


@pytest.mark.parametrize("text", hostile_texts(), ids=range(4))
def test_anything_is_answered(text: str) -> None:
    """A hostile line is explained by nothing, and soon."""
    begin = time.process_time()
    diagnose(split(text))
    assert time.process_time() - begin < 2


def test_a_sign_has_a_name_of_its_own() -> None:
    """The record tells signs apart by it."""
    keys = Counter(sign.key for sign in SIGNS)
    assert [key for key, count in keys.items() if count > 1] == []


def test_files_of_windows_are_of_causes() -> None:
    """A file that no cause has would never be judged."""
    assert {file.stem for file in FOLDER.glob("*.txt")} == {*causes(), NONE}
