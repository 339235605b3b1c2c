"""Times the single operators that others measured on Apple's chips, on a Mac with such a chip."""

from __future__ import annotations

from collections.abc import Iterable

from mpsdoctor import chips
from mpsdoctor.check import Context, Job, UnusableAnswerError, typed
from mpsdoctor.facts.training import OperatorTime
from mpsdoctor.machine.shapes import MachineFacts
from mpsdoctor.texts import Part
from mpsdoctor_checks.training import expected
from mpsdoctor_checks.training.lanes import Lane

CALL = "mpsdoctor_worker.training.single_operators:time_operators"
# A cold Metal takes a second for the four, which the three of the quick budget do not have.
BUDGETS = ("standard", "thorough")
DEVICES = ("cpu", "mps")  # of which the table has figures
PATIENCE = 60.0  # seconds; usually a tenth of one


def measure(context: Context, machine: MachineFacts, lanes: Iterable[Lane]) -> list[OperatorTime]:
    """What each operator takes on each device, beside what it took others; nothing on other machines."""
    chip = chips.short_name(machine.get("chip"))
    if not chip or machine.get("translated") or machine.get("virtual_machine") or context.budget not in BUDGETS:
        return []
    table = chips.read_table()
    rows: list[OperatorTime] = []
    for lane in lanes:
        if lane.device in DEVICES and not lane.out:
            context.progress(Part("timing_operators", {"device": lane.device}))
            rows += expected.compare(chip, lane.device, time_operators(lane), *table)
    return rows


def time_operators(lane: Lane) -> dict[str, list[float]]:
    """Milliseconds of the calls by operator; none where they fail, which the training that follows tells of."""
    answer = next(lane.worker.run([Job(CALL, {"device": lane.device}, PATIENCE)]))
    try:
        times: dict[str, list[float]] = typed(answer, dict[str, list[float]]) if answer.outcome == "ok" else {}
    except UnusableAnswerError:
        times = {}
    lane.ready = bool(times)
    return times
