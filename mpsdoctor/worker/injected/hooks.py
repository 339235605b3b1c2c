"""Where the course of a training is listened to: ends of optimizer steps, losses, and what interrupts training."""

from __future__ import annotations

import functools
import importlib
from typing import Any, Optional

from .course import Course
from .wrapping import CHECKPOINT, EPOCH, VALIDATION, opaque, wrap, wrap_after

_course: Optional[Course] = None


def install(torch: Any, course: Course) -> None:
    """Listen. What a torch of another version lacks is left out."""
    global _course
    _course = course
    optimizers = importlib.import_module("torch.optim.optimizer")  # the package hides its module
    optimizers.register_optimizer_step_post_hook(opaque(after_step))
    optimizers.register_optimizer_step_pre_hook(opaque(before_step))
    wrap(torch.optim.Optimizer, "__init__", note_optimizer)
    wrap(torch.autograd, "backward", before_backward)
    wrap(torch, "save", lambda *args, **kwargs: interrupt(CHECKPOINT))
    wrap(torch.nn.Module, "eval", lambda *args, **kwargs: interrupt(VALIDATION))
    wrap(torch.nn.Module, "to", functools.partial(note_move, torch))
    for name in ("cuda", "cpu", "xpu"):
        if hasattr(torch.nn.Module, name):
            wrap(torch.nn.Module, name, functools.partial(note_named_move, name))
    _watch_inputs(torch)
    loader = torch.utils.data.DataLoader
    wrap(loader, "__iter__", begin_epoch)
    wrap_after(torch.utils.data.dataloader._BaseDataLoaderIter, "__next__", after_batch)
    wrap(torch.amp.autocast_mode.autocast, "__enter__", note_autocast)
    for scaler in _scalers(torch):
        wrap_after(scaler, "scale", after_scale)
        _wrap_scaled_step(scaler)


def follow_fork(course: Course) -> None:
    """In a forked child: a process of its own, which is timed if it is the one that trains."""
    global _course
    if _course is course:
        _course = course.in_child()


def _watch_inputs(torch: Any) -> None:
    """See what modules are called with, until enough is seen: such a hook costs something in every call."""

    def before_forward(module: Any, arguments: Any) -> None:
        if _course:
            _course.look_at_input(arguments)
            if not _course.learning:
                handle.remove()

    handle = torch.nn.modules.module.register_module_forward_pre_hook(opaque(before_forward))


def _wrap_scaled_step(scaler: Any) -> None:
    """A step that a scaler leaves out, as gradients were not finite, is a step all the same."""
    original = scaler.step

    @functools.wraps(original)
    def step(self: Any, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        done = _course.done if _course else 0
        answer = original(self, optimizer, *args, **kwargs)
        if _course and _course.done == done:
            _course.end_step(optimizer)
        return answer

    scaler.step = step


def _scalers(torch: Any) -> list[Any]:
    """The classes that scale losses, each once; those of CUDA and the CPU derive from the general one since 2.3."""
    places = (torch.amp, getattr(torch.cuda, "amp", None))
    scalers = [getattr(place, "GradScaler", None) for place in places]
    return [
        scaler for scaler in dict.fromkeys(scalers) if scaler and not any(base in scalers for base in scaler.__bases__)
    ]


def before_step(optimizer: Any, args: Any, kwargs: Any) -> None:
    """Before the first step of all: what it starts from."""
    if _course and not _course.done:
        _course.seen.look_at_weights(optimizer)


def after_step(optimizer: Any, args: Any, kwargs: Any) -> None:
    if _course:
        _course.end_step(optimizer)


def after_scale(scaled: Any, scaler: Any, loss: Any, *args: Any) -> None:
    if _course:
        _course.unscaled = (scaled, loss)


def before_backward(tensors: Any = None, *args: Any, **kwargs: Any) -> None:
    if _course:
        _course.begin_backward(tensors)


def note_optimizer(*args: Any, **kwargs: Any) -> None:
    if _course:
        _course.has_optimizer = True


def note_move(torch: Any, module: Any, *args: Any, **kwargs: Any) -> None:
    if _course and _course.learning:
        try:
            device = torch._C._nn._parse_to(*args, **kwargs)[0]
        except Exception:  # what the call itself will complain about
            return
        if device is not None:
            _course.note_move(device.type)


def note_named_move(name: str, *args: Any, **kwargs: Any) -> None:
    if _course:
        _course.note_move(name)


def note_autocast(autocast: Any, *args: Any) -> None:
    if _course and not _course.autocast and getattr(autocast, "_enabled", True):
        _course.autocast = str(getattr(autocast, "fast_dtype", "")).rpartition(".")[2]


def interrupt(kind: str) -> None:
    if _course:
        _course.interrupt(kind)


def begin_epoch(loader: Any, *args: Any) -> None:
    if _course:
        _course.begin_epoch(loader)
        _course.interrupt(EPOCH)


def after_batch(batch: Any, *args: Any) -> None:
    if _course:
        _course.seen.fetched += 1
        if _course.looking:
            _course.look_at_batch(batch)
