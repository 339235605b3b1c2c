"""The profile file: what a check-up learnt about this machine, for training scripts to read.

The standard library alone, each module imported where it is used, for the sake of `import mpsdoctor`.
"""

from __future__ import annotations

import os
import stat

from mpsdoctor.runtime.fingerprint import fingerprint
from mpsdoctor.runtime.profile_format import (
    DEVICE,
    LIMIT,
    RENEW,
    SCHEMA,
    VARIABLE,
    ProfileError,
    parse,
    printable,
    render,
    validate,
)

__all__ = [
    "DEVICE",
    "LIMIT",
    "SCHEMA",
    "VARIABLE",
    "ProfileError",
    "changes",
    "default_path",
    "fingerprint",
    "locate",
    "printable",
    "read",
    "remove",
    "shorten_home",
    "updates",
    "validate",
    "write",
]

TYPE_CHECKING = False  # typing's own constant costs 3 ms of the 15 that `import mpsdoctor` has
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mpsdoctor.runtime.shapes import Fingerprint, Profile

ABANDONED = 3600.0  # seconds after which a temporary file has no living writer: a write takes milliseconds
LABELS = {"torch": "torch", "os": "system", "os_version": "system version", "arch": "architecture", "chip": "chip"}
NEEDED = ("torch", "os", "chip")


def default_path() -> Path:
    """profile.json in the user's configuration folder. ProfileError if no home folder is known."""
    import platform
    from pathlib import Path

    system, environ = platform.system(), os.environ
    if system == "Darwin":
        folder = Path("~/Library/Application Support")
    elif system == "Windows":
        folder = Path(environ.get("APPDATA") or "~/AppData/Roaming")
    else:
        folder = Path(environ.get("XDG_CONFIG_HOME", ""))
        folder = folder if folder.is_absolute() else Path("~/.config")  # relative: ignored, says XDG 0.8
    return _at_home(folder) / "mpsdoctor" / "profile.json"


def locate(explicit: str | os.PathLike[str] | None = None) -> Path:
    """The profile to use: the argument, else MPSDOCTOR_PROFILE, else default_path(); ~ is the home folder."""
    from pathlib import Path

    path = os.environ.get("MPSDOCTOR_PROFILE") or None if explicit is None else explicit
    return default_path() if path is None else _at_home(Path(path))


def _at_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ProfileError("no home folder is known; set HOME, or MPSDOCTOR_PROFILE to a full path") from error


def shorten_home(path: str | os.PathLike[str]) -> str:
    """`path` for a message: the home folder as ~, no control characters."""
    from pathlib import Path

    try:
        text = f"~/{Path(path).relative_to(Path.home())}"
    except (ValueError, RuntimeError):  # not inside it, or there is none
        text = os.fspath(path)
    return printable(text, 4096)


def changes(recorded: Fingerprint, present: Fingerprint) -> tuple[str, ...]:
    """What differs between two fingerprints, in words; empty: what was measured then holds now.

    Updates are no such difference, see `updates`. What either side does not know is not compared, except that a
    recording must name the torch, the system and the chip wherever the present machine can: without them it could be
    anyone's.
    """
    return (
        *_changes_by_label(recorded, present),
        *_python_changes(recorded, present),
        *_memory_changes(recorded, present),
    )


def updates(recorded: Fingerprint, present: Fingerprint) -> tuple[str, ...]:
    """Patch releases of torch and updates of the system since a recording: a hint to measure again, no more."""
    then, here = _texts(recorded), _texts(present)
    pairs = [(key, then.get(key), here.get(key)) for key in ("torch", "os_version")]
    return tuple(
        _change(key, before, now, present)
        for key, before, now in pairs
        if before and now and before != now and _release_line(key, before) == _release_line(key, now)
    )


def _changes_by_label(recorded: Fingerprint, present: Fingerprint) -> Iterator[str]:
    then, here = _texts(recorded), _texts(present)
    for key, label in LABELS.items():
        before, now = then.get(key), here.get(key)
        if now is None or (before is not None and _release_line(key, before) == _release_line(key, now)):
            continue
        if before is not None:
            yield _change(key, before, now, present)
        elif key in NEEDED:
            yield f"{label} not recorded → {_value(key, now)}"


def _texts(fingerprint: Fingerprint) -> dict[str, str]:
    """What is known of it, the memory apart."""
    return {key: value for key, value in fingerprint.items() if isinstance(value, str)}


def _change(key: str, before: str, now: str, present: Fingerprint) -> str:
    label = "macOS" if key == "os_version" and present.get("os") == "Darwin" else LABELS[key]
    return f"{label} {_value(key, before)} → {_value(key, now)}"


def _value(key: str, text: str) -> str:
    """macOS, whose kernel is Darwin and has versions of its own, by its name."""
    return "macOS" if (key, text) == ("os", "Darwin") else printable(text)


def _release_line(key: str, text: str) -> str:
    """What stays the same across updates: torch's minor release and build, a system's name and major version.

    Below 11 that of macOS had two numbers; a nightly torch, and one built for something else, is no patch release.
    """
    import re

    if key == "torch":
        return re.sub(r"^(\d+\.\d+)\.\d+(?!\d)", r"\1", text)
    if key == "os_version":
        major = re.match(r"\D*(?:10\.\d+|\d+)", text)
        return major[0] if major else text
    return text


def _python_changes(recorded: Fingerprint, present: Fingerprint) -> Iterator[str]:
    before, now = recorded.get("python"), present.get("python")
    if before and now and before.split(".")[:2] != now.split(".")[:2]:
        yield f"Python {printable(before)} → {printable(now)}"


def _memory_changes(recorded: Fingerprint, present: Fingerprint) -> Iterator[str]:
    before, now = recorded.get("memory_bytes"), present.get("memory_bytes")
    # 5 %: what kernels and graphics reserve differs a little from one start to the next
    if before and now and abs(now - before) > 0.05 * before:
        yield f"memory {before / 2**30:.1f} GiB → {now / 2**30:.1f} GiB"


def read(path: str | os.PathLike[str]) -> Profile:
    """The profile at `path`, checked, optional parts filled in, unknown keys kept.

    FileNotFoundError if there is none; ProfileError for everything else that is wrong with it. Never blocks,
    and reads at most LIMIT bytes.
    """
    try:
        return validate(parse(_read_bytes(path)))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ProfileError(f"{shorten_home(path)}: cannot be read ({_reason(error, path)})") from error
    except ValueError as error:  # a ProfileError, or a path that holds a NUL or cannot be encoded
        raise ProfileError(f"{shorten_home(path)}: {printable(str(error), 400)}") from error


def _read_bytes(path: str | os.PathLike[str]) -> bytes:
    from pathlib import Path

    _refuse_special(Path(path).stat())  # before the open: opening a device may act
    flags = ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY")  # each where the system has it
    descriptor = os.open(path, os.O_RDONLY | sum(getattr(os, name, 0) for name in flags))
    with os.fdopen(descriptor, "rb") as file:
        _refuse_special(os.fstat(descriptor))
        raw = file.read(LIMIT + 1)
    if len(raw) > LIMIT:
        raise ProfileError(f"larger than {LIMIT} bytes, so not a profile; {RENEW}")
    return raw


def _refuse_special(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise ProfileError("is a directory, not a file; move it away or name another path")
    if not stat.S_ISREG(status.st_mode):
        raise ProfileError("is a pipe, socket or device, not a file; name another path")


def _reason(error: OSError, path: str | os.PathLike[str]) -> str:
    reason = error.strerror or type(error).__name__
    other = error.filename if isinstance(error.filename, (str, os.PathLike)) else None
    return reason if other is None or os.fspath(other) == os.fspath(path) else f"{reason}: {shorten_home(other)}"


def write(profile: Profile, path: str | os.PathLike[str]) -> None:
    """Put `profile` at `path`, mode 0600, whole or not at all, whatever dies meanwhile.

    A missing folder is made (0700); a symbolic link is replaced, never written through. ProfileError names
    the path and the reason.
    """
    from pathlib import Path

    try:
        target = Path(path)
        text = render(validate(profile))
        _refuse_foreign(target, to_replace=True)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sweep(target.parent)
        _replace(text, target)
        _settle(target.parent)
    except OSError as error:
        raise ProfileError(f"{shorten_home(path)}: cannot be written ({_reason(error, path)})") from error
    except ValueError as error:
        raise ProfileError(f"{shorten_home(path)}: cannot be written: {printable(str(error), 400)}") from error


def remove(path: str | os.PathLike[str]) -> None:
    """Delete the profile at `path`; of a symbolic link, the link. FileNotFoundError if there is none.

    ProfileError for whatever else is there: a variable may name a file that is somebody's.
    """
    from pathlib import Path

    target = Path(path)
    try:
        target.stat()
        _refuse_foreign(target)
        target.unlink()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ProfileError(f"{shorten_home(path)}: cannot be removed ({_reason(error, path)})") from error
    except ValueError as error:
        raise ProfileError(f"{shorten_home(path)}: is not removed: {printable(str(error), 400)}") from error


def _refuse_foreign(target: Path, *, to_replace: bool = False) -> None:
    """Raise for what is there and no profile; a damaged file in the place where profiles are is one of ours.

    As root, a replace would put a file where /dev/null was. What a link points to is spared by a replace, so that it
    need not be looked into; and a profile that was cut short is replaced wherever it lies.
    """
    try:
        _refuse_special(target.stat())
    except FileNotFoundError:
        return
    if target.is_symlink() and to_replace:
        return
    raw = _read_bytes(target)
    if raw.strip() and not _is_default(target) and not _is_of_our_kind(raw, or_cut=to_replace):
        raise ProfileError("what is there is no profile; move it away or name another path")


def _is_of_our_kind(raw: bytes, *, or_cut: bool) -> bool:
    try:
        content = parse(raw)
    except ProfileError:
        return or_cut and raw.lstrip().startswith(b"{")
    return isinstance(content, dict) and {"schema", "recommended"} <= content.keys()


def _is_default(target: Path) -> bool:
    try:
        return target == default_path()
    except ProfileError:
        return False


def _sweep(folder: Path) -> None:
    """Remove the temporary files that killed writers of ours left."""
    for temporary in folder.glob(".mpsdoctor-*.tmp"):
        _remove_abandoned(temporary)


def _remove_abandoned(temporary: Path) -> None:
    import time

    owner = os.geteuid() if hasattr(os, "geteuid") else 0
    try:
        status = temporary.lstat()
        ours = stat.S_ISREG(status.st_mode) and status.st_uid == owner
        if ours and status.st_mtime < time.time() - ABANDONED:
            temporary.unlink()
    except OSError:
        return  # another writer was first, or it may not be removed: neither stops this write


def _replace(text: bytes, target: Path) -> None:
    import tempfile
    from pathlib import Path

    # mkstemp makes it 0600 and never follows a link
    descriptor, name = tempfile.mkstemp(prefix=".mpsdoctor-", suffix=".tmp", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _settle(folder: Path) -> None:
    """Make the new name itself survive a power cut, where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # Windows opens no folders; a folder may be writable but not readable
    try:
        os.fsync(descriptor)
    except OSError:
        return  # some network file systems cannot; the profile is in place all the same
    finally:
        os.close(descriptor)
