"""What PyTorch's own list in the wheel expects to fail on MPS, beside what is recorded here."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from mpsdoctor.check import Context, typed
from mpsdoctor.facts import assume_shapes
from mpsdoctor.facts.issues import ExpectedByTorch
from mpsdoctor.support import by_aten, known_failures
from mpsdoctor.worker.shapes import Wheel

WHEEL = "mpsdoctor_worker.steps.calltree:wheel"


class Beside(TypedDict, total=False):
    """The fact, where the wheel has such a list."""

    expected_by_torch: ExpectedByTorch


def expected_by_torch(context: Context, devices: list[str]) -> Beside:
    """The operators of the list, and which of them this check-up probed; only where there is MPS."""
    if not any(device.partition(":")[0] == "mps" for device in devices):
        return {}
    answer = context.worker("cpu").call(WHEEL)
    if answer.outcome != "ok":
        return {}
    known = by_aten(known_failures(Path(*typed(answer, Wheel)["parts"])) or {})
    if not known:
        return {}
    probed = probed_on_mps(context)
    listed = sorted(known)
    return {
        "expected_by_torch": {
            "probed": [op for op in listed if op in probed],
            "not_probed": [op for op in listed if op not in probed],
        }
    }


def probed_on_mps(context: Context) -> set[str]:
    """The operators that were called on MPS in this check-up."""
    operators = assume_shapes(context.facts).get("operators")
    rows = operators.get("results", ()) if operators else ()
    return {row["op"] for row in rows if row["device"].partition(":")[0] == "mps" and row["outcome"] != "skipped"}
