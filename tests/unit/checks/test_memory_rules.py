"""What the memory's facts mean for training."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from mpsdoctor.machine import MemoryFacts
from mpsdoctor.report import Finding
from mpsdoctor_checks import memory

GIB, MIB = 1 << 30, 1 << 20
BLANK: Any = dict.fromkeys((*MemoryFacts.__annotations__, "swapped_in_per_s", "swapped_out_per_s"))
UNKNOWN: memory.Facts = BLANK
MAC: memory.Facts = {
    **UNKNOWN,
    "total_bytes": 16 * GIB,
    "available_bytes": 6 * GIB,
    "free_percent": 60,
    "swap_total_bytes": GIB,
    "swap_used_bytes": GIB // 2,
    "swapped_in_per_s": 0,
    "swapped_out_per_s": 0,
    "compressed_bytes": GIB,
    "pressure": "normal",
    "wired_limit_bytes": 0,
}
UNTOLD = {"swapped_in_per_s": None, "swapped_out_per_s": None}
LINUX: memory.Facts = {**UNKNOWN, "total_bytes": 64 * GIB, "available_bytes": 40 * GIB, "swap_used_bytes": 0}


# From a Mac's programs to the facts.
LOOK = """
import json
from types import SimpleNamespace
from mpsdoctor_checks import memory
facts, *found = memory.run(SimpleNamespace(budget="quick"))
print(json.dumps([facts, [each.code for each in found]]))
"""


def codes(facts: memory.Facts) -> dict[str, str]:
    return {finding.code: finding.severity for rule in memory.RULES for finding in rule(facts)}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (MAC, {}),
        (LINUX, {}),
        (UNKNOWN, {}),
        ({**MAC, "pressure": "warning"}, {"MPS401": "info"}),
        ({**MAC, "pressure": "warning", "free_percent": 40}, {"MPS401": "info"}),
        ({**MAC, "pressure": "warning", "free_percent": 10}, {"MPS401": "warning"}),
        ({**MAC, "pressure": "warning", "compressed_bytes": 7 * GIB}, {"MPS401": "warning"}),
        ({**MAC, "pressure": "warning", "swapped_in_per_s": 40 * MIB}, {"MPS401": "warning", "MPS402": "warning"}),
        ({**MAC, "pressure": "warning", **UNTOLD}, {"MPS401": "warning"}),
        ({**MAC, "pressure": "critical"}, {"MPS401": "warning"}),
        ({**MAC, "swap_used_bytes": 4 * GIB}, {"MPS402": "info"}),
        ({**MAC, "swap_used_bytes": 8 * GIB}, {"MPS402": "info"}),
        ({**MAC, "swap_used_bytes": 40 * GIB, "swapped_out_per_s": MIB}, {"MPS402": "info"}),
        ({**MAC, "swap_used_bytes": 40 * GIB, "compressed_bytes": 7 * GIB}, {"MPS402": "warning"}),
        ({**MAC, "swap_used_bytes": 4 * GIB, **UNTOLD}, {"MPS402": "info"}),
        ({**MAC, "swap_used_bytes": 8 * GIB, **UNTOLD}, {"MPS402": "warning"}),
        ({**MAC, "swapped_in_per_s": 3 * MIB, "swapped_out_per_s": 3 * MIB}, {"MPS402": "warning"}),
        ({**LINUX, "swap_used_bytes": 40 * GIB, "swapped_in_per_s": 0, "swapped_out_per_s": 0}, {"MPS402": "info"}),
        ({**LINUX, "pressure": "warning"}, {"MPS401": "warning"}),
        ({**MAC, "available_bytes": GIB // 4}, {}),
        ({**MAC, "available_bytes": GIB // 4, "free_percent": 10}, {"MPS403": "warning"}),
        ({**MAC, "available_bytes": GIB // 4, "compressed_bytes": 7 * GIB}, {"MPS403": "warning"}),
        ({**LINUX, "available_bytes": 3 * GIB}, {"MPS403": "info"}),
        ({**LINUX, "total_bytes": 8 * GIB, "available_bytes": 3 * GIB // 2}, {"MPS403": "info"}),
        ({**LINUX, "limit_bytes": 32 * GIB}, {"MPS404": "info"}),
        ({**LINUX, "limit_bytes": GIB // 2}, {"MPS403": "warning", "MPS404": "info"}),
        ({**MAC, "wired_limit_bytes": 12 * GIB}, {"MPS405": "info"}),
        ({**MAC, "wired_limit_bytes": 15 * GIB}, {"MPS405": "warning"}),
    ],
)
def test_what_is_found(facts: memory.Facts, expected: dict[str, str]) -> None:
    """Pressure, heavy swap, little memory, a container's limit and a changed GPU limit have a code each.

    What is swapped now outweighs the level and what was swapped before. macOS with enough by its own count is left
    alone however few bytes are free, and the unknown is no finding.
    """
    assert codes(facts) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("m1", {"MPS401", "MPS402", "MPS403"}),
        ("m2-pro", set()),
        ("m3-max", {"MPS405"}),
        ("m4", {"MPS401", "MPS402"}),
        ("m1-pressure", {"MPS401", "MPS402", "MPS403"}),
        ("m5-pro", set()),
        ("intel", set()),
        ("virtual", set()),
    ],
)
def test_on_real_macs(
    name: str, expected: set[str], mac: Callable[[str], dict[str, str]], answer: Callable[..., Any]
) -> None:
    """From the Mac's programs to the codes."""
    facts, _ = answer(mac(name), LOOK)
    assert set(codes(facts)) == expected


def test_a_mac_that_swaps_is_told_from_one_that_swapped(
    mac: Callable[[str], dict[str, str]], answer: Callable[..., Any]
) -> None:
    """Between two looks the counters of one grow and those of the other stand still."""
    swaps, _ = answer(mac("m1-pressure"), LOOK)
    assert swaps["swapped_in_per_s"] == pytest.approx(3104 * 16384, rel=0.3)
    [finding] = memory.swap(swaps)
    assert re.fullmatch(r"6\.9 GiB are swapped out, and 1\d\d MiB a second go in and out now", finding.title)
    assert "waits for the disk" in finding.detail
    still, _ = answer(mac("m1"), LOOK)
    assert (still["swapped_in_per_s"], still["swapped_out_per_s"]) == (0, 0)
    [finding] = memory.swap(still)
    assert "idle programs" in finding.detail


def test_figures_are_in_the_title() -> None:
    """The title of a finding says how much, and no share of a swap that macOS makes as it needs it."""
    [finding] = memory.swap({**MAC, "swap_used_bytes": 8 * GIB})
    assert finding.title == "8.0 GiB are swapped out"


def test_every_finding_says_what_to_do() -> None:
    """A remedy ends the finding, and the person who trains on the CPU is spoken to."""
    facts: memory.Facts = {
        **MAC,
        "pressure": "critical",
        "free_percent": 5,
        "swap_used_bytes": 9 * GIB,
        "available_bytes": GIB // 2,
        "limit_bytes": 4 * GIB,
        "wired_limit_bytes": 15 * GIB,
    }
    found = [finding for rule in memory.RULES for finding in rule(facts)]
    assert [finding.code for finding in found] == [f"MPS40{digit}" for digit in range(1, 6)]
    assert all(finding.remedy and finding.remedy.text.endswith(".") for finding in found)


def test_facts_come_before_findings() -> None:
    """The check yields this machine's facts, then what its rules find in them."""
    context: Any = SimpleNamespace(budget="quick")
    facts, *found = memory.run(context)
    assert isinstance(facts, dict)
    assert tuple(facts) == tuple(UNKNOWN)
    assert all(isinstance(finding, Finding) for finding in found)
