"""Known issues: false alarms on the CPU, planted faults that are found, the time of a budget, the price of a question.

    python tests/bench/bench_issues.py [--smoke]

A fault is planted by operator and kind in the simulator (helpers/planted_issues.py); it is found where its canary is
not fine. The CPU runs all canaries so often that 10,000 runs come together.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "checks"), str(ROOT / "tests")]

from helpers import planted_issues  # noqa: E402
from helpers.planted_issues import FAULTS, READY  # noqa: E402
from mpsdoctor.check import IMPORT_TORCH, Context, Job, Sandbox, Workers  # noqa: E402
from mpsdoctor.facts.issues import WRONG  # noqa: E402
from mpsdoctor.issues import Surroundings, read_issues  # noqa: E402
from mpsdoctor_checks.known_issues.attempts import TRY, examine  # noqa: E402
from mpsdoctor_checks.known_issues.plan import Candidate, arguments_of, candidates  # noqa: E402
from simulator import simulator  # noqa: E402

PLANT = f"{planted_issues.__file__}:plant"
RUNS = 10_000
LAUNCH_US = 30
ASK = """
import time, torch, mpsdoctor
begun = time.perf_counter()
mpsdoctor.known_issues("2.8.0", "15.6")
print(1000 * (time.perf_counter() - begun))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="a few of each")
    smoke = parser.parse_args().smoke
    print_alarms(60 if smoke else RUNS)
    print_found(dict(list(FAULTS.items())[:4]) if smoke else FAULTS)
    print_budget(10 if smoke else None)
    print_questions(1 if smoke else 20)


def print_alarms(runs: int) -> None:
    """How often a canary is not fine on the CPU, where nothing is wrong."""
    chosen = [Candidate(issue, "cpu", "unknown") for issue in read_issues() if not issue["dangerous"]]
    worker = Sandbox(sys.executable, {"OMP_NUM_THREADS": "1"}, prelude=IMPORT_TORCH)
    alarms, done, skipped = [], 0, set()
    for candidate, answer in zip(repeated(chosen, runs), worker.run(jobs(chosen, runs)), strict=True):
        outcome = answer.value["outcome"] if answer.outcome == "ok" else answer.outcome
        done += 1
        if outcome == "skipped":
            skipped.add(candidate.issue["id"])
        elif outcome != "fine":
            alarms.append((candidate.issue["id"], outcome))
    worker.close()
    print(f"on the CPU      {done} runs of {len(chosen)} canaries, {len(alarms)} false alarms {alarms[:5] or ''}")
    print(f"                {len(skipped)} have nothing to tell there {sorted(skipped)[:5] or ''}")


def repeated(chosen: list[Candidate], runs: int) -> Iterator[Candidate]:
    for number in range(runs):
        yield chosen[number % len(chosen)]


def jobs(chosen: list[Candidate], runs: int) -> Iterator[Job]:
    for candidate in repeated(chosen, runs):
        yield Job(TRY, dict(arguments_of(candidate, 0.01)), 60.0)


def print_found(faults: dict[str, str]) -> None:
    """How many of the planted faults are found by the canary of their issue, and which are not."""
    entries = {issue["id"]: issue for issue in read_issues()}
    worker = Sandbox(sys.executable, simulator.environment(faults=READY), prelude=IMPORT_TORCH)
    missed = []
    for name, fault in faults.items():
        worker.call(PLANT, faults=fault)
        call = arguments_of(Candidate(entries[name], "sim", "unknown"), 0.1)
        answer = worker.call(TRY, timeout=10.0, **call)
        outcome = answer.value["outcome"] if answer.outcome == "ok" else answer.outcome
        if outcome not in (*WRONG, "timeout"):
            missed.append((name, outcome))
    worker.close()
    print(f"planted faults  {len(faults) - len(missed)} of {len(faults)} found {missed or ''}")


def print_budget(most: int | None) -> None:
    """The time of the standard budget's canaries beside an accelerator whose launches take so long."""
    os.environ |= simulator.environment(launch_us=LAUNCH_US)
    workers = Workers(sys.executable)
    context = Context("standard", 600.0, None, {}, workers, lambda message: None)
    planned = candidates(read_issues(), "sim", Surroundings(None, None))[:most]
    begun = time.monotonic()
    rows = list(examine(context, "sim", planned, 600.0, False))
    seconds = time.monotonic() - begun
    workers.close()
    tried = sum(row["outcome"] != "skipped" for row in rows)
    print(
        f"standard        {tried} canaries in {seconds:.1f} s with the start of their worker, {LAUNCH_US} µs a launch"
    )


def print_questions(times: int) -> None:
    """What the first `known_issues()` of a training script costs."""
    with tempfile.TemporaryDirectory() as cache:  # byte code, as where a package is installed
        env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
        command = [sys.executable, "-c", ASK]
        runs = [subprocess.run(command, env=env, capture_output=True, text=True, check=True) for _ in range(times + 1)]
    asked = [float(run.stdout) for run in runs[1:]]
    print(f"known_issues()  {statistics.median(asked):.1f} ms the first time, {max(asked):.1f} at most")


if __name__ == "__main__":
    main()
