"""A warning for trainings on several machines: ranks may be given different kinds of device.

Nothing is asked of other machines here: a training must not wait, or hang, for its device. What is known of them is
what the last report of many machines left in this machine's profile (docs/decisions/007).
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # typing's own constant costs 3 ms of the 15 that `import mpsdoctor` has
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mpsdoctor.runtime.shapes import Profile


def warn_of_other_kinds(profile: Profile | None, device: str, source: str) -> Iterator[str]:
    """A sentence where a rank of another machine would get another kind of device than this one.

    Ranks of one machine read the same profile. What a person asked for by an argument or a variable is meant so.
    """
    fleet = profile.get("fleet") if profile else None
    if not fleet or source not in ("profile", "policy") or not on_several_machines():
        return
    kind, devices = device.partition(":")[0], fleet["devices"]
    if set(devices) | {kind} == {kind}:
        return
    told = ", ".join(f"{name} on {count}" for name, count in sorted(devices.items()))
    yield (
        f"ranks of other machines may train on another kind of device than {kind}: the last report of this fleet "
        f"recommends {told} ranks; set MPSDOCTOR_DEVICE to one for all"
    )


def on_several_machines() -> bool:
    """By the variables of torchrun."""
    try:
        return int(os.environ["WORLD_SIZE"]) > int(os.environ["LOCAL_WORLD_SIZE"]) >= 1
    except (KeyError, ValueError):
        return False
