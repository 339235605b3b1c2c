"""What torch says of itself, and whether a device does what it says."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import sys
import sysconfig
from typing import Any, Optional


def load() -> str:
    """Import torch; its version."""
    import torch

    return str(torch.__version__)


def python() -> dict[str, Any]:
    """Facts about this interpreter, which need no torch: `pip` is whether it has one, `externally_managed` whether
    pip refuses to install (PEP 668), `torch_version` what the installed package says, which survives a torch that
    cannot be imported."""
    return {
        "version": platform.python_version(),
        "executable": sys.executable,
        "arch": platform.machine(),
        "pip": importlib.util.find_spec("pip") is not None,
        "externally_managed": externally_managed(),
        "torch_version": installed("torch"),
    }


def externally_managed() -> bool:
    """Whether the system's packager owns this Python; environments made with it are free."""
    marker = os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
    return sys.prefix == sys.base_prefix and os.path.exists(marker)


def installed(package: str) -> Optional[str]:
    """The version in a package's metadata, None without any."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def torch() -> dict[str, Any]:
    """Facts about torch, and the devices it offers by their names."""
    import torch

    mps = getattr(torch.backends, "mps", None)
    return {
        "torch": {
            "version": str(torch.__version__),
            "mps_built": bool(mps and mps.is_built()),
            "mps_available": bool(mps and mps.is_available()),
            "cuda_available": bool(torch.cuda.is_available()),
            "error": None,
        },
        "offered": offered(),
        "num_threads": torch.get_num_threads(),
        "cuda_version": torch.version.cuda,
        "git_version": getattr(torch.version, "git_version", None),
        "debug": bool(getattr(torch.version, "debug", False)),
    }


def offered() -> list[str]:
    """The device types that torch says are there: the CPU, then accelerators, out-of-tree ones included."""
    import torch

    found = ["cpu"]
    if torch.cuda.is_available():
        found.append("cuda")
    if torch.backends.mps.is_available():
        found.append("mps")
    if hasattr(torch, "xpu") and torch.xpu.is_available():  # since torch 2.3
        found.append("xpu")
    if hasattr(torch, "accelerator") and torch.accelerator.is_available():  # since torch 2.6
        found.append(getattr(torch.accelerator.current_accelerator(), "type", ""))
    else:
        found.append(_out_of_tree())
    return list(dict.fromkeys(name for name in found if name))


def _out_of_tree() -> str:
    """Before torch.accelerator, a back end under a name of its own is all that tells of itself."""
    import torch

    get_name = getattr(torch._C, "_get_privateuse1_backend_name", None)  # since torch 2.1
    name = get_name() if get_name else "privateuseone"
    module = getattr(torch, name, None)
    return name if module is not None and module.is_available() else ""


def device_name(device: str) -> str | None:
    """What the back end calls the device, where it tells."""
    import torch

    if device == "mps":
        get_name = getattr(torch.backends.mps, "get_name", None)  # since torch 2.9
        return get_name() if get_name else None
    get_name = getattr(getattr(torch, device, None), "get_device_name", None)
    return str(get_name()) if get_name else None


def try_device(device: str) -> dict[str, Any]:
    """Allocate, compute, compare: 1 KB, then a matrix product and a sum over 64×64, then their gradient.

    Virtual Macs report MPS as available and fail at the first 256 bytes, or compute wrong numbers
    (pytorch#188438), so only trying tells.
    """
    import torch

    torch.ones(256, device=device)
    on_cpu = _small_step(torch, "cpu")
    on_device = _small_step(torch, device)
    for name in on_cpu:
        there, here = on_device[name].double(), on_cpu[name].double()
        if not torch.allclose(there, here, rtol=1e-3, atol=1e-3):
            worst = float((there - here).abs().max())
            return {"usable": False, "reason": f"computes wrong numbers: {name} is off by {worst:.3g}"}
    return {"usable": True, "reason": None, "name": device_name(device)}


def _small_step(torch: Any, device: str) -> dict[str, Any]:
    """A product, a sum and a gradient of numbers that every device can represent."""
    steps = torch.arange(64 * 64, dtype=torch.float32).reshape(64, 64)
    left = ((steps % 7) - 3).to(device).requires_grad_()
    right = ((steps % 5) - 2).to(device)
    product = torch.nn.functional.linear(left, right, right[0])
    total = (product * product).mean()
    total.backward()
    return {"product": product.detach().cpu(), "sum": total.detach().cpu(), "gradient": left.grad.cpu()}
