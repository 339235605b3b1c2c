"""Which training libraries the examined interpreter has, and whether each would train where it is fastest."""

from __future__ import annotations

from collections.abc import Iterator

from mpsdoctor.check import Context, Finding, judged
from mpsdoctor.facts.libraries import LibraryFacts
from mpsdoctor.texts import check_title
from mpsdoctor_checks.libraries.collect import collect
from mpsdoctor_checks.libraries.rules import RULES

id = "libraries"
title = check_title("libraries")
needs = ("build",)
seconds = {"quick": 1.0, "standard": 1.0, "thorough": 1.0}
patience = 60.0  # an interpreter that starts from a cold disk


def run(context: Context) -> Iterator[Finding | LibraryFacts]:
    yield from judged(collect(context), RULES)
