"""The figures of training so far, read from what the check tells while it times, in the shape of its facts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from mpsdoctor.checkup import Progress

ITEM = re.compile(r"timing (?P<devices>.+?): (?P<workload>\S+) (?P<size>[^\s,]+)(?P<figures>,.*)?")
FIGURE = re.compile(r", (?P<device>[a-z]\w*) (?P<ms>[\d.e+-]+) ms ± (?P<percent>\d+) %")


def results(log: Iterable[Progress]) -> list[dict[str, Any]]:
    """Rows of `results`, the last word on each workload, size and device; an outcome of `timing` has no figure yet."""
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for event in log:
        item = ITEM.match(event.text) if event.id == "training" else None
        if item:
            for device in re.split(", | and ", item["devices"]):
                rows.setdefault((item["workload"], item["size"], device), _row(item, device))
            for told in FIGURE.finditer(item["figures"] or ""):
                rows[item["workload"], item["size"], told["device"]] = _row(item, told["device"], told)
    return list(rows.values())


def _row(item: re.Match[str], device: str, told: re.Match[str] | None = None) -> dict[str, Any]:
    row = {"workload": item["workload"], "size": item["size"], "device": device, "peak_memory_bytes": None}
    if told is None:
        return {**row, "outcome": "timing", "step_ms": None, "ci95_ms": None, "detail": None}
    ms, share = float(told["ms"]), int(told["percent"]) / 100
    return {
        **row,
        "outcome": "ok",
        "step_ms": ms,
        "ci95_ms": [ms * max(0.0, 1 - share), ms * (1 + share)],
        "detail": "so far",
    }
