"""Findings about what came of the canaries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from mpsdoctor.check import Finding, Severity, finding
from mpsdoctor.facts.issues import WRONG, IssueFacts, IssueRow, detail_of
from mpsdoctor.faulty import rules_out
from mpsdoctor.issues import device_kind_of, links_of, read_issues
from mpsdoctor.runtime.shapes import Issue
from mpsdoctor.support.spoken import spoken
from mpsdoctor.texts import Each, Part
from mpsdoctor.texts.entries import range_of

MOST_FINDINGS = 24  # of single issues, a device; the facts have them all
MOST_NAMED = 12
SEVERITIES = ("error", "warning", "info")


class Kind(NamedTuple):
    """How an outcome is told."""

    code: str
    severity: Severity


KINDS: dict[str, Kind] = {
    "crash": Kind("MPS704", "error"),
    "hang": Kind("MPS705", "error"),
    "leak": Kind("MPS706", "error"),
    "error": Kind("MPS707", "warning"),  # it says itself that it fails, and spoils nothing
    "slow": Kind("MPS708", "warning"),
}
RECORDED, FINE, NEW, NOT_TRIED, EXPECTED = "MPS701", "MPS702", "MPS703", "MPS709", "MPS710"


def judge(facts: IssueFacts) -> list[Finding]:
    """The findings of all rules, worst first."""
    findings = [finding for rule in RULES for finding in rule(facts)]
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def by_device(facts: IssueFacts, chosen: Callable[[IssueRow], bool]) -> Iterator[tuple[str, list[IssueRow]]]:
    """The chosen rows of each device that has some."""
    for device in dict.fromkeys(row["device"] for row in facts["issues"]):
        rows = [row for row in facts["issues"] if row["device"] == device and chosen(row)]
        if rows:
            yield device, rows


def not_fine(facts: IssueFacts) -> Iterator[Finding]:
    """MPS701 and MPS703 to MPS708: a finding for each canary that came out wrong."""
    entries = {issue["id"]: issue for issue in read_issues()}
    for _, rows in by_device(facts, lambda row: row["outcome"] in WRONG):
        rows.sort(key=lambda row: (row["recorded"] != "bad", not row.get("core")))
        for row in rows[:MOST_FINDINGS]:
            yield finding_of(row, entries[row["id"]], facts)


def finding_of(row: IssueRow, issue: Issue, facts: IssueFacts) -> Finding:
    """One canary that is not fine."""
    recorded = row["recorded"] == "bad"
    kind = KINDS.get(row["outcome"], Kind(RECORDED if recorded else NEW, "error"))
    report = Part("") if recorded else report_to(row["device"])
    told = finding(
        kind.code,
        kind.severity,
        {key: row[key] for key in ("id", "device", "recorded", "outcome")} | {"canary": issue["canary"]},
        commands=[f"mpsdoctor explain {row['id']}"] if recorded else ["mpsdoctor known-issues --export"],
        id=row["id"],
        op=words_for(issue["op"]),
        device=row["device"],
        what=issue["what"],
        outcome=Part("issue_is_nan" if row["outcome"] == "nan" else "issue_is_wrong"),
        came_to=shortened(detail_of(row)),
        standing=standing(row, issue),
        core=Part("issue_core" if rules_out(row) else ""),
        elsewhere=Part("") if recorded else elsewhere(row, issue),
        around=around(issue),
        report=report,
        **where(facts),
    )
    return msgspec.structs.replace(told, links=(*links_of(issue), *(told.links if kind.code == NEW else ())))


def words_for(op: str) -> str:
    """An operator as a script has it; what is no operator, torch.compile for one, as it stands."""
    return spoken(op) if "::" in op else op


def shortened(detail: Part | str) -> Part | str:
    """Without a period of its own at the end, and of a death without its last words, which the facts have."""
    if isinstance(detail, Part):
        return detail.values.get("ending", detail) if detail.name == "ended_so" else detail
    return detail.splitlines()[0].rstrip(".") if detail else "-"


def standing(row: IssueRow, issue: Issue) -> Part:
    if row["recorded"] == "bad":
        return Part("issue_recorded")
    same_kind = row["device"].partition(":")[0] == device_kind_of(issue)
    return Part("issue_new" if same_kind else "issue_of_other_device")


def elsewhere(row: IssueRow, issue: Issue) -> Part:
    """Where it is recorded as wrong."""
    return Part("issue_elsewhere", {"range": range_of(issue)})


def around(issue: Issue) -> Part:
    workaround = issue["workaround"]
    return Part("issue_around", {"workaround": workaround}) if workaround else Part("issue_no_way")


def report_to(device: str) -> Part:
    """What to do about what nobody has recorded."""
    maker = device.partition(":")[0] not in ("mps", "cuda", "cpu", "xpu")
    return Part("issue_report_maker" if maker else "issue_report_torch")


def where(facts: IssueFacts) -> dict[str, Any]:
    """The versions, as values of a finding."""
    return {**values_of(facts["torch"], facts["macos"]), "macos_version": facts["macos"]}


def values_of(torch: str | None, macos: str | None) -> dict[str, Any]:
    """A torch and a macOS as values of a sentence."""
    on_macos = Part("issue_on_macos", {"macos_version": macos}) if macos else Part("")
    return {"torch": torch or "?", "macos": on_macos}


def fine(facts: IssueFacts) -> Iterator[Finding]:
    """MPS702: what is recorded for here and right, in one line."""
    for device, rows in by_device(facts, lambda row: (row["recorded"], row["outcome"]) == ("bad", "fine")):
        ids = [row["id"] for row in rows]
        named = [*ids[:MOST_NAMED], *(["…"] if len(ids) > MOST_NAMED else [])]
        yield finding(FINE, "info", {"ids": ids}, count=len(ids), device=device, ids=named, **where(facts))


def not_tried(facts: IssueFacts) -> Iterator[Finding]:
    """MPS709: what is recorded for here and was left out."""
    for device, rows in by_device(facts, lambda row: (row["recorded"], row["outcome"]) == ("bad", "skipped")):
        named: Iterable[dict[str, Any]] = [{"id": row["id"], "why": detail_of(row)} for row in rows[:MOST_NAMED]]
        more = [{"id": "…", "why": f"{len(rows) - MOST_NAMED}"}] if len(rows) > MOST_NAMED else []
        reasons = Each("reason", [*named, *more], ", ")
        ids = {"ids": [row["id"] for row in rows]}
        yield finding(
            NOT_TRIED, "info", ids, count=len(rows), device=device, reasons=reasons, remedy=None, **where(facts)
        )


def expected_by_torch(facts: IssueFacts) -> Iterator[Finding]:
    """MPS710: what PyTorch's own list has beside ours."""
    listed = facts.get("expected_by_torch")
    if not listed:
        return
    probed, others = listed["probed"], listed["not_probed"]
    yield finding(
        EXPECTED,
        "info",
        {"probed": len(probed), "not_probed": len(others)},
        remedy=None,
        count=len(probed) + len(others),
        device="mps",
        probed=Part("were_probed", {"names": shorten(probed)}) if probed else Part(""),
        not_probed=Part("were_not_probed", {"names": shorten(others)}) if others else Part(""),
    )


def shorten(ops: Sequence[str]) -> list[str]:
    """The first of their names."""
    rest = [f"… ({len(ops) - MOST_NAMED})"] if len(ops) > MOST_NAMED else []
    return [*(words_for(op) for op in ops[:MOST_NAMED]), *rest]


RULES = (not_fine, fine, not_tried, expected_by_torch)
