"""Known issues on the screen: a row each below their check, and a page each."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from mpsdoctor.facts import assume_shapes
from mpsdoctor.facts.issues import WRONG, IssueRow
from mpsdoctor.issues import read_issues
from mpsdoctor.report import CheckResult
from mpsdoctor.runtime.shapes import Issue
from mpsdoctor.texts import entries, say, tell, term
from mpsdoctor.tui import words
from mpsdoctor.tui.widgets.rows import Row
from mpsdoctor.tui.words import Piece

CHECK = "known-issues"
SIGNS = {"fine": ("✓", "pass"), "skipped": ("–", "muted"), "slow": ("!", "warn"), "error": ("!", "warn")}
OTHERS = ("✗", "fail")


@functools.cache
def by_id() -> dict[str, Issue]:
    return {issue["id"]: issue for issue in read_issues()}


def key_of(row: IssueRow) -> str:
    return f"{CHECK}/{row['device']}/{row['id']}"


def rows_below(result: CheckResult | None) -> Iterator[Row]:
    """A row for each canary; those that are fine, or were not tried, are seen where the filter asks for them."""
    for row in tried(result):
        sign, tone = SIGNS.get(row["outcome"], OTHERS)
        recorded = say(f"report.issue_{row['recorded']}")
        cells = ((f"{sign} {term('outcome', row['outcome'])}", tone), (row["device"], "muted"), ("", "muted"))
        keywords = (CHECK, "known", row["kind"], row["recorded"], row["outcome"], row.get("op", ""))
        note = (f"{row['id']} · {recorded}", "plain" if row["outcome"] in WRONG else "muted")
        yield Row(key_of(row), (*cells, note), keywords=keywords, on_request=row["outcome"] not in WRONG)


def tried(result: CheckResult | None) -> list[IssueRow]:
    """The rows of the check, what is not fine first."""
    facts = assume_shapes({result.id: result.facts}).get("known-issues") if result and result.id == CHECK else None
    issues = facts.get("issues", ()) if facts else ()
    order = {outcome: place for place, outcome in enumerate(WRONG)}
    return sorted(issues, key=lambda row: (order.get(row["outcome"], len(order)), row["recorded"] != "bad"))


def page(result: CheckResult, key: str) -> Iterator[Piece]:
    """What came of a canary here, and all that is recorded of its issue."""
    row = next(row for row in tried(result) if key_of(row) == key)
    issue = by_id().get(row["id"])
    sign, tone = SIGNS.get(row["outcome"], OTHERS)
    outcome = term("outcome", row["outcome"])
    yield words.styled((f"{sign} {outcome}  ", tone), (row["id"], "strong"), (f"  {row['device']}", "muted"))
    yield (say(f"report.issue_{row['recorded']}"), "muted")
    if row["detail"]:
        yield ""
        yield tell(row["detail"], row.get("detail_values"))
    if issue is None:  # of a version that knew more
        return
    for paragraph in entries.paragraphs(issue):
        yield ""
        yield paragraph
    yield ""
    yield from (words.styled((f"{say('screen.see')}  ", "title"), link) for link in entries.links(issue))
