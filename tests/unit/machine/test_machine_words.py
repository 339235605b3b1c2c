"""The machine in words: kinds of cores by the system's names, and macOS by its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from helpers.trainer import sample
from mpsdoctor.cli.profile import describe
from mpsdoctor.formats import FORMATS, Style, rows
from mpsdoctor.formats.rows import fingerprint_parts
from mpsdoctor.report import Machine, Report
from mpsdoctor.runtime.shapes import Fingerprint
from mpsdoctor.tui import words
from mpsdoctor.tui.panes import memory

RECORDED = Path(__file__).parents[1] / "recorded"

Mac = Callable[[str], dict[str, str]]
Answer = Callable[..., Any]


@pytest.mark.parametrize(
    ("machine", "cores"),
    [
        ("m5-pro", "6 super + 12 performance cores"),
        ("m6", "2 super + 4 performance + 6 efficiency cores"),
        ("m2-pro", "8 performance + 4 efficiency cores"),
        ("virtual", "3 performance cores"),
        ("intel", "8 cores"),
        ("rosetta", None),
    ],
)
def test_kinds_of_cores_are_named_as_by_the_system(machine: str, cores: str | None, mac: Mac, answer: Answer) -> None:
    """Fastest first; where the system knows no kinds they are cores, and where it tells nothing they are left out."""
    facts, _, _ = answer(mac(machine))
    assert rows.cores(msgspec.convert(facts, Machine)) == cores


def test_reports_of_version_0_1_0_have_two_kinds() -> None:
    """Such a report counts performance and efficiency cores and names no levels."""
    assert rows.cores(Machine(performance_cores=8, efficiency_cores=4)) == "8 performance + 4 efficiency cores"
    assert rows.cores(Machine(performance_cores=8, efficiency_cores=0)) == "8 cores"


def on(facts: dict[str, Any]) -> Report:
    report = msgspec.json.decode((RECORDED / "cpu-only.json").read_bytes(), type=Report)
    return msgspec.structs.replace(report, machine=msgspec.convert(facts, Machine))


@pytest.mark.parametrize("format", ["text", "markdown", "html"])
def test_people_read_macos_and_programs_darwin(format: str, mac: Mac, answer: Answer) -> None:
    """Darwin is the kernel, whose versions are others: it stays in JSON alone, where scripts look for it."""
    facts, _, _ = answer(mac("m3-max"))
    told = FORMATS[format].render(on(facts), Style())
    assert "macOS 26.4 arm64" in told
    assert "Darwin" not in told
    assert '"os":"Darwin"' in re.sub(r"\s", "", FORMATS["json"].render(on(facts), Style()))


def test_the_screen_says_macos_too(mac: Mac, answer: Answer) -> None:
    """The machine tab names system and cores as the text does."""
    facts, _, _ = answer(mac("m5-pro"))
    told = dict(words.machine(on(facts)))
    assert told["System"] == "macOS 27.0 arm64 · 48.0 GiB"
    assert told["Machine"] == "Apple M5 Pro · 6 super + 12 performance cores · 20 GPU cores"


@pytest.mark.parametrize(
    ("fingerprint", "told"),
    [
        (
            {
                "os": "Darwin",
                "os_version": "26.4",
                "arch": "arm64",
                "chip": "Apple M3 Max",
                "memory_bytes": 64 << 30,
                "python": "3.13.1",
                "torch": "2.13.0",
            },
            "macOS 26.4, arm64, Apple M3 Max, 64 GiB, Python 3.13.1, torch 2.13.0",
        ),
        ({"os": "Linux", "os_version": "debian 12", "memory_bytes": None}, "Linux debian 12"),
        ({}, ""),
    ],
)
def test_a_profile_names_the_machine_it_was_made_on(fingerprint: Fingerprint, told: str) -> None:
    """`mpsdoctor profile show` says what each figure is; what is not known is left out."""
    assert ", ".join(fingerprint_parts(fingerprint)) == told


def told_of_swap(*counters: int | None, seconds: float = 1.0) -> list[str]:
    past = [
        memory.Moment({"swap_used_bytes": 3 << 29, "at": number * seconds}, None, count)
        for number, count in enumerate(counters)
    ]
    return [words.styled(piece).plain for piece in memory._swap(past, 80)]


def test_swap_is_told_as_what_is_out_and_what_moves() -> None:
    """No share of a total that macOS makes as it needs it; what moves now is what slows a training."""
    out = "swap       1.5 GiB swapped out"
    assert told_of_swap(None, None) == ["", out]
    assert told_of_swap(0, 0)[1] == f"{out} · next to nothing in and out"
    blank, line, drawn = told_of_swap(0, 0, 64 << 20)
    assert (blank, line) == ("", f"{out} · 64 MiB a second in and out")
    assert drawn.strip("·") == "▁█"
    assert told_of_swap(0, 64 << 20, seconds=60) == ["", out]  # the tab was hidden meanwhile
    assert list(memory._swap([memory.Moment({"swap_used_bytes": None}, None, None)], 80)) == []


def test_peaks_say_what_they_are_figures_of() -> None:
    """On MPS torch knows no peak of its tensors: the figure is what the driver reserved for them.

    Bars are long beside those of the same device alone, and names of two cells a character move nothing.
    """
    rows = [
        {"workload": "mlp", "size": "small", "device": "cpu", "peak_memory_bytes": 1 << 29},
        {"workload": "训练", "size": "small", "device": "mps", "peak_memory_bytes": 1 << 25},
        {"workload": "mlp", "size": "small", "device": "mps", "peak_memory_bytes": 1 << 24},
    ]
    model: Any = SimpleNamespace(training=lambda: {"results": rows}, findings=lambda: [])
    assert [words.styled(piece).plain for piece in memory._devices(model, 80)] == [
        "Peak of the last timed run",
        "mps: what the driver reserved, caches included",
        "训练         small   ━━━━━━━━━━ 32 MiB",
        "mlp          small   ━━━━━╌╌╌╌╌ 16 MiB",
        "cpu: memory of the whole process, torch's own included",
        "mlp          small   ━━━━━━━━━━ 0.5 GiB",
    ]


def test_the_profile_is_told_by_labels() -> None:
    """Each figure has its name: winners, batch sizes, settings, the machine."""
    content = sample(fingerprint={"os": "Darwin", "os_version": "26.4", "memory_bytes": 64 << 30})
    content["workloads"] = {
        "cnn": {
            "small": {"device": "cpu", "speedup": 0.51, "ci95": [0.4, 0.6]},
            "medium": {"device": "mps", "speedup": 1.9, "ci95": [1.8, 2.0]},
        }
    }
    content["batches"] = {"cnn": [{"batch": 32, "device": "mps", "speedup": 0.9, "ci95": [0.8, 1.0]}]}
    content["settings"] = {"num_threads": 8}
    lines = list(describe(content, "~/p.json"))
    assert (
        "workload cnn: small cpu (the best accelerator at 0.51× the CPU's speed), medium mps (1.90× the CPU's speed)"
        in lines
    )
    assert "batch sizes of cnn, times the CPU's speed: 32 on mps 0.90×" in lines
    assert "machine: macOS 26.4, 64 GiB" in lines
    assert "settings: torch.set_num_threads(8)" in lines
