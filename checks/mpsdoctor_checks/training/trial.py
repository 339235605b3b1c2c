"""What is known of one workload in one size while it is tried on all devices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mpsdoctor_checks.training.lanes import Failed, Lane
from mpsdoctor_checks.training.plan import Item


@dataclass
class Trial:
    """What is known so far of an item, by device. `failures` are outcome and detail; `curves` those that are right."""

    item: Item
    lanes: dict[str, Lane]
    patience: float
    failures: dict[str, tuple[str, str]] = field(default_factory=dict)
    prepared: dict[str, dict[str, Any]] = field(default_factory=dict)
    losses: dict[str, list[float]] = field(default_factory=dict)
    curves: dict[str, dict[str, Any]] = field(default_factory=dict)
    warm: dict[str, dict[str, Any]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    last: dict[str, dict[str, Any]] = field(default_factory=dict)
    blocks: dict[str, list[float]] = field(default_factory=dict)
    stopped: str = ""

    def active(self) -> list[str]:
        return [device for device in self.lanes if device not in self.failures]

    def each(self, act: Callable[[Lane], None]) -> None:
        """Let every device that still takes part do something; one that fails is out, the others go on."""
        for device in self.active():
            self.try_with(device, act)

    def try_with(self, device: str, act: Callable[[Lane], None]) -> None:
        try:
            act(self.lanes[device])
        except Failed as failed:
            self.failures[device] = (failed.outcome, failed.detail)
