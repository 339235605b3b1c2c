"""What is told about real Macs, replayed at their edge: see tests/machines/SOURCES.md."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mpsdoctor import doubts
from mpsdoctor.facts.training import TimedFacts
from mpsdoctor.machine import macos
from mpsdoctor_checks.training import disturbance

GIB = 1 << 30
FACTS = [
    "os_version",
    "arch",
    "chip",
    "model",
    "performance_cores",
    "efficiency_cores",
    "core_levels",
    "gpu_cores",
    "memory_bytes",
    "translated",
    "virtual_machine",
    "low_power",
    "thermal_state",
]


def levels(**counts: int) -> list[dict[str, Any]]:
    return [{"name": name, "count": count} for name, count in counts.items()]


I9 = "Intel(R) Core(TM) i9-9980HK CPU @ 2.40GHz"
MACS: dict[str, tuple[Any, ...]] = {
    "m1": (
        "12.6",
        "arm64",
        "Apple M1",
        "MacBookAir10,1",
        4,
        4,
        levels(Performance=4, Efficiency=4),
        7,
        8 * GIB,
        False,
        False,
        True,
        "fair",
    ),
    "m2-pro": (
        "26.5.1",
        "arm64",
        "Apple M2 Pro",
        "Mac14,12",
        8,
        4,
        levels(Performance=8, Efficiency=4),
        19,
        32 * GIB,
        False,
        False,
        None,
        "nominal",
    ),
    "m3-max": (
        "26.4",
        "arm64",
        "Apple M3 Max",
        "Mac15,8",
        12,
        4,
        levels(Performance=12, Efficiency=4),
        40,
        64 * GIB,
        False,
        False,
        False,
        "nominal",
    ),
    "m4": (
        "26.3.1",
        "arm64",
        "Apple M4",
        "Mac16,12",
        4,
        6,
        levels(Performance=4, Efficiency=6),
        10,
        16 * GIB,
        False,
        False,
        False,
        "serious",
    ),
    "m6": (
        "27.0.1",
        "arm64",
        "Apple M6",
        None,
        6,
        6,
        levels(Super=2, Performance=4, Efficiency=6),
        None,
        32 * GIB,
        False,
        None,
        None,
        None,
    ),
    "m1-pressure": (
        "15.6.1",
        "arm64",
        "Apple M1",
        "MacBookAir10,1",
        4,
        4,
        levels(Performance=4, Efficiency=4),
        7,
        8 * GIB,
        False,
        False,
        False,
        "nominal",
    ),
    "m5-pro": (
        "27.0",
        "arm64",
        "Apple M5 Pro",
        "Mac17,9",
        18,
        0,
        levels(Super=6, Performance=12),
        20,
        48 * GIB,
        False,
        False,
        False,
        "nominal",
    ),
    "intel": ("14.5", "x86_64", I9, "MacBookPro16,1", 8, 0, None, None, 32 * GIB, False, False, None, "serious"),
    "rosetta": (
        "11.0.1",
        "x86_64",
        "Apple M1",
        "MacBookAir10,1",
        None,
        None,
        None,
        8,
        8 * GIB,
        True,
        None,
        None,
        "nominal",
    ),
    "rosetta-m3-max": (
        "26.4",
        "x86_64",
        "Apple M3 Max",
        "Mac15,8",
        12,
        4,
        levels(Performance=12, Efficiency=4),
        40,
        64 * GIB,
        True,
        False,
        False,
        "nominal",
    ),
    "virtual": (
        "15.7.9",
        "arm64",
        "Apple M1 (Virtual)",
        "VirtualMac2,1",
        3,
        0,
        levels(Performance=3),
        None,
        7 * GIB,
        False,
        True,
        None,
        "nominal",
    ),
}
MEMORY = [
    "available_bytes",
    "free_percent",
    "swap_total_bytes",
    "swap_used_bytes",
    "swap_in_bytes",
    "swap_out_bytes",
    "pressure",
    "wired_limit_bytes",
    "compressed_bytes",
]
MEMORIES: dict[str, tuple[Any, ...]] = {
    "m1": (
        113792 * 16384,
        24,
        4096 << 20,
        3372870533,
        997990 * 16384,
        1484124 * 16384,
        "warning",
        None,
        180849 * 16384,
    ),
    "m2-pro": (635464 * 16384, 80, 0, 0, 0, 0, "normal", 0, 0),
    "m3-max": (1897974 * 16384, 72, 1 << 30, 1 << 29, 4 * 16384, 5 * 16384, "normal", 58 * GIB, 101425 * 16384),
    "m4": (
        204827 * 16384,
        11,
        11264 << 20,
        9617 << 20,
        41718162 * 16384,
        69922789 * 16384,
        "critical",
        0,
        433409 * 16384,
    ),
    "m1-pressure": (
        98426 * 16384,
        18,
        8 * GIB,
        round(7065.6 * 2**20),
        20420218 * 16384,
        25953742 * 16384,
        "warning",
        0,
        212640 * 16384,
    ),
    "m5-pro": (1427533 * 16384, 78, 0, 0, 0, 0, "normal", 0, 61409 * 16384),
    "m6": (None,) * 9,
    "intel": (1541039 * 4096, 60, 2 << 30, 1074266112, 0, 0, "normal", None, 386023 * 4096),
    "virtual": (180000 * 16384, 62, 0, 0, 0, 0, "normal", 0, 0),
}
CONDITIONS = ["load_1m", "pressure", "swap_in_bytes", "swap_out_bytes", "thermal_state", "low_power", "on_battery"]
MOMENTS: dict[str, tuple[Any, ...]] = {
    "m1": (3.41, "warning", 997990 * 16384, 1484124 * 16384, "fair", True, True),
    "m3-max": (0.85, "normal", 4 * 16384, 5 * 16384, "nominal", False, False),
    "m4": (8.83, "critical", 41718162 * 16384, 69922789 * 16384, "serious", False, False),
    "m6": (None, None, None, None, None, None, None),
    "intel": (2.5, "normal", 0, 0, "serious", None, False),
}

Mac = Callable[[str], dict[str, str]]
Answer = Callable[..., Any]
Told = Callable[[str], Any]
ANSWERS: dict[str, Any] = {}


@pytest.fixture
def told(mac: Mac, answer: Answer) -> Told:
    """What that Mac answered, asked once for all tests."""

    def ask(name: str) -> Any:
        if name not in ANSWERS:
            ANSWERS[name] = answer(mac(name))
        return ANSWERS[name]

    return ask


@pytest.mark.parametrize("name", MACS)
def test_a_mac_tells_its_facts(name: str, told: Told) -> None:
    """Chip, cores, memory, translation and power state come from the Mac's own programs."""
    facts, _, _ = told(name)
    assert facts == {"os": "Darwin", **dict(zip(FACTS, MACS[name], strict=True))}


@pytest.mark.parametrize("name", MEMORIES)
def test_a_mac_tells_its_memory(name: str, told: Told) -> None:
    """Memory, swap, pressure and the GPU's limit come from the Mac, none of it from the machine below the stubs."""
    _, memory, _ = told(name)
    total = MACS[name][FACTS.index("memory_bytes")]
    expected = {"total_bytes": total, "limit_bytes": None, **dict(zip(MEMORY, MEMORIES[name], strict=True))}
    assert memory == expected


@pytest.mark.parametrize("name", MOMENTS)
def test_a_mac_tells_the_conditions_of_a_timing(name: str, told: Told) -> None:
    """Load, pressure, swap counters, heat and power are told for this moment."""
    _, _, conditions = told(name)
    assert {key: conditions[key] for key in CONDITIONS} == dict(zip(CONDITIONS, MOMENTS[name], strict=True))


SPOILT = {
    "m1": ["memory pressure was 'warning'", "thermal state was 'fair'", "low power mode", "battery"],
    "m3-max": [],
    "m4": ["memory pressure was 'critical'", "thermal state was 'serious'"],
    "m6": [],
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_mac_under_pressure_is_not_to_be_timed(name: str, told: Told) -> None:
    """What a Mac tells of this moment is named as a reason to doubt a timing, and lowers the confidence in it."""
    _, _, now = told(name)
    seen = list(map(str, disturbance.find_disturbances({"before": now, "after": now})))
    assert [words for words in SPOILT[name] if not any(words in each for each in seen)] == []
    timed: TimedFacts = {"results": [], "comparisons": [], "runs": [], "conditions": {}, "alone": True}
    doubted = list(doubts.disturbances({**timed, "disturbances": seen}))
    assert doubts.confidence(doubted) == ("medium" if SPOILT[name] else "high")


def test_an_old_build_of_python_does_not_hide_the_version(mac: Mac, answer: Answer) -> None:
    """Where sysctl does not tell and everything else says 10.16, the version is unknown."""
    facts, _, _ = answer({**mac("rosetta"), "MPSDOCTOR_TEST_WITHOUT": "kern.osproductversion"})
    assert facts["os_version"] is None


@pytest.mark.parametrize(
    ("sysctl", "sw_vers", "version"),
    [
        ("27.0.1", "16.0", "27.0.1"),
        ("16.0", "26.4", "26.4"),
        ("16.1", "", "26"),
        ("16.0", "16.0", "26"),
        ("10.16", "12.6", "12.6"),
        ("10.16", "", None),
        ("10.15.7", "", "10.15.7"),
    ],
)
def test_what_old_programs_are_told_is_no_version(
    sysctl: str, sw_vers: str, version: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """10.16 stands for any macOS since 11 and 16.0 for 26; a source that tells the version itself comes first."""
    monkeypatch.setattr(macos, "outputs", lambda commands, *_: dict.fromkeys(commands, sw_vers))
    monkeypatch.setattr("platform.mac_ver", lambda: ("10.16", ("", "", ""), "x86_64"))
    assert macos._version({"kern.osproductversion": sysctl}) == version


def test_sw_vers_tells_the_version_where_sysctl_does_not(mac: Mac, answer: Answer) -> None:
    """The version has a second source."""
    facts, _, _ = answer({**mac("m4"), "MPSDOCTOR_TEST_WITHOUT": "kern.osproductversion"})
    assert facts["os_version"] == "26.3.1"


def test_a_replayed_mac_hides_the_kernel_beneath(
    mac: Callable[[str], dict[str, str]], answer: Callable[..., Any], tmp_path: Path
) -> None:
    """On a real Mac, whose kernel answers for itself, the fingerprint is still that of the replayed machine."""
    kernel = tmp_path / "kernel.c"
    kernel.write_text(
        "int sysctlbyname(const char *n, void *o, unsigned long *s, void *w, unsigned long l) { return 0; }"
    )
    library = tmp_path / "libkernel.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(kernel)], check=True)
    program = (
        "import ctypes, json; from mpsdoctor.runtime.fingerprint import fingerprint\n"
        "found = hasattr(ctypes.CDLL(None), 'sysctlbyname')\n"
        "print(json.dumps([found, fingerprint('2.13.0')]))"
    )
    found, told = answer({**mac("m2-pro"), "LD_PRELOAD": str(library)}, program)
    assert (found, told["chip"], told["os_version"]) == (False, "Apple M2 Pro", "26.5.1")
