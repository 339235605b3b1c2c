"""A person's own training step as a session of `training`, whose other jobs warm it up and time it.

What the file does wrong while the step is prepared is an answer; later it is an error that names file and line.
"""

from __future__ import annotations

import faulthandler
from typing import Any, Callable

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from .. import channel
from ..shapes import Failure, Prepared, StepFailure
from ..steps.own_function import (
    BadStepError,
    Returned,
    call_function,
    describe,
    device_parameter,
    load_function,
    persons_part,
    read_returned,
    with_batch,
)
from ..steps.own_model import call_module, loss_of
from ..steps.placement import tensors
from . import sessions


class StepError(Exception):
    """The person's step raised; the message begins with the place."""


class Devices(TorchDispatchMode):
    """The types of device that results of operators lie on."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seen: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        results = func(*args, **(kwargs or {}))
        self.seen.update(tensor.device.type for tensor in tensors(results))
        return results


def prepare(
    path: str, function: str, shown: str, device: str, seconds: float, batch: int | None = None
) -> Prepared | Failure:
    """Call the function of the file for a device and make the first step with what it returns; see `own_function`.

    `shown` is the file's name in messages. What has not ended after so many seconds ends this process, with its stack
    on stderr. `batch` is given to the function as `batch_size`, and is what a step then counts as its samples.
    """
    faulthandler.dump_traceback_later(seconds, exit=True)
    try:
        run, samples = step_on(path, function, device, batch)
        first = run()
        nothing = torch.zeros((), device=device)
    except BaseException as error:
        return {"failed": describe(error, path)}
    finally:
        faulthandler.cancel_dump_traceback_later()

    def step(session: sessions.Session) -> torch.Tensor:
        try:
            value = run()
            # Never read here, as that would wait for the device.
            loss = tensor_of(value) if is_loss(value) else nothing
        except BaseException as error:  # a file may call sys.exit
            raise StepError(message(describe(error, path), path, shown)) from error.with_traceback(
                persons_part(error, path)
            )
        session.steps += 1
        return loss

    # Whatever number of threads the file has set is part of what is timed.
    threads = torch.get_num_threads()
    sessions.adopt(sessions.Session(device, step, restart=lambda session: None, num_threads=threads))
    channel.progress({"step": 1})
    return {"batch": batch or samples, "parameters": None, "loss": is_loss(first), "num_threads": threads}


def step_on(path: str, function: str, device: str, batch: int | None = None) -> tuple[Callable[[], object], int | None]:
    """A training step on a device, and the number of samples it trains on if that is known. BadStepError.

    A function that takes no device is called, and so is its step, with the device as torch's default, on the CPU too:
    that costs some time in each call from Python, which must be the same everywhere.
    """
    build = load_function(path, function)
    if batch is not None:
        build = with_batch(build, function, batch)
    if device_parameter(build, function) is not None:
        returned = read_returned(call_function(build, function, device))
        return train(returned, device), returned.samples
    with torch.device(device):
        returned = read_returned(call_function(build, function, device))
    run = train(returned, device)
    refuse_elsewhere(run, function, device)

    def run_by_default() -> object:
        with torch.device(device):
            return run()

    return run_by_default, returned.samples


def refuse_elsewhere(run: Callable[[], object], function: str, device: str) -> None:
    """Make a step. BadStepError where it does not run on the device."""
    kind = torch.device(device).type
    with torch.device(device), Devices() as devices:
        run()
    elsewhere = devices.seen - {kind, "cpu", "meta"}
    if elsewhere or kind not in devices.seen:
        where = ", ".join(sorted(elsewhere or devices.seen)) or "no device"
        raise BadStepError(f"its step ran on {where}, not on {device}: write {function}(device), and use that device")


def train(returned: Returned, device: str) -> Callable[[], object]:
    """The step; of a module: forward, a loss, backward, AdamW."""
    if returned.module is None:
        return returned.run
    module, inputs = returned.module.to(device), to_device(returned.inputs, device)
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-3) if parameters else None

    def step() -> torch.Tensor:
        module.zero_grad()
        loss = loss_of(call_module(module, inputs))
        if loss.requires_grad:
            loss.backward()  # type: ignore[no-untyped-call]
        if optimizer:
            optimizer.step()
        return loss

    return step


def to_device(value: Any, device: str) -> Any:
    """The same with its tensors on the device: those in tuples, lists and dicts."""
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return {key: to_device(part, device) for key, part in value.items()}
    return type(value)(to_device(part, device) for part in value) if type(value) in (tuple, list) else value


def is_loss(value: Any) -> bool:
    """Whether a step returned what can be finite or not: one number, as Python's or in a tensor."""
    if isinstance(value, torch.Tensor):
        return value.numel() == 1 and not value.is_complex()
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def tensor_of(loss: Any) -> torch.Tensor:
    return loss.detach() if isinstance(loss, torch.Tensor) else torch.tensor(float(loss))


def message(failed: StepFailure, path: str, shown: str) -> str:
    """What went wrong, beginning with the place: `train.py:12 in step: ValueError: no data`."""
    file = shown if failed["file"] == path else failed["file"]
    line = f":{failed['line']}" if failed["line"] is not None else ""
    function = f" in {failed['function']}" if failed["function"] else ""
    return f"{file}{line}{function}: {failed['what']}"
