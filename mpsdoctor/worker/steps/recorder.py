"""Lists every aten operator that a piece of code calls, with the arguments and the place of the first call of each.

Operators are seen below autograd, so those of the backward pass and of an optimizer are among them. A backward
operator is put down to the line of the forward call it belongs to.
"""

from __future__ import annotations

import contextlib
import functools
import json
import re
from typing import Any, Collection, Mapping

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from ..shapes import CallTraits, RecordedCall
from . import arguments, composites
from .devices import Devices
from .placement import Placements, tensors
from .sites import Modules, Sites, current_node, sequence_number

# These ask in C++ for the device, which the dispatcher's tables do not tell; they are replayed as they are called.
WHOLE = ("lstm", "gru", "rnn_tanh", "rnn_relu", "scaled_dot_product_attention")
# Where Python finds the functions that it calls operators by.
SPACES = ("torch", "torch.nn.functional", "torch.linalg", "torch.special", "torch.fft", "torch.Tensor")
CPU_ONLY = re.compile(r"mkldnn|onednn|_for_cpu")


class Recorder:
    """The calls in the order of their first appearance, and what is needed to tell where each comes from."""

    def __init__(self, modules: Modules, devices: Collection[str] = ()) -> None:
        self.keys = composites.keys_of(devices)
        self.parts: list[composites.PartCall] | None = None  # of the composite that runs
        self.calls: dict[str, RecordedCall] = {}
        self.phase = "forward"
        self.total = 0
        self.left_out: dict[str, str] = {}
        self.transfers = False  # whether what is noted takes its tensors to the device
        self.places = Placements()
        kinds = {device.partition(":")[0] for device in devices} - {"cpu"}
        self.devices = Devices(self.places, modules, several=bool(kinds - {"mps"}))
        self.devices.transferred = self.note_transfer
        self._sites = Sites(modules)
        self._whole: set[int] = set()

    def note(self, name: str, args: Any, kwargs: Any, traits: CallTraits) -> None:
        """Keep one call, if it is the first of its kind."""
        self.total += 1
        try:
            key, call = self._describe(name, args, kwargs, traits)
            self.calls.setdefault(key, call)["count"] += 1
        except Exception as error:  # an argument that cannot be kept, a tensor that cannot be looked at
            self.left_out.setdefault(name, str(error).split("\n")[0])

    def note_transfer(self, source: torch.Tensor, result: torch.Tensor) -> None:
        """Note that a tensor goes from the CPU to the device."""
        self.transfers = True
        self.note("aten::_to_copy", (source,), {"dtype": result.dtype, "device": source.device}, {"overload": ""})
        self.transfers = False

    def _describe(self, name: str, args: Any, kwargs: Any, traits: CallTraits) -> tuple[str, RecordedCall]:
        """What makes it the same as others, and the call with its numbers, counted as none."""
        with self.devices.mute(), torch._C.DisableTorchFunction():  # looking at numbers calls operators too
            site, backward = self._sites.current(keep=self.phase == "forward")
            lives, meets = self.places.lives(name, list(tensors([args, kwargs])))
            lives = "device" if self.transfers else lives
            key = json.dumps([name, *self._encode(args, kwargs, full=False), traits, lives])
            if key in self.calls:
                return key, self.calls[key]
            encoded, named = self._encode(args, kwargs, full=True)
            return key, {
                "op": name, "args": encoded, "kwargs": named, **traits, "count": 0,
                "phase": "backward" if backward else self.phase, **site, "lives": lives, "meets": meets,
            }  # fmt: skip

    def _encode(self, args: Any, kwargs: Mapping[str, object], *, full: bool) -> tuple[Any, dict[str, Any]]:
        encoder = arguments.Encoder(self.places, full=full)
        return encoder.encode(args), {name: encoder.encode(value) for name, value in kwargs.items()}

    def judged(self) -> list[RecordedCall]:
        """The calls without those of the CPU alone, their tensors where they are."""
        calls = []
        for call in self.calls.values():
            specs = list(arguments.specs_in([call["args"], list(call["kwargs"].values())]))
            call["lives"] = self.places.final(call["lives"], [spec["dtype"] for spec in specs])
            for spec in specs:
                if spec.get("lives") == "loose" and not self.places.strict:
                    del spec["lives"]
            calls += [call] if call["lives"] != "host" else []
        return calls

    def skips(self, name: str) -> bool:
        """Whether an operator is part of a call that was noted as a whole, or of no interest."""
        node = current_node()
        if node is not None and hasattr(node, "_sequence_nr") and node._sequence_nr() in self._whole:
            return True
        return bool(self.devices.muted or CPU_ONLY.search(name))

    def run_composite(self, function: Any, args: Any, kwargs: Any) -> Any:
        """Run a call that is taken apart before autograd; note its parts, or it where a device goes another way."""
        name, path = function.__name__, python_name(function)
        backward = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors([args, kwargs]))
        try:
            key, call = self._describe(f"aten::{name}", args, kwargs, {"whole": path, "backward": backward})
        except Exception:  # an argument that cannot be kept: the parts tell what can be told
            return function(*args, **kwargs)
        inputs = [tensor.dtype for tensor in tensors([args, kwargs])]
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
        if self.parts is not None and not self.devices.muted:
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


class Functions(TorchFunctionMode):
    """Sees calls before they are taken apart."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder
        self.composite: dict[str, bool] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name, recorder = getattr(func, "__name__", ""), self.recorder
        inside = recorder.parts is not None or recorder.devices.muted or current_node() is not None
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
        with torch._C.DisableTorchFunction():
            self.recorder.devices.see_lift(name, list(tensors([args, kwargs])))
        if not self.recorder.skips(name) and not name.startswith(("profiler::", "prim::", "prims::")):
            self.recorder.note(name, args, kwargs, {"overload": func._schema.overload_name})
        result = func(*args, **kwargs)
        if not self.recorder.devices.muted:
            with contextlib.suppress(Exception), torch._C.DisableTorchFunction():
                self.recorder.places.spread(name, list(tensors([args, kwargs])), list(tensors(result)))
                self.recorder.note_part(func.name(), [args, kwargs, result])
        return result
