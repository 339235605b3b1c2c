"""From the runs of a race to its answer: rows, comparisons, verdict. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import msgspec

from mpsdoctor import clean, doubts, texts
from mpsdoctor.doubts import Doubt
from mpsdoctor.facts.conditions import Moments
from mpsdoctor.facts.training import STEP, Comparison, Result
from mpsdoctor.race import alike, blame
from mpsdoctor.race.keeping import Rows
from mpsdoctor.race.runs import Run
from mpsdoctor.report import Confidence, Values
from mpsdoctor.texts import Part, Wording
from mpsdoctor.thresholds import standing
from mpsdoctor.winners import Score, standing_of
from mpsdoctor_checks.training import disturbance, records
from mpsdoctor_checks.training.plan import Workload
from mpsdoctor_checks.training.statistics import interval, median, ratios

Outcome = Literal["ok", "not-followed", "no-steps", "nan", "diverged", "crash", "timeout", "error"]
UNFIT = ("nan", "diverged", "crash", "timeout", "error")  # a device that ends so is not to be trained on
FEWEST = 20  # steps timed on a device; fewer may all fall into one disturbance
MOST_LOSSES = 200
TOLD = 0.05  # seconds set aside that are worth a word


class DeviceRow(msgspec.Struct, frozen=True):
    """A script's run on a device: how it ended, how fast it was, where its parameters were.

    `alike`: whether it trains as the first device does, null where that cannot be said; `epoch_s` is the projected time
    of an epoch, `aside` what was not counted: what, how often, seconds.
    """

    device: str
    outcome: Outcome
    step_ms: float | None
    ci95_ms: tuple[float, float] | None
    steps: int | None
    ran_on: tuple[str, ...]
    losses: tuple[tuple[int, float | None], ...]
    detail: str
    detail_values: Values | None = None
    alike: bool | None = None
    alike_detail: str = ""
    alike_values: Values | None = None
    peak_memory_bytes: int | None = None
    steps_per_s: float | None = None
    epoch_batches: int | None = None
    epoch_s: float | None = None
    optimizers: int | None = None
    optimizer_steps: int | None = None
    aside: tuple[tuple[str, int, float], ...] = ()
    other_processes: int = 0
    settled: bool | None = None
    log: str | None = None


class ComparisonRow(msgspec.Struct, frozen=True):
    """How many times as fast as the baseline a device trains the script, and who has won."""

    workload: str
    size: str
    device: str
    baseline: str
    speedup: float
    ci95: tuple[float, float]
    winner: str
    pairs: int
    detail: str
    detail_values: Values | None = None


class RaceVerdict(msgspec.Struct, frozen=True):
    """The device to train the script on, how sure that is, and why; null where none trained it."""

    device: str | None
    confidence: Confidence
    reasons: tuple[str, ...]
    values: tuple[Values, ...] = ()


class RaceReport(msgspec.Struct, frozen=True):
    """One race of a command. The fields and their meaning are fixed by `schema_version`."""

    command: tuple[str, ...]
    devices: tuple[DeviceRow, ...]
    comparisons: tuple[ComparisonRow, ...]
    verdict: RaceVerdict
    stored: str | None = None
    interrupted: bool = False
    disturbances: tuple[str, ...] = ()
    disturbances_values: tuple[Values, ...] = ()
    logs: str | None = None
    schema_version: Literal[1] = 1


class Judged(NamedTuple):
    """A race's report, and the rows that a profile keeps."""

    report: RaceReport
    rows: Rows


def judge(
    name: str,
    command: Sequence[str],
    runs: Sequence[Run],
    moments: Moments,
    *,
    interrupted: bool = False,
    undisturbed: bool = True,
) -> Judged:
    """The answer of a race whose baseline is the first run; `name` is that of the workload in a profile."""
    workload = Workload(name, STEP)
    rows = [row_of(run, runs[0]) for run in runs]
    fit = [run for run, row in zip(runs, rows, strict=True) if row.outcome == "ok" and run.blocks]
    comparisons = [compare(workload, run, fit[0]) for run in fit[1:]] if fit[:1] == list(runs[:1]) else []
    disturbances = disturbance.find_disturbances(moments)
    report = RaceReport(
        command=tuple(map(clean.line, command)),
        devices=tuple(rows),
        comparisons=tuple(msgspec.convert(row, ComparisonRow) for row in comparisons),
        verdict=decide(
            rows, comparisons, [*map(of_a_race, doubts_of(rows, comparisons, fit, disturbances, undisturbed))]
        ),
        interrupted=interrupted,
        disturbances=tuple(map(str, disturbances)),
        disturbances_values=tuple(map(texts.as_data, disturbances)),
    )
    kept = [result_of(workload, run, row) for run, row in zip(runs, rows, strict=True)]
    return Judged(report, Rows(kept, comparisons))


def row_of(run: Run, baseline: Run) -> DeviceRow:
    outcome, detail = outcome_of(run)
    timed = bool(run.blocks) and outcome in ("ok", "nan", "diverged")
    low, high = interval(run.blocks) if timed else (0.0, 0.0)
    step = median(run.blocks) if timed else None
    same = alike.likeness_of(baseline, run) if run is not baseline and timed else None
    losses = sorted(run.losses.items())[:MOST_LOSSES]
    return DeviceRow(
        device=run.device,
        outcome=outcome,
        step_ms=1e3 * step if step else None,
        ci95_ms=(1e3 * low, 1e3 * high) if timed else None,
        steps=run.timed_steps or None,
        ran_on=run.script.ran_on,
        losses=tuple((number, records.finite(loss)) for number, loss in losses),
        detail=str(detail),
        detail_values=texts.as_values(detail),
        alike=same.alike if same else None,
        alike_detail=str(same.wording) if same else "",
        alike_values=texts.as_values(same.wording) if same else None,
        peak_memory_bytes=run.peak_bytes,
        steps_per_s=1 / step if step else None,
        epoch_batches=run.learnt["epoch_batches"] if run.learnt else None,
        epoch_s=epoch_seconds(run, step),
        optimizers=run.learnt["optimizers"] if run.learnt else None,
        optimizer_steps=run.learnt["round"] if run.learnt else None,
        aside=tuple(
            (what, count, seconds_aside(run, what))
            for what, count in sorted(run.pauses().items())
            if seconds_aside(run, what) >= TOLD
        ),
        other_processes=run.script.others_step,
        settled=run.settled,
        log=clean.text(str(run.script.log)),
    )


def outcome_of(run: Run) -> tuple[Outcome, Wording]:
    """How a run ended, as the report names it."""
    over = run.over
    if over and over.outcome == "not-followed":
        return "not-followed", blame_of(run)
    if over and over.outcome != "ok":
        outcome: Outcome = over.outcome if over.outcome in ("no-steps", *UNFIT) else "error"  # type: ignore[assignment]
        return outcome, over.detail
    if run.blocks:
        way = "race_apart_detail" if run.alone else "blocks_of_steps"
        return "ok", Part(way, {"count": len(run.blocks), "steps": run.block_steps})
    if over:
        return "no-steps", Part("race_too_short", {"steps": run.steps_in_all})
    return ("ok", Part("race_no_figures")) if run.learnt else ("no-steps", Part("race_interrupted"))


def blame_of(run: Run) -> Part:
    """Why it did not follow, and what to write."""
    learnt = run.learnt
    if learnt is None:
        return Part("race_not_followed")
    return blame.blame(learnt["files"], run.kind, run.script.ran_on, learnt["moves"], learnt["place"])


def epoch_seconds(run: Run, step: float | None) -> float | None:
    """How long an epoch takes, where its length is known; what is set aside comes on top."""
    if not (step and run.learnt and run.learnt["epoch_batches"] and run.learnt["batches_per_step"]):
        return None
    return step * run.learnt["epoch_batches"] / run.learnt["batches_per_step"]


def seconds_aside(run: Run, what: str) -> float:
    return round(sum(seconds for kind, seconds in run.aside if kind == what), 3)


def compare(workload: Workload, run: Run, baseline: Run) -> Comparison:
    """As in timed training; of runs that were not timed in turn the intervals are set against each other."""
    row = records.compared(workload, run.device, baseline.device, ratios(baseline.blocks, run.blocks))
    if not (run.alone or baseline.alone):
        return row
    (slow, slower), (fast, faster) = interval(baseline.blocks), interval(run.blocks)
    low, high = slow / faster, slower / fast
    seen = standing(low, high)
    detail = Part("race_apart_detail")
    whose = {"faster": run.device, "slower": baseline.device}
    return {
        **row,
        "speedup": median(baseline.blocks) / median(run.blocks),
        "ci95": [low, high],
        "winner": whose.get(seen, "tie"),
        "pairs": 0,
        "detail": str(detail),
        "detail_values": texts.as_values(detail),
    }


def result_of(workload: Workload, run: Run, row: DeviceRow) -> Result:
    """The row that the profile is made of."""
    if row.outcome == "ok" and run.blocks:
        return records.timed(workload, run.device, run.blocks, run.block_steps, None, run.peak_bytes)
    return records.blank(workload, run.device, row.outcome, row.detail)


def decide(rows: Sequence[DeviceRow], comparisons: Sequence[Comparison], doubted: Sequence[Doubt]) -> RaceVerdict:
    """The device that was seen to be faster, else the baseline; a device that failed is out."""
    reasons = [told for row in comparisons for told in say_comparison(row)]
    for row in rows:
        if row.outcome != "ok" and row.detail:
            out = "race_out" if row.outcome in UNFIT else "race_failed"
            why = texts.from_values(row.detail, row.detail_values)
            reasons.append(Part(out, {"device": row.device, "outcome": row.outcome, "why": why}))
    ahead = [row for row in comparisons if standing_of(row) == "faster"]
    device = max(ahead, key=lambda row: row["speedup"])["device"] if ahead else fallback(rows, comparisons)
    reasons = reasons or [Part("race_none")]
    confidence = doubts.confidence(doubted) if comparisons else "low"
    if comparisons and doubted:
        reasons.append(doubts.explain(doubted))
    return RaceVerdict(device, confidence, tuple(map(str, reasons)), tuple(texts.as_data(part) for part in reasons))


def fallback(rows: Sequence[DeviceRow], comparisons: Sequence[Comparison]) -> str | None:
    """Where no accelerator is clearly faster: the baseline, as long as it trains and the others are no better.

    None where a device was not tried, as its script did not follow.
    """
    tried = [row for row in rows if row.outcome in UNFIT]
    alone = [row for row in rows if row.outcome == "ok"]
    if comparisons:
        return comparisons[0]["baseline"]
    return alone[0].device if len(alone) == 1 and len(tried) == len(rows) - 1 and tried else None


def say_comparison(row: Comparison) -> Iterator[Part]:
    seen = standing_of(row)
    told = {"faster": "race_faster", "slower": "race_slower", "same": "race_tie"}.get(seen, "race_open")
    why = texts.from_values(row["detail"], row["detail_values"])
    yield Part(told, {**{name: row[name] for name in ("device", "baseline", "speedup", "ci95")}, "why": why})
    if row["pairs"] == 0:
        yield Part("race_apart")


def of_a_race(doubt: Doubt) -> Doubt:
    """A doubt in the words of a race: it has no families, and its time is `--seconds`."""
    reasons = (Part("race_doubt_open") if reason.name == "doubt_unsettled" else reason for reason in doubt.reasons)
    remedies = ("help_seconds" if name == "help_thorough" else name for name in doubt.remedies)
    return Doubt(doubt.weight, tuple(reasons), tuple(remedies))


def doubts_of(
    rows: Sequence[DeviceRow],
    comparisons: Sequence[Comparison],
    fit: Sequence[Run],
    disturbances: Sequence[Part],
    undisturbed: bool,
) -> Iterator[Doubt]:
    """What speaks against trusting the answer."""
    for row in comparisons:
        settled = standing_of(row) != "open"
        low, high = row["ci95"]
        kept = ((row,), ()) if settled else ((), (row,))
        yield from doubts.spread(Score(row["device"], row["speedup"], (low, high), *kept))
    if any(run.timed_steps < FEWEST for run in fit):
        yield Doubt(1, (Part("doubt_steps"),))
    if any(row.alike is None for row in rows[1:] if row.outcome == "ok"):
        yield Doubt(1, (Part("race_doubt_numbers"),))
    if any(run.alone for run in fit):
        yield Doubt(1, (Part("race_doubt_apart"),))
    if any(run.settled is False for run in fit):
        yield Doubt(1, (Part("race_doubt_warm"),))
    if not undisturbed:
        yield Doubt(1, (Part("doubt_alone"),), ("help_wait",))
    if disturbances:
        yield Doubt(1, *doubts.describe_disturbances(disturbances))
