"""The CPU at its best: its path for convolutions, chosen before others are compared with it, and its settings."""

from __future__ import annotations

from collections.abc import Sequence

from mpsdoctor.facts.advice import Advice, interval_of
from mpsdoctor.facts.training import Comparison
from mpsdoctor.runtime.shapes import CpuSettings
from mpsdoctor.thresholds import FASTER
from mpsdoctor_checks.training.advice import ways
from mpsdoctor_checks.training.lanes import Lane
from mpsdoctor_checks.training.plan import Workload, workload_of
from mpsdoctor_checks.training.stages import Say

WORKLOAD = Workload("cnn", "small")  # its batches are large enough for NNPACK
WAY = "without NNPACK"
SECONDS = {"quick": 0.6, "standard": 1.5, "thorough": 4.0}
PATIENT = 8.0  # times as long, where the steps themselves are slow


def choose_path(cpu: Lane, budget: str, say: Say) -> list[Advice]:
    """Rows of advice; where torch gives convolutions to NNPACK and that is slower or wrong, `cpu` trains without it."""
    if cpu.out or not (cpu.torch and cpu.torch["nnpack"]):
        return []
    both = ways.Ways("nnpack", WORKLOAD, cpu.device, {WAY: {"nnpack": False}}, 1)
    rows = ways.compare(both, cpu, SECONDS[budget], PATIENT * SECONDS[budget], say)
    if is_better(rows[0]):
        cpu.options = {**cpu.options, "nnpack": False}
    return rows


def find_unfair(comparisons: Sequence[Comparison], advice: Sequence[Advice]) -> list[tuple[Workload, int]]:
    """Workloads that an accelerator won while the CPU had torch's own number of threads, though another is faster."""
    best = ways.best_threads(advice)
    won = {workload_of(row) for row in comparisons if row["winner"] == row["device"]}
    gained = (row for row in advice if row["kind"] == "threads" and row["outcome"] == "ok")
    faster = (workload_of(row) for row in gained if row["threads"] == best and interval_of(row)[0] > FASTER)
    return [(workload, best) for workload in faster if best and workload in won]


def best_settings(advice: Sequence[Advice]) -> CpuSettings:
    """Settings that are measured to be better than torch's own, as the profile keeps them."""
    settings: CpuSettings = {}
    if threads := ways.best_threads(advice):
        settings["num_threads"] = threads
    if any(is_better(row) for row in advice if row["kind"] == "nnpack"):
        settings["nnpack"] = False
    return settings


def is_better(row: Advice) -> bool:
    """Faster, or with other numbers: NNPACK has computed wrong ones on Apple silicon, torch's other path has not."""
    return bool(row["outcome"] in ("diverged", "nan") or (row["outcome"] == "ok" and interval_of(row)[0] > FASTER))
