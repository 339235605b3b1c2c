"""What is recorded as wrong for this torch, macOS and chip, and whether it is wrong here."""

from __future__ import annotations

from collections.abc import Iterator

from mpsdoctor.check import Context, Finding
from mpsdoctor.facts.issues import IssueFacts
from mpsdoctor.texts import check_title
from mpsdoctor_checks.known_issues.attempts import collect
from mpsdoctor_checks.known_issues.rules import judge

id = "known-issues"
title = check_title("known-issues")
needs = ("build",)
seconds = {"quick": 2.0, "standard": 8.0, "thorough": 60.0}
patience = 90.0  # two imports of torch, Metal's start, and canaries that hang or kill their workers


def run(context: Context) -> Iterator[Finding | IssueFacts]:
    """Facts: `issues`, a row for each canary and device; `torch`, `macos`, `chip`; `expected_by_torch`."""
    facts = collect(context)
    yield facts
    yield from judge(facts)
