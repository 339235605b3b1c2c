"""What `mpsdoctor ops` prints for people: the worst operators first, 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from mpsdoctor.facts import read_facts
from mpsdoctor.facts.operators import ModelFacts, Operators, ProbeFacts, ProbeRow
from mpsdoctor.formats.text import ASCII, label_values, summary, wrap_lines
from mpsdoctor.formats.text import findings as findings_of
from mpsdoctor.formats.wrapping import pad
from mpsdoctor.report import CheckResult, Report
from mpsdoctor.texts import joined, say, tell, term

if TYPE_CHECKING:
    from mpsdoctor.formats import Style

Paint = Callable[[str, str], str]
Calls = set[tuple[str, str]]  # dtype, direction
Key = tuple[str, str, str]  # outcome, operator, device
Group = tuple[tuple[str, ...], ...]  # dtypes, directions, cases, layouts

# Worst first: a symbol, its spelling in ASCII, a colour.
SIGNS = {
    "wrong": ("✗", "x", "red"),
    "nan": ("✗", "x", "red"),
    "crash": ("✗", "x", "red"),
    "timeout": ("✗", "x", "red"),
    "error": ("!", "!", "yellow"),
    "oom": ("!", "!", "yellow"),
    "unimplemented": ("!", "!", "yellow"),
    "dtype": ("!", "!", "yellow"),
    "fallback": ("!", "!", "yellow"),
    "skipped": ("–", "-", "bright_black"),
    "ok": ("✓", "+", "green"),
}
LAYOUTS = 10  # in a line
SPOTS = 3  # of an outcome
MOST = 60  # lines of the table; -v shows all
ANSWER_COLOURS = {"runs as it is": "green", "runs with the fallback": "yellow"}


def render(report: Report, style: Style) -> str:
    """The whole text."""

    def paint(text: str, colour: str) -> str:
        return click.style(text, fg=colour, bold=colour != "bright_black") if style.colour else text

    result = next((check for check in report.checks if check.id == "operators"), None)
    parts = [
        [f"mpsdoctor {report.tool.version} · {say('report.operators')} · {report.duration_s:.1f} s"],
        summary(report),
        failed_before(report, style, paint),
        body(result, read_facts(report)["operators"], style, paint) if result else (),
    ]
    text = "\n\n".join("\n".join(part) for part in (list(lines) for lines in parts) if part) + "\n"
    return text if style.unicode else text.translate(ASCII).encode("ascii", "replace").decode()


def failed_before(report: Report, style: Style, paint: Paint) -> Iterator[str]:
    """Findings of the checks that operators need."""
    for check in report.checks:
        if check.id != "operators" and check.status not in ("pass", "warn"):
            reason = [check.reason] if check.reason else []
            yield joined(": ", [check.id, term("status", check.status), *reason])
            yield from findings_of(check, style, paint)


def body(result: CheckResult, facts: Operators, style: Style, paint: Paint) -> Iterator[str]:
    if result.reason:
        yield joined(": ", [say("report.operators"), term("status", result.status), result.reason])
    if "said" in facts:
        yield from tell(facts["said"], facts.get("said_values")).splitlines()
    elif "model" in facts:
        yield from answers(facts["model"], paint)
    else:
        yield from counts(facts)
    rows = facts.get("results", ())
    everything = style.verbosity > 0 or ("asked" in facts and bool(facts["asked"]) and style.verbosity == 0)
    yield from table(rows, style, paint, everything=everything)
    if style.verbosity >= 0 and result.findings:
        yield ""
        yield from findings_of(result, style, paint)


def counts(facts: ProbeFacts) -> Iterator[str]:
    """One line a device: how many probes, with which outcomes."""
    for device, outcomes in facts.get("summary", {}).items():
        ordered = sorted(outcomes.items(), key=lambda pair: order(pair[0]))
        words = joined(", ", (f"{count:,} {term('outcome', outcome)}" for outcome, count in ordered))
        rate = facts.get("probes_per_second", {}).get(device)
        speed = say("report.a_second", rate=rate) if rate else None
        yield from label_values(device, [words or say("report.nothing_probed"), speed])


def order(outcome: str) -> int:
    return list(SIGNS).index(outcome) if outcome in SIGNS else len(SIGNS)


def group(rows: Iterable[ProbeRow]) -> list[tuple[Key, list[ProbeRow]]]:
    """The rows by outcome, operator and device; the operator with the worst outcome first, what it has in a row."""
    groups: dict[Key, list[ProbeRow]] = {}
    for row in rows:
        groups.setdefault((row["outcome"], row["op"], row["device"]), []).append(row)
    worst: dict[str, int] = {}
    for outcome, op, _ in groups:
        worst[op] = min(order(outcome), worst.get(op, len(SIGNS)))
    return sorted(groups.items(), key=lambda pair: (worst[pair[0][1]], pair[0][1], pair[0][2], order(pair[0][0])))


def table(rows: Sequence[ProbeRow], style: Style, paint: Paint, *, everything: bool) -> Iterator[str]:
    """Operators that are not right, the worst first and each in one place; with `everything` the others too."""
    ordered = group(row for row in rows if everything or row["outcome"] not in ("ok", "skipped"))
    if ordered:
        yield ""
        outcome, operator, device = (say(f"report.{name}") for name in ("outcome", "operator", "device_column"))
        yield f"  {pad(outcome, 14)}{pad(operator, 34)}{pad(device, 9)}{say('report.where')}"
    bad: dict[tuple[str, str], Calls] = {}
    for (outcome, op, device), of_key in ordered:
        calls = {(row["dtype"], row["direction"]) for row in of_key} if outcome not in ("ok", "skipped") else set()
        bad.setdefault((op, device), set()).update(calls)
    lines = [line for key, of_key in ordered for line in lines_of(key, of_key, bad[key[1:]], style, paint)]
    limit = len(lines) if style.verbosity > 0 or everything else MOST
    yield from lines[:limit]
    if len(lines) > limit:
        yield "  " + say("report.more_lines", count=len(lines) - limit)


def lines_of(key: Key, rows: Sequence[ProbeRow], bad: Calls, style: Style, paint: Paint) -> Iterator[str]:
    """One operator on one device with one outcome: where it was seen, and what the first of them said."""
    outcome, op, device = key
    sign, plain, colour = SIGNS.get(outcome, ("?", "?", "yellow"))
    mark = paint(f"{sign if style.unicode else plain} {pad(term('outcome', outcome), 13)}", colour)
    dtypes = ", ".join(dict.fromkeys(str(row["dtype"]) for row in rows))
    yield f"{mark} {pad(op, 33)} {pad(device, 8)} {dtypes}"
    for place in places_of(rows, bad if outcome == "ok" else set()):
        yield from wrap_lines(place, *INDENT)
    for spot in spots_of(rows):
        yield from wrap_lines(spot, *INDENT)
    told = tell(str(rows[0]["detail"]), rows[0].get("detail_values"))
    detail = (told.splitlines() or [""])[0]
    if detail:
        yield from wrap_lines(detail, *INDENT)


def spots_of(rows: Iterable[ProbeRow]) -> list[str]:
    """The first lines of a person's code that make these calls: `train.py:8: x.cumsum(0)`."""
    calls = [row for row in rows if "code" in row]
    spots = dict.fromkeys(f"{row['place'] or row['made_at']}: {row['code']}" for row in calls if row["code"])
    return list(spots)[:SPOTS]


def places_of(rows: Sequence[ProbeRow], bad: Calls, *, always: bool = False) -> Iterator[str]:
    """Where an outcome was seen: `float16, bfloat16 forward: contiguous, strided (case cumsum-inner)`.

    Of a dtype and direction in `bad` it is told that other cases are meant. Dtypes are told where there are several,
    or `always`.
    """
    layouts: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for row in rows:
        case = row["entry"] if "entry" in row else "…" if (row["dtype"], row["direction"]) in bad else ""
        known = layouts.setdefault((row["dtype"], row["direction"], (case,)), [])
        known += [variant for variant in row["variants"] if variant not in known]
    # What is alike in all but one of these is told together: cases, then dtypes, then directions.
    merged: list[Group] = [
        ((dtype,), (direction,), cases, tuple(names)) for (dtype, direction, cases), names in layouts.items()
    ]
    for place in (2, 0, 1):
        merged = merge(merged, place)
    several = always or len({row["dtype"] for row in rows}) > 1
    for dtypes, directions, cases, names in merged:
        more = len(names) - LAYOUTS
        told = joined(", ", names[:LAYOUTS])
        yield say(
            "report.seen_at",
            subject=f"{', '.join(dtypes)} " if several else "",
            directions=joined(", ", directions),
            layouts=say("report.more_places", places=told, count=more) if more > 0 else told,
            cases=describe_cases(cases),
        )


def describe_cases(cases: Sequence[str]) -> str:
    """The inputs that an outcome was seen with, where the catalogue has several for an operator."""
    if "…" in cases:
        return say("report.other_cases")
    return say("report.cases", cases=joined(", ", cases)) if any("." in case for case in cases) else ""


def merge(groups: Sequence[Group], place: int) -> list[Group]:
    """Groups that differ at one place alone, as one."""
    alike: dict[Group, list[str]] = {}
    for group in groups:
        rest = (*group[:place], (), *group[place + 1 :])
        values = alike.setdefault(rest, [])
        values += [value for value in group[place] if value not in values]
    return [(*rest[:place], tuple(values), *rest[place + 1 :]) for rest, values in alike.items()]


INDENT = (" " * 16, " " * 16)


def answers(model: ModelFacts, paint: Paint) -> Iterator[str]:
    """The answer for each device, with the operators and the lines of code that decide it."""
    made = say("report.model_calls", target=model["target"], calls=model["calls"], distinct=model["distinct"])
    yield from wrap_lines(made, "", "")
    for device, answer in model["answers"].items():
        replayed = say("report.replayed", count=answer["judged"])
        if answer["skipped"]:
            replayed = say("report.not_all_replayed", count=answer["skipped"])
        colour = ANSWER_COLOURS.get(answer["answer"], "red")
        yield f"{device:8} {paint(term('answer', answer['answer']), colour)} {replayed}"
    for op, reason in model["not_replayed"].items():
        yield from wrap_lines(say("report.not_replayed", op=op, reason=reason), " " * 9, " " * 11)
    for place in model.get("questions", ()):
        yield from wrap_lines(say("prediction.asks_for_device", place=place), " " * 9, " " * 11)
