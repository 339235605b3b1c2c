"""Which devices torch can use now, whatever its version and however broken a back end is."""

from __future__ import annotations

import os

from mpsdoctor.runtime.profile_format import printable

TYPE_CHECKING = False  # typing's own constant costs 3 ms of the 15 that `import mpsdoctor` has
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


def accelerators(torch: Any) -> Iterator[str]:
    """Kinds worth trying besides CUDA, the likeliest first; some may be unavailable."""
    yield "mps"
    try:
        current = truly(torch.accelerator.current_accelerator)()  # torch 2.6 and later
    except Exception:  # a broken back end raises anything, and an older torch has no such module
        current = None
    if current is not None and current.type != "cpu":
        yield str(current.type)
    yield "xpu"


def unavailable(torch: Any, device: str) -> str | None:
    """Why `device` cannot be used now; None: it can."""
    kind, _, index = device.partition(":")
    try:
        torch.device(device)
        module: Any = torch.backends.mps if kind == "mps" else getattr(torch, kind, None)
        if kind == "cpu":
            return None
        if not hasattr(module, "is_available"):
            return f"this torch offers no {kind}"
        if not truly(module.is_available)():
            return f"{kind} is not available here"
        return None if int(index or 0) < _count(torch, kind) else f"there is no {device}"
    except Exception as error:  # a broken back end raises anything
        return f"{kind} does not answer ({type(error).__name__}: {printable(str(error))})"


def _count(torch: Any, kind: str) -> int:
    count = getattr(getattr(torch, kind, None), "device_count", None)
    return int(truly(count)()) if count else 1


def truly(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of torch as it is without `mpsdoctor run`, which hides what its trainer shall not take by itself.

    Who asks for a workload's device gets the one that was measured; in a race only one device is there.
    """
    return function if "MPSDOCTOR_RACE" in os.environ else getattr(function, "mpsdoctor_true", function)


def add_rank(torch: Any, device: str, warnings: list[str]) -> str:
    """`device`, as CUDA with the index that torchrun gives to this process; `warnings` gets why it is not used."""
    rank = os.environ.get("LOCAL_RANK")
    if device.partition(":")[0] != "cuda" or not rank:
        return device
    if not (rank.isascii() and rank.isdecimal() and len(rank) <= 4):
        warnings.append(f"LOCAL_RANK={printable(rank, 40)} is not a device index, so not used")
    elif (trouble := unavailable(torch, f"cuda:{int(rank)}")) is not None:
        warnings.append(f"LOCAL_RANK={rank} is not used: {trouble}")
    else:
        return f"cuda:{int(rank)}"
    return device
