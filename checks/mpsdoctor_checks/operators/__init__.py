"""Which operators are right, wrong, missing or deadly on each device."""

from __future__ import annotations

from collections.abc import Iterator

from mpsdoctor.check import Context, Finding
from mpsdoctor.facts import build_facts
from mpsdoctor.facts.operators import ProbeFacts
from mpsdoctor.texts import check_title
from mpsdoctor_checks.operators.collect import collect
from mpsdoctor_checks.operators.rules import judge

id = "operators"
title = check_title("operators")
needs = ("build",)
seconds = {"quick": 2.0, "standard": 19.0, "thorough": 120.0}
patience = 90.0  # two imports of torch, and one operator that hangs


def run(context: Context) -> Iterator[Finding | ProbeFacts]:
    """Facts: `results`, `coverage`, `summary`, `planned`, `skipped`, `probes_per_second`, `core_failures`,
    `fallback_statistics`, `not_probed`."""
    facts = collect(context)
    yield facts
    yield from judge(facts, build_facts(context.facts))
