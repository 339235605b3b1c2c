"""Why a script ended, read from the end of what it printed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.race import logs

TRACEBACK = """epoch 1
Traceback (most recent call last):
  File "/home/ada/train.py", line 12, in <module>
    main()
  File "/venv/lib/python3.12/site-packages/torch/nn/module.py", line 1, in forward
    raise
RuntimeError: mat1 and mat2 shapes cannot be multiplied
wandb: synced
"""


def test_the_error_and_the_persons_line_are_found() -> None:
    """Not the library's frame, nor what is printed after the traceback."""
    words = logs.last_words(TRACEBACK)
    assert words.error == "RuntimeError: mat1 and mat2 shapes cannot be multiplied"
    assert words.place == "train.py:12"


def test_without_a_traceback_the_last_line_tells() -> None:
    """As an abort of Metal does."""
    assert str(logs.last_words("epoch 1\nfailed assertion `buffer'\n\n")) == "failed assertion `buffer'"


@given(st.text(max_size=400))
def test_any_log_can_be_read(log: str) -> None:
    """One line without control characters comes of it."""
    words = str(logs.last_words(log))
    assert "\n" not in words
    assert "\x1b" not in words


@pytest.mark.parametrize(
    ("command", "flag"),
    [
        (["python", "train.py", "-I"], ""),
        (["python", "-I", "train.py"], "-I"),
        (["/usr/bin/python3.12", "-uE", "train.py"], "-E"),
        (["python", "-W", "ignore", "-S", "train.py"], "-S"),
        (["python", "-Wignore", "train.py"], ""),
        (["python", "-m", "pkg", "-E"], ""),
        (["python", "-c", "pass"], ""),
        (["torchrun", "-I"], ""),
    ],
)
def test_flags_that_hide_a_script_are_found(command: list[str], flag: str) -> None:
    """Those of Python itself, not those of the script."""
    assert logs.hiding_flags(command) == flag


@pytest.mark.parametrize(
    "line",
    [
        "RuntimeError: MPS backend out of memory (MPS allocated: 9 GB)",
        "OSError: [Errno 48] Address already in use",
        "The server socket has failed to listen on any local network address. code: -98, name: EADDRINUSE",
        "sqlite3.OperationalError: database is locked",
    ],
)
def test_what_two_runs_stand_in_each_others_way_with(line: str) -> None:
    """Such a run is tried again alone."""
    assert logs.IN_THE_WAY.search(line)
