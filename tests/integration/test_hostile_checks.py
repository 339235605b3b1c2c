"""Third-party checks that lie over the pipe, poison their process, or leave something behind."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from helpers.support import COMMAND, check, install, mpsdoctor, processes_left, report
from integration.test_checkup import WELL, stranger
from mpsdoctor import process
from mpsdoctor.formats import FORMATS

DEEP = "value = []\nfor _ in range({levels}): value = [value]\n"
CHANNEL = "import mpsdoctor_worker.channel as c\n"
# What is sent before `yield {'b': 1}`, which must arrive all the same.
SENT = {
    "facts that are nested deeply": DEEP.format(levels=900) + "yield {'a': value}",
    "facts that are nested too deeply to be read": DEEP.format(levels=100) + "yield {'a': value}",
    "a fact of 70 MiB": "yield {'a': 'x' * (70 << 20)}",
    "a fact that raises when it is looked at": (
        "class Odd:\n    def __str__(self): raise ValueError('no')\nyield {'a': Odd()}"
    ),
    "progress of wrong types": "context.progress(5, 'a', [])",
    "a string": "context.say('x')",
    "a list": "context.say([1])",
    "nothing": "context.say(None)",
    "facts that are none": "context.say({'facts': 5})",
    "a finding that is none": "context.say({'finding': {}})",
    "a finding and facts at once": "context.say({'facts': {}, 'text': 'x'})",
    "a group as progress": "context.say({'group': 1, 'alive': True})",
    "garbage": CHANNEL + "os.write(c._out, b'garbage\\n')",
    "a message of another shape": CHANNEL + 'os.write(c._out, b\'{"id": 1, "error": 5}\\n\')',
    "a line of 20 MiB": CHANNEL + "os.write(c._out, b'x' * (20 << 20) + b'\\n')",
}


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The report of a check-up with a check for each of `SENT`, and a well-behaved one after them."""
    bodies = [f"yield Finding('ODD101', 'info', 'before')\n{body}\nyield {{'b': 1}}" for body in SENT.values()]
    sources = {f"odd{number}": patient(body, f"odd{number}") for number, body in enumerate(bodies)}
    env = install(tmp_path_factory.mktemp("sent"), **sources, well=WELL)
    return report("--only", ",".join([*sources, "well"]), env=env)


def patient(body: str, name: str = "odd") -> str:
    """A check that may take a while."""
    return stranger(body, name).replace("0.1}", "20}").replace("patience = 1.0", "patience = 20.0")


@pytest.mark.parametrize("what", SENT)
def test_what_does_not_fit_is_told_and_costs_nothing_else(sent: dict[str, Any], what: str) -> None:
    """A message that is none is the check's MPS901; what it sends before and after arrives, the next check runs."""
    odd = check(sent, f"odd{list(SENT).index(what)}")
    assert [finding["code"] for finding in odd["findings"]] == ["ODD101", "MPS901"]
    assert odd["facts"] == {"b": 1}
    assert check(sent, "well")["status"] == "pass"
    assert sent["exit"] == 3


# What a check does before `return {'b': 1}` that must change nothing at all.
VAIN = {
    "names groups that are not its own": (
        "bystander = int(os.environ['BYSTANDER'])\n"
        "for number in (1, 0, -1, 2 ** 40, os.getppid(), bystander): c.group(number, True)"
    ),
    "answers for other jobs": "c.send({'id': 999, 'value': [1]}); c.send({'ready': 1}); c.send({'start': 5})",
    "ends a group that it did not start": "c.group(1, False)",
}


@pytest.mark.parametrize("how", VAIN)
def test_a_lie_about_processes_and_jobs_has_no_effect(tmp_path: Path, how: str) -> None:
    """Which processes are killed and which job is answered never comes from what a check says."""
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as bystander:
        env = install(tmp_path, odd=stranger(f"{CHANNEL}{VAIN[how]}\nreturn {{'b': 1}}"))
        odd = check(report("--only", "odd", env={**env, "BYSTANDER": str(bystander.pid)}), "odd")
        alive = bystander.poll() is None
        bystander.kill()
    assert (odd["status"], odd["facts"]) == ("pass", {"b": 1})
    assert alive


def test_a_check_that_says_start_for_ever_is_ended_in_time(tmp_path: Path) -> None:
    """The time of a job begins once, whatever the worker says."""
    env = install(tmp_path, odd=stranger(f"{CHANNEL}while True:\n    c.send({{'start': 1}}); time.sleep(0.1)"))
    begun = time.monotonic()
    odd = check(report("--only", "odd", env=env), "odd")
    assert odd["findings"][-1]["code"] == "MPS902"
    assert odd["duration_s"] < 5
    assert time.monotonic() - begun < 30


def test_a_check_that_forks_is_heard_once(tmp_path: Path) -> None:
    """The child that a check forks says nothing, and is gone with it."""
    env = install(tmp_path, odd=stranger("os.fork()\nyield Finding('ODD101', 'info', 'seen')"))
    odd = check(report("--only", "odd", env=env), "odd")
    assert [finding["code"] for finding in odd["findings"]] == ["ODD101"]
    assert not processes_left()


def test_what_a_check_sends_is_bounded(tmp_path: Path) -> None:
    """A hundred findings, 16 MiB, and texts that can be read: what is more is left out, which is told.

    A fact of some MiB is whole: a thorough check-up where much fails has such rows.
    """
    many = "for _ in range(300): yield Finding('ODD101', 'info', 't' * 1000, 'd' * 20000)"
    large = "for i in range(60): yield {f'a{i}': 'x' * (500 << 10)}"
    rows = "yield {'results': [{'op': f'aten::op{i}', 'detail': 'x' * 200} for i in range(15_000)]}"
    sources = {name: patient(code, name) for name, code in (("many", many), ("large", large), ("rows", rows))}
    document = report("--only", "many,large,rows", env=install(tmp_path, **sources))
    found, facts = check(document, "many")["findings"], check(document, "large")
    assert (len(found), len(found[0]["title"]), len(found[0]["detail"])) == (101, 300, 8192)
    assert (found[-1]["code"], facts["findings"][-1]["code"]) == ("MPS901", "MPS901")
    assert 20 < len(facts["facts"]) < 40
    assert len(check(document, "rows")["facts"]["results"]) == 15_000


HEADS = {
    "exits": "os._exit(3)",
    "crashes": "ctypes.string_at(0)",
    "hangs": "time.sleep(600)",
    "raises what cannot be told": "class E(Exception):\n    def __str__(self): raise ValueError\nraise E",
    "closes all descriptors": "os.closerange(0, 50)",
    "has no time": "seconds = {'quick': float('nan')}",
}


def test_modules_that_misbehave_at_import_cost_their_checks_alone(tmp_path: Path) -> None:
    """The checks can be listed, the others run, and with --only none of these is even imported."""
    sources = {f"odd{n}": stranger("return None", f"odd{n}", head) for n, head in enumerate(HEADS.values())}
    env = install(tmp_path, **sources, well=WELL)
    begun = time.monotonic()
    assert report("--only", "chip,well", "--skip", "odd1", env=env)["exit"] == 0
    assert time.monotonic() - begun < 5
    listed = mpsdoctor("checks", env=env)
    assert (listed.returncode, listed.stdout.count("cannot be loaded")) == (0, len(HEADS))
    document = report("--skip", "build,operators,training,environment", env=env)
    assert {name: [finding["code"] for finding in check(document, name)["findings"]] for name in sources} == {
        name: ["MPS905"] for name in sources
    }
    assert check(document, "well")["status"] == "pass"


def test_what_an_import_changes_stays_with_it(tmp_path: Path) -> None:
    """Variables and functions that a third party's module replaces at its import are not seen by our checks."""
    head = (
        "import platform\nplatform.system = lambda: 'Darwin'\nos.environ['PYTORCH_LEAK'] = '1'\n"
        "import msgspec\nmsgspec.convert = None"
    )
    document = report("--only", "odd,chip,environment", env=install(tmp_path, odd=stranger("return None", head=head)))
    assert check(document, "chip")["facts"]["os"] != "Darwin"
    assert "PYTORCH_LEAK" not in str(check(document, "environment")["facts"])


def test_an_id_that_is_none_is_refused_and_shown_harmlessly(tmp_path: Path) -> None:
    """Whatever stands in an entry point's name, no stream sees its escapes, and the check is not imported."""
    env = install(tmp_path, odd=stranger("return None"))
    entries = next(tmp_path.glob("*.dist-info")) / "entry_points.txt"
    entries.write_text("[mpsdoctor.checks]\nevil\x1b]0;pwn\x07 = stranger_odd\n")
    into = [arg for form in FORMATS for arg in ("--format", form, "--output", str(tmp_path / form))]
    done = mpsdoctor(*into, "--skip", "build,operators,training", env=env)
    shown = [done.stdout + done.stderr, *((tmp_path / form).read_text() for form in FORMATS)]
    assert done.returncode == 3
    assert "\x1b" not in "".join(shown)
    assert all("MPS905" in text for text in shown[1:])


def test_broken_metadata_of_any_package_costs_nothing(tmp_path: Path) -> None:
    """An entry_points.txt that is no text is passed over."""
    env = install(tmp_path, well=WELL)
    broken = tmp_path / "broken-1.0.dist-info"
    broken.mkdir()
    (broken / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (broken / "entry_points.txt").write_bytes(b"[mpsdoctor.checks]\n\xff\xfe = x\n")
    assert check(report("--only", "well", env=env), "well")["status"] == "pass"


def test_a_doctor_that_is_killed_leaves_no_check_that_holds_the_interpreter(tmp_path: Path) -> None:
    """A check in C code, of which no thread of Python's gets a turn, ends with its doctor."""
    source = stranger("re.match(r'(a+)+$', 'a' * 40 + 'b')").replace("0.1", "60")
    env = install(tmp_path, odd=source)
    with subprocess.Popen([*COMMAND, "-q", "--only", "odd"], env={**os.environ, **env}) as doctor:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not any(_busy(child) for child in _children(doctor.pid)):
            time.sleep(0.1)
        doctor.kill()
    assert not processes_left()


def _children(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def _busy(process: psutil.Process) -> bool:
    """Whether it has computed for longer than an import takes."""
    try:
        return process.cpu_times().user > 1.5
    except psutil.Error:
        return False


def test_a_child_that_made_itself_independent_ends_with_its_check(tmp_path: Path) -> None:
    """A daemon that a check starts, in a session of its own, does not outlive the check-up."""
    daemon = "import os, time\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\ntime.sleep(300)"
    body = f"import subprocess\nsubprocess.run([sys.executable, '-c', {daemon!r}])\nreturn {{'b': 1}}"
    env = install(tmp_path, odd=stranger(body))
    assert check(report("--only", "odd", env={**env, "DAEMON": "1"}), "odd")["status"] == "pass"
    left = [process for process in psutil.process_iter(["cmdline"]) if daemon in (process.info["cmdline"] or ())]
    assert [process for process in left if process.status() != psutil.STATUS_ZOMBIE] == []


def test_what_the_doctor_itself_started_is_no_orphan() -> None:
    """A program in a session of its own, as those that tell of memory are, is not taken for what a check left."""
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as program:
        process.end_orphans()
        alive = program.poll() is None
        program.kill()
    assert alive
