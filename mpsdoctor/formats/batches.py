"""What `mpsdoctor bench --find-batch` prints for people: the answer, then each size that was tried, 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from mpsdoctor.facts.batches import BatchTry, DeviceBatches
from mpsdoctor.figures import duration
from mpsdoctor.formats.text import ASCII, Paint, summary, wrap_lines
from mpsdoctor.formats.text import findings as findings_of
from mpsdoctor.formats.wrapping import pad_left
from mpsdoctor.report import CheckResult, Report
from mpsdoctor.texts import Part, as_values, joined, say, size, tell, term

if TYPE_CHECKING:
    from mpsdoctor.formats import Style

COLOURS = {"ok": "green", "predicted": "bright_black"}


def render(report: Report, style: Style) -> str:
    """The whole text."""

    def paint(text: str, colour: str) -> str:
        return click.style(text, fg=colour, bold=colour != "bright_black") if style.colour else text

    parts = [
        [f"mpsdoctor {report.tool.version} · {say('report.batches')} · {report.duration_s:.1f} s"],
        summary(report),
        *(about_check(check, style, paint) for check in report.checks),
        *(table(row, paint) for row in searches(report)),
        [say("report.profile_written", path=report.profile.path)] if report.profile.written else [],
    ]
    text = "\n\n".join("\n".join(part) for part in (list(lines) for lines in parts) if part) + "\n"
    return text if style.unicode else text.translate(ASCII).encode("ascii", "replace").decode()


def searches(report: Report) -> Sequence[DeviceBatches]:
    rows: Sequence[DeviceBatches] = report.checks[-1].facts.get("batch_search", ()) if report.checks else ()
    return rows


def about_check(check: CheckResult, style: Style, paint: Paint) -> Iterator[str]:
    """Why it did not run, and what it found."""
    if check.reason:
        yield joined(": ", [check.id, term("status", check.status), check.reason])
    yield from findings_of(check, style, paint)


def table(found: DeviceBatches, paint: Paint) -> Iterator[str]:
    """A line a size."""
    limit = Part(f"limit_{found['limit_from'] or 'none'}", {"bytes": found["limit_bytes"]})
    yield say("report.batch_of", device=found["device"], limit=tell(str(limit), as_values(limit)))
    heads = (say("report.batch"), say("report.batch_memory"), say("report.step"), say("report.batch_rate"))
    yield "  " + "".join(pad_left(head, width) for head, width in zip(heads, (9, 12, 12, 14), strict=True))
    for row in found["tries"]:
        yield from line(row, found, paint)
    yield from wrap_lines(tell(found["stopped"], found["stopped_values"]), "  ", "  ")


def line(row: BatchTry, found: DeviceBatches, paint: Paint) -> Iterator[str]:
    taken = size(row["bytes"]) if row["bytes"] is not None else ""
    step = duration(row["step_ms"]) if row["step_ms"] is not None else ""
    rate = f"{row['samples_per_s']:,.4g}" if row["samples_per_s"] is not None else ""
    figures = pad_left(f"{row['batch']:,}", 9) + pad_left(taken, 12) + pad_left(step, 12) + pad_left(rate, 14)
    yield f"  {figures}  {paint(told_of(row, found), COLOURS.get(row['outcome'], 'yellow'))}".rstrip()
    if row["outcome"] not in COLOURS:
        yield from wrap_lines(tell(row["detail"], row["detail_values"]), " " * 13, " " * 13)


def told_of(row: BatchTry, found: DeviceBatches) -> str:
    """What a size is, beyond its figures."""
    if row["outcome"] != "ok":
        return term("outcome", row["outcome"])
    names = {"fastest": found["fastest"], "largest": found["largest"]}
    return joined(", ", [say(f"report.batch_{name}") for name, batch in names.items() if batch == row["batch"]])
