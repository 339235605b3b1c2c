"""The machine's facts on this system and on those that are neither macOS nor Linux."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from mpsdoctor import machine, report
from mpsdoctor.machine import other

Mac = Callable[[str], dict[str, str]]
Answer = Callable[..., Any]
SYSTEMS = {
    "Windows": ["Windows", "pc", "11", "10.0.22631", "AMD64"],
    "FreeBSD": ["FreeBSD", "pc", "14.1-RELEASE", "FreeBSD 14.1-RELEASE", "amd64"],
}
PATIENT = "import json; from mpsdoctor import machine; print(json.dumps(machine.facts(patient=True)))"


@pytest.fixture
def elsewhere(tmp_path: Path, mac: Mac) -> Callable[[str], dict[str, str]]:
    """The environment of a process whose kernel says it is of another system."""

    def environment(name: str) -> dict[str, str]:
        (tmp_path / "kernel.json").write_text(json.dumps({"uname": SYSTEMS[name], "mac_ver": ""}))
        return {**mac("m4"), "MPSDOCTOR_TEST_MACHINE": str(tmp_path)}

    return environment


def test_the_keys_are_those_of_the_report() -> None:
    """The facts fill the report's machine, key for key."""
    assert tuple(machine.facts()) == report.Machine.__struct_fields__ == tuple(machine.MachineFacts.__annotations__)


def test_this_machine_tells_its_memory() -> None:
    """Total and available memory are known wherever psutil or macOS tells them."""
    memory = machine.memory()
    assert tuple(memory) == tuple(machine.MemoryFacts.__annotations__)
    assert 0 < (memory["available_bytes"] or 0) <= (memory["total_bytes"] or 0)


def test_this_machine_tells_its_conditions() -> None:
    """The load is a number; counters of swap never go back."""
    first, second = machine.conditions(), machine.conditions()
    assert tuple(first) == tuple(machine.Conditions.__annotations__)
    assert first["load_1m"] is not None
    assert first["load_1m"] >= 0
    assert (second["swap_in_bytes"] or 0) >= (first["swap_in_bytes"] or 0)


@pytest.mark.parametrize("name", SYSTEMS)
def test_other_systems_tell_what_python_knows(
    name: str, elsewhere: Callable[[str], dict[str, str]], answer: Answer
) -> None:
    """No program of macOS and no file of Linux is asked there; the rest is unknown."""
    facts, memory, conditions = answer(elsewhere(name))
    known = {key: value for key, value in facts.items() if value is not None}
    expected = dict(zip(("os", "os_version", "arch"), (name, SYSTEMS[name][3], SYSTEMS[name][4]), strict=True))
    assert known == {**expected, "memory_bytes": memory["total_bytes"]}
    assert conditions["pressure"] is None


def test_the_patient_learn_the_processors_name(
    tmp_path: Path, elsewhere: Callable[[str], dict[str, str]], answer: Answer
) -> None:
    """Where seconds are allowed, py-cpuinfo names the chip."""
    (tmp_path / "cpuinfo.py").write_text("def get_cpu_info(): return {'brand_raw': 'AMD EPYC 7763'}\n")
    env = elsewhere("Windows")
    facts = answer({**env, "PYTHONPATH": f"{tmp_path}:{env['PYTHONPATH']}"}, PATIENT)
    assert facts["chip"] == "AMD EPYC 7763"


def test_a_failing_py_cpuinfo_names_nothing(
    tmp_path: Path, elsewhere: Callable[[str], dict[str, str]], answer: Answer
) -> None:
    """What it raises is nobody's trouble."""
    (tmp_path / "cpuinfo.py").write_text("def get_cpu_info(): raise RuntimeError('py-cpuinfo')\n")
    env = elsewhere("Windows")
    facts = answer({**env, "PYTHONPATH": f"{tmp_path}:{env['PYTHONPATH']}"}, PATIENT)
    assert facts["chip"] is None


def test_the_busy_share_is_that_since_the_last_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first question and one right after another have no answer; then three of four seconds were busy."""
    times = iter([(10.0, 30.0), (13.0, 31.0), (13.1, 31.0)])
    clock = iter([0.0, 4.0, 4.01])

    class Times(tuple[float, ...]):
        idle = property(lambda self: self[1])

    monkeypatch.setattr(other, "_last_times", None)
    monkeypatch.setattr(psutil, "cpu_times", lambda: Times(next(times)))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    assert [other.cpu_percent() for _ in range(3)] == [None, 75.0, None]


@pytest.mark.parametrize("error", [OSError, AttributeError, NotImplementedError, RuntimeError])
def test_psutil_may_fail(error: type[Exception]) -> None:
    """A figure that psutil cannot get is unknown."""

    def question() -> int:
        raise error("no such figure here")

    assert other.ask(question) is None
