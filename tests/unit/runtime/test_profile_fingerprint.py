"""What a measurement depends on, read from the system's edge on Linux and on replayed Macs."""

from __future__ import annotations

import ctypes
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from helpers.trainer import FINGERPRINT, program
from mpsdoctor.runtime import fingerprint as module
from mpsdoctor.runtime.profile import fingerprint

Mac = Callable[[str], dict[str, str]]


def test_this_machine() -> None:
    """The keys are the contract's, with this machine's values."""
    made = fingerprint("2.13.0+cpu")
    assert list(made) == ["os", "os_version", "arch", "chip", "memory_bytes", "python", "torch"]
    assert (made["os"], made["arch"]) == (platform.system(), platform.machine())
    assert (made["python"], made["torch"]) == (platform.python_version(), "2.13.0+cpu")
    assert abs((made["memory_bytes"] or 0) - psutil.virtual_memory().total) < 2**20


@pytest.mark.parametrize(
    ("machine", "version", "arch", "chip", "gib"),
    [
        ("m1", "12.6", "arm64", "Apple M1", 8),
        ("m5-pro", "27.0", "arm64", "Apple M5 Pro", 48),
        ("rosetta", None, "x86_64", "VirtualApple", None),
    ],
)
def test_macs(mac: Mac, machine: str, version: str | None, arch: str, chip: str, gib: int | None) -> None:
    """On a Mac the sysctl program answers where the library has no such call."""
    made = program(FINGERPRINT, "2.13.0", env=mac(machine))
    assert (made["os"], made["arch"], made["chip"][: len(chip)]) == ("Darwin", arch, chip)
    assert version in (None, made["os_version"])
    assert gib is None or made["memory_bytes"] == gib * 2**30


def test_a_mac_without_sysctl(mac: Mac, tmp_path: Path) -> None:
    """Where neither the library nor a program answers, the values are unknown, not an error."""
    made = program(FINGERPRINT, "2.13.0", env={**mac("m1"), "PATH": str(tmp_path / "nothing")})
    assert (made["os_version"], made["chip"], made["memory_bytes"]) == (None, None, None)
    assert made["os"] == "Darwin"


@pytest.mark.parametrize(
    ("library", "program", "version"),
    [
        ("27.0", "16.0", "27.0"),
        ("16.0", "26.4", "26.4"),
        ("16.0", None, "26"),
        ("16.0", "16.0", "26"),
        ("10.16", "12.6", "12.6"),
        ("10.16", None, None),
        (None, None, None),
    ],
)
def test_what_old_programs_are_told_is_no_version(
    library: str | None, program: str | None, version: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Python built with an old SDK asks a program of the system, and profiles of two Pythons agree."""
    monkeypatch.setattr(module, "_sysctl", lambda: (library, "Apple M1", "8589934592"))
    monkeypatch.setattr(module, "_sysctl_program", lambda: (program, None, None))
    assert module._macos() == (version, "Apple M1", 8589934592)


def _kernel(name: bytes, buffer: Any, size: Any, _new: Any, _length: int) -> int:
    """sysctlbyname(3) as the kernel answers it: 0 and the value, or -1."""
    values = {b"hw.memsize": (17179869184).to_bytes(8, sys.byteorder), b"machdep.cpu.brand_string": b"Apple M2 Pro\0"}
    if name not in values:
        return -1
    ctypes.memmove(buffer, values[name], len(values[name]))
    size[0] = len(values[name])
    return 0


def test_the_library_call() -> None:
    """sysctlbyname's bytes are read as text and as a number; a key that it lacks is unknown."""
    ask = ctypes.CFUNCTYPE(
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_void_p,
        ctypes.POINTER(ctypes.c_size_t),
        ctypes.c_void_p,
        ctypes.c_size_t,
    )(_kernel)
    values = [module._sysctl_value(ask, name) for name in module.SYSCTLS]
    assert values == [None, "Apple M2 Pro", "17179869184"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\nVERSION_ID="12"\n', "debian 12"),
        ("ID=arch\n", "arch"),
        ("garbage", None),
        ("", None),
    ],
)
def test_distributions(text: str, expected: str | None) -> None:
    """The system's version is the distribution and its number, as os-release has them."""
    assert module._distribution(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("processor\t: 0\nmodel\t\t: 1\nmodel name\t: AMD EPYC: 7\n", "AMD EPYC: 7"),
        ("processor\t: 0\nCPU implementer\t: 0x41\n", None),
        ("model name\t:\n", None),
    ],
)
def test_processors(text: str, expected: str | None) -> None:
    """The chip is the first model name of /proc/cpuinfo; ARM kernels name none."""
    assert module._model_name(text) == expected


def test_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a system of another kind what can be told is told, and nothing raises."""
    monkeypatch.setattr("platform.system", lambda: "Windows")
    monkeypatch.setenv("PROCESSOR_IDENTIFIER", "Intel64 Family 6")
    monkeypatch.delattr("os.sysconf")
    made = fingerprint("2.13.0")
    assert (made["os"], made["chip"], made["memory_bytes"]) == ("Windows", "Intel64 Family 6", None)


def test_loaded_by_its_path() -> None:
    """The file works alone, loaded by its path, without importing anything else of ours."""
    code = (
        "import importlib.util as u, json, sys; s = u.spec_from_file_location('alone', sys.argv[1])\n"
        "m = u.module_from_spec(s); s.loader.exec_module(m)\n"
        "print(json.dumps([m.fingerprint('2.0.1'), 'mpsdoctor' in sys.modules]))"
    )
    assert program(code, str(module.__file__), env={"PYTHONPATH": ""}) == [fingerprint("2.0.1"), False]
