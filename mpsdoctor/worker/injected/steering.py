"""Steers a script to one device by what it asks torch and what libraries read, without a change of its code.

A device that is hidden is still there: a script that names one itself gets it, which shows in where its parameters are.
"""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, List

ANY = "accelerator"  # in place of a device: the first one that torch has beside the CPU
# Of what a back end is asked; `is_built` because fastai goes by it.
NO = {"is_available": False, "is_built": False, "device_count": 0}


def choose(wanted: str, offered: List[str]) -> str:
    """The device for a wish; the CPU where nothing else is there."""
    if wanted != ANY:
        return wanted
    return next((device for device in offered if device != "cpu"), "cpu")


def steer(torch: Any, device: str, offered: List[str]) -> None:
    """Hide every other accelerator from who asks torch what there is."""
    kind = device.partition(":")[0]
    for other in {"cuda", "mps", "xpu", *offered} - {"cpu", kind}:
        for module in (getattr(torch, other, None), getattr(torch.backends, other, None)):
            hide(module)
    accelerator = getattr(torch, "accelerator", None)
    current = getattr(accelerator, "current_accelerator", None)
    if kind == "cpu":
        hide(accelerator)
    if current is not None:
        replace(accelerator, "current_accelerator", answer_with(torch, device, current))
    if kind != "cpu":
        # accelerate reads it before its first state; Trainer, which then parts model and batches, follows below.
        os.environ.setdefault("ACCELERATE_TORCH_DEVICE", device)


def hide(module: Any) -> None:
    """Let a back end say that it is not there; what it can do stays."""
    for name, answer in NO.items():
        if callable(getattr(module, name, None)):
            replace(module, name, lambda *args, _answer=answer, **kwargs: _answer)


def replace(module: Any, name: str, function: Callable[..., Any]) -> None:
    """Put a function in place of another one, which `mpsdoctor_true` keeps for who has to know better."""
    there = getattr(module, name)
    true = getattr(there, "mpsdoctor_true", there)
    function.__dict__.update({"mpsdoctor_true": true, "_torchdynamo_disable": True})
    setattr(module, name, function)


def answer_with(torch: Any, device: str, current: Callable[..., Any]) -> Callable[..., Any]:
    """`torch.accelerator.current_accelerator` of a machine that has this device and the CPU."""
    kind = device.partition(":")[0]

    def current_accelerator(check_available: bool = False) -> Any:
        if kind == "cpu":
            return None
        own = current()
        return own if own is not None and own.type == kind else torch.device(kind)

    return current_accelerator


def steer_transformers(module: Any, wanted: str) -> None:
    """Trainer's `args.device` goes by its fields alone, not by what accelerate reads."""
    import torch

    device = device_for(wanted)
    arguments = module.TrainingArguments
    begin, own = arguments.__post_init__, arguments.device

    def __post_init__(self: Any) -> None:
        for name in ("use_cpu", "no_cuda"):
            if device == "cpu" and name in arguments.__dataclass_fields__:
                setattr(self, name, True)
                break
        begin(self)

    def on_device(self: Any) -> Any:
        there = own.fget(self)
        return there if there.type == device.partition(":")[0] else torch.device(device)

    arguments.__post_init__ = __post_init__
    arguments.device = property(on_device)


def steer_skorch(module: Any, wanted: str) -> None:
    """A net takes the CPU where its script names no device; its parameters' defaults say so."""
    begin = module.NeuralNet.__init__
    named = begin.__code__.co_varnames[: begin.__code__.co_argcount]
    place = named.index("device") - len(named)
    begin.__defaults__ = (*begin.__defaults__[:place], device_for(wanted), *begin.__defaults__[place:][1:])


def steer_stable_baselines(module: Any, wanted: str) -> None:
    """It takes CUDA or the CPU for "auto"."""
    own = module.get_device
    module.get_device = lambda device="auto": own(device_for(wanted) if device == "auto" else device)


def steer_ultralytics(module: Any, wanted: str) -> None:
    """It takes CUDA or the CPU where no device is named."""
    own = module.select_device

    def select_device(device: Any = "", *args: Any, **kwargs: Any) -> Any:
        return own(device_for(wanted) if device in (None, "") else device, *args, **kwargs)

    module.select_device = select_device


def device_for(wanted: str) -> str:
    """The device that this process is steered to."""
    from . import beginning

    return beginning.chosen or wanted


# By the module that is changed as soon as it has loaded, before others take names out of it.
LIBRARIES: Dict[str, Callable[[Any, str], None]] = {
    "transformers.training_args": steer_transformers,
    "skorch.net": steer_skorch,
    "stable_baselines3.common.utils": steer_stable_baselines,
    "ultralytics.utils.torch_utils": steer_ultralytics,
}
