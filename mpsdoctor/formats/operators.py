"""What `mpsdoctor ops` prints for people: the worst operators first, 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from mpsdoctor.facts import read_facts
from mpsdoctor.facts.operators import ModelFacts, Operators, ProbeFacts, ProbeRow
from mpsdoctor.formats.text import ASCII, label_values, summary, wrap_lines
from mpsdoctor.formats.text import findings as findings_of
from mpsdoctor.report import CheckResult, Report

if TYPE_CHECKING:
    from mpsdoctor.formats import Style

Paint = Callable[[str, str], str]

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
MOST = 60  # lines of the table; -v shows all
ANSWER_COLOURS = {"runs as it is": "green", "runs with the fallback": "yellow"}


def render(report: Report, style: Style) -> str:
    """The whole text."""

    def paint(text: str, colour: str) -> str:
        return click.style(text, fg=colour, bold=colour != "bright_black") if style.colour else text

    result = next((check for check in report.checks if check.id == "operators"), None)
    parts = [
        [f"mpsdoctor {report.tool.version} · operators · {report.duration_s:.1f} s"],
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
            yield f"{check.id}: {check.status}" + (f": {check.reason}" if check.reason else "")
            yield from findings_of(check, style, paint)


def body(result: CheckResult, facts: Operators, style: Style, paint: Paint) -> Iterator[str]:
    if result.reason:
        yield f"operators: {result.status}: {result.reason}"
    if "said" in facts:
        yield from facts["said"].splitlines()
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
        words = ", ".join(f"{count:,} {outcome}" for outcome, count in ordered)
        rate = facts.get("probes_per_second", {}).get(device)
        yield from label_values(device, [words or "nothing probed", f"{rate:,.0f} a second" if rate else None])


def order(outcome: str) -> int:
    return list(SIGNS).index(outcome) if outcome in SIGNS else len(SIGNS)


def table(rows: Sequence[ProbeRow], style: Style, paint: Paint, *, everything: bool) -> Iterator[str]:
    """Operators that are not right, worst first; with `everything` the others too."""
    groups: dict[tuple[str, str, str], list[ProbeRow]] = {}
    for row in rows:
        if everything or row["outcome"] not in ("ok", "skipped"):
            groups.setdefault((row["outcome"], row["op"], row["device"]), []).append(row)
    ordered = sorted(groups.items(), key=lambda pair: (order(pair[0][0]), pair[0][1], pair[0][2]))
    if ordered:
        yield ""
        yield f"  {'outcome':14}{'operator':34}{'device':9}where"
    lines = [line for key, group in ordered for line in lines_of(key, group, style, paint)]
    limit = len(lines) if style.verbosity > 0 or everything else MOST
    yield from lines[:limit]
    if len(lines) > limit:
        yield f"  … {len(lines) - limit} more lines (-v)"


def lines_of(key: tuple[str, str, str], rows: list[ProbeRow], style: Style, paint: Paint) -> Iterator[str]:
    """One operator on one device with one outcome: where it was seen, and what the first of them said."""
    outcome, op, device = key
    sign, plain, colour = SIGNS.get(outcome, ("?", "?", "yellow"))
    mark = paint(f"{sign if style.unicode else plain} {outcome:13}", colour)
    yield f"{mark} {op:33} {device:8} {', '.join(dict.fromkeys(str(row['dtype']) for row in rows))}"
    places = list(dict.fromkeys(f"{variant} {row['direction']}" for row in rows for variant in row["variants"]))
    yield from wrap_lines(
        ", ".join(places[:10]) + (f", … {len(places) - 10} more" if len(places) > 10 else ""), *INDENT
    )
    calls = [row for row in rows if "code" in row]
    spots = list(dict.fromkeys(f"{row['place'] or row['made_at']}: {row['code']}" for row in calls if row["code"]))
    for spot in spots[:3]:
        yield from wrap_lines(spot, *INDENT)
    detail = (str(rows[0]["detail"]).splitlines() or [""])[0]
    if detail:
        yield from wrap_lines(detail, *INDENT)


INDENT = (" " * 16, " " * 16)


def answers(model: ModelFacts, paint: Paint) -> Iterator[str]:
    """The answer for each device, with the operators and the lines of code that decide it."""
    yield f"{model['target']}: {model['calls']:,} operator calls, {model['distinct']:,} of them distinct"
    for device, answer in model["answers"].items():
        counted = (
            f"({answer['judged']:,} replayed)" if not answer["skipped"] else f"({answer['skipped']:,} not replayed)"
        )
        yield f"{device:8} " + paint(str(answer["answer"]), ANSWER_COLOURS.get(answer["answer"], "red")) + f" {counted}"
    for op, reason in model["not_replayed"].items():
        yield from wrap_lines(f"not replayed: {op}: {reason}", " " * 9, " " * 11)
