"""Calls a function of a person's file and reads what it returns: one contract for every command that takes one.

`build()` or `build(device)`, which its parameters tell. It returns a module and example inputs, or a function that
makes one training step, alone or with the number of samples that a step takes.
"""

from __future__ import annotations

import functools
import importlib.util
import inspect
import os
import sys
import traceback
from types import TracebackType
from typing import Any, Callable, NamedTuple

import torch

from ..operators.messages import readable
from ..shapes import Location, StepFailure
from .sites import users_frames

WANTED = "it must return (module, example inputs), or a function that makes one training step"
WANTED_BATCH = "--find-batch calls FUNC(device, batch_size), and each step must train on so many samples"
# What helps, by what an error says; a file that was written for one device meets others here.
HINTS = (
    ("not linked with support for mps", "build tensors and modules on the CPU: the device is looked into here"),
    ("MPS backend is not available", "build tensors and modules on the CPU: the device is looked into here"),
    ("Torch not compiled with CUDA enabled", "take .to(device) in place of .cuda(), with the device as an argument"),
    ("Found no NVIDIA driver", "take .to(device) in place of .cuda(), with the device as an argument"),
    ("sys.exit(2)", "it may want command-line arguments, of which there are none here: give them defaults"),
)
TRACEBACK = 8000  # characters of a traceback, its last ones


class BadStepError(Exception):
    """The function is not as the contract says, or returned what cannot be run as a training step."""


class Returned(NamedTuple):
    """What the function returned: a `module` with its `inputs`, or `run`, which makes a step; `samples` if known."""

    module: torch.nn.Module | None
    inputs: Any
    run: Callable[[], object]
    samples: int | None


def load_function(path: str, name: str) -> Callable[..., Any]:
    """The function of that name in a file, which is imported. BadStepError if there is no such function."""
    sys.path.insert(0, os.path.dirname(path))  # as if the file had been started: its neighbours can be imported
    spec = importlib.util.spec_from_file_location(os.path.splitext(os.path.basename(path))[0], path)
    if spec is None or spec.loader is None:
        raise BadStepError("it is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    function = getattr(module, name, None)
    if callable(function):
        return function  # type: ignore[no-any-return]
    functions = {other: value for other, value in vars(module).items() if callable(value) and other[:1] != "_"}
    own = [other for other, value in functions.items() if getattr(value, "__module__", None) == spec.name]
    there = ", ".join(own)
    raise BadStepError(f"it has no function {name!r}" + (f" (there are: {there})" if there else ""))


def call_function(function: Callable[..., Any], name: str, device: str) -> Any:
    """What a person's function returns for a device. BadStepError if it does not take what the contract says."""
    parameter = device_parameter(function, name)
    if parameter is None:
        return function()
    return function(device) if parameter.kind is parameter.POSITIONAL_ONLY else function(**{parameter.name: device})


def device_parameter(function: Callable[..., Any], name: str) -> inspect.Parameter | None:
    """The parameter that takes the device; None where there is none. BadStepError where others have to be given.

    It is the one called `device`, else the one that has no default, else the one whose default is a device.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some that are written in C do not tell
        return None
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = [parameter for parameter in signature.parameters.values() if parameter.kind not in kinds]
    required = [parameter for parameter in parameters if parameter.default is parameter.empty]
    by_name = [parameter for parameter in parameters if parameter.name == "device"]
    by_default = [parameter for parameter in parameters if is_device(parameter.default)]
    wanted = next(iter([*by_name, *required, *by_default]), None)
    if any(parameter is not wanted for parameter in required):
        raise BadStepError(f"it is {name}{signature}; it must be {name}() or {name}(device)")
    return wanted


def with_batch(function: Callable[..., Any], name: str, batch: int) -> Callable[..., Any]:
    """The function, given a batch size. BadStepError where it takes none by the name `batch_size`."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        raise BadStepError(f"{name} does not tell whether it takes batch_size; {WANTED_BATCH}") from None
    takes = signature.parameters.get("batch_size")
    open_ended = any(each.kind is each.VAR_KEYWORD for each in signature.parameters.values())
    if takes.kind is takes.POSITIONAL_ONLY if takes else not open_ended:
        raise BadStepError(f"it is {name}{signature}, which takes no batch_size; {WANTED_BATCH}")
    return functools.partial(function, batch_size=batch)


def is_device(value: object) -> bool:
    """Whether a default is a device, or the name of one."""
    try:
        return isinstance(value, (str, torch.device)) and bool(torch.device(value))
    except RuntimeError:
        return False


def read_returned(target: Any) -> Returned:
    """What the function returned, by its kind. BadStepError for what is no training step."""
    first, second = target if isinstance(target, (tuple, list)) and len(target) == 2 else (target, None)
    if isinstance(first, torch.nn.Module) and first is not target:
        return Returned(first, second, lambda: None, None)
    if not callable(first) or isinstance(first, torch.nn.Module):
        raise BadStepError(f"it returned {type(first).__name__}; {WANTED}, alone or with how many samples it takes")
    if second is not None and (isinstance(second, bool) or not isinstance(second, int) or second < 1):
        raise BadStepError(f"it returned {second!r} as the number of samples; {WANTED}, alone or with that number")
    return Returned(None, None, first, second)


def describe(error: BaseException, path: str) -> StepFailure:
    """What went wrong in words, the innermost line of the person's own code, and the traceback from their code on."""
    if isinstance(error, BadStepError):
        return {"what": str(error), "file": path, "line": None, "function": None, "raised": False, "traceback": ""}
    if isinstance(error, SystemExit):
        what = f"it called sys.exit({error.code!r})"
    else:
        what = readable(f"{type(error).__name__}: {error}", 600).rstrip(": ")
    what += "".join(f" ({hint})" for sign, hint in HINTS if sign in what)
    frames = traceback.format_exception(type(error), error, persons_part(error, path))
    told = "".join(frames)[-TRACEBACK:]
    place: Location = {"file": path, "line": None, "function": None}
    if isinstance(error, SyntaxError):
        place.update({"file": error.filename or path, "line": error.lineno})
    else:
        place = innermost(error, path)
    return {"what": what, **place, "raised": True, "traceback": told}


def persons_part(error: BaseException, path: str) -> TracebackType | None:
    """The traceback from the first line of the person's on; None where no line of theirs is in it."""
    part = error.__traceback__
    while part and not is_persons(part.tb_frame, path):
        part = part.tb_next
    return part


def is_persons(frame: Any, path: str) -> bool:
    file = frame.f_code.co_filename
    return bool(file == path or (users_frames(frame)[:1] and users_frames(frame)[0]["file"] == file))


def innermost(error: BaseException, path: str) -> Location:
    """The innermost line in the file; else the innermost of the person's other files; None where there is none."""
    frames = [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    of_file = [pair for pair in frames if pair[0].f_code.co_filename == path]
    for frame, line in reversed(of_file or [pair for pair in frames if is_persons(pair[0], path)]):
        return {"file": frame.f_code.co_filename, "line": line, "function": frame.f_code.co_name}
    return {"file": path, "line": None, "function": None}
