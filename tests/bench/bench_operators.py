"""Prints what operator probes cost: `python tests/bench/bench_operators.py [speed|crash|faults …]`, all without words.

speed    probes a second through the sandbox and in one process, and the worker's peak memory
crash    what a death costs, the first (one import of torch) and the later ones (a spare is ready)
faults   each kind of fault in twenty operators of a simulated accelerator: found and named, and nothing else changed

`--smoke` does each with a few probes of one operator.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from mpsdoctor.check import IMPORT_TORCH
from mpsdoctor.sandbox import Answer, Job, Sandbox
from simulator import simulator

OPERATORS = "mpsdoctor_worker.operators.probes"
HERE = f"{Path(__file__).resolve()}"
SMOKE = "--smoke" in sys.argv
PROBES = 100 if SMOKE else 3000
DEATHS = {"abort": "crash", "segfault": "crash", "exit": "crash", "hang": "timeout"}
KINDS = {kind: kind for kind in ("unimplemented", "wrong", "nan", "error", "oom")} | DEATHS
KINDS = {"wrong": "wrong"} if SMOKE else KINDS
EACH = 1 if SMOKE else 20


def probe(row: list[str], device: str, timeout: float = 10.0) -> Job:
    entry, _, dtype, variant, direction = row
    args = {"entry": entry, "device": device, "dtype": dtype, "variant": variant, "direction": direction}
    return Job(f"{OPERATORS}:probe", args, timeout)


def all_in_one(plan: list[list[str]]) -> float:
    """Seconds for a plan without any isolation: called in a worker as one job."""
    import importlib

    operators = importlib.import_module("mpsdoctor_worker.operators.probes")
    begun = time.perf_counter()
    for entry, _, dtype, variant, direction in plan:
        operators.probe(entry, "cpu", dtype, variant, direction)
    return time.perf_counter() - begun


def sandbox(**env: str) -> Sandbox:
    return Sandbox(sys.executable, {"OMP_NUM_THREADS": "1", **env}, prelude=IMPORT_TORCH)


def planned(worker: Sandbox, level: str, device: str) -> list[list[str]]:
    worker.call(f"{OPERATORS}:warm_up")
    rows: list[list[str]] = worker.call(f"{OPERATORS}:plan", level=level, dtypes=["float32"], device=device).value
    return rows


def speed() -> None:
    pairs = [compare() for _ in range(1 if SMOKE else 5)]
    rates, ratios, peaks = zip(*pairs, strict=True)
    print(f"probes a second, in a worker     {statistics.median(rates):8.0f}      bar 300   ({spread(rates)})")
    print(f"isolation, times one process     {statistics.median(ratios):8.2f}      bar 1.25  ({spread(ratios)})")
    print(f"worker's peak memory             {max(peaks):8.0f} MB   bar 1500")


def spread(values: Sequence[float]) -> str:
    return f"{min(values):.4g} to {max(values):.4g}"


def compare() -> tuple[float, float, float]:
    """Probes a second through a fresh sandbox, its time against a fresh process without isolation, its peak in MB."""
    worker = sandbox()
    plan = planned(worker, "thorough", "cpu")[:PROBES]
    begun = time.perf_counter()
    found = {answer.value["outcome"] for answer in worker.run(probe(row, "cpu") for row in plan)}
    apart = time.perf_counter() - begun
    status = Path(f"/proc/{worker.call('os:getpid').value}/status").read_text()
    peak = next(int(line.split()[1]) / 1e3 for line in status.splitlines() if line.startswith("VmHWM:"))
    worker.close()
    assert found == {"ok"}
    worker = sandbox()
    planned(worker, "thorough", "cpu")
    together = worker.call(f"{HERE}:all_in_one", plan=plan).value
    worker.close()
    return len(plan) / apart, apart / together, peak


def crash() -> None:
    """Deaths three seconds apart, so that the spare that each one calls for has torch by the next."""
    worker = sandbox()
    begun = time.perf_counter()
    worker.call("os:getpid")
    imported = time.perf_counter() - begun
    pause = Job(f"{HERE}:rest", {"seconds": 1 if SMOKE else 3})
    jobs = [job for _ in range(2 if SMOKE else 6) for job in (Job("os:_exit", {"status": 3}), Job("time:time"), pause)]
    after: list[float] = []
    for answer in worker.run(jobs):
        if answer.job.call == "time:time":
            after.append(time.perf_counter() - begun)
        begun = time.perf_counter()
    worker.close()
    print(f"import of torch                  {imported:8.3f} s")
    print(f"a job after the first death      {after[0]:8.3f} s    bar one import")
    print(f"after later ones, a spare ready  {statistics.median(after[1:]):8.3f} s    bar 0.3   ({spread(after[1:])})")


def rest(seconds: float) -> None:
    time.sleep(seconds)


def faults() -> None:
    plain = sandbox(**simulator.environment())
    plan = [row for row in planned(plain, "standard", "sim") if row[3] == "contiguous"]
    plan = plan[:PROBES] if SMOKE else plan
    healthy = outcomes(plain, plan)
    plain.close()
    fine = {row[1] for row in plan if row[4] == "forward" and healthy[name(row)] == "ok"}
    forward = [op for op in FORWARD if op in fine][:EACH]
    print(f"{len(plan)} probes; forward: {len(forward)} operators, backward: {len(BACKWARD)}")
    for what, targets in (("forward", forward), ("backward", BACKWARD))[: 1 if SMOKE else 2]:
        users = {op: touched(plan, healthy, op) for op in targets}
        for kind, outcome in KINDS.items():
            one_kind(plan, healthy, kind, outcome, what, users)


def touched(plan: list[list[str]], healthy: dict[str, str], op: str) -> set[str]:
    """The probes that call an operator: those that change where it is not implemented."""
    worker = sandbox(**simulator.environment(faults=f"{op}=unimplemented"))
    found = outcomes(worker, plan)
    worker.close()
    return {probed for probed in found if found[probed] != healthy[probed]}


def one_kind(
    plan: list[list[str]], healthy: dict[str, str], kind: str, outcome: str, what: str, users: dict[str, set[str]]
) -> None:
    """Plant one kind in all these operators at once: how many were found and named, and what else changed."""
    everywhere = set().union(*users.values())
    own = {op: of_its_own(op, users, what) for op in users}
    probed = [row for row in plan if name(row) not in everywhere or any(name(row) in mine for mine in own.values())]
    worker = sandbox(**simulator.environment(faults=",".join(f"{op}={kind}" for op in users)))
    begun = time.perf_counter()
    found = outcomes(worker, probed)
    worker.close()
    seconds = time.perf_counter() - begun
    missed = [op for op, mine in own.items() if not mine or any(found[each] != outcome for each in mine)]
    changed = [each for each in found if each not in everywhere and found[each] != healthy[each]]
    print(
        f"{what:9}{kind:14}{len(own) - len(missed):3} of {len(own)} named {outcome:13} others changed:"
        f" {len(changed)} of {len(found) - len(everywhere & found.keys())}   {seconds:5.0f} s"
        f"   {' '.join(missed + changed[:3])}",
        flush=True,
    )


def of_its_own(op: str, users: dict[str, set[str]], what: str) -> set[str]:
    """Probes that show this fault and no other: a gradient may be right although the result was not."""
    mine = {each for each in users[op] if each.endswith(what) and (what == "backward" or f" {op} " in each)}
    return {each for each in mine if sum(each in others for others in users.values()) == 1}


FORWARD = [
    f"aten::{op}"
    for op in """
    mm addmm bmm gelu relu silu tanh sigmoid exp log sqrt rsqrt erf sin cos floor_divide cumsum cumprod
    sort topk gather scatter index_select masked_fill where tril triu logsumexp atan2 lerp hypot
    softplus
    """.split()  # noqa: SIM905 -- a plain list of words
]
BACKWARD = [
    f"aten::{op}_backward"
    for op in """
    gelu silu tanh sigmoid threshold leaky_relu elu hardtanh hardswish hardsigmoid softplus mish
    log_sigmoid glu native_layer_norm avg_pool2d max_pool2d_with_indices upsample_nearest2d
    upsample_bilinear2d smooth_l1_loss
    """.split()  # noqa: SIM905 -- a plain list of words
]


def outcomes(worker: Sandbox, plan: list[list[str]]) -> dict[str, str]:
    answers = worker.run(probe(row, "sim") for row in plan)
    return {name(row): outcome_of(answer) for row, answer in zip(plan, answers, strict=True)}


def outcome_of(answer: Answer) -> str:
    return answer.value["outcome"] if answer.outcome == "ok" else answer.outcome


def name(row: list[str]) -> str:
    return " ".join(row)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for wanted in [word for word in sys.argv[1:] if word != "--smoke"] or ("speed", "crash", "faults"):
        globals()[wanted]()
