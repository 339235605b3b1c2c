"""A table of single operators on a Mac: here, on another machine with this chip, and on all chips."""

from __future__ import annotations

from collections.abc import Iterator

from mpsdoctor.facts import read_facts
from mpsdoctor.facts.training import OperatorTime
from mpsdoctor.figures import duration
from mpsdoctor.formats.rows import UNFIT
from mpsdoctor.formats.wrapping import clip, pad_left
from mpsdoctor.report import Report
from mpsdoctor.texts import say, term

NAME, DEVICE, HERE, ANOTHER = 31, 4, 8, 14  # cells


def table(report: Report) -> Iterator[str]:
    """Its lines; none where the chip is not in the shipped table, or the check is somebody else's of that name."""
    try:
        rows = [row for row in read_facts(report).get("training", {}).get("operators", ()) if row["chip_ms"]]
        lines = [head(rows[0]["chip"]), *map(line, rows)] if rows else []
    except UNFIT:
        return
    yield from lines


def head(chip: str) -> str:
    another = say("report.another_chip", chip=chip)
    return columns(say("report.single_operator"), "", say("report.here"), another, say("report.all_chips"))


def line(row: OperatorTime) -> str:
    low, high = map(duration, row["all_chips_ms"])
    between = say("report.from_to", low=low.removesuffix(high[high.index(" ") :]), high=high)
    chip_ms = duration(row["chip_ms"] or 0.0)
    return columns(term("operator", row["operator"]), row["device"], duration(row["ms"]), chip_ms, between)


def columns(name: str, device: str, here: str, another: str, all_chips: str) -> str:
    times = f"{pad_left(here, HERE)} {pad_left(another, ANOTHER)}  {all_chips}"
    return f"{clip(name, NAME)} {clip(device, DEVICE)}{times}".rstrip()
