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


FORMATS: dict[str, Callable[[Report, Style], str]] = {"text": to_text, "json": to_json, "jsonl": to_jsonl}
