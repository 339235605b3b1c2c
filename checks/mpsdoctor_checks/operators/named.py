"""`ops --op NAME`: every variant, dtype and direction of some operators of the catalogue, on every device."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from mpsdoctor.check import Collected, Context, Skip, UnusableRequestError, devices_of, typed
from mpsdoctor.facts import build_facts
from mpsdoctor.texts import Part, say
from mpsdoctor.worker.shapes import PlannedProbe
from mpsdoctor_checks.operators import rules
from mpsdoctor_checks.operators.collect import (
    CORE,
    DTYPES,
    PLAN,
    audit,
    device_kind,
    run_probes,
    strict_environment,
    warm_up,
)
from mpsdoctor_checks.operators.results import DeviceResults, facts_of

TIME_LIMIT = 600.0  # seconds for what takes a few; a bound, should a device be very slow


def examine(context: Context, names: Sequence[str]) -> Collected:
    """Facts and findings of the operators. UnusableRequestError for a name that the catalogue lacks."""
    devices = []
    for device in devices_of(context, cpu=True):
        results = DeviceResults(device)
        worker = context.worker(device, strict_environment(device))
        context.progress(Part("importing_torch_for", {"device": device}))
        answer = worker.call(PLAN, level="thorough", dtypes=DTYPES["thorough"], device=device)
        if answer.outcome != "ok":
            raise Skip(answer.reason)
        plan = typed(answer, list[PlannedProbe])
        results.plan = [probe for name in names for probe in select_probes(plan, name)]
        results.core = frozenset(worker.call(CORE).value or ())
        warm_up(context, device)
        run_probes(context, results, TIME_LIMIT)
        if device_kind(device) == "mps":
            audit(context, results, TIME_LIMIT)
        devices.append(results)
    facts = facts_of(devices)
    return {**facts, "source": "catalogue", "asked": list(names)}, rules.judge(facts, build_facts(context.facts))


def select_probes(plan: Sequence[PlannedProbe], name: str) -> list[PlannedProbe]:
    """The probes of an operator, named by its aten name with or without `aten::`, or by its entry's name.

    A name that ends in an underscore means the in-place form alone; any other means both.
    """
    wanted = name.removeprefix("aten::")
    probes = [probe for probe in plan if wanted in names_of(probe)]
    if not probes:
        known = sorted({name for probe in plan for name in names_of(probe)})
        raise UnusableRequestError(explain_unknown(wanted, known, say("cli.catalogue")))
    return probes


def names_of(probe: PlannedProbe) -> set[str]:
    op = probe.op.removeprefix("aten::")
    return {probe.entry, op, op.rstrip("_")}


def explain_unknown(name: str, known: list[str], where: str) -> str:
    """The message for a name that does not exist, with those nearest to it."""
    close = difflib.get_close_matches(name, known, 3, 0.5)
    hint = say("cli.close_findings", names=say("cli.or").join(close)) if close else ""
    return say("cli.no_operator", where=where, name=name, hint=hint)
