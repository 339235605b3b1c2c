"""Known issues on the tab of checks: a row each below their check, their filter, and a page each."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from mpsdoctor.events import Finished
from mpsdoctor.issues import read_issues
from mpsdoctor.report import CheckResult
from mpsdoctor.tui.engine import Done
from mpsdoctor.tui.issues import key_of, rows_below
from mpsdoctor.tui.widgets.details import Details
from mpsdoctor.tui.widgets.rows import Rows
from tui.screens import recorded, screen

WRONG, LEAK, FINE = "linear-transposed-weight-no-graph", "leak-linear-varying-batch", "max-ignores-nan"
BY_ID = {issue["id"]: issue for issue in read_issues()}


def row(issue: str, outcome: str, known: str = "bad") -> dict[str, Any]:
    told = {"id": issue, "kind": BY_ID[issue]["kind"], "device": "mps", "recorded": known, "outcome": outcome}
    return {**told, "detail": "off by 2", "op": BY_ID[issue]["op"], "core": False}


def result() -> CheckResult:
    rows = [row(FINE, "fine", "good"), row(LEAK, "leak"), row(WRONG, "wrong")]
    facts = {"issues": rows, "torch": "2.8.0", "macos": "15.6", "chip": "Apple M2"}
    return CheckResult("known-issues", "Known issues", "mpsdoctor 0.1.0", "fail", facts=facts)


def with_issues() -> list[Any]:
    """A recorded check-up in which the check has run too."""
    events: list[Any] = []
    for event in recorded("wins"):
        events.append(ended_with_issues(event) if isinstance(event, Done) else event)
        if isinstance(event, Finished) and event.result.id == "operators":
            events.append(Finished(result()))
    return events


def ended_with_issues(end: Done) -> Done:
    checks = (*end.report.checks, result())
    return Done(msgspec.structs.replace(end.report, checks=checks), cancelled=False)


def test_what_is_present_stands_below_its_check_and_the_filter_finds_the_rest(tmp_path: Path) -> None:
    """Two rows with a page each; `/fine` shows what is right here, by any word of it."""

    async def play() -> None:
        async with screen(with_issues(), (120, 40), tmp_path / "profile.json") as (app, pilot, _):
            await pilot.press("2")
            table, details = app.query_one("#checks", Rows), app.query_one("#check", Details)
            keys = [one.key for one in table._visible]
            assert [key for key in keys if "/" in key] == [f"known-issues/mps/{WRONG}", f"known-issues/mps/{LEAK}"]
            assert keys[keys.index(f"known-issues/mps/{WRONG}") - 1] == "known-issues"
            table.chosen, table.cursor = True, keys.index(f"known-issues/mps/{LEAK}")
            await pilot.pause()
            app.draw()
            await pilot.pause()
            assert "off by 2" in details.plain
            assert "ever new batch sizes" in details.plain
            assert "https://github.com/" in details.plain
            table.narrow("fine max")
            assert [one.key for one in table._visible] == [f"known-issues/mps/{FINE}"]
            table.narrow("leak")
            assert [one.key for one in table._visible] == [f"known-issues/mps/{LEAK}"]

    asyncio.run(play())


def test_an_entry_of_a_newer_version_still_has_a_row() -> None:
    """A report may name an issue that this version does not know."""
    unknown = {**row(WRONG, "wrong"), "id": "from-the-future"}
    told = msgspec.structs.replace(result(), facts={"issues": [unknown]})
    (below,) = rows_below(told)
    assert below.key == key_of(unknown)  # type: ignore[arg-type]


def test_another_check_has_no_rows_below() -> None:
    assert list(rows_below(msgspec.structs.replace(result(), id="chip"))) == []
    assert list(rows_below(None)) == []
