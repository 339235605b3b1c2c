"""What timed training has to show, the same for the benchmark and the tests, and what it takes to see it."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mpsdoctor.check import IMPORT_TORCH, Job, Sandbox
from mpsdoctor_checks.training.lanes import Lane
from mpsdoctor_checks.training.plan import Workload
from mpsdoctor_checks.training.stages import examine
from simulator import simulator

TIMERS = str(Path(__file__).with_name("timers.py"))
WITHIN = 0.05


def right(planted: float, winner: str, device: str = "sim") -> bool:
    """Whether an answer is allowed about a device that is `planted` times as fast as the CPU: a tie always is."""
    if winner == "tie":
        return True
    return planted > 1 + WITHIN if winner == device else planted < 1 - WITHIN


def decided(planted: float, winner: str, device: str = "sim") -> bool:
    """Whether an answer is the one that is wanted: a tie within 5 %, outside it the faster one."""
    return right(planted, winner, device) and (winner == "tie") == (abs(planted - 1) <= WITHIN)


def agree(ours: float, theirs: float) -> bool:
    """Whether two figures for the same thing are within 5 %."""
    return abs(ours / theirs - 1) <= WITHIN


@contextlib.contextmanager
def lanes(
    devices: tuple[str, ...] = ("cpu", "sim"), *, threads: int | None = 1, **settings: Any
) -> Iterator[dict[str, Lane]]:
    """Real workers, ready to train, one a device (`cpu:0` is another on the CPU), with so many threads or torch's own.

    `settings` are the simulated accelerator's.
    """
    env = simulator.environment(**settings)
    env |= {} if threads is None else {"OMP_NUM_THREADS": str(threads)}
    found = {device: Lane(device, Sandbox(sys.executable, env, prelude=IMPORT_TORCH)) for device in devices}
    try:
        for lane in found.values():
            lane.worker.start()
        for lane in found.values():
            lane.ask("ready", 120.0)
            lane.ready = True
        yield found
    finally:
        for lane in found.values():
            lane.worker.close()


def wait(running: Mapping[str, Lane], really: bool) -> None:
    """Whether the timers of these workers wait for their device; one that does not is the negative control."""
    for lane in running.values():
        call(lane, "wait", really=really)


def call(lane: Lane, function: str, **args: Any) -> Any:
    """What a function of timers.py answers in a worker."""
    answer = next(lane.worker.run([Job(f"{TIMERS}:{function}", args, 300.0)]))
    assert answer.outcome == "ok", answer
    return answer.value


def beside_torch(workload: Workload, lane: Lane, seconds: float, rounds: int) -> dict[str, Any]:
    """Seconds a step by our timer, in `ours`, and by PyTorch's, in `torch`; blocks last about so many seconds."""
    lane.ask("prepare", 60.0, workload=workload.family, size=workload.size, device=lane.device)
    warm = lane.ask("warm_up", 60.0, seconds=10.0)
    steps = max(1, round(seconds / warm["step_seconds"]))
    return {"steps": steps, **call(lane, "side_by_side", steps=steps, rounds=rounds)}


def race(workload: Workload, running: Mapping[str, Lane], share: float) -> dict[str, Any]:
    """The comparison of one workload by the check's own code, with the seconds it took, and those of the race alone."""
    said: list[float] = []
    begun = time.monotonic()
    measured = examine(
        workload,
        running.values(),
        share,
        10 * share,
        lambda blocks=None, left=None: said.append(time.monotonic()) if blocks else None,
    )
    ended = time.monotonic()
    assert len(measured.comparisons) == 1, measured.results
    row = measured.comparisons[0]
    blocks = measured.runs[0]["blocks_ms"]
    return {**row, "seconds": ended - begun, "race_seconds": ended - said[0], "share": share, "blocks_ms": blocks}
