"""What is wrong on devices: by the probes of operators, and by the canaries of known issues. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mpsdoctor.facts.issues import RULING_OUT, WRONG, IssueRow

if TYPE_CHECKING:
    from mpsdoctor.facts import CheckFacts
    from mpsdoctor.facts.operators import CoreFailure, Operators, ProbeFacts


def operators_of(checks: CheckFacts) -> Operators | None:
    """The facts about operators, with what known issues add: those that rule a device out are among its failures."""
    operators = checks.get("operators")
    wrong = wrong_issues(checks)
    if not wrong or (operators and "core_failures" not in operators):
        return operators
    probed: ProbeFacts = operators if operators and "core_failures" in operators else nothing_probed()
    failures = {device: list(rows) for device, rows in probed["core_failures"].items()}
    for row in wrong:
        if rules_out(row):
            failures.setdefault(row["device"], []).append(as_failure(row))
    merged: ProbeFacts = {**probed, "core_failures": failures, "issues": wrong}
    return merged


def wrong_issues(checks: CheckFacts) -> list[IssueRow]:
    """The rows of canaries that are not fine on an accelerator."""
    facts = checks.get("known-issues")
    rows: Sequence[IssueRow] = facts.get("issues", ()) if facts else ()
    return [row for row in rows if row["outcome"] in WRONG and row["device"] != "cpu"]


def rules_out(row: IssueRow) -> bool:
    """Whether a device must not be used for what came of a canary."""
    return bool(row.get("core")) and row["outcome"] in RULING_OUT and row["device"] != "cpu"


def as_failure(row: IssueRow) -> CoreFailure:
    return {
        "op": row.get("op", row["id"]),
        "entry": row["id"],
        "dtype": "float32",
        "variant": "",
        "direction": "forward",
        "outcome": row["outcome"],
        "detail": row["detail"],
    }


def nothing_probed() -> ProbeFacts:
    return {
        "results": [],
        "coverage": {},
        "summary": {},
        "planned": {},
        "skipped": {},
        "probes_per_second": {},
        "core_failures": {},
        "not_probed": {},
    }
