"""Text of strangers is made fit to be shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor import clean

ANY_TEXT = st.text(alphabet=st.characters())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\u202eb", "a\\u202eb"),
        ("\x9b31m", "\\x9b31m"),
        ("two\r\nlines\rand\ttabs", "two\nlines\nand\ttabs"),
        ("温度 正常", "温度 正常"),
        ("/Users/alice/train.py", "~/train.py"),
        ("File '/home/bob/x.py'", "File '~/x.py'"),
        ("\ud800", "\\ud800"),
    ],
)
def test_text_that_a_terminal_would_act_upon_is_spelled_out(given_text: str, shown: str) -> None:
    """Escapes, reversals and lone surrogates become letters; home folders become ~; the rest stays."""
    assert clean.text(given_text) == shown


def test_the_home_folder_of_this_user_is_a_tilde() -> None:
    """Paths do not tell who someone is, wherever homes are kept."""
    assert clean.text(f"in {Path.home()}/x") == "in ~/x"


@given(JSON)
def test_any_value_becomes_json_without_controls(value: Any) -> None:
    """Whatever a check sends can be written as strict JSON in UTF-8 and shown."""
    fit = clean.data(value)
    assert not clean.has_controls(fit)
    json.dumps(fit, allow_nan=False, ensure_ascii=False).encode()
    assert clean.data(fit) == fit


@given(ANY_TEXT)
def test_only_text_with_controls_is_dirty(text: str) -> None:
    """A text is flagged if and only if making it fit changes more than line ends and homes."""
    with_plain_ends = text.replace("\r\n", "\n").replace("\r", "\n")
    assert clean.has_controls(text) == (clean.CONTROL.search(with_plain_ends) is not None)
    assert not clean.has_controls(clean.text(text))
