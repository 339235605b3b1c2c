"""Why MPS is not there, and what else a build can be wrong about: rules over facts."""

from __future__ import annotations

from typing import Any

import pytest

from mpsdoctor import support, versions
from mpsdoctor.facts.build import Build
from mpsdoctor_checks import build

TORCH = {"version": "2.13.0", "mps_built": True, "mps_available": False, "cuda_available": False, "error": None}
MAC = {"os": "Darwin", "os_version": "15.3", "arch": "arm64", "chip": "Apple M2 Pro", "translated": False}
PYTHON = {"version": "3.12.1", "executable": "python", "arch": "arm64"}


def facts(**changed: Any) -> Build:
    """Facts of a Mac on which MPS should be there, with some of them changed."""
    base: Any = {
        "python": PYTHON,
        "torch": TORCH,
        "machine": MAC,
        "devices": [{"device": "cpu", "name": None, "usable": True, "reason": None}],
        "offered": ["cpu"],
        "asked_for": None,
        "interpreter_error": None,
        "cuda_version": None,
        "ends_import": {},
        "refused": {},
    }
    whole: Any = {**base, **changed}
    changed_facts: Build = whole
    return changed_facts


def codes(given: Build) -> list[tuple[str, str]]:
    """Code and severity of every finding."""
    return [(finding.code, finding.severity) for rule in build.RULES for finding in rule(given)]


CASES: dict[str, tuple[Build, list[tuple[str, str]]]] = {
    "MPS is there": (facts(torch={**TORCH, "mps_available": True}), []),
    "no interpreter": (
        facts(interpreter_error="no such file", python={}, torch=None, machine={}, devices=[], offered=[]),
        [("MPS209", "error")],
    ),
    "no torch": (facts(torch=None, devices=[]), [("MPS201", "error")]),
    "torch fails to import": (
        facts(torch={**dict.fromkeys(TORCH), "error": "ImportError: damaged"}, devices=[]),
        [("MPS202", "error")],
    ),
    "built without MPS": (facts(torch={**TORCH, "mps_built": False}), [("MPS203", "warning")]),
    "an x86_64 Python under Rosetta": (
        facts(python={**PYTHON, "arch": "x86_64"}, machine={**MAC, "arch": "x86_64", "translated": True}),
        [("MPS204", "warning")],
    ),
    "an x86_64 Python examined from an arm64 one": (
        facts(python={**PYTHON, "arch": "x86_64"}),
        [("MPS204", "warning")],
    ),
    "an Intel Mac": (
        facts(
            python={**PYTHON, "arch": "x86_64"},
            machine={**MAC, "chip": "Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz", "arch": "x86_64"},
        ),
        [("MPS213", "info")],
    ),
    "macOS too old": (facts(machine={**MAC, "os_version": "13.6.1"}), [("MPS205", "warning")]),
    "macOS old enough for an older torch": (
        facts(machine={**MAC, "os_version": "13.6.1"}, torch={**TORCH, "version": "2.8.0"}),
        [("MPS206", "warning")],
    ),
    "macOS not known": (facts(machine={**MAC, "os_version": None}), [("MPS206", "warning")]),
    "available nowhere in sight": (facts(), [("MPS206", "warning")]),
    "not a Mac": (facts(machine={"os": "Linux"}, python={**PYTHON, "arch": "x86_64"}), [("MPS208", "info")]),
    "MPS is unusable": (
        facts(
            torch={**TORCH, "mps_available": True},
            devices=[{"device": "mps", "name": None, "usable": False, "reason": "error: RuntimeError: out of memory"}],
        ),
        [("MPS207", "warning")],
    ),
    "the CPU is unusable": (
        facts(
            machine={"os": "Linux"},
            devices=[{"device": "cpu", "name": None, "usable": False, "reason": "crash: SIGILL"}],
        ),
        [("MPS208", "info"), ("MPS207", "error")],
    ),
    "asked for what is not there": (
        facts(
            machine={"os": "Linux"},
            asked_for=["xpu"],
            devices=[{"device": "xpu", "name": None, "usable": False, "reason": "torch does not offer it here"}],
        ),
        [("MPS208", "info"), ("MPS212", "error")],
    ),
    "a CUDA build without CUDA": (
        facts(machine={"os": "Linux"}, cuda_version="13.0"),
        [("MPS208", "info"), ("MPS211", "info")],
    ),
}


UNUSABLE = {
    "device": "mps",
    "name": None,
    "usable": False,
    "reason": "error: RuntimeError: MPS backend out of memory (max allowed: 7.93 GB). Tried to allocate 256 bytes. Use"
    " PYTORCH_MPS_HIGH_WATERMARK_RATIO=0.0 to disable upper limit (may cause system failure)..",
}


def only(given: Build, code: str) -> Any:
    """The one finding with this code."""
    found = [finding for rule in build.RULES for finding in rule(given) if finding.code == code]
    assert len(found) == 1
    return found[0]


def words(finding: Any) -> str:
    """All that a person reads of a finding."""
    return " ".join([finding.title, finding.detail, finding.remedy.text, *finding.remedy.commands])


@pytest.mark.parametrize(
    ("changed", "told", "untold"),
    [
        ({"machine": {**MAC, "virtual_machine": True}}, "virtual Mac", "variable"),
        ({"refused": {"PYTORCH_MPS_HIGH_WATERMARK_RATIO": "too low"}}, "variable", "irtual Mac"),
        ({}, "restart", "irtual"),
    ],
)
def test_an_unusable_mps_is_explained_by_what_is_known(changed: dict[str, Any], told: str, untold: str) -> None:
    """A virtual machine and a refused variable are told apart, and neither is guessed; sentences end once."""
    given = facts(torch={**TORCH, "mps_available": True}, devices=[UNUSABLE], **changed)
    read = words(only(given, "MPS207"))
    assert told in read
    assert untold not in read
    assert "PYTORCH" not in read
    assert ".." not in read
    assert "7.93 GB). T" in read


def test_a_variable_that_ends_the_import_is_named_and_torch_is_not_reinstalled() -> None:
    """The remedy is to unset it, and the rule of torch 2.0 to 2.7 is told where it is the fallback variable."""
    given = facts(
        torch={**TORCH, "version": "2.7.1", "mps_available": True},
        ends_import={"PYTORCH_ENABLE_MPS_FALLBACK": "true"},
        import_error="mpsdoctor_worker.torch_facts:load did not end: killed by SIGABRT\nterminating due to stoi",
    )
    finding = only(given, "MPS202")
    assert finding.title == "torch 2.7.1 cannot be imported with PYTORCH_ENABLE_MPS_FALLBACK='true'"
    assert "SIGABRT" in finding.detail
    assert "whole number" in finding.detail
    assert finding.remedy.commands == ("unset PYTORCH_ENABLE_MPS_FALLBACK",)


@pytest.mark.parametrize(
    ("python", "commands"),
    [
        (PYTHON, ["python -m pip install torch"]),
        ({**PYTHON, "executable": "~/my env/bin/python"}, ["~/'my env/bin/python' -m pip install torch"]),
        ({**PYTHON, "pip": False}, ["uv pip install --python python torch", "python -m ensurepip"]),
        (
            {**PYTHON, "executable": "/opt/homebrew/bin/python3.13", "externally_managed": True},
            ["/opt/homebrew/bin/python3.13 -m venv .venv", ".venv/bin/python -m pip install torch"],
        ),
    ],
)
def test_a_remedy_names_the_examined_interpreter(python: dict[str, Any], commands: list[str]) -> None:
    """Its path is quoted, but for the home folder; without pip, or where pip refuses, another way is shown."""
    assert list(only(facts(python=python, torch=None, devices=[]), "MPS201").remedy.commands) == commands


def test_the_remedy_under_rosetta_works_beside_an_intel_homebrew() -> None:
    """`brew` alone may be the Intel one; the path of the interpreter may hold a space."""
    python = {**PYTHON, "arch": "x86_64", "executable": "/Users/Shared/my env/bin/python"}
    commands = only(facts(python=python), "MPS204").remedy.commands
    assert "file '/Users/Shared/my env/bin/python'" in commands
    assert "/opt/homebrew/bin/brew install python@3.13" in commands


@pytest.mark.parametrize("case", CASES)
def test_each_cause_has_its_code(case: str) -> None:
    """Every reason that a device is missing or unusable is told apart from the others."""
    given, expected = CASES[case]
    assert codes(given) == expected


@pytest.mark.parametrize(
    ("torch", "macos"),
    [("2.0.1", "12.3"), ("2.5.1", "12.3"), ("2.6.0", "13.0"), ("2.8.0", "13.0"), ("2.9.1", "14.0"), ("2.14.0", "14.0"),
     ("2.15.0a0+git1", "15.0"), ("3.0.0", "15.0"), ("1.13.1", None)],
)  # fmt: skip
def test_the_macos_that_a_torch_needs(torch: str, macos: str | None) -> None:
    """The bounds are those of the published macOS wheels."""
    assert support.macos_needed(torch) == macos


@pytest.mark.parametrize("text", ["", "two", "2", "2.x.1", None, "²", "99999999999999999999.1"])
def test_any_version_can_be_compared(text: str | None) -> None:
    """A version that is none is older than all others, and never an error."""
    assert all(number >= 0 for number in versions.numbers(text))
