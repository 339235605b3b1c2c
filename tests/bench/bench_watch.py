"""What `mpsdoctor run --watch` costs a training: `python tests/bench/bench_watch.py`, minutes on a quiet machine.

First what its hooks add to a tiny step, in processor time: of many short blocks, with and without them in turn, the
quickest count, as nothing disturbed them. Then two trainings of the same step, one under `run`, one under `run
--watch`, make blocks of steps in turns, A B A B. While the first has its turn the doctor of the second is stopped. The
figure is the median of the ratios of paired blocks with its 95 % interval: of the clock, which all programs of the
machine disturb, and of the training's processor time. What the doctor itself takes of a processor stands beside it, for
it is taken beside the training.

--smoke   a few short blocks, whose figures mean nothing
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import psutil

from mpsdoctor_checks.training.statistics import interval, median

BAR = 0.003  # of the throughput
PARTS = 5  # of the blocks, of whose quickest ones the cost is told
STEPS_MS = (5.0, 60.0)
TRAINING = """
import json, sys, time
import torch
torch.set_num_threads(1)
model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.GELU(), torch.nn.Linear(64, 8))
optimizer = torch.optim.AdamW(model.parameters())
inputs, work = torch.randn(32, 64), torch.randn(192, 192)

def step(times):
    optimizer.zero_grad()
    model(inputs).pow(2).mean().backward()
    product = work
    for _ in range(times):
        product = (product @ work).tanh_()
    optimizer.step()

def block(steps, times):
    clock, processor = time.perf_counter(), time.process_time()
    for _ in range(steps):
        step(times)
    return [time.perf_counter() - clock, time.process_time() - processor]

for line in sys.stdin:
    print(json.dumps(block(*json.loads(line))), flush=True)
"""


def hook(blocks: int, steps: int) -> None:
    """Microseconds that the hooks add to a step, by pairs of blocks; told to a doctor that listens."""
    import torch

    from mpsdoctor.watch.inbox import Inbox
    from mpsdoctor.worker.injected import watching

    torch.set_num_threads(1)
    model = torch.nn.Linear(4, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    inputs, inbox = torch.randn(4, 4), Inbox()
    table, backward = sys.modules["torch.optim.optimizer"]._global_optimizer_post_hooks, torch.autograd.backward
    watching.begin(torch, inbox.path)
    hooks, listening = dict(table), torch.autograd.backward

    def block(on: bool) -> float:
        table.clear()
        table.update(hooks if on else {})
        torch.autograd.backward = listening if on else backward
        inbox.read()
        begun = time.process_time()
        for _ in range(steps):
            optimizer.zero_grad()
            model(inputs).pow(2).mean().backward()
            optimizer.step()
        return 1e6 * (time.process_time() - begun) / steps

    block(True)
    spent: dict[bool, list[float]] = {True: [], False: []}
    for number in range(blocks):
        for on in (True, False) if number % 2 else (False, True):
            spent[on].append(block(on))
    inbox.close()
    costs = sorted(quickest(spent[True][part::PARTS]) - quickest(spent[False][part::PARTS]) for part in range(PARTS))
    print(
        f"the hooks in a step: {costs[PARTS // 2]:.1f} µs ({costs[0]:.1f} to {costs[-1]:.1f}), at most "
        + " and ".join(f"{costs[-1] / (1e3 * step_ms):.3%} of {step_ms:g} ms" for step_ms in STEPS_MS)
    )


def quickest(times: Sequence[float]) -> float:
    """The least disturbed."""
    return min(times)


class Training:
    """A training that makes steps when it is told to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def block(self, steps: int, times: int) -> tuple[float, float]:
        """Seconds of the clock, and of the processor, for so many steps, each with so many products."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([steps, times]) + "\n")
        self.process.stdin.flush()
        clock, processor = json.loads(self.process.stdout.readline())
        return clock, processor


@contextmanager
def training(folder: str, *options: str) -> Iterator[Training]:
    command = [sys.executable, "-m", "mpsdoctor", "run", *options, "--", sys.executable, "-c", TRAINING]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "MPSDOCTOR_PROFILE": f"{folder}/none.json"}
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nowhere, text=True, env=env) as process:
        yield Training(process)
        assert process.stdin is not None
        process.stdin.close()


def measure(step_ms: float, pairs: int, seconds: float) -> None:
    """One length of a step."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        plain = stack.enter_context(training(folder))
        watched = stack.enter_context(training(folder, "--watch", "--watch-output", f"{folder}/w.jsonl"))
        doctor = watched.process.pid
        for each in (plain, watched):
            each.block(20, 1)
        few, many = (min(plain.block(10, times)[0] for _ in range(3)) / 10 for times in (1, 41))
        times = max(1, round((step_ms / 1e3 - few) / (many - few) * 40))
        steps = max(3, round(seconds / (step_ms / 1e3)))
        clock, processor, spent, lasted = [], [], 0.0, 0.0
        for pair in range(pairs):
            figures = {}
            for side in ("plain", "watched") if pair % 2 else ("watched", "plain"):
                if side == "plain":
                    os.kill(doctor, signal.SIGSTOP)
                    figures[side] = plain.block(steps, times)
                    os.kill(doctor, signal.SIGCONT)
                else:
                    before = sum(psutil.Process(doctor).cpu_times()[:4])
                    figures[side] = watched.block(steps, times)
                    spent += sum(psutil.Process(doctor).cpu_times()[:4]) - before
                    lasted += figures[side][0]
            clock.append(figures["watched"][0] / figures["plain"][0])
            processor.append(figures["watched"][1] / figures["plain"][1])
        real = 1e3 * lasted / pairs / steps
    told = ", ".join(f"{name} {describe(ratios)}" for name, ratios in (("clock", clock), ("processor", processor)))
    print(f"a step of {real:.1f} ms, {pairs} pairs of {steps}: {told}; the doctor {spent / lasted:.2%} of a processor")


def describe(ratios: Sequence[float]) -> str:
    low, high = interval(ratios)
    verdict = "within" if high - 1 <= BAR else "ABOVE" if low - 1 > BAR else "not settled:"
    return f"{median(ratios) - 1:+.2%} ({low - 1:+.2%} to {high - 1:+.2%}), {verdict} {BAR:.1%}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=2.0, help="of a block")
    parser.add_argument("--smoke", action="store_true")
    given = parser.parse_args()
    hook(*((100, 10) if given.smoke else (4000, 10)))
    for step_ms in STEPS_MS[:1] if given.smoke else STEPS_MS:
        measure(step_ms, *((6, 0.1) if given.smoke else (given.pairs, given.seconds)))


if __name__ == "__main__":
    main()
