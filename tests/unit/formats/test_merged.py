"""A report of many machines in each format."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from helpers.check_ups import recorded
from helpers.machines_of import machine, report
from mpsdoctor import texts
from mpsdoctor.formats import Style, merged
from mpsdoctor.merging import merge
from mpsdoctor.merging.shapes import Collective, FleetMachine, FleetReport, Reach
from mpsdoctor.texts import Part, as_values

RECORDED = Path(__file__).parents[1] / "recorded"
ENDINGS = {"text": "txt", "markdown": "md", "html": "html"}
EVIL = "</td><script>alert(1)</script> | **x** @someone ##[error]\n::error::forged"


def troubled() -> FleetReport:
    """Eight machines, of which half have something to tell."""
    gone = Part("fleet_gone", {"seconds": 4.0})
    reach = (Reach(1, True, 0.4), Reach(5, False, None, "timed out"))
    gloo = (Collective("gloo", "cpu", "ok"), Collective("gloo", "mps", "error", "ValueError: invalid tensor type"))
    mac: dict[str, Any] = {"os": "Darwin", "os_version": "26.4", "chip": "Apple M3 Max", "memory_bytes": 36 << 30}
    machines = [
        replace(machine(0, device="mps", **mac), reach=reach, interface="en0", collectives=gloo),
        machine(1, device="mps", **mac),
        machine(2, 1.6, device="mps", **{**mac, "chip": "Apple M1"}),
        FleetMachine(3, "killed", None, str(gone), as_values(gone), (3,)),
        FleetMachine(4, "ok", recorded("trouble"), ranks=(4,)),
        machine(5, torch="2.8.0"),
        FleetMachine(6, "unreachable", None, "it did not come"),
        replace(machine(7, device="mps", **mac), report=report(device="mps", low_power=True, **mac)),
    ]
    before = merge([machine(5, torch="2.13.0")])
    return merge(machines, 8, before)


@pytest.mark.parametrize("language", texts.LANGUAGES)
@pytest.mark.parametrize("form", ENDINGS)
def test_formats_stay_as_they_were_reviewed(form: str, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Golden files: changed only on purpose."""
    monkeypatch.setattr(texts, "_language", language)
    file, text = RECORDED / f"fleet-{language}.{ENDINGS[form]}", merged.FORMATS[form].render(troubled(), Style())
    if os.environ.get("MPSDOCTOR_GOLDEN") == "write":  # on purpose: look at the difference
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("form", ENDINGS)
def test_texts_of_strangers_are_only_text(form: str) -> None:
    """Nothing of a machine becomes markup, a mention, or a command of a CI runner."""
    evil = FleetMachine(1, "late", None, EVIL, None, (1,), EVIL, (Reach(0, False, None, EVIL),))
    fleet = merge([machine(0, chip=EVIL, os_version=EVIL), evil, machine(2, chip="other")])
    shown = merged.FORMATS[form].render(fleet, Style())
    assert "##[" not in shown
    if form != "text":
        assert "<script>" not in shown
    if form == "markdown":
        assert "@someone" not in shown
    assert not any(line.startswith("::") for line in shown.splitlines())


def test_a_fleet_of_one_and_of_none_can_be_shown() -> None:
    """Nothing to compare is no error."""
    for machines in ([], [machine(0)]):
        for form in merged.FORMATS.values():
            assert form.render(merge(machines), Style())


def test_a_locale_without_unicode_gets_ascii() -> None:
    assert merged.FORMATS["text"].render(troubled(), Style(unicode=False)).isascii()
