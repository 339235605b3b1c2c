"""A program that is missing, hangs, floods or prints rubbish costs what it alone tells, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from mpsdoctor.machine import programs

Mac = Callable[[str], dict[str, str]]
Answer = Callable[..., Any]

FAULTS = {
    "exits 1": "#!/bin/sh\necho 'sysctl: internal error' >&2\nexit 1\n",
    "is rubbish": "#!/bin/sh\nprintf '\\377\\376\\001%s\\n' 'hw.memsize: many' '\"gpu-core-count\" = x' '{'\n",
    "floods": "#!/bin/sh\nwhile :; do echo 'hw.memsize: 1'; done\n",
    "is no program": "\x7fELF and no more",
    "is absent": None,
}
HANG = "#!/bin/sh\necho 'hw.memsize: 1'\nexec /bin/sleep 60\n"
# On the M4: what is lost without each program. Some facts have a second source.
LOST = {
    "ioreg": set(),
    "sw_vers": set(),
    "system_profiler": set(),
    "memory_pressure": set(),
    "pmset": {"low_power", "on_battery"},
    "notifyutil": {"thermal_state"},
    "vm_stat": {"available_bytes", "compressed_bytes", "swap_in_bytes", "swap_out_bytes"},
    "sysctl": {
        "model",
        "performance_cores",
        "efficiency_cores",
        "core_levels",
        "memory_bytes",
        "virtual_machine",
        "total_bytes",
        "swap_total_bytes",
        "swap_used_bytes",
        "pressure",
        "wired_limit_bytes",
        "load_1m",
    },
}
ONE_BY_ONE = """
import json, os, pathlib
from mpsdoctor import machine

def ask():
    return {**machine.memory(), **machine.conditions(), **machine.facts(), "cpu_percent": None}

answers = {"": ask()}
keys = [line.split(":")[0] for line in pathlib.Path(os.environ["MPSDOCTOR_TEST_MACHINE"], "sysctl.txt").open()]
for key in keys:
    os.environ["MPSDOCTOR_TEST_WITHOUT"] = key
    answers[key] = ask()
print(json.dumps(answers))
"""
IN_TURN = """
import json, os, pathlib, sys
from mpsdoctor import machine

def ask():
    return {**machine.memory(), **machine.conditions(), **machine.facts(), "cpu_percent": None}

fault, names = json.loads(os.environ["FAULT"])
answers = {"": ask()}
for name in names:
    program = pathlib.Path(os.environ["PATH"], name)
    program.rename(program.with_suffix(".good"))
    if fault is not None:
        program.write_text(fault)
        program.chmod(0o755)
    answers[name] = ask()
    program.unlink(missing_ok=True)
    program.with_suffix(".good").rename(program)
print(json.dumps(answers))
"""


def lost(whole: dict[str, Any], broken: dict[str, Any]) -> set[str]:
    """The facts that went; a fact that changed its value instead is an error."""
    gone = {key for key, value in whole.items() if value is not None and broken[key] is None}
    assert {key: broken[key] for key in whole if key not in gone} == {k: v for k, v in whole.items() if k not in gone}
    return gone


@pytest.mark.parametrize("name", ["m1", "m4", "m6", "intel", "rosetta", "virtual"])
def test_a_missing_key_costs_what_it_tells(name: str, mac: Mac, answer: Answer) -> None:
    """Each sysctl key may be unknown: a few facts go, no other changes, nothing is raised."""
    answers = answer(mac(name), ONE_BY_ONE)
    whole = answers.pop("")
    costs = {key: lost(whole, broken) for key, broken in answers.items()}
    assert costs["hw.memsize"] == {"memory_bytes", "total_bytes"}
    assert max(len(cost) for cost in costs.values()) <= 4


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_program_costs_what_it_tells(fault: str, mac: Mac, answer: Answer) -> None:
    """Each program in turn fails in this way; what the others tell stays."""
    env = {**mac("m4"), "FAULT": json.dumps([FAULTS[fault], list(LOST)])}
    answers = answer(env, IN_TURN)
    whole = answers.pop("")
    assert {name: lost(whole, broken) for name, broken in answers.items()} == LOST


def test_a_program_that_hangs_is_ended(mac: Mac, answer: Answer) -> None:
    """pmset never answers; the rest is told."""
    env = {**mac("m4"), "FAULT": json.dumps([HANG, ["pmset"]])}
    answers = answer(env, IN_TURN)
    assert lost(answers[""], answers["pmset"]) == LOST["pmset"]


def script(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_programs_are_asked_at_once_and_a_hanging_one_gives_nothing(tmp_path: Path) -> None:
    """What a program printed before it hung is not taken for its answer."""
    commands = {
        "good": (script(tmp_path, "good", "#!/bin/sh\nprintf 'a\\nb'\n"),),
        "hangs": (script(tmp_path, "hangs", HANG),),
        "hangs silently": (script(tmp_path, "silent", "#!/bin/sh\nexec /bin/sleep 60\n"),),
        "absent": (str(tmp_path / "absent"),),
    }
    told = programs.outputs(commands, timeout=0.5)
    assert told == {"good": "a\nb", "hangs": "", "hangs silently": "", "absent": ""}


def test_what_a_hanging_program_started_is_ended_with_it(tmp_path: Path) -> None:
    """A grandchild that holds the pipe does not outlive the question."""
    note = tmp_path / "pid"
    text = f"#!/bin/sh\n/bin/sleep 60 &\necho $! > {note}\nwait\n"
    assert programs.outputs({"it": (script(tmp_path, "it", text),)}, timeout=0.5) == {"it": ""}
    try:
        psutil.Process(int(note.read_text())).wait(5)  # it is killed, and may still be on its way out
    except psutil.NoSuchProcess:
        pass
    except psutil.TimeoutExpired:
        assert psutil.Process(int(note.read_text())).status() == psutil.STATUS_ZOMBIE


def test_a_failing_status_does_not_spoil_what_was_printed(tmp_path: Path) -> None:
    """sysctl exits 1 for one unknown key among many known ones."""
    text = "#!/bin/sh\necho 'hw.model: Mac14,12'\nexit 1\n"
    assert programs.outputs({"it": (script(tmp_path, "it", text),)}) == {"it": "hw.model: Mac14,12\n"}


@pytest.mark.parametrize(
    ("path", "searched"),
    [("/usr/bin:/bin", "/usr/bin:/bin:/usr/sbin"), ("/usr/bin:/usr/sbin", "/usr/bin:/usr/sbin"), ("/x", "/x")],
)
def test_a_short_path_is_completed(path: str, searched: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under cron PATH has /usr/bin alone, while sysctl and ioreg live in /usr/sbin."""
    monkeypatch.setenv("PATH", path)
    assert programs._path() == searched


def test_too_long_an_answer_is_none(tmp_path: Path) -> None:
    """A program that ends after two megabytes is no better than one that floods for ever."""
    text = "#!/bin/sh\nexec /usr/bin/head -c 2000000 /dev/zero\n"
    assert programs.outputs({"it": (script(tmp_path, "it", text),)}) == {"it": ""}


@pytest.mark.parametrize(("name", "asked"), [("m6", True), ("m4", False), ("virtual", False), ("intel", False)])
def test_the_slow_program_is_the_last_resort(name: str, asked: bool, mac: Mac, answer: Answer, tmp_path: Path) -> None:
    """system_profiler is asked by a physical Apple chip whose GPU cores ioreg does not tell, and by no other."""
    env = mac(name)
    note = tmp_path / "asked"
    (tmp_path / "bin" / "system_profiler").unlink()
    script(tmp_path / "bin", "system_profiler", f"#!/bin/sh\n: > '{note}'\n")
    answer(env)
    assert note.exists() is asked
