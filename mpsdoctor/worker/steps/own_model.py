"""Runs one training step of a person's own file on the CPU and lists the operators it calls.

What the file does wrong is an answer, with the file and line, not an exception of ours.
"""

from __future__ import annotations

import contextlib
import faulthandler
import linecache
from typing import Any, Callable, Iterator, TypeVar

import torch
from torch import Tensor

from ..shapes import Failure, Recording, StepTree
from . import calltree
from .devices import Devices
from .own_function import BadStepError, Returned, call_function, describe, load_function, read_returned
from .placement import tensors
from .recorder import Functions, Operators, Recorder
from .sites import Modules, forward_stacks

Answer = TypeVar("Answer")


def record(path: str, function: str, seconds: float, devices: list[str]) -> Recording | Failure:
    """Call the function of the file and make one step with what it returns; see `own_function`.

    A step that has not ended after so many seconds ends this process, with its stack on stderr.
    """
    modules = Modules()
    recorder = Recorder(modules, devices)

    def record_step(returned: Returned, run: Callable[[], object]) -> Recording:
        watch(recorder.devices, modules, returned)
        with forward_stacks(), phases(recorder), Operators(recorder), Functions(recorder), recorder.devices:
            run()
        if not recorder.total:
            raise BadStepError("its step called no operator of torch")
        calls = recorder.judged()
        for frame in (frame for call in calls for frame in (*call["frames"], *call["made"])):
            frame["code"] = linecache.getline(frame["file"], frame["line"]).strip()[:120]
        return {
            "calls": calls,
            "total": recorder.total,
            "left_out": recorder.left_out,
            "kind": "callable" if returned.module is None else "module",
            "questions": list(recorder.devices.questions.values()),
        }

    return run_guarded(path, function, seconds, devices, (modules, recorder.devices), record_step)


def tree(path: str, function: str, seconds: float) -> StepTree | Failure:
    """As `record`, but the calls are those of `calltree`: what composite operators are made of is among them.

    A step that fails is made again without looking into operators, for that may be what it fails by.
    """
    answer: Any = tree_of(path, function, seconds)
    if "failed" not in answer or not answer["failed"]["raised"]:
        return answer  # type: ignore[no-any-return]
    again: Any = tree_of(path, function, seconds, closed=True)
    if "failed" in again:
        return answer  # type: ignore[no-any-return]
    again["left_out"]["aten::*"] = answer["failed"]["what"]
    return again  # type: ignore[no-any-return]


def tree_of(path: str, function: str, seconds: float, *, closed: bool = False) -> StepTree | Failure:
    """The calls of one step, with `closed` without what operators are made of."""
    modules = Modules()
    step = calltree.Tree(modules, closed=closed)

    def watch_step(returned: Returned, run: Callable[[], object]) -> StepTree:
        watch(step.devices, modules, returned)
        with forward_stacks(), calltree.watching(step):
            run()
        questions = list(step.devices.questions.values())
        return {"calls": step.calls, "left_out": step.left_out, "questions": questions, **calltree.wheel()}

    return run_guarded(path, function, seconds, [], (modules, step.devices), watch_step)


def watch(devices: Devices, modules: Modules, returned: Returned) -> None:
    """Put on the device what a person would put there: a module with its inputs, and all that modules hold."""
    modules.name(returned.module)
    with torch._C.DisableTorchFunction():
        parts = {id(part): part for module in modules.made for part in module.modules()}
        devices.places.adopt(parts.values(), returned.inputs)
    devices.places.strict = devices.places.strict or returned.module is not None
    devices.begin_step()


def run_guarded(
    path: str,
    function: str,
    seconds: float,
    devices: list[str],
    watched: tuple[Modules, Devices],
    run: Callable[[Returned, Callable[[], object]], Answer],
) -> Answer | Failure:
    """Let `run` make the step; whatever the file does wrong is an answer."""
    faulthandler.dump_traceback_later(seconds, exit=True)
    modules, placing = watched
    try:
        with modules:
            with placing:
                returned = read_returned(call_function(load_function(path, function), function, "cpu"))
            return run(returned, step_of(returned, devices))
    except BaseException as error:
        return {"failed": describe(error, path)}
    finally:
        faulthandler.cancel_dump_traceback_later()


def step_of(returned: Returned, devices: list[str]) -> Callable[[], object]:
    """The function that makes one training step."""
    module = returned.module
    return returned.run if module is None else lambda: module_step(module, returned.inputs, devices)


@contextlib.contextmanager
def phases(recorder: Recorder) -> Iterator[None]:
    """Tell the recorder when an optimizer is at work."""
    from torch.optim import optimizer as optimizers  # torch.optim hides it again

    def begin(*_: Any) -> None:
        recorder.phase = "optimizer"

    def end(*_: Any) -> None:
        recorder.phase = "forward"

    handles = [
        optimizers.register_optimizer_step_pre_hook(begin),
        optimizers.register_optimizer_step_post_hook(end),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def module_step(module: torch.nn.Module, inputs: Any, devices: list[str]) -> None:
    """Forward, a scalar loss, backward, AdamW."""
    loss = loss_of(call_module(module, inputs))
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    if not loss.requires_grad:
        return
    loss.backward()  # type: ignore[no-untyped-call]
    for foreach in foreach_choices(devices) if parameters else ():
        torch.optim.AdamW(parameters, lr=1e-3, foreach=foreach).step()


def call_module(module: torch.nn.Module, inputs: Any) -> Any:
    """Forward, with one argument, several, or keyword arguments."""
    args, kwargs = ((), inputs) if isinstance(inputs, dict) else (inputs, {})
    return module(*(args if isinstance(args, (tuple, list)) else (args,)), **kwargs)


def loss_of(output: Any) -> Tensor:
    """The loss an output has itself, or the sum of the means of its floating point tensors."""
    own = output.get("loss") if isinstance(output, dict) else getattr(output, "loss", None)
    if isinstance(own, Tensor) and own.numel() == 1:
        return own
    parts = vars(output) if hasattr(output, "__dataclass_fields__") else output
    means = [tensor.mean() for tensor in tensors(parts) if tensor.is_floating_point() or tensor.is_complex()]
    if not means:
        raise BadStepError(
            f"the module returned {type(output).__name__}, which has no floating point tensor for a loss"
        )
    return sum(mean.abs() if mean.is_complex() else mean for mean in means)  # type: ignore[return-value]


def foreach_choices(devices: list[str]) -> list[bool | None]:
    """AdamW's default, as on the CPU; and for devices where it takes all parameters at once, that form."""
    try:
        from torch.utils._foreach_utils import _get_foreach_kernels_supported_devices as several_at_once
    except ImportError:  # before torch 2.1 on CUDA alone
        together = ["cuda"]
    else:
        together = several_at_once()
    kinds = {device.partition(":")[0] for device in devices}
    return [None, True] if kinds.intersection(together) else [None]
