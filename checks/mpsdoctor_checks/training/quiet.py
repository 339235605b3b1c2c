"""Measures what other programs do while we do nothing, and waits briefly until they do less."""

from __future__ import annotations

import time
from typing import cast

from mpsdoctor import machine, quiet
from mpsdoctor.check import Context
from mpsdoctor.facts.conditions import Conditions
from mpsdoctor.machine import Load

LISTEN = 0.2  # seconds; processor time is counted in hundredths
BETWEEN = 0.12  # seconds between two workloads, just longer than the shortest that can be told


def idle_conditions() -> Conditions:
    """Conditions while we do nothing, so that the processor time used is that of others."""
    return conditions(listen())


def conditions(load: Load | None = None) -> Conditions:
    """Conditions at this moment; of the processor those of a load, where one was measured."""
    now = cast("Conditions", machine.conditions())
    return {**now, "cpu_percent": load["percent"], "programs": load["programs"]} if load else now


def listen() -> Load:
    """What others take while we do nothing."""
    before = machine.look()
    time.sleep(LISTEN)
    return machine.taken_by_others(before, machine.look())


def wait_for_quiet(context: Context) -> Conditions:
    """Idle conditions as soon as others leave the processor alone, or of the last look.

    `waited_s` tells how long it took, with what the check-up waited for before.
    """

    def pause(seconds: float) -> bool:  # a cancellation ends the whole process
        time.sleep(seconds)
        return True

    most = quiet.WAIT[context.budget] - context.waited_s
    load, waited = quiet.wait(listen, most, lambda load, left: context.progress(quiet.describe_wait(load, left)), pause)
    return {**conditions(load), "waited_s": round(context.waited_s + waited, 1)}


def busy_between() -> float | None:
    """Percent of the processor that others take right now, None where the system does not tell."""
    machine.cpu_percent()
    time.sleep(BETWEEN)
    return machine.cpu_percent()
