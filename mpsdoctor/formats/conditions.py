"""Under which conditions a report was measured, and what it does not know. In words, for the pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mpsdoctor import texts
from mpsdoctor.facts import CheckFacts, read_facts
from mpsdoctor.facts.training import TrainingFacts
from mpsdoctor.formats import rows
from mpsdoctor.report import Report
from mpsdoctor.texts import joined, say, tell, term

if TYPE_CHECKING:
    from mpsdoctor.facts.conditions import Conditions, Moments
    from mpsdoctor.machine.shapes import Program

# Facts about the machine that a reader may miss, and how they are called.
MACHINE = ("chip", "model", "performance_cores", "gpu_cores", "memory_bytes", "low_power", "thermal_state")


class Moment(NamedTuple):
    """A condition before and after all timing."""

    name: str
    before: str
    after: str


def timing(report: Report) -> list[Moment]:
    """What the machine did before and after the timing; without rows where nothing was timed."""
    training = read_facts(report).get("training")
    moments: Moments = training.get("conditions", {}) if training else {}
    before, after = describe(moments.get("before", {})), describe(moments.get("after", {}))
    return [Moment(name, before.get(name, ""), after.get(name, "")) for name in dict.fromkeys([*before, *after])]


def yes_or_no(value: bool) -> str:
    return say("report.yes" if value else "report.no")


def percent(figure: float) -> str:
    return say("report.percent", figure=figure)


def list_programs(programs: Iterable[Program]) -> str:
    return joined(", ", (f"{program['name']} {percent(program['percent'])}" for program in programs))


# How each condition is told, by its name and its key.
TELLERS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("load", "load_1m", "{:.2f}".format),
    ("processor", "cpu_percent", percent),
    ("programs", "programs", list_programs),
    ("pressure", "pressure", lambda level: term("pressure", level)),
    ("swap", "swap_used_bytes", texts.size),
    ("thermal_state", "thermal_state", lambda state: term("thermal", state)),
    ("low_power", "low_power", yes_or_no),
    ("on_battery", "on_battery", yes_or_no),
)


def describe(conditions: Conditions) -> dict[str, str]:
    """Conditions in words by their names; what is not known is left out."""
    return {
        say(f"report.condition_{name}"): tell_it(value)
        for name, key, tell_it in TELLERS
        if (value := conditions.get(key)) not in (None, [])
    }


def remarks(report: Report) -> Iterator[str]:
    """What else is to be known of the timing."""
    training = read_facts(report).get("training")
    if not training or not training.get("results"):
        return
    waited = training.get("conditions", {}).get("before", {}).get("waited_s")
    if waited:
        yield say("report.waited", seconds=waited)
    if training.get("alone") is False:
        yield say("report.not_alone")
    between = training.get("conditions", {}).get("between")
    if between:
        yield say("report.between", low=min(between), high=max(between))
    settings = training.get("settings", {})
    if settings.get("num_threads"):
        yield say("report.cpu_threads", count=settings["num_threads"])
    if settings.get("nnpack") is False:
        yield say("report.without_nnpack")


def disturbances(report: Report) -> list[str]:
    """What spoilt the timing."""
    training = read_facts(report).get("training")
    if not training:
        return []
    sentences = training.get("disturbances", ())
    return [tell(str(text), values) for text, values in pair(sentences, training.get("disturbances_values", ()))]


def pair(
    sentences: Sequence[str], values: Sequence[texts.WordingData | None]
) -> Iterator[tuple[str, texts.WordingData | None]]:
    """Sentences with what they were filled with; older reports have no values."""
    yield from zip(sentences, [*values, *[None] * len(sentences)], strict=False)


def unknown(report: Report) -> Iterator[str]:
    """What was not examined, not reached or not settled, a sentence each; the limits of the method at the end."""
    for check in report.checks:
        if check.status in ("skip", "error"):
            yield joined(": ", [check.title, check.reason or term("status", check.status)])
    facts = read_facts(report)
    for part in (unreached, untimed, untried):
        try:
            yield from list(part(facts))
        except rows.UNFIT:
            continue
    missing = [name for name in MACHINE if getattr(report.machine, name) is None]
    if missing:
        yield say("report.machine_unknown", names=[say(f"report.fact_{name}") for name in missing])
    yield say("report.limits")


def unreached(facts: CheckFacts) -> Iterator[str]:
    operators = facts.get("operators")
    planned = operators["coverage"].values() if operators and "coverage" in operators else ()
    if any(row["made"] < row["planned"] for row in planned):
        yield from rows.coverage_of(operators)
    why = operators["not_probed"] if operators and "not_probed" in operators else {}
    for device, reason in why.items():
        yield say("report.nothing_probed_on", device=device, reason=reason)


def untimed(facts: CheckFacts) -> Iterator[str]:
    """Trainings without a figure, by the reason; those whose comparison is open."""
    training: TrainingFacts | None = facts.get("training")
    if not training:
        return
    groups: dict[str, list[str]] = {}
    for row in training.get("results", ()):
        if row["outcome"] == "skipped":
            reason = tell(row["detail"], row.get("detail_values"))
            names = groups.setdefault(reason, [])
            names += [name] if (name := f"{row['workload']} {row['size']}") not in names else []
    for reason, names in groups.items():
        yield say("report.not_timed", names=names, reason=reason)
    unsettled = [row for row in training.get("comparisons", ()) if not rows.is_settled(row)]
    for device in dict.fromkeys(row["device"] for row in unsettled):
        names = [f"{row['workload']} {row['size']}" for row in unsettled if row["device"] == device]
        yield say("report.not_compared", device=device, names=names)


def untried(facts: CheckFacts) -> Iterator[str]:
    """Known issues that were not tried, by the reason."""
    issues = facts.get("known-issues")
    groups: dict[str, list[str]] = {}
    for row in issues.get("issues", ()) if issues else ():
        if row["outcome"] == "skipped":
            groups.setdefault(tell(row["detail"], row.get("detail_values")), []).append(row["id"])
    for reason, ids in groups.items():
        yield say("report.not_tried", ids=ids, reason=reason)
