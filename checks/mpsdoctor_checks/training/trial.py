"""What is known of one workload in one size while it is tried on all devices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mpsdoctor.worker.shapes import Block, Losses, Prepared, WarmUp
from mpsdoctor_checks.training.lanes import Entrant, Failed
from mpsdoctor_checks.training.plan import Item


@dataclass
class Trial:
    """What is known so far of an item, by device.

    `failures` are outcome and detail; `curves` those that are right; `compiling` is seconds of the first step beyond
    the others; `memory` is bytes in use after so many steps.
    `against` tells where the losses come from that are held to be right; a block has `fewest` steps or more.
    """

    item: Item
    lanes: dict[str, Entrant]
    patience: float
    against: str = "on the CPU"
    fewest: int = 1
    failures: dict[str, tuple[str, str]] = field(default_factory=dict)
    prepared: dict[str, Prepared] = field(default_factory=dict)
    losses: dict[str, list[float]] = field(default_factory=dict)
    curves: dict[str, Losses] = field(default_factory=dict)
    warm: dict[str, WarmUp] = field(default_factory=dict)
    compiling: dict[str, float] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    last: dict[str, Block] = field(default_factory=dict)
    blocks: dict[str, list[float]] = field(default_factory=dict)
    memory: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    stopped: str = ""

    def active(self) -> list[str]:
        return [device for device in self.lanes if device not in self.failures]

    def each(self, act: Callable[[Entrant], None]) -> None:
        """Let every device that still takes part do something; one that fails is out, the others go on."""
        for device in self.active():
            self.try_with(device, act)

    def remember_memory(self, device: str, answer: WarmUp | Block) -> None:
        """Keep the bytes in use that an answer of the worker tells, if any."""
        if answer["used_bytes"] is not None:
            self.memory.setdefault(device, []).append((answer["done"], answer["used_bytes"]))

    def try_with(self, device: str, act: Callable[[Entrant], None]) -> None:
        try:
            act(self.lanes[device])
        except Failed as failed:
            self.failures[device] = (failed.outcome, failed.detail)
