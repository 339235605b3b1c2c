"""What a measurement depends on: system, chip, memory, Python and torch.

The standard library alone, Python 3.9 syntax and no import of ours, because an examined interpreter that
lacks mpsdoctor loads this file by its path.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # typing's own constant costs 3 ms of the 15 that `import mpsdoctor` has
if TYPE_CHECKING:
    from collections.abc import Callable

    from mpsdoctor.runtime.shapes import Fingerprint

SYSCTLS = ("kern.osproductversion", "machdep.cpu.brand_string", "hw.memsize")


def fingerprint(torch_version: str | None) -> Fingerprint:
    """What a measurement depends on, in at most a few ms; memory in bytes, unknown is None. Never raises."""
    import platform

    system = platform.system()
    version, chip, memory = {"Darwin": _macos, "Linux": _linux}.get(system, _elsewhere)()
    return {
        "os": system or None,
        "os_version": version,
        "arch": platform.machine() or None,
        "chip": chip,
        "memory_bytes": memory,
        "python": platform.python_version(),
        "torch": torch_version,
    }


def _linux() -> tuple[str | None, str | None, int | None]:
    release = _head("/etc/os-release") or _head("/usr/lib/os-release")
    return _distribution(release), _model_name(_head("/proc/cpuinfo")), _physical_memory()


def _macos() -> tuple[str | None, str | None, int | None]:
    version, chip, memory = _sysctl()
    if is_for_old_programs(version):
        version = _sysctl_program()[0] or version
    return true_version(version), chip or None, int(memory) if memory and memory.isdecimal() else None


def is_for_old_programs(version: str | None) -> bool:
    """Whether macOS made this version up for a program built against an old SDK.

    Such a Python is told 10.16 on macOS 11 and later, or 16.0 on 26 (python/cpython#135675); none of 16 to 25 exists.
    """
    numbers = (version or "").split(".")
    return numbers[0] == "16" or numbers[:2] == ["10", "16"]


def true_version(version: str | None) -> str | None:
    """The version, where it is one; "26" for the 16.0 of old programs; 10.16 may mean any since 11."""
    if not is_for_old_programs(version):
        return version or None
    return "26" if (version or "").startswith("16") else None


def _elsewhere() -> tuple[str | None, str | None, int | None]:
    import platform

    return platform.version() or None, os.environ.get("PROCESSOR_IDENTIFIER"), _physical_memory()


def _head(path: str) -> str:
    """The first 4 KB of a text file; empty if it cannot be read."""
    from pathlib import Path

    try:
        with Path(path).open("rb", buffering=0) as file:
            return file.read(4096).decode("utf-8", "replace")
    except OSError:
        return ""


def _distribution(release: str) -> str | None:
    """'debian 12' from the text of os-release(5)."""
    lines = (line.partition("=") for line in release.splitlines())
    values = {name.strip(): value.strip().strip("\"'") for name, _, value in lines}
    return f"{values.get('ID', '')} {values.get('VERSION_ID', '')}".strip() or None


def _model_name(cpuinfo: str) -> str | None:
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip() or None
    return None


def _physical_memory() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # no sysconf on Windows, no such name elsewhere
        return None


def _sysctl() -> tuple[str | None, ...]:
    """SYSCTLS as text from the system's library, which takes microseconds, else from the program."""
    try:
        import ctypes

        ask = ctypes.CDLL(None).sysctlbyname
    except (ImportError, OSError, AttributeError, TypeError):
        return _sysctl_program()
    return tuple(_sysctl_value(ask, name) for name in SYSCTLS)


def _sysctl_value(ask: Callable[..., int], name: str) -> str | None:
    import ctypes
    import sys

    size, buffer = ctypes.c_size_t(256), ctypes.create_string_buffer(256)
    if ask(name.encode(), buffer, ctypes.byref(size), None, ctypes.c_size_t(0)) != 0:
        return None
    raw = buffer.raw[: size.value]
    if name == "hw.memsize":
        return str(int.from_bytes(raw, sys.byteorder))
    return raw.split(b"\0")[0].decode("utf-8", "replace").strip()


def _sysctl_program() -> tuple[str | None, ...]:
    import subprocess

    values: dict[str, str] = {}
    environment = {**os.environ, "SYSTEM_VERSION_COMPAT": "0"}  # the true version, see is_for_old_programs
    for program in ("sysctl", "/usr/sbin/sysctl"):  # a trainer's PATH may lack /usr/sbin
        try:
            done = subprocess.run([program, *SYSCTLS], capture_output=True, timeout=2, check=False, env=environment)
        except (OSError, subprocess.SubprocessError):
            continue
        lines = (line.partition(": ") for line in done.stdout.decode("utf-8", "replace").splitlines())
        values = {name: value.strip() for name, _, value in lines}
        break
    return tuple(values.get(name) for name in SYSCTLS)
