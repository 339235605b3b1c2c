"""The CPU at its best: its path for convolutions, chosen before others are compared with it, and its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mpsdoctor.thresholds import FASTER
from mpsdoctor_checks.training.advice import ways
from mpsdoctor_checks.training.item import Say
from mpsdoctor_checks.training.lanes import Lane
from mpsdoctor_checks.training.plan import Item, item_of

ITEM = Item("cnn", "small")  # its batches are large enough for NNPACK
WAY = "without NNPACK"
SECONDS = {"quick": 0.6, "standard": 1.5, "thorough": 4.0}
PATIENT = 8.0  # times as long, where the steps themselves are slow


def choose_path(cpu: Lane, budget: str, say: Say) -> list[dict[str, Any]]:
    """Rows of advice; where torch gives convolutions to NNPACK and that is slower or wrong, `cpu` trains without it."""
    if cpu.out or not (cpu.told and cpu.told["nnpack"]):
        return []
    both = ways.Ways("nnpack", ITEM, cpu.device, {WAY: {"nnpack": False}}, 1)
    rows = ways.compare(both, cpu, SECONDS[budget], PATIENT * SECONDS[budget], say)
    if is_better(rows[0]):
        cpu.options = {**cpu.options, "nnpack": False}
    return rows


def unfair(facts: Mapping[str, Any]) -> list[tuple[Item, int]]:
    """Workloads that an accelerator won while the CPU had torch's own number of threads, though another is faster."""
    best = ways.best_threads(facts["advice"])
    won = {item_of(row) for row in facts["comparisons"] if row["winner"] == row["device"]}
    gained = (row for row in facts["advice"] if row["kind"] == "threads" and row["outcome"] == "ok")
    items = (item_of(row) for row in gained if row["threads"] == best and row["ci95"][0] > FASTER)
    return [(item, best) for item in items if best and item in won]


def best_settings(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Settings of the CPU that were measured to be better than torch's own, as the profile keeps them."""
    threads = ways.best_threads(rows)
    nnpack = next((row for row in rows if row["kind"] == "nnpack"), None)
    return {
        **({"num_threads": threads} if threads else {}),
        **({"nnpack": False} if nnpack and is_better(nnpack) else {}),
    }


def is_better(row: dict[str, Any]) -> bool:
    """Faster, or with other numbers: NNPACK has computed wrong ones on Apple silicon, torch's other path has not."""
    return bool(row["outcome"] in ("diverged", "nan") or (row["outcome"] == "ok" and row["ci95"][0] > FASTER))
