"""What other programs take of the processors between two looks, by the names that people know them by.

Processes of mpsdoctor do not count. No argument and no path of a program is kept, for they tell of the person.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Collection, Mapping
from typing import NamedTuple

import psutil

from mpsdoctor import clean, orphans
from mpsdoctor.machine.shapes import Load, Process, ProcessorTimes, Program

TELLING = 0.25  # of what others take: less does not explain it
MOST_NAMED = 2
LONGEST_NAME = 40  # characters
BUNDLE = re.compile(r"(?:^|/)([^/]+)\.app(?:/|$)")

Processes = Mapping[int, Process]  # by process id


class Look(NamedTuple):
    """A moment, in seconds on a clock; None where the system does not tell."""

    at: float
    times: ProcessorTimes | None
    processes: Processes


def look(times: ProcessorTimes | None, processes: Processes) -> Look:
    """A look now."""
    return Look(time.monotonic(), times, processes)


def taken_by_others(before: Look, after: Look) -> Load:
    """What programs took that are not ours."""
    return taken(before, after, own_processes(after.processes))


def taken(before: Look, after: Look, own: Collection[int]) -> Load:
    """What all but the processes `own` took between two looks. Pure.

    A process that has begun meanwhile counts with all that it took; of one that has ended nothing is known.
    """
    if not before.times or not after.times or after.times.total <= before.times.total or after.at <= before.at:
        return {"percent": None, "programs": []}
    spent = {pid: process.seconds - _earlier(before, pid, process) for pid, process in after.processes.items()}
    total = after.times.total - before.times.total
    busy = after.times.busy - before.times.busy - sum(spent[pid] for pid in spent.keys() & set(own))
    by_name: Counter[str] = Counter()
    for pid in spent.keys() - set(own):
        by_name[short_name(after.processes[pid].name)] += round(1000 * spent[pid])
    programs: list[Program] = [
        {"name": name, "percent": round(0.1 * milliseconds / (after.at - before.at), 1)}
        for name, milliseconds in by_name.most_common(MOST_NAMED)
        if name and milliseconds > 1000 * TELLING * max(busy, 0.0)
    ]
    return {"percent": round(100 * max(busy, 0.0) / total, 1), "programs": programs}


def _earlier(before: Look, pid: int, process: Process) -> float:
    """What a process had taken already; a number that is another process' by now has taken nothing."""
    known = before.processes.get(pid)
    return known.seconds if known and known.seconds <= process.seconds else 0.0


def short_name(name: str) -> str:
    """`Google Chrome` for any program of that bundle, else the file's name, up to what may be an argument."""
    bundle = BUNDLE.search(name)
    file = bundle[1] if bundle else name.partition(":")[0].rstrip("/").rpartition("/")[2]
    return clean.line(file.strip().removeprefix("-"))[:LONGEST_NAME]


def own_processes(processes: Processes) -> set[int]:
    """The doctor, and what descends from it as a worker does; a shell's other children are somebody else's."""
    doctor = int(orphans.MARK) if orphans.MARK.isdecimal() else -1
    family, frontier = {doctor}, {doctor}
    while frontier:
        frontier = {pid for pid, process in processes.items() if process.parent in frontier} - family
        family |= frontier
    return {doctor, *(pid for pid in family - {doctor} if _is_marked(pid))}


def _is_marked(pid: int) -> bool:
    """Whether a descendant is a worker of ours, as long as the system does not tell the contrary."""
    try:
        environment = psutil.Process(pid).environ()
    except (psutil.Error, OSError):
        return True
    return not environment or environment.get(orphans.VARIABLE) == orphans.MARK
