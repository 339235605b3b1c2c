"""What the chip's facts mean for training."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from mpsdoctor.facts.build import PythonFacts
from mpsdoctor.machine import MachineFacts
from mpsdoctor.report import Finding
from mpsdoctor_checks import chip, installing

BLANK: Any = dict.fromkeys(MachineFacts.__annotations__)
UNKNOWN: MachineFacts = BLANK
NATIVE: MachineFacts = {
    **UNKNOWN,
    "os": "Darwin",
    "os_version": "26.5.1",
    "arch": "arm64",
    "chip": "Apple M2 Pro",
    "model": "Mac14,12",
    "translated": False,
    "virtual_machine": False,
    "low_power": False,
    "thermal_state": "nominal",
}
LINUX: MachineFacts = {**UNKNOWN, "os": "Linux", "os_version": "debian 12", "arch": "x86_64", "virtual_machine": True}
PYTHON: PythonFacts = {"executable": "~/my env/bin/python", "pip": True, "externally_managed": False}
TO_THE_CPU_TOO = {"MPS101", "MPS105", "MPS106"}


def judged(facts: MachineFacts) -> list[Finding]:
    intel = [chip.intel_mac(facts, PYTHON)] if chip.is_intel_mac(facts) else []
    return [*(finding for rule in chip.RULES for finding in rule(facts)), *intel]


def codes(facts: MachineFacts) -> dict[str, str]:
    return {finding.code: finding.severity for finding in judged(facts)}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (NATIVE, {}),
        (LINUX, {}),
        (UNKNOWN, {}),
        ({**NATIVE, "arch": "x86_64", "translated": True}, {"MPS101": "error"}),
        ({**NATIVE, "virtual_machine": True}, {"MPS102": "warning"}),
        ({**NATIVE, "arch": "x86_64"}, {"MPS103": "warning"}),
        ({**NATIVE, "arch": "x86_64", "os_version": "12.1"}, {"MPS103": "warning"}),
        ({**NATIVE, "low_power": True}, {"MPS105": "warning"}),
        ({**NATIVE, "thermal_state": "fair"}, {"MPS106": "info"}),
        ({**NATIVE, "thermal_state": "critical"}, {"MPS106": "warning"}),
        ({**NATIVE, "thermal_state": None}, {}),
        ({**NATIVE, "chip": None}, {"MPS107": "info"}),
    ],
)
def test_what_is_found(facts: MachineFacts, expected: dict[str, str]) -> None:
    """Each oddity has its own code; a healthy Mac, another system and an unknown machine have none."""
    assert codes(facts) == expected


@pytest.mark.parametrize(
    ("version", "severity", "says"),
    [
        ("11.0.1", "warning", "no torch can use MPS"),
        ("12.2.1", "warning", "no torch can use MPS"),
        ("12.3", "warning", "torch 2.5 and older"),
        ("13.6", "warning", "torch 2.8 and older"),
        ("14.7.5", "info", "torch 2.14 and older"),
        ("15.0", None, None),
        ("26", None, None),
        ("27.0.1", None, None),
        ("unheard of", None, None),
        (None, None, None),
    ],
)
def test_macos_limits_torch(version: str | None, severity: str | None, says: str | None) -> None:
    """The newest torch whose MPS runs follows from the macOS; an unreadable version limits nothing."""
    found = judged({**NATIVE, "os_version": version})
    assert [(finding.code, finding.severity) for finding in found] == ([("MPS104", severity)] if severity else [])
    assert all(says and says in finding.title for finding in found)


def everything() -> list[Finding]:
    odd: MachineFacts = {**NATIVE, "virtual_machine": True, "low_power": True, "thermal_state": "serious"}
    return [
        *judged({**odd, "chip": None, "os_version": "13.0"}),
        *judged({**NATIVE, "arch": "x86_64"}),
        *judged({**NATIVE, "arch": "x86_64", "translated": True}),
    ]


def test_every_finding_says_what_to_do_and_whom_it_concerns() -> None:
    """A remedy is there, and those who train on the CPU learn whether they may ignore the finding."""
    found = everything()
    assert {finding.code for finding in found} == {f"MPS10{digit}" for digit in range(1, 8)}
    for finding in found:
        assert finding.remedy is not None
        assert finding.remedy.text.endswith(".")
        assert ("CPU" in finding.detail) or ("not affected" in finding.detail)
        assert (str(chip.IGNORE) in finding.detail) != (finding.code in TO_THE_CPU_TOO | {"MPS103", "MPS107"})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("m2-pro", set()),
        ("m3-max", set()),
        ("m1", {"MPS104", "MPS105", "MPS106"}),
        ("m4", {"MPS106"}),
        ("intel", {"MPS103", "MPS106"}),
        ("rosetta", {"MPS101", "MPS104"}),
        ("rosetta-m3-max", {"MPS101"}),
        ("virtual", {"MPS102"}),
        ("m1-pressure", set()),
        ("m5-pro", set()),
    ],
)
def test_on_real_macs(
    name: str, expected: set[str], mac: Callable[[str], dict[str, str]], answer: Callable[..., Any]
) -> None:
    """From the Mac's programs to the codes."""
    facts, _, _ = answer(mac(name))
    assert set(codes(facts)) == expected


@pytest.mark.parametrize(
    ("python", "commands"),
    [
        (PYTHON, ("~/'my env/bin/python' -m pip install 'torch==2.2.*'",)),
        (
            {**PYTHON, "pip": False},
            (
                "uv pip install --python ~/'my env/bin/python' 'torch==2.2.*'",
                "~/'my env/bin/python' -m ensurepip",
            ),
        ),
        (
            {"executable": "/usr/local/bin/python3", "externally_managed": True},
            ("/usr/local/bin/python3 -m venv .venv", ".venv/bin/python -m pip install 'torch==2.2.*'"),
        ),
    ],
)
def test_an_intel_mac_gets_commands_for_the_examined_python(python: PythonFacts, commands: tuple[str, ...]) -> None:
    """They name the interpreter, quoted, and fit an environment without pip and a Python that takes no packages."""
    remedy = chip.intel_mac(NATIVE, python).remedy
    assert remedy is not None
    assert remedy.commands == commands


def test_rosetta_is_left_by_the_ways_that_the_build_check_names() -> None:
    """Both checks tell of the same trouble, so they give the same commands."""
    [finding] = chip.rosetta({**NATIVE, "arch": "x86_64", "translated": True})
    assert finding.remedy is not None
    assert finding.remedy.commands == installing.ARM64_PYTHON


def test_facts_come_before_findings() -> None:
    """The check yields this machine's facts, then what its rules find in them."""
    context: Any = SimpleNamespace(budget="quick")
    facts, *found = chip.run(context)
    assert isinstance(facts, dict)
    assert tuple(facts) == tuple(MachineFacts.__annotations__)
    assert all(isinstance(finding, Finding) for finding in found)
