"""The check-up of this machine in a process of its own, whose death is a result. It is held by race's keeper, so that
nothing of it is left when this process is gone, however."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mpsdoctor import clean, sentences
from mpsdoctor.intake import UnfitError
from mpsdoctor.merging.reading import LARGEST, fit_report, parse
from mpsdoctor.merging.shapes import Outcome
from mpsdoctor.process import environment, how_it_ended
from mpsdoctor.race.scripts import KEEPER
from mpsdoctor.report import Report
from mpsdoctor.texts import Part

SILENT = 60.0  # seconds: a check-up says what it does every 5, but while torch is imported on a cold disk
INTERRUPTED = 130
POLL = 0.05  # seconds between looks at it
KEPT = 4096  # bytes of what it said last


@dataclass(frozen=True)
class Ended:
    """What came of it; a report only where the outcome is "ok"."""

    outcome: Outcome
    detail: Part
    report: Report | None = None


@dataclass
class Held:
    """A process in its keeper; what it says, and when it said something last."""

    command: Sequence[str]
    hear: Callable[[str], None]
    status: int | None = None
    failure: str = ""
    spoken_at: float = field(default_factory=time.monotonic)
    words: bytes = b""

    def __post_init__(self) -> None:
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", str(KEEPER), *self.command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment({}),
            start_new_session=True,
        )
        self._threads = [threading.Thread(target=act, daemon=True) for act in (self._listen, self._hear)]
        for thread in self._threads:
            thread.start()

    def ended(self) -> bool:
        return self._keeper.poll() is not None

    def end(self) -> None:
        """Leave nothing of it: the keeper does so when its stdin closes."""
        assert self._keeper.stdin
        self._keeper.stdin.close()
        self._keeper.wait()
        for thread in self._threads:
            thread.join(0.5)

    def _listen(self) -> None:
        assert self._keeper.stdout
        with self._keeper.stdout as stream:
            for line in stream:
                told = json.loads(line)
                self.status, self.failure = told.get("ended", self.status), told.get("failed", self.failure)

    def _hear(self) -> None:
        assert self._keeper.stderr
        with self._keeper.stderr as stream:
            for line in stream:
                self.spoken_at, self.words = time.monotonic(), (self.words + line)[-KEPT:]
                self.hear(clean.line(line.decode("utf-8", "replace").rstrip()))

    def last_words(self) -> Part:
        lines = clean.text(self.words.decode("utf-8", "replace")).strip().splitlines()
        return Part("fleet_last_words", {"words": sentences.shortened(lines[-1])}) if lines else Part("")


def run(options: Sequence[str], limit: float, over: Callable[[], bool], hear: Callable[[str], None]) -> Ended:
    """A check-up with these options, ended after so many seconds or when it is over."""
    with tempfile.TemporaryDirectory(prefix="mpsdoctor-fleet-") as folder:
        file = Path(folder) / "check-up.json"
        output = ("--format", "json", "--output", str(file), "--fail-on", "never")
        try:
            command = (sys.executable, "-m", "mpsdoctor", *options, *output)
            held = Held(command, lambda line: None if folder in line else hear(line))
        except OSError as error:
            return Ended("error", Part("fleet_not_started", {"why": error.strerror or str(error)}))
        began = time.monotonic()
        while not held.ended() and not over() and time.monotonic() - began < limit:
            time.sleep(POLL)
        in_time, silence, took = held.ended(), time.monotonic() - held.spoken_at, time.monotonic() - began
        held.end()
        if in_time:
            return judge(held, file)
        hung = silence >= min(SILENT, took / 2)
        name, seconds = ("fleet_silent", silence) if hung else ("fleet_at_work", took)
        return Ended("hung" if hung else "late", Part(name, {"seconds": seconds, "words": held.last_words()}))


def judge(held: Held, file: Path) -> Ended:
    """What a check-up that has ended came to: by its report, and else by its exit status."""
    if held.failure:
        return Ended("error", Part("fleet_not_started", {"why": held.failure}))
    how = {"how": how_it_ended(held.status) if held.status is not None else Part("signal_name", {"name": "SIGKILL"})}
    if held.status is None or held.status < 0 or held.status == INTERRUPTED:
        return Ended("killed", Part("fleet_child_ended", {**how, "words": held.last_words()}))
    try:
        with file.open("rb") as stream:
            report = fit_report(parse(stream.read(LARGEST)))
    except OSError:
        return Ended("error", Part("fleet_no_report", {**how, "words": held.last_words()}))
    except UnfitError as error:
        return Ended("error", Part("fleet_unfit", {"why": str(error)}))
    return Ended("ok", Part(""), report)
