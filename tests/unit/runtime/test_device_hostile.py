"""No content of a profile, and nothing that stands in its place, makes get_optimal_device raise or wait."""

from __future__ import annotations

import copy
import json
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.trainer import VARIABLES, sample, torch
from mpsdoctor import get_optimal_device
from mpsdoctor.runtime import logs, profile

PRESENT = profile.fingerprint(str(torch.__version__))
ENTRY = {"device": "cpu", "speedup": 0.4, "ci95": [0.3, 0.5]}
VALID = sample(
    fingerprint=PRESENT,
    workloads={"cnn": {"small": ENTRY, "medium": ENTRY}, "mlp": {"medium": ENTRY}},
    environment={"PYTORCH_ENABLE_MPS_FALLBACK": "1"},
    batches={
        "cnn": [
            {"batch": 8, "device": "mps", "speedup": 0.35, "ci95": [0.3, 0.5]},
            {"batch": 32, "device": "mps", "speedup": 0.9, "ci95": [0.8, 1]},
        ]
    },
)
TEXT = st.text(st.characters(), max_size=8)  # lone surrogates and control characters among them
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), TEXT,
    st.sampled_from(["cuda", "mps:0", "tie", "cpu", "xpu:9", 10**30, -1, "PYTORCH_X"]),
)  # fmt: skip
ANY_JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3))
PROPERTY = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value inside, itself included."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*path, key))


def planted(place: tuple[Any, ...], value: Any) -> Any:
    """The valid profile with `value` at `place`."""
    if not place:
        return value
    whole = copy.deepcopy(VALID)
    inside: Any = whole
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = value
    return whole


def ask(path: Path) -> tuple[Any, Any]:
    """The answer, which must be whole and fit for a terminal; the CPU, since nothing else is here."""
    device, info = get_optimal_device(profile=path, workload="cnn", batch_size=16)
    texts = (str(info), *info.hints, *info.warnings, *info.stale)
    assert all(text.isprintable() for text in texts)
    return device, info


@PROPERTY
@given(raw=st.binary(max_size=200) | TEXT.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes(raw: bytes, tmp_path: Path) -> None:
    """Any bytes as a profile give a warning and the policy's device."""
    path = tmp_path / "p.json"
    path.write_bytes(raw)
    device, info = ask(path)
    assert (device.type, info.source, len(info.warnings)) == ("cpu", "policy", 1)


@PROPERTY
@given(place=st.sampled_from(sorted(places(VALID), key=repr)), value=ANY_JSON)
def test_any_value_at_any_place(place: tuple[Any, ...], value: Any, tmp_path: Path) -> None:
    """Any JSON value, NaN and Infinity among them, at any place of a valid profile is used or warned of."""
    path = tmp_path / "p.json"
    path.write_text(json.dumps(planted(place, value)), encoding="utf-8")
    device, info = ask(path)
    assert device.type == "cpu"
    assert info.source == "profile" or info.warnings


@PROPERTY
@given(cut=st.integers(0, len(json.dumps(VALID)) - 1))
def test_cut_anywhere(cut: int, tmp_path: Path) -> None:
    """A profile cut short at any byte gives a warning."""
    path = tmp_path / "p.json"
    path.write_text(json.dumps(VALID)[:cut], encoding="utf-8")
    assert "cut short" in ask(path)[1].warnings[0]


def with_text(old: str, new: str) -> Callable[[Path], object]:
    """Writes the valid profile with one text replaced by another."""
    text = json.dumps(VALID)
    assert old in text
    return lambda path: path.write_text(text.replace(old, new), encoding="utf-8")


def listening(path: Path) -> None:
    """Put a socket there."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def enormous(path: Path) -> None:
    """100 MB of nothing, without taking room on the disk."""
    path.touch()
    os.truncate(path, 100 * 2**20)


def looping(path: Path) -> None:
    """A symbolic link to itself."""
    path.symlink_to(path)


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "directory": (Path.mkdir, "is a directory"),
    "pipe": (os.mkfifo, "is a pipe, socket or device"),
    "socket": (listening, "is a pipe, socket or device"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "is a pipe, socket or device"),
    "enormous": (enormous, "larger than 1048576 bytes"),
    "loop": (looping, "cannot be read (Too many levels"),
    "deep": (lambda path: path.write_text("[" * 100_000), "nested too deeply"),
    "empty": (Path.touch, "not JSON, perhaps cut short"),
    "latin": (lambda path: path.write_bytes(b'{"schema": "\xe9"}'), "not UTF-8 at byte 12"),
    "nan": (with_text("0.4", "NaN"), "holds NaN"),
    "infinity": (with_text("0.4", "-Infinity"), "holds -Infinity"),
    "overflow": (with_text("0.4", "1e999"), "beyond measure"),
    "digits": (with_text("0.4", "9" * 300_000), "beyond measure"),
    "twice": (with_text('"schema": 1', '"schema": 1, "schema": 1'), "a key twice"),
    "newer": (with_text('"schema": 1', '"schema": 3'), "schema 3 is newer than this reader (knows 1); upgrade"),
    "older": (with_text('"schema": 1', '"schema": 0'), "schema 0 is unknown to this reader (knows 1)"),
    "true": (with_text('"schema": 1', '"schema": true'), "schema should be 1, not true or false"),
    "list": (lambda path: path.write_text("[]"), "holds a list instead of an object"),
    "tie": (with_text('"device": "cpu", "confidence"', '"device": "tie", "confidence"'), "recommended.device should"),
    "variable": (with_text("PYTORCH_ENABLE_MPS_FALLBACK", "LD_PRELOAD"), "a name beginning with PYTORCH_"),
    "newline": (with_text('"1"', '"1\\n"'), "should be a short line of text, not '1\\n'"),
    "escape": (with_text('"cpu"', '"\\u001b]0;x\\u0007"'), "not '\\x1b]0;x\\x07'"),
    "batches": (with_text('[{"batch"', '{"a": {"batch"'), "not JSON"),
    "batch": (with_text('"batch": 32', '"batch": 0'), "batches.cnn.1.batch should be a batch size from 1 to 10^9"),
    "batch twice": (with_text('"batch": 32', '"batch": 8'), "batches.cnn should be each batch once by device"),
    "batch cpu": (with_text('8, "device": "mps"', '8, "device": "cpu"'), "batches.cnn.0.device should be an accelera"),
    "batch speed": (with_text('"speedup": 0.9', '"speedup": 0'), "batches.cnn.1.speedup should be a number above 0"),
    "batch ends": (with_text("[0.8, 1]", "[0.8, 0.7]"), "batches.cnn.1.ci95 should be two numbers above 0 in their"),
    "surrogate": (with_text('"cpu"', '"\\ud800"'), "not '\\ud800'"),
    "nul": (with_text('"1"', '"\\u0000"'), "should be a short line of text"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_each_get_their_warning(kind: str, tmp_path: Path) -> None:
    """Whatever stands where the profile should: no exception, no wait, one warning naming the file and reason."""
    put, why = HOSTILE[kind]
    put(tmp_path / "p.json")
    _, info = ask(tmp_path / "p.json")
    assert info.source == "policy"
    assert len(info.warnings) == 1
    assert info.warnings[0].startswith("~/p.json: ")
    assert why in info.warnings[0]


@pytest.mark.parametrize("name", ["nul\0inside", "\ud800", "n" * 5000, "p.json/below"])
def test_impossible_paths_get_a_warning(name: str, tmp_path: Path) -> None:
    """A path that no file can have is a warning as well."""
    (tmp_path / "p.json").touch()
    _, info = ask(tmp_path / name)
    assert info.source == "policy"
    assert len(info.warnings) == 1


@pytest.mark.parametrize("kind", ["link", "mark", "unknown", "bare"])
def test_harmless_oddities_are_read(kind: str, tmp_path: Path) -> None:
    """A symbolic link, a byte order mark, unknown keys and missing optional parts do not spoil a profile."""
    path = tmp_path / "real.json"
    content = {**VALID, "later": {"x": [1]}} if kind == "unknown" else VALID
    if kind == "bare":
        content = {key: VALID[key] for key in ("schema", "fingerprint", "recommended")}
    path.write_text(json.dumps(content), encoding="utf-8-sig" if kind == "mark" else "utf-8")
    if kind == "link":
        (tmp_path / "p.json").symlink_to(path)
        path = tmp_path / "p.json"
    _, info = get_optimal_device(profile=path)
    assert (info.source, info.warnings) == ("profile", ())


def test_a_handler_that_raises_is_no_harm() -> None:
    """What a script hangs into the log may raise what it likes."""

    def refuse(record: logging.LogRecord) -> bool:
        raise RuntimeError("no room")

    logger = logging.getLogger("mpsdoctor")
    logger.addFilter(refuse)
    try:
        device, _ = get_optimal_device(workload=f"never {time.time()}")
    finally:
        logger.removeFilter(refuse)
    assert str(device) == "cpu"


def test_what_was_logged_is_not_remembered_without_end() -> None:
    """A thousand batch sizes leave no more than a few hundred lines in memory."""
    for size in range(1, 1000):
        get_optimal_device(workload="mlp", batch_size=size)
    assert len(logs._logged) <= logs.MOST_LOGGED


@pytest.mark.parametrize("broken", ["version", "device", "shutdown"])
def test_whatever_is_broken_there_is_an_answer(broken: str, tmp_path: Path) -> None:
    """A torch without a version or with a strange back end, and a call while the interpreter ends: the CPU."""
    code = {
        "version": "del torch.__version__\nask()",
        "device": "torch.backends.mps.is_available = lambda: 1 / 0\ntorch.cuda = None\nask()",
        "shutdown": "class Late:\n    def __del__(self): ask()\nask()\nsys.modules['late'] = late = Late()",
    }[broken]
    script = (
        "import sys, torch\nfrom mpsdoctor import get_optimal_device\n"
        f"def ask(): print(get_optimal_device()[0])\n{code}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True, text=True, check=False, env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.stdout.split() == ["cpu"] * (2 if broken == "shutdown" else 1), done.stderr
    assert "Error" not in done.stderr
