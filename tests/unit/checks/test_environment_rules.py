"""The audit of PYTORCH_* variables: rules over facts."""

from __future__ import annotations

import pytest

from mpsdoctor.check import Finding
from mpsdoctor.support import FALLBACK
from mpsdoctor_checks import environment, variables
from mpsdoctor_checks.variables import HIGH, LOG, LOW, SIGNPOSTS


def codes(variables: dict[str, str], torch: str | None = "2.13.0", mps: bool | None = True) -> list[tuple[str, str]]:
    """Code and severity of every finding, the one about the unset fallback apart."""
    found = findings(variables, torch, mps)
    return [(finding.code, finding.severity) for finding in found if finding.code != "MPS607"]


def findings(variables: dict[str, str], torch: str | None = "2.13.0", mps: bool | None = True) -> list[Finding]:
    """What the rules make of these variables."""
    facts: environment.Facts = {
        "variables": variables,
        "python": {},
        "torch": torch,
        "mps_available": mps,
        "ends_import": {},
    }
    return [finding for rule in environment.RULES for finding in rule(facts)]


CASES: dict[str, tuple[dict[str, str], list[tuple[str, str]]]] = {
    "nothing set": ({}, []),
    "a known variable of CUDA": ({"PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True"}, []),
    "a misspelt one": ({"PYTORCH_MPS_HIGH_WATERMARK": "0.5"}, [("MPS601", "warning")]),
    "both watermarks lowered": ({HIGH: "0.9", LOW: "0.8"}, []),
    "both equal": ({HIGH: "0.7", LOW: "0.7"}, []),
    "the high one lowered alone": ({HIGH: "1.0"}, [("MPS603", "error")]),
    "the high one lowered a little": ({HIGH: "1.5"}, []),
    "the low one above the high one": ({HIGH: "0.8", LOW: "0.9"}, [("MPS603", "error")]),
    "the low one above the default": ({LOW: "1.9"}, [("MPS603", "error")]),
    "a watermark beyond 2": ({HIGH: "2.5"}, [("MPS603", "error")]),
    "a negative watermark": ({HIGH: "-1"}, [("MPS603", "error")]),
    "a watermark in words, which torch reads as 0": ({HIGH: "none"}, [("MPS604", "warning")]),
    "a decimal comma, which ends the number": ({HIGH: "0,8"}, [("MPS604", "warning")]),
    "a watermark in percent": ({HIGH: "80%"}, [("MPS603", "error")]),
    "a number with a tail": ({HIGH: "0.9x", LOW: " 0.8"}, []),
    "a watermark that is not a number": ({HIGH: "nan"}, [("MPS603", "error")]),
    "no limit": ({HIGH: "0.0"}, [("MPS604", "warning")]),
    "fallback on": ({FALLBACK: "1"}, [("MPS606", "info")]),
    "fallback off": ({FALLBACK: "0"}, []),
    "fallback off in words": ({FALLBACK: "false"}, [("MPS605", "warning")]),
    "fallback set to nothing": ({FALLBACK: ""}, [("MPS605", "warning")]),
    "logging": ({"PYTORCH_MPS_LOG_PROFILE_INFO": "31"}, [("MPS608", "warning")]),
    "logging of what does not exist": ({LOG: "1024"}, [("MPS610", "error")]),
    "logging below nothing": ({LOG: "-1"}, [("MPS610", "error")]),
    "signposts that do not exist": ({SIGNPOSTS: "0x40"}, [("MPS610", "error")]),
    "signposts": ({SIGNPOSTS: "0x30002"}, [("MPS608", "warning")]),
    "fast math": ({"PYTORCH_MPS_FAST_MATH": "1"}, [("MPS608", "warning")]),
    "fast math off": ({"PYTORCH_MPS_FAST_MATH": "0"}, []),
}


@pytest.mark.parametrize("case", CASES)
def test_each_setting_is_judged(case: str) -> None:
    """Unknown, contradictory and misleading settings have codes of their own; sensible ones have none."""
    variables, expected = CASES[case]
    assert codes(variables) == expected


def test_a_thousand_unknown_variables_are_not_a_thousand_findings() -> None:
    """The first ones have a finding each, the others one together, which names them."""
    names = [f"PYTORCH_NONSENSE_{number:04}" for number in range(1000)]
    found = [finding for finding in findings(dict.fromkeys(names, "1")) if finding.code == "MPS601"]
    assert len(found) == environment.MOST_UNKNOWN + 1
    assert found[-1].title == "no known torch reads 990 more variables"
    assert names[-1] in found[-1].detail


def test_a_variable_newer_than_this_torch_is_told() -> None:
    """PYTORCH_MPS_FAST_MATH came with torch 2.5, so torch 2.4 does not read it."""
    assert ("MPS602", "warning") in codes({"PYTORCH_MPS_FAST_MATH": "0"}, torch="2.4.1")
    assert codes({"PYTORCH_MPS_FAST_MATH": "0"}, torch="2.5.0") == []


@pytest.mark.parametrize("torch", [None, "unknown", "2", ""])
def test_an_unknown_torch_is_no_reason_to_guess(torch: str | None) -> None:
    """Without a version nothing is called too new."""
    assert codes({"PYTORCH_MPS_FAST_MATH": "0"}, torch=torch) == []


def test_watermarks_are_a_warning_where_mps_is_not_used() -> None:
    """A setting that breaks MPS only is no error on a machine without it."""
    assert codes({HIGH: "1.0"}, mps=False) == [("MPS603", "warning")]


# What the macOS wheels do: a number by std::stoi up to 2.7.1, the plain comparison with "0" from 2.8.0 on.
STATES = {
    "0": ("off", "off"),
    "1": ("on", "on"),
    "2": ("on", "on"),
    "-1": ("on", "on"),
    "00": ("off", "on"),
    " 0": ("off", "on"),
    "0abc": ("off", "on"),
    "1abc": ("on", "on"),
    "+1": ("on", "on"),
    "0x1": ("off", "on"),
    "": ("dies", "on"),
    " ": ("dies", "on"),
    "true": ("dies", "on"),
    "false": ("dies", "on"),
    "- 1": ("dies", "on"),
    "99999999999": ("dies", "on"),
}


@pytest.mark.parametrize("value", STATES)
def test_the_fallback_variable_is_read_by_the_rule_of_the_version(value: str) -> None:
    """Torch 2.0 to 2.7 parse a number and die of anything else; from 2.8 on only exactly 0 is off."""
    old, new = STATES[value]
    assert [variables.fallback(value, torch) for torch in ("2.0.1", "2.7.1+cpu")] == [old, old]
    assert [variables.fallback(value, torch) for torch in ("2.8.0", "2.15.0", "3.0", None)] == [new] * 4


@pytest.mark.parametrize("torch", ["2.2.2", "2.7.1"])
def test_an_old_torch_is_not_told_the_new_rule(torch: str) -> None:
    """00 is off there, and its finding says how it is read; 1abc is on; a value that ends the import is build's."""
    assert [finding.code for finding in findings({FALLBACK: "00"}, torch)] == ["MPS607"]
    assert "'00'" in findings({FALLBACK: "00"}, torch)[0].detail
    assert codes({FALLBACK: "1abc"}, torch) == [("MPS606", "info")]
    assert codes({FALLBACK: "true"}, torch) == []


def test_the_cause_of_a_refused_watermark_is_the_variable_that_is_set() -> None:
    """Lowering the high one alone is blamed on it, not on the low one that nobody set."""
    assert variables.refused({HIGH: "0.9"}).keys() == {HIGH}
    assert variables.refused({HIGH: "0.8", LOW: "0.9"}).keys() == {LOW}
