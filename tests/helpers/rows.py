"""Rows of facts as workers and checks make them, every field there; typed, so that they follow the product."""

from __future__ import annotations

from collections.abc import Sequence

from mpsdoctor.facts.operators import ReplayRow
from mpsdoctor.facts.training import Comparison, Result
from mpsdoctor.thresholds import standing
from mpsdoctor.worker.shapes import ProbeResult


def result(
    device: str = "mps",
    workload: str = "cnn",
    size: str = "medium",
    outcome: str = "ok",
    *,
    detail: str = "",
    step_ms: float = 10.0,
    ci95_ms: Sequence[float] = (9.8, 10.2),
    steps: int = 90,
) -> Result:
    """A workload on a device, with figures where the outcome is ok."""
    ok = outcome == "ok"
    return {
        "workload": workload,
        "size": size,
        "device": device,
        "dtype": "float32",
        "outcome": outcome,
        "samples_per_s": 32e3 / step_ms if ok else None,
        "peak_memory_bytes": None,
        "detail": detail,
        "detail_values": None,
        "step_ms": step_ms if ok else None,
        "ci95_ms": list(ci95_ms) if ok else None,
        "steps": steps if ok else None,
    }


def comparison(
    speedup: float,
    ci95: tuple[float, float],
    device: str = "mps",
    workload: str = "cnn",
    size: str = "medium",
    *,
    winner: str | None = None,
    pairs: int = 8,
) -> Comparison:
    """An accelerator against the CPU; without a winner, the one that the interval names."""
    named = {"faster": device, "slower": "cpu"}.get(standing(*ci95), "tie")
    return {
        "workload": workload,
        "size": size,
        "device": device,
        "baseline": "cpu",
        "speedup": speedup,
        "ci95": list(ci95),
        "winner": named if winner is None else winner,
        "pairs": pairs,
        "detail": "",
        "detail_values": None,
    }


def probe(
    op: str,
    outcome: str,
    device: str = "mps",
    *,
    dtype: str = "float32",
    variant: str = "contiguous",
    direction: str = "forward",
    detail: str = "said so",
    entry: str | None = None,
) -> ProbeResult:
    """A probe of the catalogue; `op` is the full name."""
    return {
        "entry": op.rpartition("::")[2] if entry is None else entry,
        "op": op,
        "device": device,
        "dtype": dtype,
        "variant": variant,
        "direction": direction,
        "outcome": outcome,
        "detail": detail,
    }


def replayed(op: str, outcome: str, place: str | None, code: str | None) -> ReplayRow:
    """A call of a person's step, replayed; `op` is the full name."""
    return {
        "op": op,
        "device": "mps",
        "dtype": "float32",
        "direction": "forward",
        "variants": ["float32[2]"],
        "outcome": outcome,
        "detail": f"{outcome} said",
        "phase": "forward",
        "place": place,
        "code": code,
        "made_at": None,
        "module": None,
        "count": 1,
    }
