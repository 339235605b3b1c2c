"""Lines of text by cells: what is wrapped where, and what may be cut."""
# ruff: noqa: RUF001 -- there is Chinese in it

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from mpsdoctor.formats import wrapping

CHINESE = "mps 的训练速度约为 CPU 的一半，因为启动大量小算子的开销超过了计算本身。批量更大时（256 以上）它才更快。"
WORDS = st.lists(st.text("abcdefgh训练算子,.;：", min_size=1, max_size=12), min_size=1, max_size=30)


@given(WORDS, st.integers(26, 80))
def test_wrapping_loses_nothing_and_stays_within_the_cells(words: list[str], width: int) -> None:
    """Wide characters count two; only spaces give way to the ends of lines."""
    wrapped = wrapping.wrap(" ".join(words), width, "- ", "  ")
    assert all(cell_len(line) <= width for line in wrapped)
    assert "".join(wrapped).replace(" ", "").removeprefix("-") == "".join(words)


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=12), min_size=1, max_size=30), st.integers(12, 40))
def test_no_line_ends_within_a_word(words: list[str], width: int) -> None:
    """Each word of a language with spaces stands whole in a line."""
    assert [word for line in wrapping.wrap(" ".join(words), width) for word in line.split()] == words


def test_chinese_fills_the_lines_without_a_stop_at_the_start() -> None:
    """A line breaks between characters, but neither before a comma nor after an opening bracket."""
    wrapped = wrapping.wrap(CHINESE, 40)
    assert all(34 <= cell_len(line) <= 40 for line in wrapped[:-1])
    assert not [line for line in wrapped if line[0] in "，。）" or line[-1] in "（"]


def test_a_path_stays_in_one_piece_where_a_line_has_room() -> None:
    """A file of a Chinese name is not torn; a path longer than a line breaks after a separator."""
    wrapped = wrapping.wrap("最慢的步骤在 训练脚本/模型.py:bench 里面", 30)
    assert wrapped == ["最慢的步骤在", "训练脚本/模型.py:bench 里面"]
    long = wrapping.wrap("~/" + "folder/" * 20, 40)
    assert all(line.endswith("/") and len(line) <= 40 for line in long)


def test_a_path_in_a_chinese_sentence_does_not_hold_it_together() -> None:
    """Wide punctuation ends the path, so that lines are filled; the path is not torn."""
    wrapped = wrapping.wrap("位置在 train/模型.py:8，原因是这个算子在设备上没有实现，需要由 CPU 代算。", 40)
    assert wrapped == ["位置在 train/模型.py:8，原因是这个算子在", "设备上没有实现，需要由 CPU 代算。"]


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("区间太宽。等机器空闲时再测。", "区间太宽。 …"),
        (
            "在 sim 上没有实现（_fused_adagrad_、log_ndtr）。升级 torch。",
            "在 sim 上没有实现（_fused_adagrad_、log_ndtr）。 …",
        ),
        (
            "mps is slower than the CPU: 0.547× the CPU's speed (0.515 to 0.595), the mean over cnn medium 0.846×",
            "mps is slower than the CPU: 0.547× the CPU's speed (0.515 to 0.595) …",
        ),
        ("the interval is wide. Measure again when nothing else runs.", "the interval is wide. …"),
        (
            "each of 28 operators (_fused_adagrad_, special_log_ndtr, …) runs on the CPU instead of mps",
            "each of 28 operators … runs on the CPU instead of mps",
        ),
        ("fewer than 20 steps were timed of cnn (5), lstm (6)", "fewer than 20 steps were timed of cnn (5), lstm …"),
    ],
)
def test_a_sentence_is_cut_where_its_sense_ends(text: str, short: str) -> None:
    """Explanations, asides and the rest of a list go, and the cut shows."""
    assert wrapping.shorten(text, cell_len(text) - 1) == short


@pytest.mark.parametrize(
    "text",
    [
        "no training was timed: MPS is there, but nothing has shown yet that it trains right and faster",
        "use mps; only where the batch is larger than 256, else the CPU is faster",
        "training cnn small, transformer small, mlp small and lstm small on mps fails",
        "mps is faster (unless memory is short)",
        "mps is slower than the CPU here (doubtful)",
        "mps 更快；但只在批量很大的时候，别的时候 CPU 更快",
    ],
)
def test_a_cut_that_would_say_something_else_is_not_made(text: str) -> None:
    """A sentence without a place to cut stays whole, whatever its length."""
    assert wrapping.shorten(text, 20) == text


@given(WORDS, st.integers(1, 5))
def test_lines_left_out_are_told_after_a_whole_word(words: list[str], count: int) -> None:
    """The last line that is shown says that there are more, and stays within the width."""
    wrapped = wrapping.wrap(" ".join(words), 40, "  ", "  ")
    shown = wrapping.fit(wrapped, count, 40, " … (-v)")
    assert len(shown) == min(count, len(wrapped))
    assert shown == wrapped or shown[-1].endswith(" … (-v)")
    assert all(cell_len(line) <= 40 for line in shown)
    beginning = re.sub(r"\s", "", "".join(shown)).removesuffix("…(-v)")
    assert "".join(words).startswith(beginning)


def test_lines_left_out_are_told_at_the_end_of_a_clause_if_one_is_near() -> None:
    """A half sentence is left out where the line holds more than half without it."""
    told = wrapping.wrap("The interpreter is x86_64. Every call is translated, and what comes after stays", 50)
    assert wrapping.fit(told, 1, 50, " … (-v)") == ["The interpreter is x86_64. … (-v)"]
