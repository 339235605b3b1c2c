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
from typing import Literal, NamedTuple

from mpsdoctor.check import (
    Answer,
    Collected,
    Context,
    Job,
    Sandbox,
    Skip,
    UnusableAnswerError,
    UnusableRequestError,
    Workers,
    devices_of,
    typed,
)
from mpsdoctor.facts import build_facts
from mpsdoctor.facts.operators import Coverage, ProbeFacts
from mpsdoctor.support import FALLBACK
from mpsdoctor.texts import Part
from mpsdoctor.worker.shapes import Judgement, PlannedInfo, ProbeResult, SampleFault, SampleTurn
from mpsdoctor_checks import installing
from mpsdoctor_checks.operators import rules
from mpsdoctor_checks.operators.collect import PROGRESS_SECONDS, count_outcomes, device_kind, strict_environment
from mpsdoctor_checks.operators.deaths import DIED, Deaths
from mpsdoctor_checks.operators.grouping import group_rows
from mpsdoctor_checks.operators.judgements import fill_detail, judgement_of
from mpsdoctor_checks.operators.named import explain_unknown

MISSING, PLAN, RUN = (f"mpsdoctor_worker.operators.opinfos:{name}" for name in ("missing", "plan", "run"))
LOAD = Job("mpsdoctor_worker.operators.opinfos:load", timeout=180.0)
SAMPLE_SECONDS = 20.0  # of silence; a worker hands back after five
MOST_LANES = 4
NOTES = struct.Struct("<5q")  # where a worker is, as it writes it
TICKETS = itertools.count(1)
DIRECTIONS = ("forward", "backward")

OK: Judgement = {"outcome": "ok", "detail": ""}

Place = tuple[int, str]  # number of a sample, direction


@dataclass
class Task:
    """One OpInfo in one dtype: where it is, the samples that are not right, and why the rest of it is left out."""

    name: str
    op: str
    dtype: str
    first: int = 0
    reason: Part | None = None
    counts: Counter[str] = field(default_factory=Counter)
    faults: dict[Place, Judgement] = field(default_factory=dict)

    def add_fault(self, fault: SampleFault) -> None:
        number, direction = fault["at"]
        self.faults[number, direction] = fault["bad"]

    def job(self, device: str, notes: Path) -> Job:
        args = {"name": self.name, "dtype": self.dtype, "device": device, "first": self.first}
        return Job(RUN, {**args, "notes": str(notes), "ticket": next(TICKETS)}, SAMPLE_SECONDS, self.add_fault)

    def end_turn(self, answer: Answer, deaths: Deaths) -> bool:
        """Take in the end of a job; True while samples are left to run. UnusableAnswerError."""
        for fault in self.faults.values():
            fill_detail(fault)
        if answer.outcome == "ok":
            turn = typed(answer, SampleTurn)
            self.counts.update(turn["done"])
            self.first = turn["next"] or self.first
            return turn["next"] is not None
        place, counts = read_notes(answer.job)
        self.counts.update(counts)
        outcome = answer.outcome if answer.outcome in DIED else "error"
        judgement = judgement_of(outcome, answer.wording)
        deaths.note(self.op, outcome)
        if outcome == "error" or place is None:  # before or between samples
            self.counts["forward"] += 1
            self.faults[place[0] + 1 if place else self.first, "forward"] = judgement
            return False
        self.faults[place] = judgement
        self.first = place[0] + 1
        return True

    def rows(self, device: str) -> list[ProbeResult]:
        """One row for each sample that is not right, and one for all others of a direction."""
        faults = self.faults.items()
        rows = [self.row(device, f"sample {number}", direction, fault) for (number, direction), fault in faults]
        for direction, count in self.counts.items():
            right = count - sum(place[1] == direction for place in self.faults)
            if right > 0:
                rows.append(self.row(device, f"{right} samples", direction, {**OK, "samples": right}))
        if self.reason:
            rows.append(self.row(device, "other samples", "forward", judgement_of("skipped", self.reason)))
        return rows

    def row(self, device: str, variant: str, direction: str, judgement: Judgement) -> ProbeResult:
        return {
            "entry": self.name,
            "op": self.op,
            "device": device,
            "dtype": self.dtype,
            "variant": variant,
            "direction": direction,
            **judgement,
        }


def read_notes(job: Job) -> tuple[Place | None, dict[str, int]]:
    """The last place of a job that does not answer, and its begun samples by direction, from the worker's notes."""
    try:
        ticket, number, backward, *counts = NOTES.unpack(Path(job.args["notes"]).read_bytes())
    except (OSError, struct.error):
        return None, {}
    if ticket != job.args["ticket"]:  # of an earlier job, or never written
        return None, {}
    return (number, DIRECTIONS[backward]), dict(zip(DIRECTIONS, counts, strict=True))


@dataclass
class Tasks:
    """What is left to do on one device, shared by its workers."""

    context: Context
    device: str
    env: dict[str, str]
    waiting: deque[Task]
    all_tasks: tuple[Task, ...] = ()
    deaths: Deaths = field(default_factory=Deaths)
    reason: str | None = None
    reported: float = 0.0

    def run(self) -> None:
        """Do all of it; returns when every worker is done."""
        self.all_tasks = tuple(self.waiting)
        workers = lanes(self.context, self.device, self.env)
        with tempfile.TemporaryDirectory(prefix="mpsdoctor-") as folder:
            notes = [Path(folder) / str(number) for number in range(len(workers))]
            threads = [threading.Thread(target=self.work, args=pair) for pair in zip(workers, notes, strict=True)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    def work(self, worker: Sandbox, notes: Path) -> None:
        """Run tasks on a worker in their order, each until it has no samples left."""
        notes.write_bytes(bytes(NOTES.size))
        while self.waiting and not self.reason:
            sent: deque[Task] = deque()
            for answer in worker.run(self.jobs(sent, notes)):
                task = sent.popleft()
                if answer.outcome in ("cancelled", "unavailable"):
                    self.reason = answer.reason
                    return
                try:
                    if task.end_turn(answer, self.deaths):
                        self.waiting.appendleft(task)
                except UnusableAnswerError as error:
                    self.reason = str(error)
                    return
                self.report_progress()

    def jobs(self, sent: deque[Task], notes: Path) -> Iterator[Job]:
        while not self.reason:
            try:
                task = self.waiting.popleft()
            except IndexError:
                return
            task.reason = self.deaths.too_many_of(task.op)
            if task.reason:
                continue
            sent.append(task)
            yield task.job(self.device, notes)

    def report_progress(self) -> None:
        """One line of progress twice a second."""
        if time.monotonic() - self.reported < PROGRESS_SECONDS:
            return
        self.reported = time.monotonic()
        samples = sum(sum(task.counts.values()) for task in self.all_tasks)
        counts = Counter(fault["outcome"] for task in self.all_tasks for fault in list(task.faults.values()))
        bad = {outcome: count for outcome, count in counts.items() if outcome != "skipped"}
        values = {"device": self.device, "samples": samples, "outcomes": count_outcomes(bad)}
        self.context.progress(Part("sampling", values), len(self.all_tasks) - len(self.waiting), len(self.all_tasks))


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


class DeviceSamples(NamedTuple):
    """The results of the samples of one device; `reason` says why some are not run."""

    device: str
    rows: list[ProbeResult]
    seconds: float
    reason: str | None

    @property
    def counts(self) -> Counter[str]:
        """Samples by outcome."""
        return count_samples(self.rows, "outcome")


def examine(context: Context, names: Sequence[str] = ()) -> Collected:
    """Facts and findings over op_db, or the OpInfos of some operators. UnusableRequestError where it is absent."""
    plan = plan_of(context, names)
    devices = [run_samples(context, device, plan) for device in devices_of(context, cpu=False)]
    facts: ProbeFacts = {
        "source": "op_db",
        "results": [row for samples in devices for row in group_rows(samples.rows)],
        "asked": list(names),
        "entries": sorted({name for name, *_ in plan}),
        "coverage": {samples.device: coverage(samples.rows) for samples in devices},
        "summary": {samples.device: dict(samples.counts) for samples in devices},
        "planned": {samples.device: sum(samples.counts.values()) for samples in devices},
        "skipped": {samples.device: 0 for samples in devices},
        "not_probed": {samples.device: samples.reason for samples in devices if samples.reason},
        "core_failures": {samples.device: [] for samples in devices},
        "probes_per_second": {
            samples.device: round(sum(samples.counts.values()) / samples.seconds, 1) for samples in devices
        },
    }
    return {**facts}, rules.judge(facts, build_facts(context.facts))


def run_samples(context: Context, device: str, plan: Sequence[PlannedInfo]) -> DeviceSamples:
    """Run the samples of a plan on one device."""
    begun = time.monotonic()
    tasks = Tasks(context, device, strict_environment(device), deque(Task(*planned) for planned in plan))
    tasks.run()
    if device_kind(device) == "mps":
        audit(tasks)
    seconds = time.monotonic() - begun
    return DeviceSamples(device, [row for task in tasks.all_tasks for row in task.rows(device)], seconds, tasks.reason)


def count_samples(rows: Sequence[ProbeResult], key: Literal["outcome", "dtype"]) -> Counter[str]:
    """Samples by outcome or dtype."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row[key]] += row.get("samples", 1)
    return counts


def coverage(rows: Sequence[ProbeResult]) -> Coverage:
    """How many samples were run; op_db does not name their layouts."""
    probed = [row for row in rows if row["outcome"] != "skipped"]
    dtypes = count_samples(probed, "dtype")
    return {
        "planned": sum(count_samples(rows, "dtype").values()),
        "made": sum(dtypes.values()),
        "operators": len({row["op"] for row in probed}),
        "dtypes": dict(dtypes),
        "variants": {"samples": sum(dtypes.values())},
    }


def plan_of(context: Context, names: Sequence[str]) -> list[PlannedInfo]:
    """The OpInfos to run."""
    worker, *others = lanes(context, "cpu", {})
    if "cpu" not in devices_of(context, cpu=False):
        for other in others:
            other.close()
    context.progress(Part("importing_op_db"))
    answer = worker.call(MISSING)
    if answer.outcome != "ok":
        raise Skip(answer.reason)
    if packages := typed(answer, list[str]):
        python = build_facts(context.facts).get("python") or {"executable": worker.python}
        lacking, command = " and ".join(packages), installing.beside_torch(python, packages)
        raise UnusableRequestError(f"--all needs {lacking} beside torch under {worker.python}: {command}")
    answer = worker.call(PLAN, timeout=180.0, every_dtype=context.budget == "thorough")
    if answer.outcome != "ok":
        reason = answer.reason
        raise UnusableRequestError(f"torch's operator database cannot be used under {worker.python}: {reason}")
    plan = typed(answer, list[PlannedInfo])
    return select_infos(plan, names) if names else plan


def select_infos(plan: Sequence[PlannedInfo], names: Sequence[str]) -> list[PlannedInfo]:
    """The OpInfos of some operators, by the names of `names_of`."""
    selected: dict[PlannedInfo, None] = {}
    for name in names:
        wanted = name.removeprefix("aten::")
        fitting = [planned for planned in plan if wanted in names_of(planned)]
        if not fitting:
            known = sorted({known for planned in plan for known in names_of(planned)})
            raise UnusableRequestError(explain_unknown(wanted, known, "op_db"))
        selected.update(dict.fromkeys(fitting))
    return list(selected)


def names_of(planned: PlannedInfo) -> set[str]:
    """The names that a person may use for an OpInfo: its full name, that without `nn.functional`, its aten name."""
    name, op = planned.name, planned.op
    return {name, name.removeprefix("nn.functional."), op.removeprefix("aten::").removeprefix("torch.")}


def audit(tasks: Tasks) -> None:
    """Run again, where the CPU may step in, the samples that MPS has no kernel for."""
    lacking = [task for task in tasks.all_tasks if lacks_kernel(task)]
    if not lacking or tasks.reason:
        return
    waiting = deque(Task(task.name, task.op, task.dtype) for task in lacking)
    audited = Tasks(tasks.context, tasks.device, {FALLBACK: "1"}, waiting)
    audited.run()
    for task, again in zip(lacking, audited.all_tasks, strict=True):
        for place, fault in task.faults.items():
            if again.reason and place not in again.faults:
                continue
            helped = place not in again.faults or again.faults[place]["outcome"] == "fallback"
            if fault["outcome"] == "unimplemented":
                fault["fallback"] = helped
                if helped:
                    fault["outcome"] = "fallback"


def lacks_kernel(task: Task) -> bool:
    return any(fault["outcome"] == "unimplemented" for fault in task.faults.values())
