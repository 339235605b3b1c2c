"""Reading what macOS's programs print: the published forms, and any other text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.machine import linux, mactext

PIECES = (
    "hw.nperflevels: 3",
    "hw.perflevel0.physicalcpu: 2",
    "hw.perflevel1.name: Efficiency",
    "hw.memsize: 8589934592",
    "vm.swapusage: total = 4096.00M  used = 2694.19M  free = 1401.81M  (encrypted)",
    "vm.loadavg: { 1.93 2.20 2.10 }",
    "machdep.cpu.brand_string: VirtualApple @ 2.50GHz processor",
    "Mach Virtual Memory Statistics: (page size of 16384 bytes)",
    "Pages free:                               39656.",
    '"Translation faults":                 593951200.',
    '      "gpu-core-count" = 19',
    '      "model" = "Apple M2 Pro"',
    " lowpowermode         1",
    "\tCPU_Speed_Limit \t= 28",
    "com.apple.system.thermalpressurelevel 0",
    "Now drawing from 'Battery Power'",
    '{"SPDisplaysDataType": [{"spdisplays_vendor": "sppci_vendor_Apple", "sppci_cores": 3}]}',
    "some avg10=0.00 avg60=0.00 avg300=0.00 total=0",
    "0::/user.slice",
    "ID=debian",
    "9" * 5000,
    "²٣",
)
texts = st.lists(st.one_of(st.sampled_from(PIECES), st.text()), max_size=12).map("\n".join)


@given(texts)
def test_no_text_is_too_strange_for_sysctl(text: str) -> None:
    """Whatever the keys and values are, facts come out or None does."""
    keys = mactext.settings(text)
    mactext.cores(keys)
    assert mactext.chip(keys, text) != ""
    assert mactext.translated(keys, "x86_64") in (True, False, None)
    assert mactext.virtual_machine(keys) in (True, False, None)
    assert (mactext.swap(keys, "used") or 0) >= 0
    assert (mactext.load(keys) or 0) >= 0


@given(texts)
def test_no_text_is_too_strange_for_the_others(text: str) -> None:
    """vm_stat, pmset, ioreg, notifyutil and system_profiler may print anything."""
    assert all(count >= 0 for count in mactext.pages(text).values())
    mactext.available(mactext.pages(text))
    assert mactext.low_power(text) in (True, False, None)
    assert mactext.on_battery(text) in (True, False, None)
    assert mactext.thermal_state(text, text) in (*mactext.STATES, None)
    assert (mactext.gpu_cores(text) or 0) >= 0
    assert len(mactext.displays(text)) == 2


@given(texts)
def test_no_text_is_too_strange_for_linux(text: str) -> None:
    """The files of Linux may hold anything."""
    assert linux.chip(text) != ""
    assert linux.version(text) != ""
    assert linux.pressure(text) in ("normal", "warning", "critical", None)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda part: (
            st.lists(part)
            | st.dictionaries(st.sampled_from(["SPDisplaysDataType", "spdisplays_vendor", "sppci_cores"]), part)
        ),
    )
)
def test_no_json_is_too_strange_for_the_displays(value: object) -> None:
    """JSON of another shape names no chip."""
    name, cores = mactext.displays(json.dumps(value))
    assert (name, cores) == (None, None)


@pytest.mark.parametrize(
    ("lines", "cores"),
    [
        ({"hw.perflevel0.physicalcpu": "4", "hw.perflevel1.physicalcpu": "4"}, (4, 4)),
        ({"hw.nperflevels": "1", "hw.perflevel0.physicalcpu": "3"}, (3, 0)),
        (
            {
                "hw.nperflevels": "2",
                "hw.perflevel0.name": "Super",
                "hw.perflevel0.physicalcpu": "6",
                "hw.perflevel1.name": "Performance",
                "hw.perflevel1.physicalcpu": "12",
            },
            (18, 0),
        ),
        (
            {
                "hw.nperflevels": "2",
                "hw.perflevel0.name": "Performance",
                "hw.perflevel0.physicalcpu": "8",
                "hw.perflevel1.physicalcpu": "4",
            },
            (None, None),
        ),
        ({"hw.physicalcpu": "8"}, (None, None)),
        ({"hw.physicalcpu": "8", "machdep.cpu.brand_string": "Apple M9"}, (None, None)),
        ({"hw.physicalcpu": "8", "machdep.cpu.brand_string": "Genuine", "hw.optional.arm64": "1"}, (None, None)),
        ({"hw.physicalcpu": "12", "machdep.cpu.brand_string": "12th Gen Intel(R) Core(TM) i7-12700K"}, (12, 0)),
        ({"hw.physicalcpu": "16", "machdep.cpu.brand_string": "AMD Ryzen 9 5950X 16-Core Processor"}, (16, 0)),
    ],
)
def test_cores_are_counted_by_the_names_of_their_levels(
    lines: dict[str, str], cores: tuple[int | None, int | None]
) -> None:
    """Only cores named Efficiency are efficiency cores; where a name is missing nothing is claimed."""
    assert mactext.cores(lines) == cores


UNNAMED = {"hw.nperflevels": "2", "hw.perflevel0.physicalcpu": "4", "hw.perflevel0.name": "Performance"}


@pytest.mark.parametrize(
    ("lines", "levels"),
    [
        (
            {
                "hw.perflevel0.name": "Super",
                "hw.perflevel0.physicalcpu": "6",
                "hw.perflevel1.name": "Performance",
                "hw.perflevel1.physicalcpu": "12",
            },
            [{"name": "Super", "count": 6}, {"name": "Performance", "count": 12}],
        ),
        ({**UNNAMED, "hw.perflevel1.name": "Efficiency"}, None),
        ({**UNNAMED, "hw.perflevel1.physicalcpu": "4"}, None),
        ({"hw.physicalcpu": "8", "machdep.cpu.brand_string": "Intel(R) Core(TM) i9"}, None),
    ],
)
def test_kinds_of_cores_have_the_names_that_the_system_gives_them(
    lines: dict[str, str], levels: list[dict[str, object]] | None
) -> None:
    """Fastest first; where a name or a count of one kind is missing none is told."""
    assert mactext.core_levels(lines) == levels


@pytest.mark.parametrize(
    ("level", "therm", "state"),
    [
        ("com.apple.system.thermalpressurelevel 0\n", "", "nominal"),
        ("com.apple.system.thermalpressurelevel 1\n", "", "fair"),
        ("com.apple.system.thermalpressurelevel 3\n", "", "critical"),
        ("", "\tCPU_Speed_Limit \t= 100\n", "nominal"),
        ("com.apple.system.thermalpressurelevel 0\n", "\tCPU_Speed_Limit \t= 90\n", "fair"),
        ("com.apple.system.thermalpressurelevel 0\n", " CPU_Speed_Limit         65\n", "serious"),
        ("", "Note: No thermal warning level has been recorded\n", None),
        ("", "", None),
    ],
)
def test_the_thermal_state_is_the_worse_of_both_sources(level: str, therm: str, state: str | None) -> None:
    """pmset's notes on Apple silicon say nothing, so they count for nothing."""
    assert mactext.thermal_state(level, therm) == state


@pytest.mark.parametrize(
    ("text", "low"),
    [
        (" powermode            1\n", True),
        (" powermode            2\n", False),
        (" lowpowermode         0\n", False),
        (" sleep 1\n", None),
    ],
)
def test_low_power_has_two_names(text: str, low: bool | None) -> None:
    """Macs with a high power mode print `powermode` instead of `lowpowermode`."""
    assert mactext.low_power(text) is low


@pytest.mark.parametrize(("source", "battery"), [("AC", False), ("Battery", True), ("UPS", True), ("Solar", None)])
def test_the_power_source(source: str, battery: bool | None) -> None:
    """A battery behind the socket counts as a battery."""
    assert mactext.on_battery(f"Now drawing from '{source} Power'\n") is battery


@pytest.mark.parametrize(("hypervisor", "model"), [("1", "Mac14,12"), ("0", "VMware20,1"), ("", "VirtualMac2,1")])
def test_a_hypervisor_shows_in_several_places(hypervisor: str, model: str) -> None:
    """One sign is enough."""
    assert mactext.virtual_machine({"kern.hv_vmm_present": hypervisor, "hw.model": model}) is True


@pytest.mark.parametrize(
    ("keys", "arch", "translated"),
    [
        ({"sysctl.proc_translated": "1"}, "x86_64", True),
        ({"hw.optional.arm64": "1"}, "x86_64", True),
        ({"machdep.cpu.brand_string": "VirtualApple @ 2.50GHz processor"}, "x86_64", True),
        ({"machdep.cpu.brand_string": "Apple M1"}, "x86_64", True),
        ({"machdep.cpu.brand_string": "Intel(R) Core(TM) i9"}, "x86_64", False),
        ({"hw.optional.arm64": "1"}, "arm64", False),
        ({}, "x86_64", None),
    ],
)
def test_rosetta_shows_in_several_places(keys: dict[str, str], arch: str, translated: bool | None) -> None:
    """Any sign of an Apple chip under an x86_64 Python is enough; without any sign it is unknown."""
    assert mactext.translated(keys, arch) is translated
