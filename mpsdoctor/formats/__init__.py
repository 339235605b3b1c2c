"""Reporters: each turns a report into text of one format."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mpsdoctor import clean
from mpsdoctor.texts import LANGUAGES, language


@dataclass(frozen=True)
class Style:
    """What the stream can show, and how much the person wants to see (-1 quiet, 0, 1 verbose)."""

    colour: bool = False
    unicode: bool = True
    verbosity: int = 0


@dataclass(frozen=True)
class Format:
    """A module here with a `render(report, style)`, imported when it is used, and what is special about its output.

    `ending` is that of its files. `for_people`: on a terminal it has colours, and a command may have its own wording.
    `data`: for programs, in English. `streams`: events come before the report. `job_summary`: on stdout the Markdown
    goes to the summary of a GitHub Actions job too. `inert` spells the output so that a CI runner finds no command in
    it.
    """

    module: str
    ending: str
    for_people: bool = False
    data: bool = False
    streams: bool = False
    job_summary: bool = False
    inert: Callable[[str], str] = clean.inert

    def render(self, report: Any, style: Style) -> str:
        """A report, or whatever else the module turns into text."""
        module = importlib.import_module(f"mpsdoctor.formats.{self.module}")
        text: str = module.render(report if self.data else told(report), style)
        return self.inert(text)


def told(report: Any) -> Any:
    """A report in the language of who reads."""
    if language() == LANGUAGES[0]:
        return report
    from mpsdoctor import retold  # the report's types, 20 ms, which explaining a text need not wait for
    from mpsdoctor.report import Report

    return retold.report(report) if isinstance(report, Report) else report


FORMATS: dict[str, Format] = {
    "text": Format("text", "txt", for_people=True),
    "json": Format("whole", "json", data=True, inert=clean.inert_json),
    "jsonl": Format("events", "jsonl", data=True, streams=True, inert=clean.inert_json),
    "markdown": Format("markdown", "md"),
    "junit": Format("junit", "xml", inert=clean.inert_markup),
    "github": Format("github", "github.txt", job_summary=True, inert=clean.split_commands),  # `::` is what it is for
    "html": Format("html", "html", inert=clean.inert_markup),
}
