"""Annotations of a GitHub Actions job: one a finding, and the verdict as a notice, what is forced as a warning."""

from __future__ import annotations

from mpsdoctor.formats import Style, rows
from mpsdoctor.report import Finding, Report

LEVELS = {"error": "error", "warning": "warning", "info": "notice"}


def render(report: Report, style: Style) -> str:
    lines = [annotate(finding) for _, finding in rows.findings(report)]
    *forced, headline = rows.headlines(report)
    lines += [f"::warning title=mpsdoctor::{_data(text)}" for text in forced]
    verdict = "\n".join([headline, *rows.coverage(report)])
    return "\n".join([*lines, f"::notice title=mpsdoctor::{_data(verdict)}"]) + "\n"


def annotate(finding: Finding) -> str:
    text = _data(f"{finding.title}\n{finding.detail}")
    return f"::{LEVELS[finding.severity]} title={_property(finding.code)}::{text}"


def _data(text: str) -> str:
    """As the workflow commands' documentation escapes a message."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
