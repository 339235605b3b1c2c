"""Which machine is slower than the others on the same training, and how a batch is shared out. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from mpsdoctor.compare.outcomes import rows_with
from mpsdoctor.compare.speeds import Place, is_time, list_trainings
from mpsdoctor.facts import read_facts
from mpsdoctor.merging.differences import Reported
from mpsdoctor.merging.shapes import FleetMachine, Pace, Share
from mpsdoctor.report import Report
from mpsdoctor.winners import geometric_mean

FEWEST = 3  # machines: the median of two lies between them and is neither's


def list_paces(reported: Reported) -> list[Pace]:
    """A row for each machine that timed what at least two others did on such a device, the slowest first.

    Only the device that a machine is to train on counts: nobody waits for another one.
    """
    times = {machine.rank: times_on(report) for machine, report in reported if report.verdict}
    series: dict[Place, list[float]] = {}
    for table in times.values():
        for place, step_ms in table.items():
            series.setdefault(place, []).append(step_ms)
    medians = {place: statistics.median(values) for place, values in series.items() if len(values) >= FEWEST}
    paces = (
        pace(rank, {place: table[place] / medians[place] for place in table if place in medians})
        for rank, table in times.items()
    )
    return sorted((row for row in paces if row), key=lambda row: (-row.ratio, row.rank))


def times_on(report: Report) -> dict[Place, float]:
    """Milliseconds a step on the recommended device."""
    device = report.verdict.device if report.verdict else None
    return {place: row.step_ms for place, row in list_trainings(report).items() if place[2] == device}


def pace(rank: int, ratios: dict[Place, float]) -> Pace | None:
    if not ratios:
        return None
    slowest = max(ratios, key=lambda place: ratios[place])
    return Pace(rank, geometric_mean(list(ratios.values())), len(ratios), " ".join(slowest), ratios[slowest])


def list_shares(reported: Reported) -> list[Share]:
    """The device of each rank; processes of one machine share it, but for CUDA, where each has a device of its own."""
    judged = [(machine, report, report.verdict.device) for machine, report in reported if report.verdict]
    rates = [rates_on(report, device) for _, report, device in judged]
    common = set.intersection(*map(set, rates)) if rates else set()
    rows = []
    for (machine, _, device), table in zip(judged, rates, strict=True):
        rate = geometric_mean([table[place] for place in sorted(common)]) if common else None
        rows += list(of_ranks(machine, device, rate))
    whole = sum(row.samples_per_s or 0.0 for row in rows)
    return [
        Share(row.rank, row.device, row.samples_per_s / whole if row.samples_per_s else None, row.samples_per_s)
        for row in sorted(rows, key=lambda row: row.rank)
    ]


def rates_on(report: Report, device: str) -> dict[tuple[str, str], float]:
    """Samples a second by workload and size."""
    rows = rows_with(read_facts(report).get("training"), "results", ("workload", "size", "device", "outcome"))
    return {
        (row["workload"], row["size"]): row["samples_per_s"]
        for row in rows
        if row["device"] == device and row["outcome"] == "ok" and is_time(row.get("samples_per_s"))
    }


def of_ranks(machine: FleetMachine, device: str, rate: float | None) -> Iterator[Share]:
    ranks: Sequence[int] = machine.ranks or (machine.rank,)
    each = rate and (rate if device.startswith("cuda") else rate / len(ranks))
    yield from (Share(rank, device, None, each) for rank in ranks)
