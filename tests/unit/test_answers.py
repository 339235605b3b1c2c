"""The answer in its first lines: which device, how sure, and what to do. docs/answers.md has them as they are shown."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from helpers import rows
from mpsdoctor import texts
from mpsdoctor.facts.operators import OperatorRow
from mpsdoctor.facts.training import TimedFacts
from mpsdoctor.formats import Style
from mpsdoctor.formats.text import verdict as first_lines
from mpsdoctor.report import Device, Forced, Machine, ProfileNote, Python, Report, Tool, Torch
from mpsdoctor.texts import Each, Part
from mpsdoctor.verdict import judge_checkup
from mpsdoctor_checks.operators.results import facts_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "answers.md"
FASTER = {"mlp": 1.4, "lstm": 1.8, "transformer": 2.3, "cnn": 4.1}
SLOWER = {"mlp": 0.32, "lstm": 0.33, "transformer": 0.71, "cnn": 0.52}
CHROME = Each("program_took", [{"name": "Google Chrome", "percent": 96.0}], "and")
BUSY = [Part("busy_before", {"who": CHROME, "percent": 24.0})]


def timed(speedups: Mapping[str, float], spread: float = 0.03, **more: Any) -> TimedFacts:
    """Families that were timed on both devices, with their speed-ups."""
    results = [rows.result(device, family) for family in speedups for device in ("cpu", "mps")]
    compared = [
        rows.comparison(speed, (speed * (1 - spread), speed * (1 + spread)), "mps", family)
        for family, speed in speedups.items()
    ]
    facts: Any = {"results": results, "comparisons": compared, "runs": [], "conditions": {}, "alone": True, **more}
    return cast(TimedFacts, facts)


def probed(*wrong: str, core: str | None = None) -> dict[str, Any]:
    """Facts of operators: these are wrong on mps, and this one that every training needs."""
    right = {"op": "aten::mm", "device": "mps", "dtype": "float32", "outcome": "ok"}
    found = [cast(OperatorRow, {**right, "op": f"aten::{op}", "outcome": "wrong"}) for op in wrong]
    failed = {"op": f"aten::{core}", "entry": core, "dtype": "float32", "variant": "contiguous", "outcome": "wrong"}
    return {
        **facts_of([]),
        "results": [right, *found],
        "core_failures": {"mps": [{**failed, "direction": "forward", "detail": ""}] if core else []},
    }


def devices(*names: str, unusable: str | None = None) -> list[dict[str, Any]]:
    known = [Device(name, None, True, None) for name in names]
    known += [Device("mps", None, False, unusable)] if unusable else []
    return cast("list[dict[str, Any]]", msgspec.to_builtins(known))


MAC, INTEL = (
    {"os": "Darwin", "arch": "arm64", "chip": "Apple M1"},
    {"os": "Darwin", "arch": "x86_64", "chip": "Intel i9"},
)
VIRTUAL = "MPS gives out no memory: a virtual Mac has no GPU of its own"
CASES: dict[str, dict[str, Any]] = {
    "MPS is faster": {"training": timed(FASTER)},
    "MPS is slower": {"training": timed(SLOWER)},
    "MPS is faster, and wrong at what every training needs": {
        "training": timed(FASTER),
        "operators": probed(core="softmax"),
    },
    "MPS is faster, and wrong at an operator that some use": {
        "training": timed(FASTER),
        "operators": probed("cumsum", "grid_sampler_3d"),
    },
    "Forced to MPS, which is slower": {
        "training": timed(SLOWER),
        "forced": Forced("2.13.0", "cpu", 0.44, (0.42, 0.46)),
    },
    "Not settled": {"training": timed(dict.fromkeys(FASTER, 1.1), 0.3)},
    "Measured while another program was busy": {
        "training": timed(
            SLOWER, disturbances=[str(part) for part in BUSY], disturbances_values=list(map(texts.as_data, BUSY))
        )
    },
    "A virtual Mac": {"devices": devices("cpu", unusable=VIRTUAL), "training": timed({})},
    "A Python that Rosetta translates": {
        "devices": devices("cpu", unusable="this torch is for x86_64"),
        "python": {"arch": "x86_64"},
        "training": timed({}),
    },
    "An Intel Mac, nothing timed": {"chip": INTEL},
    "No accelerator": {"devices": devices("cpu"), "training": {**timed({}), "results": [rows.result("cpu", "mlp")]}},
}


def answer(case: Mapping[str, Any]) -> str:
    """What the text report and the terminal after the screen begin with."""
    build = {"devices": case.get("devices") or devices("cpu", "mps"), "python": case.get("python", {"arch": "arm64"})}
    facts = {"build": build, "chip": case.get("chip", MAC), "operators": case.get("operators") or probed()}
    verdict = judge_checkup({**facts, **({"training": case["training"]} if "training" in case else {})})
    note = ProfileNote("~/profile.json", True, case.get("forced"))
    tool, moment = Tool("mpsdoctor", "1.0"), "2026-01-01T00:00:00Z"
    report = Report(tool, moment, 50.0, "standard", Machine(), Python(), Torch("2.13.0"), (), (), verdict, note)
    return "\n".join(first_lines(report, Style(), lambda line, colour: line))


@pytest.mark.parametrize("name", CASES)
def test_five_seconds_are_enough(name: str) -> None:
    """The lines fit a terminal and say which device, how sure, and, where that is not high, why and what to do."""
    said = answer(CASES[name])
    lines, whole = said.splitlines(), " ".join(said.split())
    assert len(lines) <= 8
    assert max(map(len, lines)) <= 80
    device, sure = re.search(r"Train on (the CPU|mps):.* · (high|medium|low) confidence", whole).groups()  # type: ignore[union-attr]
    assert device == ("mps" if name.startswith("MPS is faster") and "every" not in name else "the CPU")
    assert sure == "high" or f"why only {sure}: " in whole
    assert sure == "high" or "What helps: " in whole
    assert not re.search(r"\de[+-]?\d", whole)
    assert whole.startswith("forced to mps, measured: ") == ("Forced" in name)


def test_the_page_of_answers_is_as_they_are_shown() -> None:
    """docs/answers.md, which a person reads to see whether five seconds are enough."""
    parts = [f"## {name}\n\n```text\n{answer(case)}\n```\n" for name, case in CASES.items()]
    intro = (
        "# The answer, case by case\n\nThe first lines of a report, of the terminal after the screen, and of its"
        " Overview: which device, how sure, and what\nto do. The figures are examples; no Mac was measured for them.\n"
    )
    page = "\n".join([intro, *parts])
    if os.environ.get("MPSDOCTOR_GOLDEN") == "write":  # on purpose: look at the difference
        PAGE.write_text(page)
    assert page == PAGE.read_text()
