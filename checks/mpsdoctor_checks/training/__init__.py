"""Small models really trained on every usable device, in turn, until it is clear which one is faster."""

from __future__ import annotations

from collections.abc import Iterator

from mpsdoctor.check import Context, Finding
from mpsdoctor.facts.training import TrainingFacts
from mpsdoctor.texts import check_title
from mpsdoctor_checks.training import expected
from mpsdoctor_checks.training.advice.rules import RULES as ADVICE_RULES
from mpsdoctor_checks.training.collect import collect_facts
from mpsdoctor_checks.training.rules import RULES

id = "training"
title = check_title("training")
needs = ("build",)
seconds = {"quick": 3.0, "standard": 34.0, "thorough": 180.0}
timed = True
patience = 300.0  # torch's optimizers import its compiler, X


def run(context: Context) -> Iterator[Finding | TrainingFacts]:
    """Facts grow with each workload, so that what was measured stays if a later one takes the check down."""
    for facts in collect_facts(context):
        yield facts
    for rule in RULES:
        yield from rule(facts)
    for advice_rule in ADVICE_RULES:
        yield from advice_rule(facts)
    yield from expected.judge(facts)
