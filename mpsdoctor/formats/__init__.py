"""Reporters: each turns a report into text of one format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from mpsdoctor.report import Report


@dataclass(frozen=True)
class Style:
    """What the stream can show, and how much the person wants to see (-1 quiet, 0, 1 verbose)."""

    colour: bool = False
    unicode: bool = True
    verbosity: int = 0


def to_json(report: Report, style: Style) -> str:
    """The document of `--json`."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def to_text(report: Report, style: Style) -> str:
    """For people, 80 columns wide."""
    from mpsdoctor.formats import text

    return text.render(report, style)


def to_jsonl(report: Report, style: Style) -> str:
    """The last line of a stream of events: the report."""
    return msgspec.json.encode({"event": "report", "report": report}).decode() + "\n"


def to_markdown(report: Report, style: Style) -> str:
    """For pasting into an issue."""
    from mpsdoctor.formats import markdown

    return markdown.render(report)


def to_junit(report: Report, style: Style) -> str:
    """For CI systems that read test results: a suite a check."""
    from mpsdoctor.formats import junit

    return junit.render(report)


def to_github(report: Report, style: Style) -> str:
    """Annotations of a GitHub Actions job."""
    from mpsdoctor.formats import github

    return github.render(report)


def to_html(report: Report, style: Style) -> str:
    """One page that needs nothing else, without scripts."""
    from mpsdoctor.formats import html

    return html.render(report)


FORMATS: dict[str, Callable[[Report, Style], str]] = {
    "text": to_text,
    "json": to_json,
    "jsonl": to_jsonl,
    "markdown": to_markdown,
    "junit": to_junit,
    "github": to_github,
    "html": to_html,
}
