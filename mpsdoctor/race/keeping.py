"""The answer of a race as a report of the build and of timed training, which a profile is made of. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple

from mpsdoctor.checkup import report_of
from mpsdoctor.events import Settings
from mpsdoctor.facts.training import Comparison, Result
from mpsdoctor.report import CheckResult, Report
from mpsdoctor.worker.race_shapes import Hello


class Rows(NamedTuple):
    """What a profile keeps of a race."""

    results: list[Result]
    comparisons: list[Comparison]


NOTHING = Rows([], [])


def as_report(judged: Rows, hello: Hello) -> Report:
    """What `bench --step` would have reported of it."""
    devices = [{"device": device, "name": None, "usable": True, "reason": None} for device in hello["offered"]]
    contents: dict[str, dict[str, Any]] = {
        "build": {
            "torch": {"version": hello["torch"]},
            "python": {"version": hello["python"], "executable": hello["executable"]},
            "devices": devices,
        },
        "training": {"results": judged.results, "comparisons": judged.comparisons, "runs": [], "conditions": {}},
    }
    checks = {name: CheckResult(name, name, "mpsdoctor", "pass", facts=facts) for name, facts in contents.items()}
    return report_of(Settings(), checks, 0.0, with_verdict=False)
