"""get_optimal_device with the torch installed here: arguments, the answer, the log, what it remembers."""

from __future__ import annotations

import copy
import json
import logging
import os
import pickle
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import mpsdoctor
from helpers.trainer import VARIABLES, sample, torch
from mpsdoctor import get_optimal_device
from mpsdoctor.runtime import profile

ROOT = str(Path(mpsdoctor.__file__).parents[1])
PRESENT = profile.fingerprint(str(torch.__version__))


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def made(path: Path, **parts: Any) -> Path:
    """Write a profile of this machine in place, as an editor would."""
    path.write_text(json.dumps(sample(**{"fingerprint": PRESENT, **parts})), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        {"use_gpu": 1},
        {"use_gpu": None},
        {"force_mps": "1"},
        {"workload": b"cnn"},
        {"workload": 3},
        {"profile": b"/p"},
        {"profile": 3},
        {"profile": {}},
        {"batch_size": True},
        {"batch_size": 8.0},
        {"batch_size": "8"},
    ],
)
def test_wrong_types_raise(arguments: dict[str, Any]) -> None:
    """An argument of the wrong type is the caller's mistake: TypeError names it."""
    with pytest.raises(TypeError, match=next(iter(arguments))):
        get_optimal_device(**arguments)


@pytest.mark.parametrize("batch_size", [0, -1, 2**63])
def test_impossible_batch_sizes_raise(batch_size: int) -> None:
    """No step trains on fewer than one sample, so that is the caller's mistake as well."""
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        get_optimal_device(workload="cnn", batch_size=batch_size)


def test_the_answer_is_a_torch_device_and_a_sentence(tmp_path: Path) -> None:
    """The device is torch's own type, the info prints as one line and says where it comes from."""
    path = made(tmp_path / "p.json", recommended={"device": "cpu", "reason": "two\nlines \x1b[31mred"})
    device, info = get_optimal_device(profile=path)
    assert isinstance(device, torch.device)
    assert str(info) == "training on cpu (profile of 2026-01-01): two\\nlines \\x1b[31mred"
    assert (info.source, info.profile_path) == ("profile", str(path))


def test_info_is_immutable_and_travels() -> None:
    """What was decided cannot be changed afterwards, and can be sent to another process."""
    info = get_optimal_device(use_gpu=False)[1]
    with pytest.raises(AttributeError, match="immutable"):
        info.source = "profile"
    with pytest.raises(AttributeError, match="immutable"):
        del info.source
    assert repr(pickle.loads(pickle.dumps(info))) == repr(info)


def test_info_is_text_as_any_other(tmp_path: Path) -> None:
    """Scripts that print, join, search, format or store the second value go on working."""
    path = made(tmp_path / "p.json", recommended={"device": "cpu", "reason": "measured"})
    info = get_optimal_device(profile=path)[1]
    said = "training on cpu (profile of 2026-01-01): measured"
    assert isinstance(info, str)
    assert (info, f"{info:>60}", f"{info!s}", "%s" % info) == (said, f"{said:>60}", said, said)  # noqa: UP031 -- scripts
    assert ("cpu" in info, info.upper(), " ".join(["why:", info])) == (True, said.upper(), f"why: {said}")
    assert json.loads(json.dumps({"info": info})) == {"info": said}
    by_text: dict[str, int] = {info: 1}
    assert by_text[said] == 1
    assert type(str(info)) is str
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert repr(pickle.loads(pickle.dumps(info, protocol))) == repr(info)
    assert copy.deepcopy(info).settings == copy.copy(info).settings == info.settings == {"num_threads": 2}


def test_settings_and_known_issues_are_those_of_a_profile_that_holds(tmp_path: Path) -> None:
    """Settings are a copy, known issues those of the device; without a valid profile both are empty."""
    wrong = [{"id": "mps-1", "device": "mps"}, {"id": "cpu-1", "device": "cpu"}]
    path = made(tmp_path / "p.json", settings={"num_threads": 2, "nnpack": False}, known_wrong=wrong)
    info = get_optimal_device(profile=path)[1]
    info.settings["num_threads"] = 99
    assert (info.settings, info.known_wrong) == ({"num_threads": 2, "nnpack": False}, ("cpu-1",))
    other = made(tmp_path / "other.json", fingerprint={**PRESENT, "chip": "another"})
    stale = get_optimal_device(profile=other)[1]
    assert (stale.settings, stale.known_wrong) == ({}, ())
    none = get_optimal_device(profile=tmp_path / "none.json")[1]
    assert (none.settings, none.known_wrong) == ({}, ())


def test_an_update_keeps_the_answer_and_adds_a_hint(tmp_path: Path) -> None:
    """A patch release of torch is no reason to forget what was measured."""
    older = re.sub(r"^(\d+\.\d+)\.\d+", r"\1.99", str(PRESENT["torch"]))
    path = made(tmp_path / "p.json", fingerprint={**PRESENT, "torch": older})
    info = get_optimal_device(profile=path)[1]
    assert (info.source, info.stale) == ("profile", ())
    assert [hint for hint in info.hints if "measured before an update (torch" in hint and "run 'mpsdoctor'" in hint]


@pytest.mark.parametrize("age", [0, 3600])
def test_a_rewritten_profile_is_seen_by_the_next_call(tmp_path: Path, age: int) -> None:
    """What was read is remembered only as long as the file is the same, old or fresh, even at equal length."""
    path = tmp_path / "p.json"
    for reason in ("first", "other", "third"):
        made(path, recommended={"device": "cpu", "reason": reason})
        os.utime(path, ns=(path.stat().st_mtime_ns - age * 10**9,) * 2)
        assert get_optimal_device(profile=path)[1].reason == reason


def test_an_unchanged_profile_is_not_read_again(tmp_path: Path) -> None:
    """The second call with the same question gives the very same answer."""
    path = made(tmp_path / "p.json")
    os.utime(path, (1, 1))
    assert get_optimal_device(profile=path)[1] is get_optimal_device(profile=str(path))[1]
    assert get_optimal_device(profile=path)[1] is not get_optimal_device(profile=path, workload="cnn")[1]


def test_the_environment_outranks_the_usual_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The argument names the profile, then MPSDOCTOR_PROFILE, then the usual place."""
    usual = tmp_path / "mpsdoctor" / "profile.json"
    usual.parent.mkdir()
    assert get_optimal_device()[1].profile_path == str(made(usual))
    monkeypatch.setenv("MPSDOCTOR_PROFILE", "~/named.json")
    assert get_optimal_device()[1].profile_path == str(tmp_path / "named.json")
    assert get_optimal_device(profile="given.json")[1].profile_path == "given.json"


def test_only_a_profile_that_was_named_is_missed(tmp_path: Path) -> None:
    """No profile in the usual place is a hint; none where the caller said there is one is a warning."""
    assert get_optimal_device()[1].warnings == ()
    assert get_optimal_device()[1].hints == ("run 'mpsdoctor' to measure this machine",)
    told = get_optimal_device(profile=tmp_path / "none.json")[1].warnings
    assert told == ("~/none.json: there is no profile; run 'mpsdoctor' to write one",)


def test_no_home_folder_is_no_accident(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no home folder is known there is a warning and the policy decides."""
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("os.getuid", lambda: 2**31)  # a user whom the system does not know, as in a container
    info = get_optimal_device()[1]
    assert (info.source, info.profile_path) == ("policy", None)
    assert "no home folder is known" in info.warnings[0]


def test_each_choice_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The choice goes once to the logger mpsdoctor, its warnings above it, without hints, and a new choice again."""
    caplog.set_level(logging.INFO, logger="mpsdoctor")
    for name in ("one", "one", "two"):
        path = made(tmp_path / name, recommended={"device": "cpu", "reason": f"log {name}"}, hints=["rest"])
        get_optimal_device(profile=path, workload="unheard of")
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", "workload 'unheard of' was not measured (measured: cnn)"),
        ("INFO", "training on cpu (profile of 2026-01-01): log one"),
        ("INFO", "training on cpu (profile of 2026-01-01): log two"),
    ]


@pytest.mark.parametrize(
    ("recorded", "logged"),
    [
        ("Train on the CPU: mps takes about twice as long; and more: of it", "mps takes about twice as long"),
        (
            "the CPU is the only one that can be trusted here; mps is out",
            "the CPU is the only one that can be trusted here",
        ),
        ("word " * 60, "word " * 31 + "…"),
        ("w" * 300, "w" * 158 + " …"),
        (None, "the check-up recommends it"),
    ],
)
def test_the_sentence_is_short_and_ends_with_a_word(tmp_path: Path, recorded: str | None, logged: str) -> None:
    """Of a long reason the first clause is told, with the profile's date and the confidence."""
    path = made(tmp_path / "p.json", recommended={"device": "cpu", "confidence": "high", "reason": recorded})
    info = get_optimal_device(profile=path)[1]
    assert str(info) == f"training on cpu (profile of 2026-01-01, high confidence): {logged}"
    assert (info.reason, info.basis) == (logged, "profile of 2026-01-01, high confidence")


def test_threads_agree(tmp_path: Path) -> None:
    """Many threads asking at once, for many profiles, each get the answer of the profile that they named."""
    paths = [made(tmp_path / f"{i}.json", recommended={"device": "cpu", "reason": str(i)}) for i in range(80)]
    wrong: list[str] = []

    def ask() -> None:
        for i, path in enumerate(paths):
            reason = get_optimal_device(profile=path)[1].reason
            wrong.extend([reason] * (reason != str(i)))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_import_brings_in_nothing_heavy() -> None:
    """What a script imports loads no torch, no screen, no msgspec, and none of the slower standard modules."""
    code = f"import sys; sys.path.insert(0, {ROOT!r}); from mpsdoctor import get_optimal_device; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "mpsdoctor.runtime.device" in loaded
    assert not loaded & {"torch", "textual", "msgspec", "json", "logging", "pathlib", "re", "typing", "dataclasses"}
