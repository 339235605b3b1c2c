"""What the machine does before, between and after timings. Apart, so that readers of `training` import no machine."""

from __future__ import annotations

from typing import TypedDict

from mpsdoctor.machine.shapes import Conditions as MachineConditions
from mpsdoctor.machine.shapes import Program


class Conditions(MachineConditions, total=False):
    """Those of the machine, the processor's less what mpsdoctor itself takes; the programs that take most of it.

    `waited_s`: how many seconds the check waited for them.
    """

    programs: list[Program]
    waited_s: float


class Moments(TypedDict, total=False):
    """Conditions before and after all timing; percents of the processor that others take between workloads."""

    before: Conditions
    between: list[float]
    after: Conditions
