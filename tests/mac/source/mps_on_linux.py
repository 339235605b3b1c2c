"""Makes `mps` a working device of a Linux build of torch, which loads it as a `torch.backends` entry point."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Any

import torch

HERE = Path(__file__).parent
KERNEL, ALWAYS_ON_CPU = frozenset("MDXP"), frozenset("F")

Version = tuple[int, ...]

# Module, attribute, and the first torch that has it, from the wheels of 2.0 to 2.15; what lies deeper comes first.
# `torch.mps.is_available` and `device_count` stay, for functions beside them call them by name.
LATER: tuple[tuple[str, str, Version], ...] = (
    *(
        ("torch.accelerator", name, (2, 9))
        for name in (
            "empty_cache",
            "max_memory_allocated",
            "max_memory_reserved",
            "memory_allocated",
            "memory_reserved",
            "memory_stats",
            "reset_accumulated_memory_stats",
            "reset_peak_memory_stats",
        )
    ),
    ("torch.accelerator", "get_memory_info", (2, 10)),
    ("torch.amp", "GradScaler", (2, 3)),
    ("torch.amp", "is_autocast_available", (2, 4)),
    ("torch.backends", "nnpack", (2, 3)),
    ("torch.backends.mps", "get_core_count", (2, 9)),
    ("torch.backends.mps", "get_name", (2, 9)),
    ("torch.backends.mps", "is_macos_or_newer", (2, 3)),
    ("torch.mps", "compile_shader", (2, 7)),
    ("torch.mps", "event", (2, 1)),
    ("torch.mps", "load_metallib", (2, 13)),
    ("torch.mps", "profiler", (2, 1)),
    ("torch.mps", "recommended_max_memory", (2, 5)),
    ("torch", "accelerator", (2, 6)),
    ("torch", "get_device_module", (2, 4)),
)
FUSED_OPTIMIZERS, AUTOCAST, SAFE_SOFTMAX, PLAIN_FALLBACK, DEVICE_ALLOCATOR = (2, 5), (2, 5), (2, 5), (2, 8), (2, 13)

_hidden: dict[Any, dict[str, Any]] = {}


def load() -> None:
    torch.ops.load_library(str(HERE / "libmps.so"))  # type: ignore[no-untyped-call]
    version = os.environ.get("MAC_TORCH") or str(torch.__version__).partition("+")[0]
    numbers = tuple(int(part) for part in version.split(".")[:2])
    os.environ.setdefault("MAC_COMMIT", torch.version.git_version or "")
    supported, always = support(numbers)
    older = [numbers < first for first in (DEVICE_ALLOCATOR, PLAIN_FALLBACK, SAFE_SOFTMAX)]
    torch.ops.mac.begin(supported, always, *older)
    tell_of_mps()
    tell_of_nnpack()
    if os.environ.get("MAC_TORCH"):
        pretend(version, numbers)
    else:
        torch.__version__ = torch.torch_version.TorchVersion(version)


def support(version: Version) -> tuple[list[str], list[str]]:
    """Full names of operators that have a kernel on MPS in a version, and of those that always run on the CPU."""
    head, *rows = (HERE / "support.txt").read_text(encoding="ascii").splitlines()
    place = head.split().index(".".join(map(str, version)))
    pairs = [(row.split()[0], row.split()[1][place]) for row in rows]
    return [op for op, letter in pairs if letter in KERNEL], [op for op, letter in pairs if letter in ALWAYS_ON_CPU]


def tell_of_mps() -> None:
    """What a build for macOS says of itself."""
    native: Any = torch._C
    native._has_mps = True
    native._mps_get_name = lambda: os.environ["MAC_CHIP"]
    native._mps_get_core_count = lambda: int(os.environ["MAC_GPU_CORES"])
    for name in ("is_built", "is_available", "is_macos_or_newer", "get_name", "get_core_count"):
        clear = getattr(getattr(torch.backends.mps, name, None), "cache_clear", None)
        if clear:
            clear()


def tell_of_nnpack() -> None:
    """The path that a Mac's processor takes for convolutions, where the clock is told that it is slower."""
    if float(os.environ.get("SIM_NNPACK_TIMES", "1")) == 1:
        return
    native: Any = torch._C
    select = native._select_conv_backend

    def chosen(images: torch.Tensor, *rest: Any) -> Any:
        fits = images.device.type == "cpu" and images.dtype == torch.float32 and images.dim() == 4
        if fits and images.shape[0] >= 16 and native._get_nnpack_enabled():
            return native._ConvBackend.NnpackSpatial
        return select(images, *rest)

    native._select_conv_backend = chosen


def pretend(version: str, numbers: Version) -> None:
    """What Python sees of another version."""
    torch.__version__ = torch.torch_version.TorchVersion(version)
    torch.version.__version__ = version
    for module, attribute, first in LATER:
        owner: Any = torch
        for part in module.split(".")[1:]:
            owner = getattr(owner, part, None)
        if numbers < first and owner is not None and hasattr(owner, attribute):
            hide(owner, attribute)
    if numbers < FUSED_OPTIMIZERS:
        refuse_fused_optimizers()
    limit_autocast(numbers)


def hide(module: Any, name: str) -> None:
    """Take an attribute from everybody but torch's own code, which is of a later version and needs it."""
    inside = getattr(module, "m", None)  # torch.backends is wrapped, and may have an attribute twice
    if inside is not None:
        vars(module).pop(name, None)
        module = inside
    first = module not in _hidden
    _hidden.setdefault(module, {})[name] = getattr(module, name)
    delattr(module, name)
    if not first:
        return
    other = module.__dict__.get("__getattr__")

    def missing(asked: str) -> Any:
        if asked in _hidden[module] and asked_by_torch():
            return _hidden[module][asked]
        if other is not None:
            return other(asked)
        raise AttributeError(f"module {module.__name__!r} has no attribute {asked!r}")

    module.__getattr__ = missing


def asked_by_torch() -> bool:
    """Whether the code that reads a hidden attribute is torch's."""
    frame = sys._getframe(2)
    while frame.f_back and frame.f_code.co_name == "__getattr__":
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", "")).split(".")[0] == "torch"


def refuse_fused_optimizers() -> None:
    """`fused=True` on MPS raises, as before torch 2.5; optimizers have the list by name."""
    for module in [found for name, found in sys.modules.items() if name.startswith(("torch.optim", "torch.utils."))]:
        ask = getattr(module, "_get_fused_kernels_supported_devices", None)
        if ask is not None:
            devices = [device for device in ask() if device != "mps"]
            module._get_fused_kernels_supported_devices = lambda devices=devices: list(devices)


def limit_autocast(version: Version) -> None:
    """Autocast on MPS came with torch 2.5; bfloat16 was then refused with a warning, until 2.8 on macOS 13."""
    begin = torch.autocast.__init__

    def limited(
        self: Any, device_type: str, dtype: Any = None, enabled: bool = True, *args: Any, **options: Any
    ) -> None:
        if device_type == "mps" and version < AUTOCAST:
            raise RuntimeError("User specified an unsupported autocast device_type 'mps'")
        old_macos = int(os.environ["MAC_MACOS"].partition(".")[0]) < 14
        if (
            device_type == "mps"
            and dtype == torch.bfloat16
            and (version == AUTOCAST or (version < (2, 9) and old_macos))
        ):
            warnings.warn(
                "In MPS autocast, but the target dtype is not supported. Disabling autocast.\n"
                "MPS Autocast only supports dtype of torch.float16 currently.",
                stacklevel=2,
            )
            enabled = False
        begin(self, device_type, dtype, enabled, *args, **options)

    torch.autocast.__init__ = limited  # type: ignore[method-assign]
