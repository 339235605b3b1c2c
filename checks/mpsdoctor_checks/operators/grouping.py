"""Merges the rows of variants that end alike, as the report has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from mpsdoctor.facts.operators import OperatorRow
from mpsdoctor.worker.shapes import ProbeResult

ALIKE = ("op", "device", "dtype", "direction", "outcome")
OF_THE_WORST = ("detail", "detail_values", "max_abs", "max_rel", "index", "known", "known_values")


def group_rows(rows: Iterable[ProbeResult]) -> list[OperatorRow]:
    """One row for all that ended alike, with `variants`; numbers and detail are those of the largest error.

    All cases of an operator that are right in one dtype and direction are one row; rows that are not right name their
    case in `entry`. `probes` is their number, where it differs from that of the variants.
    """
    groups: dict[tuple[object, ...], list[ProbeResult]] = {}
    for row in rows:
        case = row["entry"] if row["outcome"] != "ok" else None
        alike = (row["op"], row["device"], row["dtype"], row["direction"], row["outcome"], row.get("fallback"))
        groups.setdefault((case, *alike), []).append(row)
    return [merge_group(group) for group in groups.values()]


def merge_group(group: list[ProbeResult]) -> OperatorRow:
    """The row that stands for a group."""
    worst = max(group, key=lambda row: float(row.get("max_rel") or 0.0))
    fields: dict[str, object] = {**worst}
    variants = list(dict.fromkeys(row["variant"] for row in group))
    count = sum(row.get("samples", 1) for row in group)
    alike = (*ALIKE, "entry", "fallback") if worst["outcome"] != "ok" else (*ALIKE, "fallback")
    merged = {
        **{key: fields[key] for key in alike if key in fields},
        "variants": variants,
        **{key: fields[key] for key in OF_THE_WORST if key in fields},
        **({} if count == len(variants) else {"probes": count}),
    }
    return cast(OperatorRow, merged)
