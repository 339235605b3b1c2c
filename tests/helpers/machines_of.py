"""Machines of a fleet, made of recorded reports."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from helpers.check_ups import recorded, with_check
from mpsdoctor.merging.shapes import FleetMachine
from mpsdoctor.report import Report, Torch


def report(times: float = 1.0, *, torch: str | None = None, device: str = "cpu", **machine: Any) -> Report:
    """A check-up in which every step takes so many times as long, with this torch and verdict."""
    made = recorded("cpu-only")
    facts = {check.id: check.facts for check in made.checks}["training"]
    rows = [
        {
            **row,
            "device": device,
            "step_ms": times * row["step_ms"],
            "samples_per_s": row["samples_per_s"] / times,
            "ci95_ms": [times * end for end in row["ci95_ms"]],
        }
        for row in facts["results"]
    ]
    made = with_check(made, "training", results=rows, runs=[])
    assert made.verdict
    return replace(
        made,
        machine=replace(made.machine, **machine),
        torch=Torch(version=torch) if torch else made.torch,
        verdict=replace(made.verdict, device=device),
    )


def machine(rank: int, *args: Any, **options: Any) -> FleetMachine:
    """One with such a report."""
    return FleetMachine(rank, "ok", report(*args, **options), ranks=(rank,))
