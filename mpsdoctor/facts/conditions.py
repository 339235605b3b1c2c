"""What the machine does before, between and after timings. Apart, so that readers of `training` import no machine."""

from __future__ import annotations

from typing import TypedDict

from mpsdoctor.machine.shapes import Conditions as MachineConditions


class Conditions(MachineConditions, total=False):
    """Those of the machine, and how many seconds the check waited for them."""

    waited_s: float


class Moments(TypedDict, total=False):
    """Conditions before and after all timing; percents of the processor that others take between workloads."""

    before: Conditions
    between: list[float]
    after: Conditions
