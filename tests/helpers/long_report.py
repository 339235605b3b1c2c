"""Reports that have everything a page can show, and such with many rows of operators."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import msgspec

from helpers.check_ups import recorded, with_check
from mpsdoctor.report import CheckResult, Machine, Report

# Parameters, milliseconds on the CPU and on mps; None was not timed. The curves of cnn cross at 144,000 parameters.
TIMES: dict[tuple[str, str], tuple[int, float | None, float | None]] = {
    ("cnn", "small"): (20_000, 2.0, 6.0),
    ("cnn", "medium"): (500_000, 20.0, 10.0),
    ("cnn", "large"): (9_000_000, None, None),
    ("mlp", "small"): (38_000, 0.2, 0.6),
    ("mlp", "medium"): (1_300_000, 9.0, 8.7),
}
OPEN = ("mlp", "medium")  # whose comparison is not settled
DTYPES = ("float32", "float16", "bfloat16", "int64", "bool")
ALL_DTYPES = (*DTYPES, "float64", "complex64", "complex128", "uint8", "int8", "int16", "int32", "float8_e4m3fn")
LAYOUTS = ["contiguous", "transposed", "offset", "strided", "expanded", "channels_last"]
OUTCOMES = ("wrong", "nan", "crash", "timeout", "error", "unimplemented", "fallback", "dtype")
KINDS = ("right", "some", "all", "distinct")


def result(workload: str, size: str, device: str, ms: float | None) -> dict[str, Any]:
    return {
        **{"workload": workload, "size": size, "device": device, "dtype": "float32", "step_ms": ms, "steps": 60},
        "outcome": "ok" if ms else "skipped",
        "ci95_ms": [ms * 0.9, ms * 1.12] if ms else None,
        "detail": "" if ms else "no time was left",
    }


def compared(workload: str, size: str, cpu: float, mps: float) -> dict[str, Any]:
    speed = cpu / mps
    ends = [0.3, 4.0] if (workload, size) == OPEN else [0.9 * speed, 1.1 * speed]
    winner = "tie" if ends[0] < 1 < ends[1] else "mps" if speed > 1 else "cpu"
    place = {"workload": workload, "size": size, "device": "mps", "baseline": "cpu"}
    return {**place, "speedup": speed, "ci95": ends, "winner": winner, "pairs": 9, "detail": ""}


def batches() -> list[dict[str, Any]]:
    """The CPU is faster below 96."""
    speeds = {2**n: 2**n / 96 for n in range(4, 10)}
    return [
        {"batch": batch, "device": "mps", "speedup": speed, "ci95": [0.9 * speed, 1.1 * speed]}
        for batch, speed in speeds.items()
    ]


def timed() -> dict[str, Any]:
    """Facts of training: two workloads on two devices, batch sizes, and conditions."""
    before = {"load_1m": 1.2, "cpu_percent": 4.0, "pressure": "normal", "swap_used_bytes": 0, "low_power": False}
    return {
        "results": [
            result(*place, device, ms)
            for place, (_, *times) in TIMES.items()
            for device, ms in zip(("cpu", "mps"), times, strict=True)
        ],
        "comparisons": [compared(*place, cpu, mps) for place, (_, cpu, mps) in TIMES.items() if cpu and mps],
        "runs": [{"workload": name, "size": size, "parameters": row[0]} for (name, size), row in TIMES.items()],
        "batches": {"cnn": batches()},
        "advice": [{"kind": "crossover", "workload": "cnn", "device": "mps", "outcome": "ok", "batch": 96}],
        "conditions": {"before": before, "between": [3.0, 30.0], "after": {**before, "swap_used_bytes": 512 << 20}},
        "disturbances": ["other programs took 30 % of the processors between workloads"],
    }


def full() -> Report:
    """A report with all that a page can show."""
    issue = {"kind": "wrong", "device": "mps", "recorded": "bad", "detail": ""}
    issues = [
        {**issue, "id": "sort-transposed-input", "outcome": "wrong", "detail": "5 of 6 elements differ"},
        {**issue, "id": "index-add-int64", "outcome": "fine"},
        {**issue, "id": "replication-pad-backward-hang", "outcome": "skipped", "detail": "dangerous"},
    ]
    how = "TrainingArguments(use_cpu=device.type == 'cpu')"
    library = {"name": "transformers", "version": "5.23.1", "picks": "mps", "follows_run": True, "how": how}
    report = with_check(with_rows(600, "some"), "training", **timed())
    report = with_check(report, "known-issues", issues=issues)
    report = with_check(report, "libraries", libraries=[library])
    skipped = CheckResult("memory", "Memory and swap", "mpsdoctor 0.1.0", "skip", "left out")
    checks = (*(check for check in report.checks if check.id != "memory"), skipped)
    machine = Machine("Darwin", "26.4", "arm64", "Apple M3 Max", "Mac15,9", 12, 4, gpu_cores=40, memory_bytes=64 << 30)
    return msgspec.structs.replace(report, checks=checks, machine=machine)


def with_rows(count: int, kind: str, dtypes: Sequence[str] = DTYPES) -> Report:
    """So many rows of operators on mps, a row a dtype and direction; `kind` is one of KINDS."""
    calls = list(product(dtypes, ("forward", "backward")))
    found = []
    for number in range(count):
        operator, (dtype, direction) = number // len(calls), calls[number % len(calls)]
        bad = kind in ("all", "distinct") or (kind == "some" and operator % 20 == 3)
        name = f"linalg_operator_{number if kind == 'distinct' else operator}"
        row: dict[str, Any] = {"op": f"aten::{name}", "device": "mps", "dtype": dtype, "direction": direction}
        row |= {"outcome": "ok", "variants": LAYOUTS, "detail": ""}
        if bad:
            said = f"{number % 97} of 96 elements differ; largest error {number / 7:.6g} absolute, 4.05 relative"
            row |= {"outcome": OUTCOMES[number % len(OUTCOMES)], "detail": said, "entry": name}
        found.append(row)
    return with_check(recorded("accelerator-wins"), "operators", results=found, coverage={}, core_failures={})
