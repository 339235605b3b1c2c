"""Strangers' texts inside our sentences."""

from __future__ import annotations

import pytest

from mpsdoctor import sentences

OUT_OF_MEMORY = (
    "MPS backend out of memory (MPS allocated: 0 bytes, other allocations: 0 bytes, max allowed: 7.93 GB). Tried to"
    " allocate 256 bytes on shared pool. Use PYTORCH_MPS_HIGH_WATERMARK_RATIO=0.0 to disable upper limit for memory"
    " allocations (may cause system failure)."
)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("no such file", "no such file."),
        ("it failed.", "it failed."),
        ("system failure)..", "system failure)."),
        ("really?", "really?"),
        ("and so on …", "and so on …"),
        ("two lines\n", "two lines."),
    ],
)
def test_a_sentence_ends_once(text: str, sentence: str) -> None:
    """Whatever a stranger's text ends with, one mark follows it."""
    assert sentences.ended(text) == sentence


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (OUT_OF_MEMORY, OUT_OF_MEMORY.partition(". Tried")[0]),
        ("torch 2.13.0 at /a/b.py failed. See more", "torch 2.13.0 at /a/b.py failed"),
        ("\n  indented\nsecond line", "indented"),
        ("", ""),
    ],
)
def test_the_first_sentence_is_what_matters(text: str, first: str) -> None:
    """Full stops inside figures, names and parentheses end nothing."""
    assert sentences.first(text) == first


@pytest.mark.parametrize("limit", [20, 37, 64, 90])
def test_nothing_is_cut_inside_a_word(limit: int) -> None:
    """A text that is too long ends with a whole word and an ellipsis, within the limit."""
    text = "Use PYTORCH_MPS_HIGH_WATERMARK_RATIO=0.0 to disable the upper limit for all memory allocations there"
    short = sentences.shortened(text, limit)
    assert len(short) <= limit
    assert short.endswith(" …")
    assert set(short.removesuffix(" …").split()) <= set(text.split())


def test_one_word_that_is_too_long_is_cut_all_the_same() -> None:
    """There is no better place."""
    assert len(sentences.shortened("x" * 500, 100)) <= 100
