"""Measures what other programs do while we do nothing, and waits briefly until they do less."""

from __future__ import annotations

import time
from typing import cast

from mpsdoctor import machine
from mpsdoctor.check import Context
from mpsdoctor.facts.conditions import Conditions
from mpsdoctor.texts import Part
from mpsdoctor_checks.training.disturbance import BUSY_PERCENT

LISTEN = 0.2  # seconds; processor time is counted in hundredths
BETWEEN = 0.12  # seconds between two workloads, just longer than the shortest that can be told
WAIT = {"quick": 2.0, "standard": 8.0, "thorough": 30.0}  # seconds at most


def idle_conditions() -> Conditions:
    """Conditions while we do nothing, so that the processor time used is that of others."""
    machine.conditions()
    time.sleep(LISTEN)
    return conditions()


def conditions() -> Conditions:
    """Conditions at this moment."""
    return cast("Conditions", machine.conditions())


def wait_for_quiet(context: Context) -> Conditions:
    """Idle conditions as soon as others leave the processor alone, or of the last look; `waited_s` tells how long."""
    begun = time.monotonic()
    while True:
        idle = idle_conditions()
        waited = time.monotonic() - begun
        busy = idle["cpu_percent"] or 0.0
        if busy <= BUSY_PERCENT or waited >= WAIT[context.budget]:
            return {**idle, "waited_s": round(max(0.0, waited - LISTEN), 1)}
        context.progress(Part("waiting_for_quiet", {"percent": busy}))


def busy_between() -> float | None:
    """Percent of the processor that others take right now, None where the system does not tell."""
    machine.cpu_percent()
    time.sleep(BETWEEN)
    return machine.cpu_percent()
