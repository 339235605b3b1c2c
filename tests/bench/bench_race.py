"""Proves `mpsdoctor race` and `run` on a simulated accelerator: `python tests/bench/bench_race.py COMMAND …`.

ratios    races of unchanged scripts of several styles at planted ratios of speed: the ratio, who won, the seconds
hook      what our hooks cost in a training step, with and without them in turn
run       what `mpsdoctor run` adds to the start of a Python, in turn with the bare one, by time of the processor
--smoke   each of them at its smallest; in place of a command
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from mpsdoctor.thresholds import standing
from simulator import simulator

SCRIPTS = Path(__file__).parents[1] / "helpers" / "scripts"
STYLES = ("loop", "accumulate", "two_optimizers", "closure", "scaled", "validating", "short")
PLANTED = (0.25, 0.5, 1.0, 2.0, 4.0)
STEP_MS = 5.0  # of the step whose share the hooks are told as


def race(style: str, planted: float, price: float, seconds: float) -> dict[str, Any]:
    """One race, with what it took; a price on the faster side must exceed what a step really takes."""
    simulated = simulator.environment(step_ms=price * max(1.0, planted), speed=planted)
    env = {**os.environ, "OMP_NUM_THREADS": "1", **simulated}
    script = [sys.executable, str(SCRIPTS / f"{style}.py")]
    command = [sys.executable, "-m", "mpsdoctor", "race", "--json", "--seconds", str(seconds), "-q", "--", *script]
    begun = time.monotonic()
    done = subprocess.run(command, env=env, capture_output=True, check=False, text=True)
    took = time.monotonic() - begun
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr)
    return {**json.loads(done.stdout), "took": took}


def right(row: dict[str, Any], planted: float) -> bool:
    expected = {"faster": row["device"], "slower": row["baseline"], "same": "tie"}[standing(planted, planted)]
    return bool(row["winner"] == expected)


def cells_of(report: dict[str, Any], row: dict[str, Any], style: str, planted: float) -> Iterator[str]:
    low, high = row["ci95"]
    yield from (style, f"{planted:g}", f"{row['speedup']:.3f}", f"{low:.2f} to {high:.2f}")
    yield f"{100 * abs(row['speedup'] / planted - 1):.1f} %"
    yield from (row["winner"], "yes" if right(row, planted) else "NO")
    yield from (str(report["devices"][1]["alike"]), f"{report['took']:.0f}")


def ratios(styles: Sequence[str], planted: Sequence[float], price: float, seconds: float) -> None:
    print("| style | planted | measured | 95 % interval | off by | winner | right | alike | s in all |")
    print("|---|---|---|---|---|---|---|---|---|")
    for style in styles:
        for ratio in planted:
            report = race(style, ratio, price, seconds)
            for row in report["comparisons"]:
                print(f"| {' | '.join(cells_of(report, row, style, ratio))} |", flush=True)
            if not report["comparisons"]:
                print(f"| {style} | {ratio:g} | none: {report['verdict']['reasons']} |", flush=True)


def hook(blocks: int, steps: int) -> None:
    """A tiny step, so that what is added to it shows; hooks are put in place and taken away before each block."""
    costs = sorted(cost for cost in pairs_of_blocks(blocks, steps))
    cost = statistics.median(costs)
    low, high = costs[len(costs) // 4], costs[3 * len(costs) // 4]
    share = cost / (1000 * STEP_MS)
    print(f"hooks in a step: {cost:.1f} µs ({low:.1f} to {high:.1f}), {share:.2%} of a step of {STEP_MS:g} ms")


def pairs_of_blocks(blocks: int, steps: int) -> Iterator[float]:
    """Microseconds that the hooks add to a step, by pair of blocks."""
    import torch

    from mpsdoctor.worker.injected import course, hooks, line

    ours, theirs = socket.socketpair()
    connection = line.Line("t@-")
    connection.socket = ours
    model = torch.nn.Linear(4, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    data = torch.utils.data.TensorDataset(torch.randn(4 * steps * (2 * blocks + 8), 4))
    loader: Any = torch.utils.data.DataLoader(data, batch_size=4)
    batches = iter(loader)

    def block() -> float:
        begun = time.process_time()  # which others on the machine disturb less than the clock
        for _ in range(steps):
            optimizer.zero_grad()
            model(next(batches)[0]).pow(2).mean().backward()
            optimizer.step()
        return 1e6 * (time.process_time() - begun) / steps

    running = course.Course(torch, "cpu", connection)
    switch = switches(torch, lambda: hooks.install(torch, running))
    for order in ({"do": "learn", "steps": 8, "seconds": 60.0}, {"do": "block", "steps": 10**9, "before": 0}):
        theirs.sendall(json.dumps(order).encode() + b"\n")
    switch(True)
    running.has_optimizer = True
    block()
    for number in range(blocks):
        seconds = {}
        for on in (True, False) if number % 2 else (False, True):
            switch(on)
            seconds[on] = block()
        yield seconds[True] - seconds[False]


def switches(torch: Any, install: Callable[[], None]) -> Callable[[bool], None]:
    """Puts the hooks of a step in place, and takes them away."""
    module = sys.modules["torch.optim.optimizer"]
    tables = (module._global_optimizer_pre_hooks, module._global_optimizer_post_hooks)
    places = ((torch.autograd, "backward"), (torch.utils.data.dataloader._BaseDataLoaderIter, "__next__"))
    without = [getattr(owner, name) for owner, name in places]
    install()
    with_hooks = [getattr(owner, name) for owner, name in places]
    kept = [dict(table) for table in tables]

    def switch(on: bool) -> None:
        for (owner, name), function in zip(places, with_hooks if on else without, strict=True):
            setattr(owner, name, function)
        for table, content in zip(tables, kept, strict=True):
            table.clear()
            table.update(content if on else {})

    return switch


def run(pairs: int) -> None:
    """Byte code is written first, as an installed package has it."""
    bare = [sys.executable, "-c", "pass"]
    ours = [sys.executable, "-m", "mpsdoctor", "run", "--device", "cpu", "--", *bare]
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "MPSDOCTOR_PROFILE": f"{folder}/none.json", "PYTHONPYCACHEPREFIX": folder}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        for command in (bare, ours):
            spent(command, env)
        added = [spent(ours, env) - spent(bare, env) for _ in range(pairs)]
    print(
        f"mpsdoctor run adds {statistics.median(added):.0f} ms of processor time to a start, at least {min(added):.0f}"
    )


def spent(command: Sequence[str], env: dict[str, str]) -> float:
    """Milliseconds of processor time, which others on the machine disturb less than the clock's."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e3 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", nargs="?", choices=("ratios", "hook", "run"))
    parser.add_argument("--styles", nargs="+", default=STYLES, choices=STYLES)
    parser.add_argument("--planted", nargs="+", type=float, default=PLANTED)
    parser.add_argument("--price", type=float, default=25.0, help="ms of a step on the faster side")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--smoke", action="store_true")
    given = parser.parse_args()
    if given.smoke:
        hook(4, 50)
        run(2)
        ratios(("loop",), (4.0,), 10.0, 1.0)
    elif given.command == "ratios":
        ratios(given.styles, given.planted, given.price, given.seconds)
    elif given.command == "hook":
        hook(150, 200)
    elif given.command == "run":
        run(40)
    else:
        parser.error("name a command, or --smoke")


if __name__ == "__main__":
    main()
