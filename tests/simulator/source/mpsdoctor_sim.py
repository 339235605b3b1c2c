"""The module `torch.sim`, which torch finds through the `torch.backends` entry points when it is imported."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch.utils import backend_registration

# What a back end whose allocator counts nothing has no way to offer.
COUNTED = ("memory_allocated", "max_memory_allocated", "reset_peak_memory_stats", "mem_get_info", "empty_cache")
# `with torch.sim.device(0)`: there is one device, which is always the current one.
device = nullcontext


def load() -> None:
    """Make the simulated accelerator known to torch."""
    torch.ops.load_library(str(Path(__file__).with_name("simulator.so")))  # type: ignore[no-untyped-call]
    torch.ops.sim.begin()
    backend_registration.rename_privateuse1_backend("sim")
    torch._register_device_module("sim", sys.modules[__name__])  # type: ignore[no-untyped-call]
    backend_registration.generate_methods_for_privateuse1_backend()
    if os.environ.get("SIM_PLAIN_ALLOCATOR", "0") != "0":
        for name in COUNTED:
            del globals()[name]


def is_available() -> bool:
    return True


def is_initialized() -> bool:
    return True


def _is_in_bad_fork() -> bool:
    return False


def device_count() -> int:
    return 1


def current_device() -> int:
    return 0


def set_device(device: Any) -> None:
    if device not in (0, None, torch.device("sim"), torch.device("sim:0"), "sim", "sim:0"):
        raise RuntimeError(f"invalid device {device}: there is one sim device")


def get_device_name(device: Any = None) -> str:
    return "Simulated accelerator"


def synchronize(device: Any = None) -> None:
    torch.ops.sim.synchronize()


def manual_seed(seed: int) -> None:
    torch.ops.sim.manual_seed(seed)


def manual_seed_all(seed: int) -> None:
    torch.ops.sim.manual_seed(seed)


def get_rng_state(device: Any = "sim") -> torch.Tensor:
    state: torch.Tensor = torch.ops.sim.get_rng_state()
    return state


def set_rng_state(new_state: torch.Tensor, device: Any = "sim") -> None:
    torch.ops.sim.set_rng_state(new_state)


def memory_allocated(device: Any = None) -> int:
    return int(torch.accelerator.memory_allocated())


def max_memory_allocated(device: Any = None) -> int:
    return int(torch.accelerator.max_memory_allocated())


def reset_peak_memory_stats(device: Any = None) -> None:
    torch.accelerator.reset_peak_memory_stats()


def mem_get_info(device: Any = None) -> tuple[int, int]:
    return torch.accelerator.get_memory_info()


def empty_cache() -> None:
    """Nothing is cached: freed memory is free at once."""


def get_amp_supported_dtype() -> list[torch.dtype]:
    return [torch.float16, torch.bfloat16]
