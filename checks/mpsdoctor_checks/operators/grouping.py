"""From a row a probe to a row for all variants that ended alike, as the report has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Row = dict[str, Any]

ALIKE = ("op", "device", "dtype", "direction", "outcome", "fallback")
OF_THE_WORST = ("detail", "max_abs", "max_rel", "index", "known")


def grouped(rows: Iterable[Row]) -> list[Row]:
    """One row for all that ended alike, with `variants`; numbers and detail are those of the largest error.

    What is right is one row an operator, dtype and direction, whatever its cases; of what is not the entry says which
    case it is. `probes` is there where the variants do not tell how many there were.
    """
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        case = row["entry"] if row["outcome"] != "ok" else None
        groups.setdefault((case, *(row.get(key) for key in ALIKE)), []).append(row)
    return [one_of(group) for group in groups.values()]


def one_of(group: list[Row]) -> Row:
    """The row that stands for a group."""
    worst = max(group, key=lambda row: float(row.get("max_rel") or 0.0))
    keys = (*ALIKE[:-1], *(("entry",) if worst["outcome"] != "ok" else ()), *ALIKE[-1:])
    row = {key: worst[key] for key in keys if key in worst}
    row["variants"] = list(dict.fromkeys(each["variant"] for each in group))
    row |= {key: worst[key] for key in OF_THE_WORST if key in worst}
    count = sum(each.get("samples", 1) for each in group)
    return row if count == len(row["variants"]) else {**row, "probes": count}


def probes(row: Mapping[str, Any]) -> int:
    """How many probes a row stands for."""
    return int(row.get("probes", len(row["variants"])))
