"""What samples of a training come to: figures, and findings about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from mpsdoctor.report import Finding
from mpsdoctor.watch import judging, telling
from mpsdoctor.watch.history import History
from mpsdoctor.watch.shapes import Begin, DeviceMemory, End, Sample

GIB, MIB, KIB = 1 << 30, 1 << 20, 1 << 10
BEGIN = Begin(1, "mpsdoctor", "2026-11-27T12:00:00Z", ("python", "train.py"))
Change = Callable[[int], dict[str, Any]]


def course(change: Change = lambda second: {}, seconds: int = 120) -> History:
    """A training of 50 steps a second, 20 ms each, with something else about some seconds."""
    history = History()
    history.add(BEGIN)
    for second in range(seconds):
        usual = {"at": second + 1.0, "seconds": 1.0, "done": 50 * (second + 1), "steps": 50, "step_seconds": 1.0}
        history.add(Sample(**{**usual, "pressure": "normal", "swapped_bytes": 0, **change(second)}))
    return history


def findings(history: History) -> dict[str, Finding]:
    return {found.code: found for found in judging.judge(judging.summarise(history))}


def on_mps(tensors: float, reserved: float | None = None, peak: float | None = None) -> dict[str, Any]:
    figures = [None if figure is None else round(figure) for figure in (tensors, reserved, peak)]
    return {"devices": {"mps": DeviceMemory(*figures)}}


def test_a_calm_training_has_no_findings() -> None:
    """Its figures are told, and nothing is made of them."""
    history = course(lambda second: on_mps(GIB, 1.2 * GIB, 1.1 * GIB))
    assert findings(history) == {}
    summary = judging.summarise(history)
    assert summary.steps == 6000
    assert summary.step_s == pytest.approx(0.02)
    assert summary.devices["mps"].peak_bytes == round(1.1 * GIB)


def test_memory_that_grows_with_every_step_is_told_with_its_rate() -> None:
    """A leak of 40 KiB a step adds up to 3.8 GiB in a training of 100,000 steps."""
    history = course(lambda second: on_mps(GIB + 40 * KIB * 50 * second))
    found = findings(history)["MPS526"]
    assert found.evidence["bytes_per_step"] == pytest.approx(40 * KIB)
    assert "of this training" in found.detail
    assert found.remedy is not None
    assert ".item()" in found.remedy.text


@pytest.mark.parametrize(
    "tensors",
    [
        lambda second: GIB + (second % 7) * 64 * MIB,  # a buffer that comes and goes
        lambda second: GIB + min(second, 20) * 30 * MIB,  # caches that fill at the beginning
        lambda second: GIB + (512 * MIB if second > 60 else 0),  # a validation that has begun
        lambda second: GIB + 50 * second,  # a byte a step
    ],
)
def test_other_growth_is_no_leak(tensors: Callable[[int], float]) -> None:
    """What comes once, comes and goes, or is too little to matter."""
    assert "MPS526" not in findings(course(lambda second: on_mps(tensors(second))))


def test_a_process_on_the_cpu_is_judged_by_what_it_takes() -> None:
    """macOS has no other figure of a process than its peak: what the doctor sees of it counts."""
    history = course(
        lambda second: {"resident_bytes": GIB + 60 * KIB * 50 * second, "devices": {"cpu": DeviceMemory()}}
    )
    assert findings(history)["MPS526"].title.startswith("memory in use on cpu grows by")


def test_pressure_is_told_with_what_it_cost() -> None:
    """Steps under pressure are compared with the others."""

    def change(second: int) -> dict[str, Any]:
        pressed = {"pressure": "critical" if second == 70 else "warning", "steps": 25}
        return pressed if 60 <= second < 90 else {}

    found = findings(course(change))["MPS406"]
    assert found.evidence == {"pressed_s": 30.0, "level": "critical", "times": pytest.approx(2.0)}
    assert "2 times as long" in found.detail
    harmless = findings(course(lambda second: {"pressure": "warning"} if second > 60 else {}))["MPS406"]
    assert "no longer than" in harmless.detail


def test_swapping_and_heat_are_told() -> None:
    """Little of it is idle programs being tidied away, and a warm machine is usual."""
    history = course(lambda second: {"swapped_bytes": 4 * MIB, "thermal_state": "serious" if second > 80 else "fair"})
    found = findings(history)
    assert found["MPS407"].evidence == {"swapped_bytes": 480 * MIB}
    assert found["MPS536"].evidence == {"hot_s": 39.0, "thermal_state": "serious"}
    assert findings(course(lambda second: {"swapped_bytes": MIB, "thermal_state": "fair"})) == {}


def test_a_pool_that_is_much_larger_than_the_tensors_is_told() -> None:
    """The peak of tensors is what it is compared with, not what is left of them after a step."""
    assert "MPS408" in findings(course(lambda second: on_mps(GIB, 6 * GIB, 2 * GIB)))
    assert "MPS408" not in findings(course(lambda second: on_mps(GIB, 6 * GIB, 4 * GIB)))
    assert "MPS408" not in findings(course(lambda second: on_mps(MIB, 900 * MIB, 2 * MIB)))


def slow_with(**beside: Any) -> Finding:
    slow = {"steps": 20, **beside}
    return findings(course(lambda second: slow if 60 <= second < 75 else {"others_percent": 5.0}))["MPS535"]


@pytest.mark.parametrize(
    ("beside", "words"),
    [
        ({"thermal_state": "serious"}, "the thermal state was 'serious'"),
        ({"pressure": "warning"}, "memory pressure was at warning"),
        ({"swapped_bytes": 80 * MIB}, "80 MiB a second were swapped"),
        ({"others_percent": 48.0, "programs": ("Photos",)}, "other programs took 48 % of the processors, Photos most"),
        ({"others_percent": 48.0}, "other programs took 48 % of the processors. "),
        ({"low_power": True}, "low power mode was on"),
        ({"on_battery": True}, "it ran on battery"),
        ({}, "as in the rest"),
    ],
)
def test_the_slowest_stretch_is_told_with_what_went_with_it(beside: dict[str, Any], words: str) -> None:
    """Only what was worse then than in most of the rest."""
    found = slow_with(**beside)
    assert words in found.detail
    assert found.evidence["times"] == pytest.approx(2.5)
    assert 55 <= found.evidence["from_s"] < found.evidence["to_s"] <= 80


def test_the_beginning_is_no_slow_stretch() -> None:
    """Graphs are compiled then."""
    assert "MPS535" not in findings(course(lambda second: {"steps": 2} if second < 4 else {}))


def told(lines: Iterable[str]) -> str:
    return "\n".join(lines)


def test_the_summary_says_how_it_ended() -> None:
    """Exit code, signal, still running, or silent as after a kill."""
    history = course(seconds=30)
    assert "30 s so far" in told(telling.lines(history, lives=True))
    assert "nothing more was written" in told(telling.lines(history))
    history.add(End(31.0, 3))
    assert "31 s, ended with exit code 3" in told(telling.lines(history))
    history.add(End(4000.0, -9))
    assert "1 h 6 min, ended by SIGKILL" in told(telling.lines(history))


def test_a_training_of_which_nothing_is_known_is_told_as_such() -> None:
    """No sample, no step, no pressure: absence is a value."""
    history = History()
    assert list(telling.lines(history, lives=True)) == ["this training", "  0 s so far"]
    history.add(Sample(1.0, 1.0))
    assert "no step was seen" in told(telling.lines(history))
    assert "this system does not tell" in told(telling.lines(history))


def test_what_was_set_aside_is_no_part_of_a_step() -> None:
    """A validation of two seconds in every tenth second."""
    history = course(
        lambda second: {"steps": 10, "step_seconds": 0.2, "aside": {"validation": 0.8}} if second % 10 == 0 else {}
    )
    summary = judging.summarise(history)
    assert summary.step_s == pytest.approx(0.02)
    assert "set aside: validation 9.6 s" in told(telling.lines(history))
