"""The audit of PYTORCH_* variables: rules over facts."""

from __future__ import annotations

from typing import Any

import pytest

from mpsdoctor_checks import environment
from mpsdoctor_checks.environment import FALLBACK, HIGH, LOW


def codes(variables: dict[str, str], torch: str | None = "2.13.0", mps: bool | None = True) -> list[tuple[str, str]]:
    """Code and severity of every finding, the one about the unset fallback apart."""
    facts: dict[str, Any] = {"variables": variables, "torch": torch, "mps_available": mps}
    found = [finding for rule in environment.RULES for finding in rule(facts)]
    return [(finding.code, finding.severity) for finding in found if finding.code != "MPS607"]


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
    "a watermark in words": ({HIGH: "none"}, [("MPS603", "error")]),
    "a watermark that is not a number": ({HIGH: "nan"}, [("MPS603", "error")]),
    "no limit": ({HIGH: "0.0"}, [("MPS604", "warning")]),
    "fallback on": ({FALLBACK: "1"}, [("MPS606", "info")]),
    "fallback off": ({FALLBACK: "0"}, []),
    "fallback off in words": ({FALLBACK: "false"}, [("MPS605", "warning")]),
    "fallback set to nothing": ({FALLBACK: ""}, [("MPS605", "warning")]),
    "logging": ({"PYTORCH_MPS_LOG_PROFILE_INFO": "31"}, [("MPS608", "warning")]),
    "fast math": ({"PYTORCH_MPS_FAST_MATH": "1"}, [("MPS608", "warning")]),
    "fast math off": ({"PYTORCH_MPS_FAST_MATH": "0"}, []),
}


@pytest.mark.parametrize("case", CASES)
def test_each_setting_is_judged(case: str) -> None:
    """Unknown, contradictory and misleading settings have codes of their own; sensible ones have none."""
    variables, expected = CASES[case]
    assert codes(variables) == expected


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
