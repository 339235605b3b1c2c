"""What changed between two check-ups: facts of both in, frozen rows out. Pure."""

from __future__ import annotations

from mpsdoctor import texts
from mpsdoctor.compare import findings, outcomes, speeds, versions
from mpsdoctor.compare.shapes import DIRECTIONS, KINDS, Change, Comparison, Side
from mpsdoctor.report import Report


def compare(old: Report, new: Report) -> Comparison:
    """Everything that is another in the new report, kind by kind, what is worse first."""
    reasons, rows = speeds.compare_speeds(old, new)
    changes: list[Change] = [
        *findings.compare_verdicts(old, new),
        *versions.compare_versions(old, new),
        *findings.compare_findings(old, new),
        *outcomes.compare_issues(old, new),
        *outcomes.compare_operators(old, new),
        *outcomes.compare_trainings(old, new),
        *speeds.list_changes(rows),
    ]
    return Comparison(
        comparable=not reasons,
        why_not=tuple(map(str, reasons)),
        why_not_values=tuple(map(texts.as_data, reasons)),
        changes=tuple(sorted(changes, key=lambda change: (KINDS.index(change.kind), DIRECTIONS[change.direction]))),
        speeds=tuple(rows),
        old=side(old),
        new=side(new),
    )


def side(report: Report) -> Side:
    return Side(report.generated_at, report.tool.version, report.budget)
