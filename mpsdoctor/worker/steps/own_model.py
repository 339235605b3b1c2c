"""Runs one training step of a person's own file on the CPU and lists the operators it calls.

What the file does wrong is an answer, with the file and line, not an exception of ours.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib.util
import linecache
import os
import sys
import traceback
from typing import Any, Callable, Iterator, TypeVar

import torch
from torch import Tensor

from ..operators.messages import readable
from ..shapes import Failure, Location, Recording, StepFailure, StepTree
from . import calltree
from .recorder import Functions, ModulePlaces, Operators, Recorder, forward_stacks, tensors, users_frames

Answer = TypeVar("Answer")


class BadStepError(Exception):
    """What the function returned cannot be run as a training step."""


def record(path: str, function: str, seconds: float, devices: list[str]) -> Recording | Failure:
    """Call `function()` of the file and make one step with what it returns: a module and its inputs, or a callable.

    A step that has not ended after so many seconds ends this process, with its stack on stderr.
    """
    places = ModulePlaces()

    def record_step(module: torch.nn.Module | None, run: Callable[[], object]) -> Recording:
        recorder = Recorder(places)
        recorder.watch(module)
        with forward_stacks(), phases(recorder), Operators(recorder), Functions(recorder):
            run()
        if not recorder.total:
            raise BadStepError("its step called no operator of torch")
        calls = list(recorder.calls.values())
        for frame in (frame for call in calls for frame in (*call["frames"], *call["made"])):
            frame["code"] = linecache.getline(frame["file"], frame["line"]).strip()[:120]
        kind = "callable" if module is None else "module"
        return {"calls": calls, "total": recorder.total, "left_out": recorder.left_out, "kind": kind}

    return run_guarded(path, function, seconds, devices, places, record_step)


def tree(path: str, function: str, seconds: float) -> StepTree | Failure:
    """As `record`, but the calls are those of `calltree`: what composite operators are made of is among them."""

    def watch_step(module: torch.nn.Module | None, run: Callable[[], object]) -> StepTree:
        with calltree.watching() as calls:
            run()
        return {"calls": calls.calls, "places": calls.places, **calltree.wheel()}

    return run_guarded(path, function, seconds, [], ModulePlaces(), watch_step)


def run_guarded(
    path: str,
    function: str,
    seconds: float,
    devices: list[str],
    places: ModulePlaces,
    run: Callable[[torch.nn.Module | None, Callable[[], object]], Answer],
) -> Answer | Failure:
    """Let `run` make the step; whatever the file does wrong is an answer."""
    faulthandler.dump_traceback_later(seconds, exit=True)
    try:
        with places:
            target = call_function(path, function)
        return run(*step_of(target, devices))
    except BaseException as error:
        return {"failed": describe(error, path)}
    finally:
        faulthandler.cancel_dump_traceback_later()


def call_function(path: str, name: str, *args: object) -> Any:
    """What the function of the file returns. BadStepError if there is no such function."""
    sys.path.insert(0, os.path.dirname(path))  # as if the file had been started: its neighbours can be imported
    spec = importlib.util.spec_from_file_location(os.path.splitext(os.path.basename(path))[0], path)
    if spec is None or spec.loader is None:
        raise BadStepError("it is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    function = getattr(module, name, None)
    if not callable(function):
        functions = {other: value for other, value in vars(module).items() if callable(value) and other[:1] != "_"}
        own = [other for other, value in functions.items() if getattr(value, "__module__", None) == spec.name]
        there = ", ".join(own)
        raise BadStepError(f"it has no function {name!r}" + (f" (there are: {there})" if there else ""))
    return function(*args)


def step_of(target: Any, devices: list[str]) -> tuple[torch.nn.Module | None, Callable[[], object]]:
    """The module, if there is one, and the function that makes one training step. BadStepError for anything else."""
    if isinstance(target, (tuple, list)) and len(target) == 2 and isinstance(target[0], torch.nn.Module):
        module, inputs = target
        return module, lambda: module_step(module, inputs, devices)
    if callable(target) and not isinstance(target, torch.nn.Module):
        return None, target
    kind = type(target).__name__
    raise BadStepError(f"it returned {kind}; it must return (module, example inputs) or a function that trains a step")


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
    args, kwargs = ((), inputs) if isinstance(inputs, dict) else (inputs, {})
    output = module(*(args if isinstance(args, (tuple, list)) else (args,)), **kwargs)
    loss = loss_of(output)
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    if not loss.requires_grad:
        return
    loss.backward()  # type: ignore[no-untyped-call]
    for foreach in foreach_choices(devices) if parameters else ():
        torch.optim.AdamW(parameters, lr=1e-3, foreach=foreach).step()


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


def describe(error: BaseException, path: str) -> StepFailure:
    """What went wrong in words, and the innermost line of the person's own code."""
    if isinstance(error, BadStepError):
        return {"what": str(error), "file": path, "line": None, "function": None}
    if isinstance(error, SystemExit):
        what = f"it called sys.exit({error.code!r})"
    else:
        what = readable(f"{type(error).__name__}: {error}", 600).rstrip(": ")
    if isinstance(error, SyntaxError):
        return {"what": what, "file": error.filename or path, "line": error.lineno, "function": None}
    return {"what": what, **innermost(error, path)}


def innermost(error: BaseException, path: str) -> Location:
    """The innermost line in the file; else the innermost of the person's other files; None where there is none."""
    frames = [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    for frame, line in reversed(frames):
        if frame.f_code.co_filename == path:
            return {"file": path, "line": line, "function": frame.f_code.co_name}
    for frame, line in reversed(frames):
        if users_frames(frame)[:1] and users_frames(frame)[0]["file"] == frame.f_code.co_filename:
            return {"file": frame.f_code.co_filename, "line": line, "function": frame.f_code.co_name}
    return {"file": path, "line": None, "function": None}
