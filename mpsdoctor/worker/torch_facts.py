"""Torch's facts about itself, and whether a device works."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import sys
import sysconfig
from typing import Any, Dict, Optional

from .torch_shapes import DeviceTrial, Interpreter, TorchFacts

Numbers = Dict[str, Any]  # tensors by name: torch is imported where it is used


def load() -> str:
    """Import torch; its version."""
    import torch

    return str(torch.__version__)


def python() -> Interpreter:
    """Facts about this interpreter, which need no torch."""
    return {
        "version": platform.python_version(),
        "executable": sys.executable,
        "arch": platform.machine(),
        "pip": importlib.util.find_spec("pip") is not None,
        "externally_managed": is_externally_managed(),
        "torch_version": read_version("torch"),
    }


def is_externally_managed() -> bool:
    """Whether the system's packager owns this Python; environments made with it are free."""
    marker = os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
    return sys.prefix == sys.base_prefix and os.path.exists(marker)


def read_version(package: str) -> Optional[str]:
    """The version in a package's metadata, None without any."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def torch() -> TorchFacts:
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
        "offered": list_devices(),
        "num_threads": torch.get_num_threads(),
        "cuda_version": torch.version.cuda,
        "git_version": getattr(torch.version, "git_version", None),
        "debug": bool(getattr(torch.version, "debug", False)),
    }


def list_devices() -> list[str]:
    """The device types that torch reports: the CPU, then accelerators, out-of-tree ones included."""
    import torch

    devices = ["cpu"]
    if torch.cuda.is_available():
        devices.append("cuda")
    if torch.backends.mps.is_available():
        devices.append("mps")
    if hasattr(torch, "xpu") and torch.xpu.is_available():  # since torch 2.3
        devices.append("xpu")
    if hasattr(torch, "accelerator") and torch.accelerator.is_available():  # since torch 2.6
        devices.append(getattr(torch.accelerator.current_accelerator(), "type", ""))
    else:
        devices.append(_name_out_of_tree())
    return list(dict.fromkeys(name for name in devices if name))


def _name_out_of_tree() -> str:
    """Before torch.accelerator, a back end under a name of its own is all that tells of itself."""
    import torch

    get_name = getattr(torch._C, "_get_privateuse1_backend_name", None)  # since torch 2.1
    name = get_name() if get_name else "privateuseone"
    module = getattr(torch, name, None)
    return name if module is not None and module.is_available() else ""


def name_device(device: str) -> str | None:
    """What the back end calls the device, where it tells."""
    import torch

    if device == "mps":
        get_name = getattr(torch.backends.mps, "get_name", None)  # since torch 2.9
        return get_name() if get_name else None
    get_name = getattr(getattr(torch, device, None), "get_device_name", None)
    return str(get_name()) if get_name else None


def try_device(device: str) -> DeviceTrial:
    """Allocate, compute, compare: 1 KB, then a matrix product and a sum over 64×64, then their gradient.

    Virtual Macs report MPS as available and fail at the first 256 bytes, or compute wrong numbers
    (pytorch#188438), so only trying tells.
    """
    import torch

    torch.ones(256, device=device)
    on_cpu = _compute_small_step(torch, "cpu")
    on_device = _compute_small_step(torch, device)
    for name in on_cpu:
        there, here = on_device[name].double(), on_cpu[name].double()
        if not torch.allclose(there, here, rtol=1e-3, atol=1e-3):
            worst = float((there - here).abs().max())
            what = {"part": f"computed_{name}", "values": {}}
            reason = {"part": "computes_wrong_numbers", "values": {"what": what, "error": worst}}
            return {"usable": False, "reason": "", "reason_values": reason, "name": None}
    return {"usable": True, "reason": None, "name": name_device(device)}


def _compute_small_step(torch: Any, device: str) -> Numbers:
    """A product, a sum and a gradient of numbers that every device can represent."""
    steps = torch.arange(64 * 64, dtype=torch.float32).reshape(64, 64)
    left = ((steps % 7) - 3).to(device).requires_grad_()
    right = ((steps % 5) - 2).to(device)
    product = torch.nn.functional.linear(left, right, right[0])
    total = (product * product).mean()
    total.backward()
    return {"product": product.detach().cpu(), "sum": total.detach().cpu(), "gradient": left.grad.cpu()}
