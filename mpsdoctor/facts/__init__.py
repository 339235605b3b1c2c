"""What the checks of this distribution collect, by field: a module a check. Checks write it, judges and views read it.

Nothing is checked here: a third-party check may have one of these ids, and its facts any shape. An old report may lack
fields too, so those who read a report ask for them with `get`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:  # the front ends start without what the machine is read with
    from mpsdoctor.facts.build import Build
    from mpsdoctor.facts.issues import IssueFacts
    from mpsdoctor.facts.libraries import LibraryFacts
    from mpsdoctor.facts.operators import Operators
    from mpsdoctor.facts.training import TrainingFacts
    from mpsdoctor.machine.shapes import MachineFacts
    from mpsdoctor.report import Report


class _CheckFacts(TypedDict, total=False):
    chip: MachineFacts
    build: Build
    operators: Operators
    training: TrainingFacts
    libraries: LibraryFacts


# The id of this check is no name for a field.
_OfIssues = TypedDict("_OfIssues", {"known-issues": "IssueFacts"}, total=False)


class CheckFacts(_CheckFacts, _OfIssues, total=False):
    """By check; one that did not run is missing. Of `bench`, `training` are `StepFacts`, which have less."""


def assume_shapes(facts: Mapping[str, Mapping[str, object]]) -> CheckFacts:
    """The facts by check, unchanged, as what our own checks collect."""
    unchecked: Any = facts
    shaped: CheckFacts = unchecked
    return shaped


def read_facts(report: Report) -> CheckFacts:
    """The facts of a report by check."""
    return assume_shapes({check.id: check.facts for check in report.checks})


def build_facts(facts: Mapping[str, Mapping[str, object]]) -> Build:
    """The facts of `build`; without content where that check did not run."""
    return assume_shapes(facts).get("build") or {
        "python": {},
        "torch": None,
        "devices": [],
        "interpreter_error": None,
        "ends_import": {},
        "machine": {},
    }
