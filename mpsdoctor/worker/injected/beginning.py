"""What happens in a script as soon as it has imported torch."""

from __future__ import annotations

import os
from typing import Any, List, Optional

from .. import torch_facts
from . import steering

chosen: Optional[str] = None  # the device that this process is steered to


def offered_by_torch() -> List[str]:
    """The devices that torch offers; a back end that raises when it is asked offers none."""
    try:
        return torch_facts.list_devices()
    except Exception:
        return ["cpu"]


def begin(torch: Any, wanted: str, race: Optional[str], seed: int) -> None:
    """Steer torch to a device; in a race tell the doctor, draw the same numbers as the others, and count steps."""
    global chosen
    offered = offered_by_torch()
    chosen = steering.choose(wanted, offered)
    steering.steer(torch, chosen, offered)
    if race is None:
        return
    from . import course, hooks, line

    torch.manual_seed(seed)
    connection = line.Line(race)
    connection.hello(chosen, offered, str(torch.__version__))
    running = course.Course(torch, chosen, connection)
    hooks.install(torch, running)
    os.register_at_fork(after_in_child=lambda: hooks.follow_fork(running))
