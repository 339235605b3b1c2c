"""The profile file: where it lives, what it is valid for, how it is written and read."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import platformdirs.macos
import platformdirs.unix
import pytest

from helpers.trainer import program, sample
from mpsdoctor.runtime import profile
from mpsdoctor.runtime.profile import ProfileError
from mpsdoctor.runtime.shapes import Fingerprint, Profile

Mac = Callable[[str], dict[str, str]]
WHERE = "import json; from mpsdoctor.runtime.profile import default_path; print(json.dumps(str(default_path())))"
M1: Fingerprint = {
    "os": "Darwin",
    "os_version": "14.5",
    "arch": "arm64",
    "chip": "Apple M1",
    "memory_bytes": 8 * 2**30,
    "python": "3.11.4",
    "torch": "2.12.0",
}


@pytest.mark.parametrize("configured", [None, "", "/elsewhere/config", "/with space/ü"])
def test_place_on_linux_is_platformdirs_own(configured: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Linux the folder is the one that platformdirs names."""
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    if configured is not None:
        monkeypatch.setenv("XDG_CONFIG_HOME", configured)
    expected = platformdirs.unix.Unix("mpsdoctor").user_config_path / "profile.json"
    assert profile.default_path() == expected


def test_place_on_macos_is_platformdirs_own(mac: Mac, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS the folder is the one that platformdirs names."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    expected = platformdirs.macos.MacOS("mpsdoctor").user_config_path / "profile.json"
    assert program(WHERE, env={**mac("m1"), "HOME": str(tmp_path)}) == str(expected)


def test_place_on_windows_is_the_roaming_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On Windows it is %APPDATA%."""
    monkeypatch.setattr("platform.system", lambda: "Windows")
    monkeypatch.setenv("APPDATA", str(tmp_path))
    assert profile.default_path() == tmp_path / "mpsdoctor" / "profile.json"


def test_a_relative_configuration_folder_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative XDG_CONFIG_HOME counts as unset, so that the place does not follow the working folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", "config")
    monkeypatch.setenv("HOME", "/home/someone")
    assert profile.default_path() == Path("/home/someone/.config/mpsdoctor/profile.json")


def test_the_place_can_be_overridden(monkeypatch: pytest.MonkeyPatch) -> None:
    """The argument outranks MPSDOCTOR_PROFILE, which outranks the usual place unless it is empty."""
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv("MPSDOCTOR_PROFILE", "~/mine.json")
    assert profile.locate("/given.json") == Path("/given.json")
    assert profile.locate() == Path("/home/someone/mine.json")
    monkeypatch.setenv("MPSDOCTOR_PROFILE", "")
    assert profile.locate() == profile.default_path()


def test_what_is_shown_has_no_home_and_no_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths in messages begin with ~ instead of the home folder; controls and bidi marks become escapes."""
    monkeypatch.setenv("HOME", "/home/someone")
    assert profile.shorten_home("/home/someone/a\x1b[2J") == "~/a\\x1b[2J"
    assert profile.shorten_home("/home/someoneelse") == "/home/someoneelse"
    assert profile.printable("a\u202eb\x9bc\ud800\n") == "a\\u202eb\\x9bc\\ud800\\n"
    assert profile.printable("x" * 300, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"torch": "2.13.0"}, ("torch 2.12.0 → 2.13.0",)),
        ({"torch": "2.12.0+cpu"}, ("torch 2.12.0 → 2.12.0+cpu",)),
        ({"os": "Linux"}, ("system macOS → Linux",)),
        ({"torch": "2.12.1"}, ()),
        ({"torch": "2.12.0.dev20260901"}, ("torch 2.12.0 → 2.12.0.dev20260901",)),
        ({"torch": "3.12.0"}, ("torch 2.12.0 → 3.12.0",)),
        ({"torch": "2.1.0"}, ("torch 2.12.0 → 2.1.0",)),
        ({"os_version": "14.6"}, ()),
        ({"os_version": "14.5.1"}, ()),
        ({"os_version": "15.0"}, ("macOS 14.5 → 15.0",)),
        ({"os_version": "140.5"}, ("macOS 14.5 → 140.5",)),
        ({"arch": "x86_64"}, ("architecture arm64 → x86_64",)),
        ({"chip": "Apple M4\x07"}, ("chip Apple M1 → Apple M4\\x07",)),
        ({"python": "3.11.9"}, ()),
        ({"python": "3.12.4"}, ("Python 3.11.4 → 3.12.4",)),
        ({"memory_bytes": int(7.7 * 2**30)}, ()),
        ({"memory_bytes": 16 * 2**30}, ("memory 8.0 GiB → 16.0 GiB",)),
        ({"chip": None, "memory_bytes": None, "python": None, "os_version": None}, ()),
        ({}, ()),
    ],
)
def test_changes_in_words(part: Fingerprint, said: tuple[str, ...]) -> None:
    """Each difference that matters is a sentence; what is unknown now is not compared."""
    assert profile.changes(M1, {**M1, **part}) == said


@pytest.mark.parametrize(
    ("before", "now", "same"),
    [
        ("26.3.2", "26.4", True),
        ("26.4", "27.0", False),
        ("10.15.7", "10.15.8", True),
        ("10.15", "11.0", False),
        ("10.14", "10.15", False),
        ("debian 12", "debian 13", False),
        ("ubuntu 24.04", "ubuntu 24.10", True),
        ("ubuntu 24.04", "debian 24.04", False),
        ("10.0.19045", "10.0.22631", True),
        ("rolling", "rolling", True),
        ("rolling", "other", False),
    ],
)
def test_an_update_of_the_system_keeps_the_profile(before: str, now: str, same: bool) -> None:
    """Automatic updates do this every few weeks; another major version may compute otherwise."""
    recorded: Fingerprint = {**M1, "os_version": before}
    present: Fingerprint = {**M1, "os_version": now}
    assert (profile.changes(recorded, present) == ()) == same
    assert (profile.updates(recorded, present) == (f"macOS {before} → {now}",)) == (same and before != now)


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ("2.13.0", "2.13.1", ("torch 2.13.0 → 2.13.1",)),
        ("2.13.0+cpu", "2.13.1+cpu", ("torch 2.13.0+cpu → 2.13.1+cpu",)),
        ("2.13.0", "2.13.0", ()),
        ("2.13.0", "2.14.0", ()),
        ("2.13.0+cpu", "2.13.1+cu130", ()),
    ],
)
def test_a_patch_release_of_torch_is_an_update(before: str, now: str, told: tuple[str, ...]) -> None:
    """A hint to measure again; what is no patch release is a change, and no update."""
    assert profile.updates({**M1, "torch": before}, {**M1, "torch": now}) == told


def test_an_anonymous_recording_is_never_valid() -> None:
    """A recording without torch, system or chip is of no known machine, unless this one knows no chip either."""
    assert profile.changes({}, M1) == (
        "torch not recorded → 2.12.0",
        "system not recorded → macOS",
        "chip not recorded → Apple M1",
    )
    assert profile.changes({**M1, "chip": None}, {**M1, "chip": None}) == ()
    assert profile.changes({**M1, "memory_bytes": None, "python": None, "arch": None}, M1) == ()


def test_written_profiles_are_private_sorted_and_read_back(tmp_path: Path) -> None:
    """The file is 0600 in a new folder 0700, sorted UTF-8 with a newline, and reads back the same."""
    path = tmp_path / "new" / "mpsdoctor" / "profile.json"
    content = sample(hints=["2×", "lone \ud800"], later=1)
    profile.write(content, path)
    assert profile.read(path) == content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    text = path.read_text(encoding="utf-8")
    assert "2×" in text
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False).replace(
        "\ud800", "\\ud800"
    ) + "\n"  # fmt: skip


def test_writing_replaces_a_link_and_spares_its_target(tmp_path: Path) -> None:
    """A symbolic link at the place is replaced by a file; what it pointed to stays as it was."""
    target, link = tmp_path / "target", tmp_path / "profile.json"
    target.write_text("precious")
    link.symlink_to(target)
    profile.write(sample(), link)
    assert target.read_text() == "precious"
    assert not link.is_symlink()


def test_missing_is_told_apart_from_broken(tmp_path: Path) -> None:
    """No file is a FileNotFoundError, a file that is no profile a ProfileError, which is a ValueError."""
    with pytest.raises(FileNotFoundError):
        profile.read(tmp_path / "none.json")
    (tmp_path / "p.json").write_text("{}")
    with pytest.raises(ProfileError, match=r"p\.json: schema should be 1, not null or missing; run 'mpsdoctor'"):
        profile.read(tmp_path / "p.json")
    assert issubclass(ProfileError, ValueError)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (sample(hints=[float("nan")]), "each of hints should be text"),
        (sample(later=float("nan")), "not JSON compliant"),
        (sample(later=object()), "not JSON data"),
        (sample(later="x" * 2**20), "larger than the 1048576 bytes"),
        (sample(schema=2), "schema 2 is newer"),
        (sample(environment={"PATH": "/"}), "a name beginning with PYTORCH_"),
    ],
)
def test_what_could_not_be_read_is_not_written(content: Profile, why: str, tmp_path: Path) -> None:
    """A profile that readers would refuse is refused before anything is touched."""
    with pytest.raises(ProfileError, match=why):
        profile.write(content, tmp_path / "p.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("obstacle", ["directory", "pipe", "device", "file above", "folder"])
def test_what_stands_in_the_way_is_named(obstacle: str, tmp_path: Path) -> None:
    """A folder, pipe, device or file in the way, and a folder that takes no files, give a clear error and stay."""
    path = tmp_path / "p.json"
    if obstacle == "directory":
        path.mkdir()
    elif obstacle == "pipe":
        os.mkfifo(path)
    elif obstacle == "device":
        path.symlink_to("/dev/zero")  # through a link, so that a writer without the guard would harm the link alone
    elif obstacle == "file above":
        path.touch()
        path /= "profile.json"
    else:
        path = Path("/proc/mpsdoctor/profile.json")
    with pytest.raises(ProfileError, match="cannot be written") as caught:
        profile.write(sample(), path)
    assert profile.shorten_home(path) in str(caught.value)
    assert not list(tmp_path.glob(".mpsdoctor-*"))
    assert path.is_symlink() is (obstacle == "device")


@pytest.mark.parametrize("kind", ["device", "pipe", "socket", "directory", "thesis", "other JSON", "link to a thesis"])
def test_only_a_profile_is_removed(kind: str, tmp_path: Path) -> None:
    """Whatever else a variable or an option names stays: removing is for regular files that are profiles."""
    path = tmp_path / "p.json"
    if kind == "device":
        path.symlink_to("/dev/null")  # through a link, so that a remover without the guard would harm the link alone
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
    elif kind == "directory":
        path.mkdir()
    elif kind == "link to a thesis":
        (tmp_path / "thesis").write_text("precious")
        path.symlink_to(tmp_path / "thesis")
    else:
        path.write_text('{"schema": 5}' if kind == "other JSON" else "precious")
    before = path.lstat()
    with pytest.raises(ProfileError):
        profile.remove(path)
    if not path.is_symlink():
        with pytest.raises(ProfileError):
            profile.write(sample(), path)
    assert path.lstat() == before


def test_a_profile_is_removed_and_so_is_a_link_to_one(tmp_path: Path) -> None:
    """Of a link, the link; a second time there is none."""
    profile.write(sample(), tmp_path / "p.json")
    (tmp_path / "link.json").symlink_to(tmp_path / "p.json")
    profile.remove(tmp_path / "link.json")
    profile.remove(tmp_path / "p.json")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        profile.remove(tmp_path / "p.json")


def test_a_full_disk_leaves_the_old_profile(tmp_path: Path) -> None:
    """When there is no room the error says so, the old profile stays and no temporary file is left."""
    path = tmp_path / "p.json"
    profile.write(sample(), path)
    code = (
        "import resource, sys; from mpsdoctor.runtime import profile; p = sys.argv[1]; content = profile.read(p)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "profile.write({**content, 'hints': ['new']}, p)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert "cannot be written (File too large)" in done.stderr
    assert profile.read(path) == sample()
    assert list(tmp_path.iterdir()) == [path]


def test_what_killed_writers_left_is_swept(tmp_path: Path) -> None:
    """A write removes our temporary files of an hour ago; young ones, links and other files stay."""
    names = [".mpsdoctor-old_1.tmp", ".mpsdoctor-young.tmp", "other.tmp", ".mpsdoctor-link.tmp"]
    for name in names[:3]:
        (tmp_path / name).touch()
    (tmp_path / names[3]).symlink_to("other.tmp")
    for name in (names[0], names[2]):
        os.utime(tmp_path / name, (1, 1))
    os.utime(tmp_path / names[3], (1, 1), follow_symlinks=False)
    profile.write(sample(), tmp_path / "p.json")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*names[1:], "p.json"])
