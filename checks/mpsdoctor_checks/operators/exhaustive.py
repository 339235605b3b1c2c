"""`ops --all`: PyTorch's own operator database on every device, by several workers at once on the CPU."""

from __future__ import annotations

import itertools
import os
import struct
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mpsdoctor.check import Answer, Collected, Context, Job, Sandbox, Skip, UnusableRequestError, Workers, devices_of
from mpsdoctor.support import FALLBACK
from mpsdoctor_checks.operators import rules
from mpsdoctor_checks.operators.collect import EVERY, kind, strict
from mpsdoctor_checks.operators.deaths import DIED, Deaths
from mpsdoctor_checks.operators.grouping import grouped
from mpsdoctor_checks.operators.named import unknown
from mpsdoctor_checks.operators.queue import Row

MISSING, PLAN, RUN = (f"mpsdoctor_worker.operators.opinfos:{name}" for name in ("missing", "plan", "run"))
LOAD = Job("mpsdoctor_worker.operators.opinfos:load", timeout=180.0)
SAMPLE_SECONDS = 20.0  # of silence; a worker hands back after five
MOST_LANES = 4
NOTES = struct.Struct("<5q")  # where a worker is, as it writes it
TICKETS = itertools.count(1)
DIRECTIONS = ("forward", "backward")
INSTALL = "pip install 'mpsdoctor[exhaustive]'"

Place = tuple[int, str]  # number of a sample, direction


@dataclass
class Task:
    """One OpInfo in one dtype: where it is, what was found so far, and why the rest of it is left."""

    name: str
    op: str
    dtype: str
    first: int = 0
    left: str = ""
    done: Counter[str] = field(default_factory=Counter)
    bad: dict[Place, dict[str, Any]] = field(default_factory=dict)

    def take(self, message: dict[str, Any]) -> None:
        """A sample is not right."""
        number, direction = message["at"]
        self.bad[number, direction] = message["bad"]

    def job(self, device: str, notes: Path) -> Job:
        args = {"name": self.name, "dtype": self.dtype, "device": device, "first": self.first}
        return Job(RUN, {**args, "notes": str(notes), "ticket": next(TICKETS)}, SAMPLE_SECONDS, self.take)

    def goes_on(self, answer: Answer, deaths: Deaths) -> bool:
        """Take in how a job ended; whether samples are left that are to be run."""
        if answer.outcome == "ok":
            self.done.update(answer.value["done"])
            self.first = answer.value["next"] or self.first
            return answer.value["next"] is not None
        at, done = noted(answer.job)
        self.done.update(done)
        outcome = answer.outcome if answer.outcome in DIED else "error"
        verdict = {"outcome": outcome, "detail": answer.detail}
        deaths.note(self.op, outcome)
        if outcome == "error" or at is None:  # before or between samples
            self.done["forward"] += 1
            self.bad[at[0] + 1 if at else self.first, "forward"] = verdict
            return False
        self.bad[at] = verdict
        self.first = at[0] + 1
        return True

    def rows(self, device: str) -> list[Row]:
        """One row for each sample that is not right, and one for all others of a direction."""
        names = {"entry": self.name, "op": self.op, "device": device, "dtype": self.dtype}
        found = [
            {**names, "variant": f"sample {number}", "direction": direction, **verdict}
            for (number, direction), verdict in self.bad.items()
        ]
        for direction, count in self.done.items():
            right = count - sum(place[1] == direction for place in self.bad)
            if right > 0:
                row = {**names, "variant": f"{right} samples", "direction": direction, "outcome": "ok", "detail": ""}
                found.append({**row, "samples": right})
        if self.left:
            row = {**names, "variant": "other samples", "direction": "forward"}
            found.append({**row, "outcome": "skipped", "detail": self.left})
        return found


def noted(job: Job) -> tuple[Place | None, dict[str, int]]:
    """Where a job that did not answer was, and how many samples it had begun by direction, from the worker's notes."""
    try:
        ticket, number, backward, *done = NOTES.unpack(Path(job.args["notes"]).read_bytes())
    except (OSError, struct.error):
        return None, {}
    if ticket != job.args["ticket"]:  # of an earlier job, or never written
        return None, {}
    return (number, DIRECTIONS[backward]), dict(zip(DIRECTIONS, done, strict=True))


@dataclass
class Tasks:
    """What is left to do on one device, shared by its workers."""

    context: Context
    device: str
    env: dict[str, str]
    waiting: deque[Task]
    every: tuple[Task, ...] = ()
    deaths: Deaths = field(default_factory=Deaths)
    reason: str | None = None
    told: float = 0.0

    def run(self) -> None:
        """Do all of it; returns when every worker is done."""
        self.every = tuple(self.waiting)
        workers = lanes(self.context, self.device, self.env)
        with tempfile.TemporaryDirectory(prefix="mpsdoctor-") as folder:
            notes = [Path(folder) / str(number) for number in range(len(workers))]
            threads = [threading.Thread(target=self.work, args=each) for each in zip(workers, notes, strict=True)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    def work(self, worker: Sandbox, notes: Path) -> None:
        """What one worker does: tasks as they come, each until its samples are used up."""
        notes.write_bytes(bytes(NOTES.size))
        while self.waiting and not self.reason:
            taken: deque[Task] = deque()
            for answer in worker.run(self.jobs(taken, notes)):
                task = taken.popleft()
                if answer.outcome in ("cancelled", "unavailable"):
                    self.reason = answer.reason
                    return
                if task.goes_on(answer, self.deaths):
                    self.waiting.appendleft(task)
                self.tell()

    def jobs(self, taken: deque[Task], notes: Path) -> Iterator[Job]:
        while not self.reason:
            try:
                task = self.waiting.popleft()
            except IndexError:
                return
            task.left = self.deaths.too_many_of(task.op)
            if task.left:
                continue
            taken.append(task)
            yield task.job(self.device, notes)

    def tell(self) -> None:
        """One line of progress twice a second."""
        if time.monotonic() - self.told < EVERY:
            return
        self.told = time.monotonic()
        samples = sum(sum(task.done.values()) for task in self.every)
        counts = Counter(verdict["outcome"] for task in self.every for verdict in list(task.bad.values()))
        bad = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if outcome != "skipped")
        text = f"op_db {self.device}: {samples:,} samples" + (f", {bad}" if bad else "")
        self.context.progress(text, len(self.every) - len(self.waiting), len(self.every))


def start(pool: Workers) -> None:
    """Import the database in every worker that may be needed, the first of which examines the build too."""
    for lane in cpu_lanes(pool):
        lane.start()


def cpu_lanes(pool: Workers) -> list[Sandbox]:
    return [pool.lane("cpu", number, {}, LOAD) for number in range(min(MOST_LANES, os.cpu_count() or 1))]


def lanes(context: Context, device: str, env: dict[str, str]) -> list[Sandbox]:
    """The workers of a device, the database imported there: several on the CPU, one elsewhere."""
    pool = context.workers
    if not isinstance(pool, Workers):
        raise TypeError("exhaustive runs need a pool of workers")
    if device != "cpu":
        return [pool.lane(device, 0, env, LOAD)]
    return cpu_lanes(pool)


def examine(context: Context, names: Sequence[str] = ()) -> Collected:
    """Facts and findings over op_db, or the OpInfos of some operators. UnusableRequestError where it is absent."""
    plan = plan_of(context, names)
    entries = sorted({name for name, *_ in plan})
    facts: dict[str, Any] = {"source": "op_db", "results": [], "asked": list(names), "entries": entries}
    keys = ("coverage", "summary", "planned", "skipped", "not_probed", "core_failures", "probes_per_second")
    by_device: dict[str, dict[str, Any]] = {key: {} for key in keys}
    for device in devices_of(context, cpu=False):
        begun = time.monotonic()
        tasks = Tasks(context, device, strict(device), deque(Task(name, op, dtype) for name, op, dtype in plan))
        tasks.run()
        if kind(device) == "mps":
            audit(tasks)
        seconds = time.monotonic() - begun
        rows = [row for task in tasks.every for row in task.rows(device)]
        counts = samples_by(rows, "outcome")
        facts["results"] += grouped(rows)
        by_device["coverage"][device] = coverage(rows)
        by_device["summary"][device] = dict(counts)
        by_device["planned"][device] = sum(counts.values())
        by_device["skipped"][device] = 0
        by_device["core_failures"][device] = []
        by_device["probes_per_second"][device] = round(sum(counts.values()) / seconds, 1)
        if tasks.reason:
            by_device["not_probed"][device] = tasks.reason
    facts.update(by_device)
    return facts, rules.judge(facts, context.facts["build"])


def samples_by(rows: Sequence[Row], key: str) -> Counter[str]:
    """Counts of samples."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row[key]] += row.get("samples", 1)
    return counts


def coverage(rows: Sequence[Row]) -> dict[str, Any]:
    """How many samples were run; op_db does not name their layouts."""
    made = [row for row in rows if row["outcome"] != "skipped"]
    dtypes = samples_by(made, "dtype")
    return {
        "planned": sum(samples_by(rows, "dtype").values()),
        "made": sum(dtypes.values()),
        "operators": len({row["op"] for row in made}),
        "dtypes": dict(dtypes),
        "variants": {"samples": sum(dtypes.values())},
    }


def plan_of(context: Context, names: Sequence[str]) -> list[list[str]]:
    """[name, aten name, dtype] of the OpInfos to run."""
    worker, *others = lanes(context, "cpu", {})
    if "cpu" not in devices_of(context, cpu=False):
        for other in others:
            other.close()
    context.progress("op_db: importing torch's operator database")
    answer = worker.call(MISSING)
    if answer.outcome != "ok":
        raise Skip(answer.reason)
    if answer.value:
        lacking = " and ".join(answer.value)
        raise UnusableRequestError(f"--all needs {lacking} beside torch under {worker.python}: {INSTALL}")
    answer = worker.call(PLAN, timeout=180.0, every_dtype=context.budget == "thorough")
    if answer.outcome != "ok":
        reason = answer.reason
        raise UnusableRequestError(f"torch's operator database cannot be used under {worker.python}: {reason}")
    plan: list[list[str]] = answer.value
    return chosen(plan, names) if names else plan


def chosen(plan: list[list[str]], names: Sequence[str]) -> list[list[str]]:
    """The OpInfos of some operators, by the names of `names_of`."""
    found: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        wanted = name.removeprefix("aten::")
        fitting = [one for one in plan if wanted in names_of(one)]
        if not fitting:
            known = sorted({known for one in plan for known in names_of(one)})
            raise UnusableRequestError(unknown(wanted, known, "op_db"))
        found.update({tuple(one): one for one in fitting})
    return list(found.values())


def names_of(planned: Sequence[str]) -> set[str]:
    """What an OpInfo may be called by: its full name, that without `nn.functional`, its aten name."""
    full, op = planned[0], planned[1]
    return {full, full.removeprefix("nn.functional."), op.removeprefix("aten::").removeprefix("torch.")}


def audit(tasks: Tasks) -> None:
    """Ask again, where the CPU may step in, about samples that MPS has no kernel for."""
    lacking = [task for task in tasks.every if any(one["outcome"] == "unimplemented" for one in task.bad.values())]
    if not lacking or tasks.reason:
        return
    waiting = deque(Task(task.name, task.op, task.dtype) for task in lacking)
    again = Tasks(tasks.context, tasks.device, {FALLBACK: "1"}, waiting)
    again.run()
    for task, second in zip(lacking, again.every, strict=True):
        for place, verdict in task.bad.items():
            if second.left and place not in second.bad:
                continue
            helped = place not in second.bad or second.bad[place]["outcome"] == "fallback"
            if verdict["outcome"] == "unimplemented":
                verdict["fallback"] = helped
                if helped:
                    verdict["outcome"] = "fallback"
