"""Messages of workers and checks: whatever comes is a type, or told to be none."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import mpsdoctor
from mpsdoctor import clean, intake, messages
from mpsdoctor.worker import channel

KEYS = st.sampled_from([*messages.KINDS, "id", "alive", "finding", "facts", "text", "figures", "done", "unfit"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS | st.text(), inner),
    max_leaves=20,
)


@given(st.binary())
@example(b"[" * 100_000)
@example(b"9" * 5_000)
@example(b'{"id": 1, "value": NaN}\n')
def test_any_bytes_are_a_message_or_none(line: bytes) -> None:
    """Reading raises nothing."""
    assert isinstance(messages.read(line), messages.Message | messages.Unfit)


@given(JSON)
def test_any_json_is_a_message_of_its_kind_or_none(value: Any) -> None:
    """What has the field of a kind is of that kind, with the types it declares, or it is no message."""
    message = messages.read(json.dumps(value).encode() + b"\n")
    if not isinstance(message, messages.Unfit):
        assert msgspec.convert(msgspec.to_builtins(message), type(message)) == message or "NaN" in json.dumps(value)


@given(JSON)
def test_anything_a_check_sends_is_taken_clean_or_refused(value: Any) -> None:
    """No value gets into a report with a control character in it, or not as JSON."""
    try:
        sent = intake.take(value)
    except intake.UnfitError:
        return
    assert not clean.has_controls(msgspec.to_builtins(sent))
    msgspec.json.encode(sent)


def test_both_ends_agree_on_sizes() -> None:
    """A worker, which cannot import the reader's module, sends no more than is read."""
    assert (channel.LARGEST, channel.LARGEST_ANSWER) == (messages.LARGEST, messages.LARGEST_ANSWER)


@pytest.mark.parametrize(
    ("kind", "read"), [("value", messages.Value), ("progress", messages.Progress), ("error", messages.Unfit)]
)
def test_only_answers_and_facts_may_be_large(kind: str, read: type) -> None:
    """Two MiB are the answer of a large model, or a thorough check-up's rows, and too much for anything else."""
    line = json.dumps({"id": 1, kind: "x" * (2 << 20)}).encode() + b"\n"
    assert isinstance(messages.read(line), read)


HOLDS_THE_LOCK = """
import sys, time
sys.path.insert(0, sys.argv[1])
import guard
guard.GRACE = 0.5
guard.end_after(5); guard.go_on()
guard.end_after(0.5)
import re
re.match(r"(a+)+$", "a" * 40 + "b")
"""


def test_a_job_that_holds_the_interpreter_is_ended_where_the_kernel_does_not_do_it() -> None:
    """The alarm needs no thread of Python's, and one taken back does not go off."""
    worker = Path(mpsdoctor.__file__).parent / "worker"
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", HOLDS_THE_LOCK, str(worker)], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert 0.9 < time.monotonic() - begun < 20
