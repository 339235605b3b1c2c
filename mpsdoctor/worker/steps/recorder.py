"""Lists every aten operator that a piece of code calls, with the arguments and the place of the first call of each.

Operators are seen below autograd, so those of the backward pass and of an optimizer are among them. A backward
operator is put down to the line of the forward call it belongs to.
"""

from __future__ import annotations

import functools
import json
import os
import re
import sys
import sysconfig
from types import FrameType
from typing import Any, Iterable, Mapping

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from ..shapes import CallSite, CallTraits, Frame, RecordedCall
from . import arguments, composites

# These ask in C++ for the device, which the dispatcher's tables do not tell; they are replayed as they are called.
WHOLE = ("lstm", "gru", "rnn_tanh", "rnn_relu", "scaled_dot_product_attention")
# Where Python finds the functions that it calls operators by.
SPACES = ("torch", "torch.nn.functional", "torch.linalg", "torch.special", "torch.fft", "torch.Tensor")
CPU_ONLY = re.compile(r"mkldnn|onednn|_for_cpu")
FRAMES = 4  # of the user's, innermost first
HIDDEN = (
    os.path.dirname(os.path.abspath(torch.__file__)),
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
    sysconfig.get_paths()["stdlib"],
)
SITE = "site-packages"
NOTED = re.compile(r'File "([^"]+)", line (\d+), in (\S+)')


def users_frames(frame: FrameType | None) -> list[Frame]:
    """The innermost frames that are neither torch's, ours nor Python's own: file, line, function.

    Frames of other libraries count only if there is none in the user's own files.
    """
    own: list[Frame] = []
    libraries: list[Frame] = []
    while frame and len(own) < FRAMES:
        code = frame.f_code
        add_frame({"file": code.co_filename, "line": frame.f_lineno, "function": code.co_name}, own, libraries)
        frame = frame.f_back
    return own or libraries[:FRAMES]


def add_frame(frame: Frame, own: list[Frame], libraries: list[Frame]) -> None:
    """Add a frame to the user's own or to those of libraries, or to neither."""
    file = frame["file"]
    if SITE in file and not file.startswith(HIDDEN[:2]):
        libraries.append(frame)
    elif not file.startswith((*HIDDEN, "<")):
        own.append(frame)


def forward_frames(node: Any) -> list[Frame]:
    """The user's frames of the forward call that a node belongs to, as anomaly mode notes them."""
    own: list[Frame] = []
    libraries: list[Frame] = []
    for text in reversed(node.metadata.get("traceback_", ())):
        match = NOTED.search(text)
        if match:
            add_frame({"file": match[1], "line": int(match[2]), "function": match[3]}, own, libraries)
    return (own or libraries)[:FRAMES]


def forward_stacks() -> Any:
    """Let torch before 2.1, whose nodes have no number to be known by, note the stack of each forward call."""
    return torch.autograd.set_detect_anomaly(sequence_number() is None, check_nan=False)


def sequence_number() -> int | None:
    """The number the next node of the autograd graph gets; None before torch 2.1."""
    peek = getattr(torch._C._autograd, "_get_sequence_nr", None)
    return int(peek()) if peek else None


def current_node() -> Any:
    """The node of the autograd graph whose gradient is being computed, or None."""
    peek = getattr(torch._C, "_current_autograd_node", None)
    return peek() if peek else None


class ModulePlaces:
    """Remembers where each module is made: torch's own containers call their parts without a line of the user's."""

    def __init__(self) -> None:
        self.places: dict[int, list[Frame]] = {}
        self.modules: list[torch.nn.Module] = []  # kept alive, so that none gets the id of another
        self._init = torch.nn.Module.__init__

    def __enter__(self) -> ModulePlaces:
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

    def __init__(self, module_places: ModulePlaces, devices: Iterable[str] = ()) -> None:
        self.keys = composites.keys_of(devices)
        self.parts: list[composites.PartCall] | None = None  # of the composite that runs
        self.calls: dict[str, RecordedCall] = {}
        self.phase = "forward"
        self.muted = 0
        self.total = 0
        self.left_out: dict[str, str] = {}
        self._module_places = module_places
        self._modules: list[tuple[str, Any]] = []
        self._sites: dict[int, CallSite] = {}  # by the number of the node
        self._whole: set[int] = set()

    def watch(self, model: torch.nn.Module | None) -> None:
        """Note which module is running, by its name in the model where there is one."""
        names = {id(part): name for name, part in model.named_modules()} if model is not None else {}
        for part in self._module_places.modules:
            name = names.get(id(part), "")
            part.register_forward_pre_hook(lambda part, _, name=name: self._modules.append((name, part)))
            part.register_forward_hook(lambda *_: self._modules.pop() and None)

    def site(self) -> CallSite:
        """Where the step is right now."""
        name, module = self._modules[-1] if self._modules else ("", None)
        frames = users_frames(sys._getframe(2))
        kind = type(module).__module__ if module is not None else ""
        # where one of torch's own modules is made tells the user more than torch's line that calls it
        made = self._module_places.places.get(id(module), [])[:1] if kind.startswith("torch.nn") else []
        label = f"{name} ({type(module).__name__})".strip() if module is not None and name else None
        return {"frames": frames, "made": made, "module": label}

    def note(self, name: str, args: Any, kwargs: Any, traits: CallTraits) -> None:
        """Keep one call, if it is the first of its kind."""
        self.total += 1
        try:
            key, call = self._describe(name, args, kwargs, traits)
            self.calls.setdefault(key, call)["count"] += 1
        except TypeError as error:
            self.left_out.setdefault(name, str(error))

    def _describe(self, name: str, args: Any, kwargs: Any, traits: CallTraits) -> tuple[str, RecordedCall]:
        """What makes it the same as others, and the call with its numbers, counted as none. TypeError."""
        self.muted += 1  # looking at numbers calls operators too
        try:
            site, phase = self._find_site()
            key = json.dumps([name, *_encode_call(args, kwargs, full=False), traits])
            if key in self.calls:
                return key, self.calls[key]
            encoded, named = _encode_call(args, kwargs, full=True)
            return key, {
                "op": name, "args": encoded, "kwargs": named, **traits, "count": 0, "phase": phase, **site,
            }  # fmt: skip
        finally:
            self.muted -= 1

    def _find_site(self) -> tuple[CallSite, str]:
        """The site and the phase; that of the forward call in the backward pass."""
        node = current_node()
        if node is None:
            site, number = self.site(), sequence_number()
            if number is not None and self.phase == "forward":
                self._sites.setdefault(number - 1, site)
            return site, self.phase
        number = node._sequence_nr() if hasattr(node, "_sequence_nr") else None
        unknown: CallSite = {"frames": forward_frames(node), "made": [], "module": None}
        return self._sites.get(-1 if number is None else number, unknown), "backward"

    def skips(self, name: str) -> bool:
        """Whether an operator is part of a call that was noted as a whole, or of no interest."""
        node = current_node()
        if node is not None and hasattr(node, "_sequence_nr") and node._sequence_nr() in self._whole:
            return True
        return bool(self.muted or CPU_ONLY.search(name))

    def run_composite(self, function: Any, args: Any, kwargs: Any) -> Any:
        """Run a call that is taken apart before autograd; note its parts, or it where a device goes another way."""
        name, path = function.__name__, python_name(function)
        backward = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors((args, kwargs)))
        try:
            key, call = self._describe(f"aten::{name}", args, kwargs, {"whole": path, "backward": backward})
        except TypeError:  # an argument that cannot be kept: the parts tell what can be told
            return function(*args, **kwargs)
        inputs = [tensor.dtype for tensor in tensors((args, kwargs))]
        before, total, left_out, begin = self.calls, self.total, dict(self.left_out), sequence_number()
        self.calls, self.parts = {}, []
        try:
            return function(*args, **kwargs)
        finally:
            noted, parts, self.calls, self.parts = self.calls, self.parts or [], before, None
            if name in WHOLE or composites.takes_another_way(name, inputs, parts, self.keys):
                self.total, self.left_out = total + 1, left_out
                self.calls.setdefault(key, call)["count"] += 1
                self._whole.update(range(begin or 0, sequence_number() or 0))
            else:
                for key, call in noted.items():
                    count, call["count"] = call["count"], 0
                    self.calls.setdefault(key, call)["count"] += count

    def note_part(self, op: str, values: Any) -> None:
        """Note an operator of the composite that runs, if there is one."""
        if self.parts is not None and not self.muted:
            self.parts.append(composites.PartCall(op, frozenset(tensor.dtype for tensor in tensors(values))))


@functools.lru_cache(maxsize=None)
def python_name(function: Any) -> str:
    """By which name Python finds a function of torch, as in `torch.linalg.svd`; empty where it does not."""
    name = getattr(function, "__name__", "")
    for space in SPACES:
        module = functools.reduce(getattr, space.split(".")[1:], torch)
        short = name.partition("_")[2] if name.startswith(space.rpartition(".")[2] + "_") else name
        if getattr(module, short, None) == function:
            return f"{space}.{short}"
    return ""


def tensors(value: Any) -> list[torch.Tensor]:
    """The tensors in nested lists, tuples and dicts."""
    if isinstance(value, torch.Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [tensor for part in parts for tensor in tensors(part)]


def _encode_call(args: Any, kwargs: Mapping[str, object], *, full: bool) -> tuple[Any, dict[str, arguments.Spec]]:
    seen: dict[int, int] = {}
    positional = arguments.encode(args, seen, full)
    return positional, {name: arguments.encode(value, seen, full) for name, value in kwargs.items()}


class Functions(TorchFunctionMode):
    """Sees calls before they are taken apart."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder
        self.composite: dict[str, bool] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name, recorder = getattr(func, "__name__", ""), self.recorder
        inside = recorder.parts is not None or recorder.muted or current_node() is not None
        if not inside and self.is_composite(name) and python_name(func):
            return recorder.run_composite(func, args, kwargs)
        return func(*args, **kwargs)

    def is_composite(self, name: str) -> bool:
        """Whether an operator is taken apart before autograd, by the CPU at least."""
        if name not in self.composite:
            whole = name in WHOLE or composites.is_whole_on(name, self.recorder.keys)
            self.composite[name] = whole or composites.is_implicit(name)
        return self.composite[name]


class Operators(TorchDispatchMode):
    """Sees operators as a device gets them."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.recorder = recorder

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = str(func._schema.name)
        if not self.recorder.skips(name) and not name.startswith(("profiler::", "prim::", "prims::")):
            self.recorder.note(name, args, kwargs, {"overload": func._schema.overload_name})
        result = func(*args, **kwargs)
        self.recorder.note_part(func.name(), (args, kwargs, result))
        return result
