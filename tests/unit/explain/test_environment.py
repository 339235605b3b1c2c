"""What a text says of the machine: read in any order and incomplete; unknown is None, never a guess."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mpsdoctor.explain.engine import diagnose
from mpsdoctor.explain.environment import Environment, read_environment
from mpsdoctor.explain.lines import split

RECORDED = [json.loads(line) for line in (Path(__file__).parent / "environments.jsonl").read_text("utf-8").splitlines()]


def read(text: str) -> Environment:
    return read_environment(split(text))


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["source"][-14:].replace("/", "-"))
def test_every_fact_is_right_or_unknown(recorded: dict[str, Any]) -> None:
    """Of recorded environments nothing is read wrongly; what the excerpt does not hold is None."""
    found, facts = read(recorded["text"]), recorded["facts"]
    for name in ("torch", "macos", "arch", "python"):
        assert getattr(found, name) in (None, facts[name]), name
    assert found.chip is None or found.chip in (facts["chip"] or "")
    for name in ("mps_built", "mps_available"):
        assert getattr(found, name) in (None, facts[name]), name


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["source"][-14:].replace("/", "-"))
def test_the_order_of_lines_does_not_matter(recorded: dict[str, Any]) -> None:
    """A list that is read backwards has the same facts."""
    lines = recorded["text"].split("\n")
    if not any(line.startswith((">>>", "In [")) for line in lines):
        assert read("\n".join(reversed(lines))) == read(recorded["text"])


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("torch==2.7.1\nnumpy==1.26.4\ntorchvision==0.22.1", {"torch": "2.7.1"}),
        ("torch                     2.8.0\ntorchvision               0.23.0", {"torch": "2.8.0"}),
        ("pytorch                   2.1.0                   py3.11_0    pytorch", {"torch": "2.1.0"}),
        ("ProductName:\t\tmacOS\nProductVersion:\t\t15.6.1\nBuildVersion:\t\t24G90", {"macos": "15.6.1"}),
        ("System Version: macOS 14.4.1 (23E224)\nChip: Apple M1 Pro", {"macos": "14.4.1", "chip": "M1 Pro"}),
        ("Systemversion: macOS 14,5\nChip: Apple M2", {"macos": "14.5", "chip": "M2"}),
        ("- Platform: macOS-16.0-arm64-arm-64bit\n- PyTorch version: 2.9.0", {"macos": "26", "arch": "arm64"}),
        ("Python platform: macOS-10.16-x86_64-i386-64bit", {"macos": None, "arch": "x86_64"}),
        ("Darwin Kernel Version 24.3.0", {"macos": "15"}),
        ("- `Accelerate` version: 1.2.1\n- Platform: macOS-15.1-arm64-arm-64bit\n- PyTorch version (GPU?): 2.5.1 (NA)",
         {"torch": "2.5.1", "macos": "15.1"}),
        (">>> torch.backends.mps.is_available()\nFalse\n>>> torch.backends.mps.is_built()\nTrue",
         {"mps_available": False, "mps_built": True}),
        ("print(torch.backends.mps.is_available())\nTrue", {"mps_available": True}),
        ("pip install torch==2.3.0", {"torch": None}),
        ("It works with torch 2.2 and fails with torch 2.3.", {"torch": None}),
        ("The MPS backend is supported on MacOS 13.0+.", {"macos": None}),
        ("fixed in torch 2.9, needs macOS 14", {"torch": None, "macos": None}),
        ("OS: Ubuntu 22.04.3 LTS (x86_64)\nPyTorch version: 2.1.0+cu121",
         {"macos": None, "mps_available": False, "arch": "x86_64"}),
        ("M2_Encoder on Windows", {"chip": None, "macos": None}),
    ],
)  # fmt: skip
def test_each_form_of_list_is_read(text: str, facts: dict[str, Any]) -> None:
    """collect_env, transformers, accelerate, pip, conda, sw_vers, system_profiler, a prompt, and what only looks so."""
    found = read(text)
    assert {name: getattr(found, name) for name in facts} == facts


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("PyTorch version: 2.9.1\nOS: macOS 13.6 (arm64)\nMPS available: False", "macos_too_old"),
        ("OS: macOS 15.3 (x86_64)\nCPU:\nApple M2 Pro\nPyTorch version: 2.2.2", "rosetta_x86_python"),
        ("torch: 2.9.1\nmacOS 26.1, arm64\nMPS built: True\nMPS available: False", "mps_device_not_visible"),
        ("torch: 2.9.1\nmacOS 15.1\nMPS built: False", "torch_without_mps"),
    ],
)
def test_an_environment_alone_tells_what_is_wrong_with_it(text: str, cause: str) -> None:
    """Facts that contradict a working MPS are a cause."""
    assert [found.name for found in diagnose(split(text)).causes][:1] == [cause]


def test_a_fine_environment_has_no_cause() -> None:
    """Nothing is wrong with it."""
    text = "PyTorch version: 2.9.1\nOS: macOS 15.6 (arm64)\nCPU:\nApple M3\nMPS available: True"
    assert diagnose(split(text)).causes == ()
