"""Lists every aten operator that a piece of code calls, with the arguments and the place of the first call of each.

Operators are seen below autograd, so those of the backward pass and of an optimizer are among them. A backward
operator is put down to the line of the forward call it belongs to.
"""

from __future__ import annotations

import json
import os
import re
import sys
import sysconfig
from types import FrameType
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from . import arguments

# Below these the CPU takes operators that other devices do not have, or do not call; they are replayed as they are
# called. MPS takes the CPU for linalg_svd itself, while the _linalg_svd inside has no kernel there.
WHOLE = ("lstm", "gru", "rnn_tanh", "rnn_relu", "scaled_dot_product_attention", "linalg_svd", "svd")
CPU_ONLY = re.compile(r"mkldnn|onednn|_for_cpu")
FRAMES = 4  # of the user's, innermost first
HIDDEN = (
    os.path.dirname(os.path.abspath(torch.__file__)),
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
    sysconfig.get_paths()["stdlib"],
)
SITE = "site-packages"
NOTED = re.compile(r'File "([^"]+)", line (\d+), in (\S+)')


def users_frames(frame: FrameType | None) -> list[dict[str, Any]]:
    """The innermost frames that are neither torch's, ours nor Python's own: file, line, function.

    Frames of other libraries count only if there is none in the user's own files.
    """
    own: list[dict[str, Any]] = []
    libraries: list[dict[str, Any]] = []
    while frame and len(own) < FRAMES:
        here = {"file": frame.f_code.co_filename, "line": frame.f_lineno, "function": frame.f_code.co_name}
        sort(here, own, libraries)
        frame = frame.f_back
    return own or libraries[:FRAMES]


def sort(here: dict[str, Any], own: list[dict[str, Any]], libraries: list[dict[str, Any]]) -> None:
    """Add a frame to the user's own or to those of libraries, or to neither."""
    file = here["file"]
    if SITE in file and not file.startswith(HIDDEN[:2]):
        libraries.append(here)
    elif not file.startswith((*HIDDEN, "<")):
        own.append(here)


def frames_told(node: Any) -> list[dict[str, Any]]:
    """The user's frames of the forward call that a node belongs to, as anomaly mode notes them."""
    own: list[dict[str, Any]] = []
    libraries: list[dict[str, Any]] = []
    for text in reversed(node.metadata.get("traceback_", ())):
        match = NOTED.search(text)
        if match:
            sort({"file": match[1], "line": int(match[2]), "function": match[3]}, own, libraries)
    return (own or libraries)[:FRAMES]


def noting() -> Any:
    """Lets torch before 2.1, whose nodes have no number to be known by, note the stack of each forward call."""
    return torch.autograd.set_detect_anomaly(sequence_number() is None, check_nan=False)


def sequence_number() -> int | None:
    """The number the next node of the autograd graph gets; None before torch 2.1."""
    peek = getattr(torch._C._autograd, "_get_sequence_nr", None)
    return int(peek()) if peek else None


def current_node() -> Any:
    """The node of the autograd graph whose gradient is being computed, or None."""
    peek = getattr(torch._C, "_current_autograd_node", None)
    return peek() if peek else None


class Made:
    """Remembers where each module is made: torch's own containers call their parts without a line of the user's."""

    def __init__(self) -> None:
        self.places: dict[int, list[dict[str, Any]]] = {}
        self.modules: list[torch.nn.Module] = []  # kept alive, so that none gets the id of another
        self._init = torch.nn.Module.__init__

    def __enter__(self) -> Made:
        original, places, modules = self._init, self.places, self.modules

        def init(module: Any, *args: Any, **kwargs: Any) -> None:
            places.setdefault(id(module), users_frames(sys._getframe(1)))
            modules.append(module)
            original(module, *args, **kwargs)

        torch.nn.Module.__init__ = init  # type: ignore[assignment,method-assign]
        return self

    def __exit__(self, *error: object) -> None:
        torch.nn.Module.__init__ = self._init  # type: ignore[method-assign]


class Recorder:
    """The calls in the order of their first appearance, and what is needed to tell where each comes from."""

    def __init__(self, made: Made) -> None:
        self.calls: dict[str, dict[str, Any]] = {}
        self.phase = "forward"
        self.muted = 0
        self.total = 0
        self.left_out: dict[str, str] = {}
        self._made = made
        self._modules: list[tuple[str, Any]] = []
        self._places: dict[int, dict[str, Any]] = {}
        self._whole: set[int] = set()

    def watch(self, model: torch.nn.Module | None) -> None:
        """Note which module is running, by its name in the model where there is one."""
        names = {id(part): name for name, part in model.named_modules()} if model is not None else {}
        for part in self._made.modules:
            name = names.get(id(part), "")
            part.register_forward_pre_hook(lambda part, _, name=name: self._modules.append((name, part)))
            part.register_forward_hook(lambda *_: self._modules.pop() and None)

    def place(self) -> dict[str, Any]:
        """Where we are: the user's frames, the module, and where that was made."""
        name, module = self._modules[-1] if self._modules else ("", None)
        frames = users_frames(sys._getframe(2))
        kind = type(module).__module__ if module is not None else ""
        # where one of torch's own modules is made tells the user more than torch's line that calls it
        made = self._made.places.get(id(module), [])[:1] if kind.startswith("torch.nn") else []
        told = f"{name} ({type(module).__name__})".strip() if module is not None and name else None
        return {"frames": frames, "made": made, "module": told}

    def note(self, name: str, args: Any, kwargs: Any, **more: Any) -> None:
        """Keep one call, if it is the first of its kind."""
        self.total += 1
        self.muted += 1  # looking at numbers calls operators too
        try:
            place, phase = self._where()
            key = json.dumps([name, *_encoded(args, kwargs, full=False), more])
            if key not in self.calls:
                told_args, told_kwargs = _encoded(args, kwargs, full=True)
                told = {"op": name, "args": told_args, "kwargs": told_kwargs, **more}
                self.calls[key] = {**told, "count": 0, "phase": phase, **place}
            self.calls[key]["count"] += 1
        except TypeError as error:
            self.left_out.setdefault(name, str(error))
        finally:
            self.muted -= 1

    def _where(self) -> tuple[dict[str, Any], str]:
        node = current_node()
        if node is None:
            place, number = self.place(), sequence_number()
            if number is not None and self.phase == "forward":
                self._places.setdefault(number - 1, place)
            return place, self.phase
        number = node._sequence_nr() if hasattr(node, "_sequence_nr") else None
        told = {"frames": frames_told(node), "made": [], "module": None, "node": node.name()}
        return {**told, **self._places.get(-1 if number is None else number, {})}, "backward"

    def skips(self, name: str) -> bool:
        """Whether an operator is part of a call that was noted as a whole, or of no interest."""
        node = current_node()
        if node is not None and hasattr(node, "_sequence_nr") and node._sequence_nr() in self._whole:
            return True
        return bool(self.muted or CPU_ONLY.search(name))

    def whole(self, function: Any, args: Any, kwargs: Any) -> Any:
        """Note a call that is replayed as it is, and run it without noting what it does."""
        backward = torch.is_grad_enabled() and any(one.requires_grad for one in tensors((args, kwargs)))
        self.note(f"aten::{function.__name__}", args, kwargs, whole=True, backward=backward)
        begin, self.muted = sequence_number(), self.muted + 1
        try:
            return function(*args, **kwargs)
        finally:
            self.muted -= 1
            if begin is not None:
                self._whole.update(range(begin, sequence_number() or begin))


def tensors(value: Any) -> list[torch.Tensor]:
    """The tensors in nested lists, tuples and dicts."""
    if isinstance(value, torch.Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [one for part in parts for one in tensors(part)]


def _encoded(args: Any, kwargs: dict[str, Any], *, full: bool) -> tuple[Any, dict[str, Any]]:
    seen: dict[int, int] = {}
    told = arguments.encode(args, seen, full)
    return told, {name: arguments.encode(value, seen, full) for name, value in kwargs.items()}


class Functions(TorchFunctionMode):
    """Sees calls before they are taken apart."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") in WHOLE and not self.recorder.muted:
            return self.recorder.whole(func, args, kwargs)
        return func(*args, **kwargs)


class Operators(TorchDispatchMode):
    """Sees operators as a device gets them."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.recorder = recorder

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = str(func._schema.name)
        if not self.recorder.skips(name) and not name.startswith(("profiler::", "prim::", "prims::")):
            self.recorder.note(name, args, kwargs, overload=func._schema.overload_name)
        return func(*args, **kwargs)
