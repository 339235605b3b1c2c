"""What a fleet makes of faults, and what its report costs. `python tests/bench/bench_fleet.py [--smoke]`.

Faults: random schedules over eight processes on this machine, each its own "machine", with a real store, real
processes and real signals; the check-up is a program that hands out a recorded report. Looked at after each: whether
every healthy report is in rank 0's document, or where rank 0 died in what `fleet merge` makes of the kept files;
whether the culprit is named, and when; whether anything is left.

Ranks: more and more processes on loopback, whose check-ups all end at the same moment.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from helpers.fleets import Fleet, Member, Nursery
from mpsdoctor.merging.reading import merge_files, read_file

SIZE = 8
TIMEOUT = 8.0  # seconds; long for a check-up that takes one, also where the machine is busy
ALLOWED = 2.0  # seconds beyond it
PATIENCE = 60.0  # seconds for what should have ended long before
ROGUE = """
import os, torch.distributed as dist, datetime, random
store = dist.TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), None, False,
                      datetime.timedelta(seconds=20), wait_for_workers=False)
store = dist.PrefixStore("mpsdoctor//0", store)
rank = os.environ["RANK"]
store.set("beat/" + rank, bytes(random.randbytes(40)))
store.set("here/" + rank, random.choice([b"[]", b'{"rank": 1e99}', random.randbytes(4000)]))
kind = random.randrange(4)
if kind == 0:
    store.set("machine/" + rank, random.randbytes(1 << 20))
elif kind == 1:
    store.set("machine/" + rank, b'{"size": 999999999999, "chunks": 99999999}')
elif kind == 2:
    store.set("machine/" + rank + "/0", b'{"rank": ' + rank.encode() + b', "outcome": "ok", "report": {"a": 1}}')
    store.set("machine/" + rank, b'{"size": 43, "chunks": 1}')
else:
    store.set("machine/" + rank + "/0", b"[" * 100000)
    store.set("machine/" + rank, b'{"size": 100000, "chunks": 1}')
"""


@dataclass(frozen=True)
class Fault:
    """A fault of a rank: how its check-up goes, what is done to its process, and how the report may name it."""

    outcomes: tuple[str, ...]
    plan: Mapping[str, Any] = field(default_factory=dict)
    signal: int = 0
    variables: Mapping[str, str] = field(default_factory=dict)
    rogue: bool = False
    of_rank_0: bool = True


FAULTS = {  # a process that is killed or stopped before it came to the store was never there
    "check-up killed": Fault(("killed",), {"fault": "killed"}),
    "process killed": Fault(("killed", "unreachable"), {"seconds": 60.0}, signal.SIGKILL, of_rank_0=False),
    "check-up stopped": Fault(("hung",), {"fault": "stopped"}),
    "process stopped": Fault(("hung", "unreachable"), {"seconds": 60.0}, signal.SIGSTOP, of_rank_0=False),
    "too slow": Fault(("late",), {"seconds": 60.0}),
    "slow, in time": Fault(("ok",), {"seconds": 2.5}),
    "port refused": Fault(("unreachable",), variables={"MASTER_PORT": "1"}, of_rank_0=False),
    "other schema": Fault(("error",), {"fault": "schema"}),
    "no report": Fault(("error",), {"fault": "silent"}),
    "garbage report": Fault(("error",), {"fault": "garbage"}),
    "garbage value": Fault(("error",), rogue=True, of_rank_0=False),
}
OF_ALL = ("rank 0 killed", "disk full")  # faults of the schedule, beside those of ranks


@dataclass
class Result:
    """What came of a schedule: faults by rank, and what was wrong with the outcome."""

    faults: dict[int, str]
    whole: str
    seconds: float = 0.0
    lost: list[int] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)
    inexact: int = 0  # culprits called late that hang: their own word on it came too late
    left: int = 0
    late_s: float = 0.0

    @property
    def well(self) -> bool:
        return not (self.lost or self.unnamed or self.left) and self.late_s <= ALLOWED


def draw(chance: random.Random) -> tuple[dict[int, str], str]:
    """One to three faults of ranks, and now and then one of the whole."""
    whole = chance.choice(OF_ALL) if chance.random() < 0.3 else ""
    faults: dict[int, str] = {}
    others = range(1 if whole == "rank 0 killed" else 0, SIZE)
    for rank in chance.sample(others, chance.choice((1, 1, 2, 3))):
        faults[rank] = chance.choice([name for name, fault in FAULTS.items() if rank or fault.of_rank_0])
    return faults, whole


def run_schedule(nursery: Nursery, folder: Path, number: int) -> Result:
    """Start eight processes, do to them what the schedule says, and look at what is there in the end."""
    chance = random.Random(number)
    faults, whole = draw(chance)
    result = Result(faults, whole)
    fleet = Fleet(nursery, folder / str(number), SIZE, TIMEOUT)
    fleet.folder.mkdir()
    try:
        began = time.monotonic()
        start_all(fleet, chance, faults, whole)
        if whole == "rank 0 killed":
            fleet.members[0].wait(PATIENCE)
            document = merge_kept(fleet)
        else:
            document, after = wait_for_document(fleet)
            result.late_s = max(0.0, after - TIMEOUT)
        judge(result, document)
        result.left = end_all(fleet)
        result.seconds = time.monotonic() - began
    finally:
        fleet.end()
    return result


def start_all(fleet: Fleet, chance: random.Random, faults: Mapping[int, str], whole: str) -> None:
    """Rank 0 first, which opens the store; then the others, and the signals at random moments."""
    waiting: list[tuple[float, Member, int]] = []
    for rank in range(SIZE):
        fault = FAULTS[faults[rank]] if rank in faults else Fault(("ok",))
        plan = {"seconds": chance.uniform(0.0, 1.0), **fault.plan}
        if fault.rogue:
            fleet.start_rogue(rank, ROGUE)
            continue
        full = ("--output", "/dev/full") if whole == "disk full" and rank == 0 else ()
        member = fleet.start(rank, plan, *full, **fault.variables)
        if fault.signal:
            waiting.append((chance.uniform(1.0, 2.0), member, fault.signal))
    if whole == "rank 0 killed":
        waiting.append((chance.uniform(0.5, 2.0), fleet.members[0], signal.SIGKILL))
    began = time.monotonic()
    for after, member, number in sorted(waiting, key=lambda row: row[0]):
        member.begun.wait(PATIENCE)
        time.sleep(max(0.0, began + after - time.monotonic()))
        if not member.ended.is_set():
            member.send(number)


def wait_for_document(fleet: Fleet) -> tuple[Any, float]:
    """Rank 0's, and how many seconds after its beginning it was there."""
    first = fleet.members[0]
    first.begun.wait(PATIENCE)
    began = first.begun_at
    while not (text := first.printed()).rstrip().endswith("}") and time.monotonic() - began < PATIENCE:
        if first.ended.is_set():
            text = first.printed()
            break
        time.sleep(0.02)
    try:
        return json.loads(text), time.monotonic() - began
    except ValueError:
        return {"machines": [], "trouble": f"{first.status} {first.said()[-2000:]}"}, time.monotonic() - began


def merge_kept(fleet: Fleet) -> Any:
    """What `fleet merge` makes of the files that are there once all others have ended."""
    stopped = {rank for rank, member in fleet.members.items() if not member.wait(TIMEOUT + PATIENCE / 4)}
    for rank in stopped:
        fleet.members[rank].send(signal.SIGCONT)
        fleet.members[rank].wait(PATIENCE)
    files = sorted(fleet.kept.glob(f"rank-*-of-{SIZE}.json"))
    report = merge_files(read_file(file.read_bytes(), 0) for file in files)
    return {"machines": [{"rank": row.rank, "outcome": row.outcome} for row in report.machines]}


def judge(result: Result, document: Any) -> None:
    """Every healthy rank is ok, and each culprit is called what it is."""
    outcomes = {row["rank"]: row["outcome"] for row in document["machines"]}
    gathered = result.whole != "rank 0 killed"
    result.unnamed += [document["trouble"]] if "trouble" in document else []
    for rank in range(SIZE):
        fault = FAULTS.get(result.faults.get(rank, ""), Fault(("ok",)))
        expected = fault.outcomes
        if rank == 0 and not gathered:
            expected = ("unreachable", "ok")  # ok where its check-up had ended before it was killed
        elif not gathered and (fault.signal or fault.rogue):
            expected = ("unreachable", "late", *expected)  # nothing of it is in any file, or it went on too late
        elif not gathered and result.faults.get(rank) == "port refused":
            expected = ("ok",)  # its own report is in its file
        if outcomes.get(rank) in expected:
            continue
        if expected[0] == "hung" and outcomes.get(rank) == "late":
            result.inexact += 1
            continue
        if expected == ("ok",):
            result.lost.append(rank)
        else:
            result.unnamed.append(f"{rank} {result.faults.get(rank, result.whole)}: {outcomes.get(rank)}")


def end_all(fleet: Fleet) -> int:
    """How many processes are left once all had time to end by themselves; stopped ones are let go on first."""
    for rank, name in ((rank, member) for rank, member in fleet.members.items()):
        if not name.ended.is_set() and rank:
            name.send(signal.SIGCONT)
    until = time.monotonic() + PATIENCE / 2
    while fleet.left() and time.monotonic() < until:
        time.sleep(0.1)
    return len(fleet.left())


def faults(numbers: Iterable[int], at_once: int) -> bool:
    """Run and print these schedules."""
    drawn = list(numbers)
    with Nursery() as nursery, tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(at_once) as pool:
        results = list(pool.map(partial(run_schedule, nursery, Path(folder)), drawn))
    kinds = Counter(name for result in results for name in (*result.faults.values(), *filter(None, [result.whole])))
    print(f"schedules of faults    {len(results)} over {SIZE} processes, timeout {TIMEOUT:g} s")
    for name, number in sorted(kinds.items()):
        print(f"  {name:20} {number}")
    named = [result.late_s for result in results if result.whole != "rank 0 killed"]
    print(f"healthy reports lost   {sum(len(result.lost) for result in results)}")
    print(f"culprits not named     {sum(len(result.unnamed) for result in results)}")
    print(f"  named inexactly      {sum(result.inexact for result in results)} (late in place of hung)")
    print(f"named after timeout    at most {max(named, default=0.0):.2f} s later ({ALLOWED:g} s are allowed)")
    print(f"processes left         {sum(result.left for result in results)}")
    for number, result in zip(drawn, results, strict=True):
        if not result.well:
            print(f"  schedule {number}: {result}")
    return all(result.well for result in results)


def ranks(sizes: Iterable[int]) -> bool:
    """Fleets of these sizes; from the last report to the table, and what rank 0 takes for each."""
    rows = []
    print("ranks   last report to table   processor time of rank 0   of it a rank")
    with Nursery() as nursery, tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            seconds, taken = gather_at_once(nursery, Path(folder), size)
            rows.append((size, seconds, taken))
            print(f"| {size:3} | {seconds:15.2f} s | {taken:21.2f} s | {1000 * taken / size:9.1f} ms |")
    small, large = rows[0], rows[-1]
    growth = (large[2] / small[2]) / (large[0] / small[0]) if len(rows) > 1 else 1.0
    print(f"growth                 rank 0's time grows {growth:.2f} times as fast as the number of ranks")
    return large[1] <= ALLOWED and growth <= 1.2


def gather_at_once(nursery: Nursery, folder: Path, size: int) -> tuple[float, float]:
    """Seconds from the last kept report to the document, and rank 0's processor seconds."""
    fleet = Fleet(nursery, folder / f"ranks-{size}", size, 240.0)
    fleet.folder.mkdir()
    gate = fleet.folder / "gate"
    try:
        for rank in range(size):
            fleet.start(rank, {"wait": str(gate)})
        for member in fleet.members.values():
            member.begun.wait(PATIENCE)
        wait_until(lambda: fleet.begun_check_ups() == size, PATIENCE)
        gate.touch()
        fleet.members[0].wait(240.0)
        last = max(file.stat().st_mtime for file in fleet.kept.glob("*.json"))
        document = fleet.members[0].folder / "stdout"
        assert len(json.loads(document.read_text())["machines"]) == size
        return document.stat().st_mtime - last, fleet.members[0].seconds
    finally:
        fleet.end()


def wait_until(holds: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="few schedules, few ranks")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument(
        "--first", type=int, default=0, metavar="NUMBER", help="of the schedules, that are always alike"
    )
    parser.add_argument("--at-once", type=int, default=2)
    options = parser.parse_args()
    began = time.monotonic()
    well = faults(range(options.first, options.first + (4 if options.smoke else options.count)), options.at_once)
    few = (2, 4) if options.smoke else (8, 16, 32, 64)
    fast = ranks(few)
    print(f"took                   {time.monotonic() - began:.0f} s")
    sys.exit(0 if options.smoke or (well and fast) else 1)


if __name__ == "__main__":
    main()
