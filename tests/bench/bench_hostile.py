"""Throws what strangers may send at the doctor: `python tests/bench/bench_hostile.py [COUNT]`, 10,000 each by default.

Any JSON value as a message of a check, any bytes from an interpreter under examination, any change in a report that is
rendered in every format and drawn on the screen (a twentieth), signals to any process (one for 300). Counted are
exceptions, results that are lost, control characters and commands of a CI runner in what is shown, answers that take
longer than they may, processes left behind. All of them should be 0. `--smoke` takes 300; a name runs that part alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from helpers import hostile, support
from mpsdoctor import clean, intake
from mpsdoctor.formats import FORMATS, Style
from mpsdoctor.intake import read_report
from mpsdoctor.report import Report
from mpsdoctor.runtime import profile as runtime_profile
from mpsdoctor.sandbox import Job, Sandbox
from mpsdoctor.tui.app import DoctorApp
from mpsdoctor.tui.engine import Done
from mpsdoctor.tui.panes import TABS
from tui import screens

RECORDED = Path(__file__).parents[1] / "unit" / "recorded"
NAMES = ("cpu-only", "accelerator-wins", "trouble")
TALKER = """
import json, os, random, sys
sys.path.insert(0, {helpers!r})
from helpers import hostile, support
import mpsdoctor_worker.channel as channel

def talk(seed, count):
    chance = random.Random(seed)
    for _ in range(count):
        value = hostile.any_json(chance)
        try:
            way = chance.random()
            if way < 0.5:
                channel.progress(value)
            elif way < 0.8:
                kind = chance.choice(["start", "ready", "group", "progress", "x"])
                channel.send({{kind: value, "id": chance.choice([0, 999, "x"])}})
            else:
                os.write(channel._out, bytes(chance.randrange(256) for _ in range(chance.randrange(40))) + b"\\n")
        except (TypeError, ValueError, RecursionError):
            pass
    return "end"
"""


def throw_messages(count: int, folder: Path) -> Counter[str]:
    """Messages of a check that says anything, a thousand a job; each job's answer must arrive."""
    troubles: Counter[str] = Counter()
    file = folder / "talker.py"
    file.write_text(TALKER.format(helpers=str(Path(__file__).resolve().parents[1])))

    def take(message: Any) -> None:
        try:
            sent = intake.take(message)
        except intake.UnfitError:
            return
        except Exception as error:
            troubles[f"message: {type(error).__name__}: {error}"] += 1
            return
        troubles["message: control characters"] += clean.has_controls(msgspec.to_builtins(sent))

    sandbox = Sandbox(sys.executable, neutralise=False)
    for seed in range(0, count, 1000):
        args = {"seed": seed, "count": min(1000, count - seed)}
        answer = next(sandbox.run([Job(f"{file}:talk", args, 60.0, take, on_unfit=lambda problem: None)]))
        troubles["message: lost answer"] += answer.value != "end"
    sandbox.close()
    return troubles


def throw_bytes(count: int, folder: Path, chance: random.Random) -> Counter[str]:
    """Interpreters that write any bytes, valid lines of the protocol among them."""
    troubles: Counter[str] = Counter()
    program, said = hostile.liar(folder), folder / "said"
    for _ in range(count):
        lines = [b'{"ready": 1}'] * chance.randrange(2)
        for _ in range(chance.randrange(4)):
            value = {chance.choice(["id", "value", "start", "error"]): hostile.any_json(chance), "id": 1}
            lines.append(json.dumps(value).encode() if chance.random() < 0.7 else chance.randbytes(30))
        said.write_bytes(b"\n".join(lines) + b"\n" * chance.randrange(2))
        sandbox, begun = Sandbox(str(program), {"LIAR": str(said)}), time.monotonic()
        try:
            answer = sandbox.call("nowhere:nothing", 5.0)
            troubles["bytes: control characters"] += clean.has_controls([answer.value, answer.detail])
        except Exception as error:
            troubles[f"bytes: {type(error).__name__}: {error}"] += 1
        sandbox.close()
        troubles["bytes: too late"] += time.monotonic() - begun > 10
    return troubles


def changed_report(documents: list[dict[str, Any]], chance: random.Random) -> Report:
    """A report that can be read, with something changed in it."""
    while True:
        try:
            return read_report(json.dumps(hostile.change(chance.choice(documents), chance)).encode())
        except ValueError:
            continue


def throw_reports(count: int, chance: random.Random) -> Counter[str]:
    """Changed reports through every format."""
    troubles: Counter[str] = Counter()
    documents = [json.loads((RECORDED / f"{name}.json").read_bytes()) for name in NAMES]
    for _ in range(count):
        report = changed_report(documents, chance)
        for name, form in FORMATS.items():
            try:
                text = form.render(report, Style(verbosity=chance.randrange(2)))
            except Exception as error:
                troubles[f"{name}: {type(error).__name__}: {error}"] += 1
                continue
            troubles[f"{name}: control characters"] += clean.CONTROL.search(text) is not None
            commands = "##[" in text or (name != "github" and re.search(r"^\s*::", text, re.MULTILINE))
            troubles[f"{name}: commands"] += bool(commands)
    return troubles


async def draw_reports(count: int, chance: random.Random, folder: Path) -> Counter[str]:
    """Changed reports on every tab of the screen, a hundred one after the other in each application."""
    troubles: Counter[str] = Counter()
    documents = [json.loads((RECORDED / f"{name}.json").read_bytes()) for name in NAMES]
    for first in range(0, count, 100):
        async with screens.screen(screens.recorded("wins"), (80, 24), folder / "profile.json") as (app, pilot, _):
            for _ in range(min(100, count - first)):
                report = changed_report(documents, chance)
                try:
                    await draw(app, pilot, report)
                except Exception as error:
                    troubles[f"screen: {type(error).__name__}: {error}"] += 1
                    break
    return troubles


async def draw(app: DoctorApp, pilot: Any, report: Report) -> None:
    assert app.actions is not None
    app.actions.model.apply(Done(report, cancelled=False))
    for tab in TABS:
        await app.action_tab(tab)
        app.draw()
    await pilot.pause(0)


def throw_signals(count: int, folder: Path, chance: random.Random) -> Counter[str]:
    """One signal at a random moment of a quick check-up: to the doctor, to the host of the checks, or to a worker."""
    troubles: Counter[str] = Counter()
    profile = folder / "signals.json"
    command = [*support.COMMAND, "-q", "--budget", "quick", "--profile", str(profile)]
    for _ in range(count):
        number = chance.choice((signal.SIGKILL, signal.SIGSTOP, signal.SIGINT, signal.SIGHUP, signal.SIGTERM))
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as doctor:
            time.sleep(chance.uniform(0.2, 9))
            depth = chance.randrange(3)
            with contextlib.suppress(psutil.Error, IndexError):
                target = psutil.Process(doctor.pid)
                for _ in range(depth):
                    target = chance.choice(target.children())
                target.send_signal(number)
                if depth == 0 and number == signal.SIGSTOP:  # a person who presses fg again
                    time.sleep(1)
                    target.send_signal(signal.SIGCONT)
            said = doctor.communicate(timeout=600)[1]
        allowed = {0, 1, 2, 3} if depth or number == signal.SIGSTOP else {0, 1, 3, 130, -number}
        troubles[f"signals: exit {doctor.returncode} after {number.name} at depth {depth}"] += (
            doctor.returncode not in allowed
        )
        troubles["signals: traceback"] += "Traceback" in said
        troubles["signals: orphans"] += bool(support.processes_left())
        if profile.exists():
            try:
                runtime_profile.read(profile)
            except ValueError:
                troubles["signals: broken profile"] += 1
    return troubles


def main() -> None:
    smoke = "--smoke" in sys.argv
    count = 300 if smoke else next((int(word) for word in sys.argv[1:] if word.isdigit()), 10_000)
    chance = random.Random(20261126)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        throws: dict[str, Callable[[], Counter[str]]] = {
            "messages of a check": lambda: throw_messages(count, folder),
            "interpreters": lambda: throw_bytes(count, folder, chance),
            "changed reports, seven formats": lambda: throw_reports(count, chance),
            "changed reports, six tabs": lambda: asyncio.run(draw_reports(max(1, count // 20), chance, folder)),
            "signals": lambda: throw_signals(max(1, count // 300), folder, chance),
        }
        wanted = [word for word in sys.argv[1:] if word in throws] or list(throws)
        for what in wanted:
            begun = time.monotonic()
            troubles = +throws[what]()
            print(f"{what:32} {count:6} thrown, {sum(troubles.values()):4} troubles, {time.monotonic() - begun:.0f} s")
            for trouble, times in troubles.most_common(20):
                print(f"    {times:5} {trouble[:150]}")


if __name__ == "__main__":
    main()
