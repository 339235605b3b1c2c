"""The file of a watched training: whole lines, read while it grows, and kept in bounded memory."""

from __future__ import annotations

import itertools
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.watch import history as histories
from mpsdoctor.watch import judging, telling
from mpsdoctor.watch.history import History, merge
from mpsdoctor.watch.log import DECODER, Reader, Writer
from mpsdoctor.watch.shapes import Begin, DeviceMemory, End, Line, Sample

BEGIN = Begin(1, "mpsdoctor", "2026-11-27T12:00:00Z", ("python", "train.py"))


def sample(second: int) -> Sample:
    return Sample(at=second + 1.0, seconds=1.0, done=second + 1, steps=1, step_seconds=1.0, resident_bytes=second)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Line by line, each as soon as it is there."""
    path = tmp_path / "w.jsonl"
    writer = Writer(path)
    lines: list[Line] = [BEGIN, sample(0), End(2.0, -15)]
    reader = Reader(path)
    for line in lines:
        writer.write(line)
        assert list(reader.lines()) == [line]
    assert list(reader.lines()) == []
    writer.close()
    reader.close()


def test_a_half_line_waits_for_its_rest(tmp_path: Path) -> None:
    """What kill -9 or a reader in between leaves is no line, and costs none of the others."""
    path = tmp_path / "w.jsonl"
    whole = msgspec.json.encode(sample(0)) + b"\n"
    path.write_bytes(whole + whole[:20])
    reader = Reader(path)
    assert list(reader.lines()) == [sample(0)]
    with path.open("ab") as file:
        file.write(whole[20:])
    assert list(reader.lines()) == [sample(0)]
    assert reader.unread == 0
    reader.close()


def test_lines_of_somebody_else_are_counted_and_left_out(tmp_path: Path) -> None:
    """No JSON, another kind, figures that no machine has, endless lines."""
    path = tmp_path / "w.jsonl"
    strange = [
        b"no json",
        b"{}",
        b'{"kind":"x"}',
        b"\xff\xfe",
        b'{"kind":"sample","at":-1,"seconds":1}',
        b"1" * 200_000,
    ]
    strange += [
        b'{"kind":"sample","at":1,"seconds":1,"steps":%d}' % 10**30,
        b'{"kind":"sample","at":1e400,"seconds":1}',
    ]
    path.write_bytes(b"\n".join([*strange, msgspec.json.encode(sample(0)), b""]))
    reader = Reader(path)
    assert list(reader.lines()) == [sample(0)]
    assert reader.unread >= len(strange)
    reader.close()


def test_a_file_that_is_begun_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    """A second training with the same --watch-output takes the place of the first."""
    path = tmp_path / "w.jsonl"
    writer = Writer(path)
    written: list[Line] = [BEGIN, sample(0), sample(1)]
    for line in written:
        writer.write(line)
    reader, history = Reader(path), History()
    for line in reader.lines():
        history.add(line)
    writer.close()
    writer = Writer(path)
    writer.write(BEGIN)
    for line in reader.lines():
        history.add(line)
    assert (history.begin, history.samples) == (BEGIN, [])
    writer.close()
    reader.close()


def test_a_long_training_is_kept_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples of long ago are put together; no step, no second and no peak is lost."""
    monkeypatch.setattr(histories, "MOST", 64)
    history = History()
    for second in range(10_000):
        history.add(sample(second))
    assert len(history.samples) < 64
    assert sum(each.steps for each in history.samples) == 10_000
    assert sum(each.seconds for each in history.samples) == pytest.approx(10_000)
    assert max(each.resident_bytes or 0 for each in history.samples) == 9_999
    assert judging.summarise(history).step_s == pytest.approx(1.0)


def test_put_together_the_worst_counts() -> None:
    """Of levels, loads and peaks; of memory in use the latest."""
    first = Sample(
        1.0, 1.0, pressure="critical", others_percent=60.0, programs=("a",), low_power=True, cpu_percent=90.0
    )
    second = Sample(2.0, 1.0, pressure="normal", others_percent=5.0, programs=("b",), low_power=False, cpu_percent=10.0)
    both = merge(
        msgspec.structs.replace(first, devices={"mps": DeviceMemory(5, 9, 8)}, swapped_bytes=3),
        msgspec.structs.replace(second, devices={"mps": DeviceMemory(4, 7, 8)}),
    )
    assert (both.at, both.seconds, both.cpu_percent) == (2.0, 2.0, 50.0)
    assert (both.pressure, both.others_percent, both.programs, both.low_power) == ("critical", 60.0, ("a",), True)
    assert (both.devices["mps"], both.swapped_bytes) == (DeviceMemory(4, 9, 8), 3)


LEVELS = st.none() | st.sampled_from(["normal", "warning", "critical", "\x1b[31m", "other"])
SAMPLES = st.builds(
    Sample,
    at=st.floats(0, 1e12),
    seconds=st.floats(0, 1e12),
    done=st.integers(0, 1 << 60),
    steps=st.integers(0, 1 << 60),
    step_seconds=st.floats(0, 1e12),
    longest_s=st.floats(0, 1e12),
    aside=st.dictionaries(st.text(max_size=4), st.floats(0, 1e12), max_size=2),
    devices=st.dictionaries(
        st.sampled_from(["cpu", "mps", "\x1b]0;x\x07"]),
        st.builds(DeviceMemory, *[st.none() | st.integers(0, 1 << 60)] * 3),
        max_size=2,
    ),
    resident_bytes=st.none() | st.integers(0, 1 << 60),
    pressure=LEVELS,
    swapped_bytes=st.none() | st.integers(0, 1 << 60),
    others_percent=st.none() | st.floats(0, 1e6),
    programs=st.lists(st.text(max_size=4), max_size=2).map(tuple),
    thermal_state=LEVELS,
)


@given(st.lists(SAMPLES, max_size=14), st.integers(-(1 << 31), 1 << 31))
def test_whatever_a_file_holds_is_told(samples: list[Sample], status: int) -> None:
    """A stranger's figures make odd sentences at worst, and what is put together can be stored again."""
    history = History()
    lines: list[Line] = [BEGIN, *samples, End(1.0, status)]
    for line in lines:
        history.add(DECODER.decode(msgspec.json.encode(line)))
    assert list(telling.lines(history))
    for first, second in itertools.pairwise(samples):
        merge(first, second)
