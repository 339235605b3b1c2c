"""Real worker processes that end in every way a process can end."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mpsdoctor.sandbox import Answer, Job, Sandbox

JOBS = """
import ctypes, os, re, signal, subprocess, sys, time

def same(x): return x
def raises(): raise ValueError("no such luck")
def leaves(): sys.exit(3)
def segfault(): ctypes.string_at(0)
def abort(): print("failed assertion", file=sys.stderr); os.abort()
def vanish(): os._exit(7)
def killed(): os.kill(os.getpid(), signal.SIGKILL)
def hang(): time.sleep(600)
def hang_in_c(): re.match(r"(a+)+$", "a" * 40 + "b")
def deaf(): signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)
def prints(): print('{"id": 1, "value": "forged"}', flush=True); return "printed"
def flood(): [print("x" * 1000) for _ in range(20_000)]; return "flooded"
def reads(): return sys.stdin.read()
def not_json(): return object()
def orphan():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    return child.pid
def garbage():
    from mpsdoctor_worker import channel
    os.write(channel._out, b"\\xff\\x00{]\\n[1, 2]\\n" + b"y" * 300_000 + b"\\n" + b"[" * 50_000 + b"\\n")
    return "after garbage"
def steps():
    from mpsdoctor_worker import channel
    channel.progress("half"); channel.progress("done"); return 2
def farewell(): import atexit; atexit.register(print, "statistics at the end", file=sys.stderr)
def escapes(): raise ValueError("\\x1b[31mred\\x1b[0m")
"""


@pytest.fixture
def jobs(tmp_path: Path) -> str:
    path = tmp_path / "jobs.py"
    path.write_text(JOBS)
    return str(path)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(sys.executable)
    yield sandbox
    sandbox.close()


DEATHS = {
    "segfault": ("crash", "SIGSEGV"),
    "abort": ("crash", "failed assertion"),
    "vanish": ("crash", "exit status 7"),
    "killed": ("crash", "SIGKILL"),
    "hang": ("timeout", "0.5 s"),
    "hang_in_c": ("timeout", "0.5 s"),
    "deaf": ("timeout", "0.5 s"),
}


@pytest.mark.parametrize("death", DEATHS)
def test_a_death_gets_its_outcome_and_the_jobs_around_it_their_answers(sandbox: Sandbox, jobs: str, death: str) -> None:
    """Whatever kills a worker costs the job that was under way, before and after which nothing is lost."""
    names = [("same", {"x": 1}), (death, {}), ("same", {"x": 2}), ("same", {"x": 3})]
    answers = list(sandbox.run(Job(f"{jobs}:{name}", args, timeout=0.5) for name, args in names))
    outcome, told = DEATHS[death]
    assert [answer.outcome for answer in answers] == ["ok", outcome, "ok", "ok"]
    assert [answer.value for answer in answers if answer.outcome == "ok"] == [1, 2, 3]
    assert told in answers[1].detail


def test_every_job_may_die(sandbox: Sandbox, jobs: str) -> None:
    """Twenty deaths in a row are twenty answers."""
    answers = list(sandbox.run(Job(f"{jobs}:killed") for _ in range(20)))
    assert [answer.outcome for answer in answers] == ["crash"] * 20


@pytest.mark.parametrize("name", ["raises", "leaves", "not_json", "no_such_function"])
def test_an_error_is_an_answer_and_the_worker_lives_on(sandbox: Sandbox, jobs: str, name: str) -> None:
    """An exception, sys.exit, a result that is not JSON: the same process answers the next job."""
    process = sandbox.call("os:getpid").value
    answer = sandbox.call(f"{jobs}:{name}")
    assert answer.outcome == "error"
    assert answer.value["type"] in answer.detail
    assert sandbox.call("os:getpid").value == process


@pytest.mark.parametrize(
    ("name", "value"),
    [("prints", "printed"), ("flood", "flooded"), ("garbage", "after garbage"), ("reads", "")],
)
def test_output_of_a_job_never_reaches_the_protocol(sandbox: Sandbox, jobs: str, name: str, value: str) -> None:
    """Prints, floods, a forged answer on stdout, garbage on the pipe and reading stdin change no answer."""
    answer = sandbox.call(f"{jobs}:{name}")
    assert (answer.outcome, answer.value) == ("ok", value)


def test_progress_comes_before_the_answer(sandbox: Sandbox, jobs: str) -> None:
    """What a job reports on its way is handed on in order."""
    seen: list[str] = []
    answer = next(sandbox.run([Job(f"{jobs}:steps", on_progress=seen.append)]))
    assert seen == ["half", "done"]
    assert answer.value == 2


def test_terminal_escapes_in_an_error_are_spelled_out(sandbox: Sandbox, jobs: str) -> None:
    """What a worker says cannot act upon a terminal."""
    assert sandbox.call(f"{jobs}:escapes").detail == "ValueError: \\x1b[31mred\\x1b[0m"


def test_closing_ends_what_a_job_started(sandbox: Sandbox, jobs: str) -> None:
    """A worker's own children go with it."""
    child = sandbox.call(f"{jobs}:orphan").value
    sandbox.close()
    assert gone(child)


def gone(pid: int) -> bool:
    """Whether a process has ended within two seconds."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_closing_from_another_thread_cancels_the_job_under_way(sandbox: Sandbox, jobs: str) -> None:
    """Cancel takes effect at once, and later jobs are not even started."""
    threading.Timer(0.3, sandbox.close).start()
    begun = time.monotonic()
    answers = list(sandbox.run([Job(f"{jobs}:hang"), Job(f"{jobs}:hang")]))
    assert [answer.outcome for answer in answers] == ["cancelled", "cancelled"]
    assert time.monotonic() - begun < 30


def test_a_worker_ends_when_the_doctor_is_gone(jobs: str) -> None:
    """A doctor that is killed leaves no worker, even one that sleeps in a job."""
    source = (
        "import sys, threading, time; from mpsdoctor.sandbox import *\n"
        f"s = Sandbox(sys.executable); print(s.call('os:getpid').value, flush=True); s.call({jobs + ':hang'!r})"
    )
    import subprocess

    with subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True) as doctor:
        assert doctor.stdout
        worker = int(doctor.stdout.readline())
        doctor.kill()
    assert gone(worker)


INTERPRETERS = {
    "missing": ("/no/such/python", "No such file or directory"),
    "a folder": ("/", "Permission denied"),
    "not a Python": ("/bin/true", "exit status 0"),
    "one that fails": ("/bin/false", "exit status 1"),
}


@pytest.mark.parametrize("kind", INTERPRETERS)
def test_an_interpreter_that_cannot_be_used_is_told_apart(kind: str) -> None:
    """Every job is answered as unavailable, with the reason."""
    path, told = INTERPRETERS[kind]
    answers = list(Sandbox(path).run([Job("os:getpid"), Job("os:getpid")]))
    assert [answer.outcome for answer in answers] == ["unavailable"] * 2
    assert told in answers[0].detail


def broken_torch(folder: Path, source: str, *, ahead: bool = False) -> Answer:
    """A job after a prelude that imports this torch, in a worker that was perhaps started ahead of it."""
    (folder / "torch.py").write_text(source)
    prelude = Job("mpsdoctor_worker.torch_facts:load", timeout=2.0)
    sandbox = Sandbox(sys.executable, {"PYTHONPATH": str(folder)}, prelude=prelude)
    if ahead:
        sandbox.start()
    answer = sandbox.call("os:getpid")
    sandbox.close()
    return answer


def test_a_prelude_that_fails_in_a_worker_started_ahead_fails_its_jobs(tmp_path: Path) -> None:
    """The first error is told; no job runs in a process whose torch is half imported."""
    answer = broken_torch(tmp_path, "raise ImportError('libtorch_cpu is damaged')", ahead=True)
    assert (answer.outcome, answer.detail) == ("unavailable", "ImportError: libtorch_cpu is damaged")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("raise ImportError('libtorch_cpu is damaged')", "ImportError: libtorch_cpu is damaged"),
        ("import os; os.abort()", "SIGABRT"),
        ("import os; os._exit(3)", "exit status 3"),
        ("import time; time.sleep(60)", "did not end"),
        ("raise SystemExit(2)", "SystemExit"),
    ],
)
def test_a_torch_that_fails_to_import_is_unavailable_with_the_reason(tmp_path: Path, source: str, told: str) -> None:
    """An import that raises, dies, exits or hangs is told as what it was."""
    answer = broken_torch(tmp_path, source)
    assert answer.outcome == "unavailable"
    assert told in answer.detail


def test_environment_variables_are_set_before_the_worker_starts(jobs: str) -> None:
    """Each sandbox has its own environment, on top of the doctor's."""
    sandbox = Sandbox(sys.executable, {"PYTORCH_ENABLE_MPS_FALLBACK": "1"})
    value = sandbox.call("os:getenv", key="PYTORCH_ENABLE_MPS_FALLBACK").value
    home = sandbox.call("os:getenv", key="PATH").value
    sandbox.close()
    assert value == "1"
    assert home
    assert "PYTORCH_ENABLE_MPS_FALLBACK" not in os.environ


def test_a_worker_that_may_leave_says_what_a_program_says_at_its_end(sandbox: Sandbox, jobs: str) -> None:
    """What is printed on exit is told, and the next job gets another worker."""
    first = sandbox.call("os:getpid").value
    sandbox.call(f"{jobs}:farewell")
    assert sandbox.leave() == "statistics at the end"
    assert sandbox.call("os:getpid").value != first


def test_a_worker_that_does_not_leave_is_ended(sandbox: Sandbox, jobs: str) -> None:
    """One that is busy gets its time, not more."""
    process = sandbox.call("os:getpid").value
    next(sandbox.run([Job("os:getpid"), Job(f"{jobs}:hang")]))
    sandbox.leave(timeout=0.2)
    assert gone(process)
