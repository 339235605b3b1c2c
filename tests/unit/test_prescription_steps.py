"""What a new profile keeps of the one before."""

from __future__ import annotations

from helpers.trainer import sample
from mpsdoctor.prescription import own_steps
from mpsdoctor.runtime.shapes import Fingerprint, Measured

HERE: Fingerprint = {"torch": "2.13.0", "os": "Linux", "chip": "x"}
WON: dict[str, Measured] = {"step": {"device": "sim", "speedup": 2.0, "ci95": [1.9, 2.1]}}


def test_ones_own_steps_outlive_a_check_up() -> None:
    """A check-up that writes the profile anew keeps what was stored by name, and replaces what it measures."""
    before = sample(fingerprint=HERE)
    before["workloads"]["mine"] = WON
    assert own_steps(before, HERE) == {"mine": WON}
    assert own_steps(None, HERE) == {}


def test_ones_own_steps_do_not_outlive_a_change() -> None:
    """Measured under another torch, they say nothing about this one."""
    before = sample(fingerprint=HERE)
    before["workloads"]["mine"] = WON
    assert own_steps(before, {**HERE, "torch": "2.14.0"}) == {}
