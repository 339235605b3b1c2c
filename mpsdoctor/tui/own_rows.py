"""The rows of such an answer: operators with their place in the person's file, or devices with their step times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from mpsdoctor.facts import read_facts
from mpsdoctor.facts.operators import ReplayRow
from mpsdoctor.facts.training import Comparison, Result
from mpsdoctor.figures import duration
from mpsdoctor.formats import matrix
from mpsdoctor.formats import rows as figures
from mpsdoctor.report import CheckResult, Finding, Report
from mpsdoctor.texts import say, tell, term
from mpsdoctor.tui import words
from mpsdoctor.tui.widgets.rows import Column, Row
from mpsdoctor.tui.words import Piece

if TYPE_CHECKING:
    from mpsdoctor.facts.operators import Predicted, PredictionRow

Describe = Callable[[], Iterator[Piece]]
NARROW = 60  # cells below which a column less is shown


@dataclass(frozen=True)
class Listing:
    """Columns and rows; `details` by the row's key."""

    title: str = ""
    columns: Sequence[Column] = ()
    rows: Sequence[Row] = ()
    details: Mapping[str, Describe] = field(default_factory=dict)


def of_replay(report: Report, check: CheckResult) -> Listing:
    """A row for each operator, outcome and place, the worst first."""
    groups: dict[str, list[ReplayRow]] = {}
    for row in read_facts(report)["operators"].get("results", ()):
        if "place" in row:
            groups.setdefault(f"{row['op']} {row['outcome']} {row['device']} {place_of(row)}", []).append(row)
    ordered = sorted(groups.items(), key=lambda pair: matrix.rank(pair[1][0]["outcome"]))
    rows = [
        _operator(key, group[0]["outcome"], group[0]["op"], group[0]["device"], place_of(group[0]))
        for key, group in ordered
    ]
    details = {key: partial(describe_calls, group, check.findings) for key, group in ordered}
    return Listing(say("own.results"), operator_columns(), rows, details)


def place_of(row: ReplayRow) -> str:
    """Where the person's file makes the call, or the module that does."""
    return row["place"] or row["made_at"] or row["module"] or row["phase"]


def operator_columns() -> tuple[Column, ...]:
    outcome, operator, device, where = (
        say(f"report.{name}") for name in ("outcome", "operator", "device_column", "where")
    )
    return Column(outcome, 14), Column(operator, 24), Column(device, 6, beyond=NARROW), Column(where)


def _operator(key: str, outcome: str, op: str, device: str, place: str, word: str = "") -> Row:
    letter, tone = matrix.mark(outcome)
    name = op.removeprefix("aten::")
    said = word or f"{letter} {term('outcome', outcome)}"
    cells = ((said, tone), (name, "plain"), (device, "muted"), (place.rpartition("/")[2], "muted"))
    return Row(key, cells, (float(matrix.rank(outcome)), name, device, place))


def describe_calls(rows: Sequence[ReplayRow], findings: Sequence[Finding]) -> Iterator[Piece]:
    """What happened at these calls, with their line of code, and what to do."""
    first = rows[0]
    letter, tone = matrix.mark(first["outcome"])
    yield words.styled((first["op"], "strong"), say("screen.operator_on", device=first["device"]))
    yield words.styled((f"{letter} {term('outcome', first['outcome'])} ", tone), matrix.meaning(first["outcome"]))
    yield (place_of(first), "accent")
    if first["code"]:
        yield words.styled("  ", (first["code"], "command"))
    if first["made_at"] and first["place"]:
        yield (say("own.made_at", place=first["made_at"]), "muted")
    for row in rows:
        yield ""
        times = say("own.times", count=row["count"]) if row["count"] > 1 else None
        yield (figures.join([row["direction"], row["variants"][0], times]), "muted")
        if detail := tell(str(row["detail"] or ""), row.get("detail_values")):
            yield detail.strip()
    yield from remedy_for(first["op"], first["device"], findings)


def remedy_for(op: str, device: str, findings: Sequence[Finding]) -> Iterator[Piece]:
    """From the finding that names this operator."""
    for finding in findings:
        named = {row.get("op") for row in finding.evidence.get("operators", ()) if isinstance(row, dict)}
        if finding.remedy and op in named and finding.evidence.get("device", device) == device:
            yield ""
            yield words.remedy(finding.remedy)
            yield from map(words.command_line, finding.remedy.commands)


def predicted(prediction: Predicted) -> str:
    """The answer of a prediction."""
    headline = str(tell(prediction["headline"], prediction["headline_values"]))
    return say("own.predicted", version=prediction["torch"], headline=headline)


def of_prediction(prediction: Predicted, check: CheckResult) -> Listing:
    """A row for each operator, what stands in the way first."""
    ordered = sorted(prediction["results"], key=lambda row: matrix.rank(expected(row)))
    rows = []
    for row in ordered:
        outcome = expected(row)
        word = {"ok": "own.has_it", "skipped": "own.not_known"}.get(outcome)
        rows.append(
            _operator(
                row["op"], outcome, row["op"], prediction["device"], row["place"] or "", say(word) if word else ""
            )
        )
    details = {row["op"]: partial(describe_prediction, row, check.findings) for row in ordered}
    return Listing(say("own.results"), operator_columns(), rows, details)


def expected(row: PredictionRow) -> str:
    """The outcome of a probe as far as declarations tell."""
    return row["outcome"] or ("ok" if row["verdict"] in ("kernel", "composite") else "skipped")


def describe_prediction(row: PredictionRow, findings: Sequence[Finding]) -> Iterator[Piece]:
    yield (row["op"], "strong")
    yield tell(row["sentence"], row["sentence_values"])
    if row["place"]:
        yield (row["place"], "accent")
    if row.get("made_at"):
        yield (say("own.made_at", place=row["made_at"]), "accent")
    for text, values in zip(row["known_failures"], row["known_failures_values"], strict=False):
        yield (tell(text, values), "muted")
    yield from remedy_for(row["op"], "mps", findings)


def of_step(report: Report) -> Listing:
    """A row a device: step time, interval, and how many times as fast as the CPU."""
    training = read_facts(report)["training"]
    ratios = {row["device"]: row for row in training.get("comparisons", ())}
    device, step, interval, against = (say(f"report.{n}") for n in ("device_column", "step", "interval", "against"))
    columns = Column(device, 8), Column(step, 10, right=True), Column(interval, 19, beyond=NARROW), Column(against)
    results = training.get("results", ())
    details = {row["device"]: partial(describe_device, row, ratios.get(row["device"]), report) for row in results}
    return Listing(say("own.devices"), columns, [_device(row, ratios.get(row["device"])) for row in results], details)


def _device(row: Result, ratio: Comparison | None) -> Row:
    if row["step_ms"] is None:
        outcome = term("outcome", row["outcome"])
        return Row(
            row["device"], ((row["device"], "strong"), (outcome, "fail"), ("", "muted"), (_first_line(row), "fail"))
        )
    against = figures.against(ratio) if ratio else ""
    cells = (
        (row["device"], "strong"),
        (duration(row["step_ms"]), "plain"),
        (figures.interval(row["ci95_ms"]), "muted"),
        (against, "plain"),
    )
    return Row(
        row["device"], cells, (row["device"], row["step_ms"], row["step_ms"], ratio["speedup"] if ratio else 1.0)
    )


def _first_line(row: Result) -> str:
    return next(iter(tell(row["detail"], row["detail_values"]).splitlines()), "")


def describe_device(row: Result, ratio: Comparison | None, report: Report) -> Iterator[Piece]:
    """All that was measured on a device, then what was found."""
    step = duration(row["step_ms"]) if row["step_ms"] is not None else term("outcome", row["outcome"])
    yield words.styled((f"{row['device']}  ", "strong"), (step, "plain" if row["step_ms"] is not None else "fail"))
    measured = [
        say("own.steps", count=row["steps"]) if row["steps"] else None,
        say("own.rate", rate=row["samples_per_s"]) if row["samples_per_s"] else None,
        say("own.memory", size=words.gib(row["peak_memory_bytes"])) if row["peak_memory_bytes"] else None,
    ]
    if any(measured):
        yield (figures.join(measured), "muted")
    for part in (row, ratio):
        if part and part["detail"]:
            yield tell(part["detail"], part["detail_values"])
    check = report.checks[-1]
    for finding in check.findings:
        yield ""
        yield from words.describe_finding(check, finding)
