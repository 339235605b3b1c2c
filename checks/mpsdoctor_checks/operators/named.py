"""`ops --op NAME`: every variant, dtype and direction of some operators of the catalogue, on every device."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from mpsdoctor.check import Collected, Context, Skip, UnusableRequestError, devices_of
from mpsdoctor_checks.operators import rules
from mpsdoctor_checks.operators.collect import CORE, DTYPES, PLAN, ask, audit, kind, strict, warm_up
from mpsdoctor_checks.operators.examined import Examined, facts_of
from mpsdoctor_checks.operators.queue import Probe

PLENTY = 600.0  # seconds for what takes a few; a bound, should a device be very slow


def examine(context: Context, names: Sequence[str]) -> Collected:
    """Facts and findings of the operators. UnusableRequestError for a name that the catalogue lacks."""
    examined = []
    for device in devices_of(context, cpu=True):
        found = Examined(device)
        worker = context.worker(device, strict(device))
        context.progress(f"operators {device}: importing torch")
        answer = worker.call(PLAN, level="thorough", dtypes=DTYPES["thorough"], device=device)
        if answer.outcome != "ok":
            raise Skip(answer.reason)
        found.plan = [probe for name in names for probe in chosen(answer.value, name)]
        found.core = frozenset(worker.call(CORE).value or ())
        warm_up(context, device)
        ask(context, found, PLENTY)
        if kind(device) == "mps":
            audit(context, found, PLENTY)
        examined.append(found)
    facts = facts_of(examined)
    return {**facts, "source": "catalogue", "asked": list(names)}, rules.judge(facts, context.facts["build"])


def chosen(plan: list[Probe], name: str) -> list[Probe]:
    """The probes of an operator, named by its aten name with or without `aten::`, or by its entry's name.

    A name that ends in an underscore means the in-place form alone; any other means both.
    """
    wanted = name.removeprefix("aten::")
    found = [probe for probe in plan if wanted in names_of(probe)]
    if not found:
        known = sorted({one for probe in plan for one in names_of(probe)})
        raise UnusableRequestError(unknown(wanted, known, "the catalogue"))
    return found


def names_of(probe: Sequence[str]) -> set[str]:
    entry, op = probe[0], probe[1].removeprefix("aten::")
    return {entry, op, op.rstrip("_")}


def unknown(name: str, known: list[str], where: str) -> str:
    """The message for a name that does not exist, with those nearest to it."""
    close = difflib.get_close_matches(name, known, 3, 0.5)
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    return f"{where} has no operator {name!r}{hint}"
