"""Watches where a step puts its tensors, and answers torch's own Python as MPS would.

All of the step runs on the CPU. What `.to(device)` gives is made a copy, as a device would, so that the tensor and its
copy can be told apart; gradients go back the way they came.
"""

from __future__ import annotations

import contextlib
import os
import sys
from types import FrameType
from typing import Any, Callable, Iterator

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ..shapes import Frame
from . import sources
from .placement import DEVICE, HOST, LOOSE, Place, Placements, tensors
from .sites import TORCH, Modules, callers, is_between, is_own, is_torchs, users_frames

# Parts of torch that take another way on MPS, by what a tensor's device says.
GRADED = ("amp/grad_scaler.py", "cuda/amp/grad_scaler.py", "optim/")
ASKS = tuple(os.path.join(TORCH, *part.split("/")) for part in GRADED)
ON_MPS = torch.device("mps", 0)
MODULE = os.path.join(TORCH, "nn", "modules", "module.py")
LOADING = os.path.join(TORCH, "utils", "data")
SHOWN = frozenset({"__repr__", "__format__", "tolist"})  # torch takes a tensor to the CPU to show it
DATA = frozenset({"tensor", "as_tensor", "asarray", "new_tensor"})
MOVERS = frozenset({"to", "cpu", "type_as", "as_tensor", "asarray"})
KIND_GETTERS = ("is_mps", "is_cuda", "is_cpu")
MOST_QUESTIONS = 20
MANY_READINGS = 50000  # of a device, each kept to be known again
DEPTH = 12  # frames in which the making of a module is looked for
# Called with a tensor that came to the device from the CPU, and what came of it.
Transferred = Callable[[Tensor, Tensor], None]


class Devices(TorchFunctionMode):
    """Follows tensors from where they are made to where they are moved."""

    def __init__(self, places: Placements, modules: Modules, several: bool = False) -> None:
        super().__init__()
        self.places, self.modules = places, modules
        self._several = several  # whether a device takes lists of tensors where the CPU does
        self.alone = True  # no mode below follows tensors through operators
        self.muted = 0  # what is called now would not run on the device
        self.transferred: Transferred = lambda source, result: None
        self.questions: dict[tuple[str, int], Frame] = {}
        self._kinds: dict[int, tuple[torch.device, Place]] = {}  # by the identity of what `.device` gave
        self._getters: dict[Any, str] = {}
        for name in ("device", *KIND_GETTERS):
            if hasattr(Tensor, name):
                self._getters[getattr(Tensor, name).__get__] = name

    def __enter__(self) -> Any:
        clip: Any = torch.nn.utils.clip_grad
        self._takes_several = getattr(clip, "_has_foreach_support", None)
        if self._takes_several is not None and not self._several:
            clip._has_foreach_support = lambda tensors, device: self._takes_several(tensors, ON_MPS)
        return super().__enter__()  # type: ignore[no-untyped-call]

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        clip: Any = torch.nn.utils.clip_grad
        if self._takes_several is not None:
            clip._has_foreach_support = self._takes_several

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, frame, name = kwargs or {}, sys._getframe(1), getattr(func, "__name__", "")
        if name == "__get__":
            getter = self._getters.get(func)
            result = func(*args, **kwargs)
            return self._tell_device(getter, args[0], result, frame) if getter else result
        if name in SHOWN:
            with self.mute():
                return func(*args, **kwargs)
        if name == "ctc_loss":
            args, kwargs = self._without_lengths(args, kwargs)
        return self._call(func, name, args, kwargs, frame)

    def _without_lengths(self, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """Arguments of ctc_loss, lengths as numbers: of tensors it makes another overload where a mode watches."""
        with self.mute():
            args = [_number(value) if place in (2, 3) else value for place, value in enumerate(args)]
            return args, {key: _number(value) if key.endswith("_lengths") else value for key, value in kwargs.items()}

    def _call(self, func: Any, name: str, args: Any, kwargs: Any, frame: FrameType) -> Any:
        try:
            wanted = self._wanted(name, args, kwargs, frame)
        except Exception:  # an unusual call is left alone
            wanted = None
        if any(value is ON_MPS for value in (*args, *kwargs.values())):
            args, kwargs = [_real(value) for value in args], {key: _real(value) for key, value in kwargs.items()}
        if wanted is None:
            result = func(*args, **kwargs)
            if self.alone:
                with contextlib.suppress(Exception), torch._C.DisableTorchFunction():
                    self.places.spread(name, list(tensors([args, kwargs])), list(tensors(result)))
            return result
        if name in MOVERS and args and isinstance(args[0], Tensor):
            return self._move(func, args, kwargs, wanted)
        if name in DATA and wanted.kind == DEVICE:
            return self._send(func, args, kwargs, wanted)
        before, self.places.making = self.places.making, wanted
        try:
            result = func(*args, **kwargs)
        finally:
            self.places.making = before
        for tensor in tensors(result):
            self.places.put(tensor, wanted)
        return result

    @contextlib.contextmanager
    def mute(self) -> Iterator[None]:
        """Let what is called inside go unrecorded."""
        self.muted += 1
        try:
            yield
        finally:
            self.muted -= 1

    def see_lift(self, op: str, inputs: list[Tensor]) -> None:
        """Place what comes from numpy, which no function that is seen makes."""
        if op != "aten::lift_fresh" or self.places.making is not None or any(map(self.places.of, inputs)):
            return
        frame = next((part for part in callers(sys._getframe(1)) if not is_between(part.f_code.co_filename)), None)
        if frame is not None:
            for tensor in inputs:
                self.places.put(tensor, self._unnamed(frame))

    def _wanted(self, name: str, args: Any, kwargs: Any, frame: FrameType) -> Place | None:
        """Where the result of a call is asked to be; None where it goes with the arguments."""
        if name == "cpu":
            return self._host(frame)
        device = kwargs.get("device", kwargs.get("other"))
        if device is None and name in ("to", "type_as"):
            device = next((value for value in args[1:2] if isinstance(value, (str, int, torch.device, Tensor))), None)
        if isinstance(device, Tensor):
            return self.places.of(device)
        if device is not None:
            return self._named(device, frame)
        if name.startswith("new_") or (name in DATA and args and isinstance(args[0], Tensor)):
            return self.places.of(args[0])
        if next(tensors([args, kwargs]), None) is not None or name in ("set_default_device", "__set__"):
            return None
        return self._unnamed(frame)

    def _named(self, device: Any, frame: FrameType) -> Place | None:
        """The place of a device that a call names."""
        if id(device) in self._kinds:
            return self._kinds[id(device)][1]
        if str(device).partition(":")[0] == "meta":
            return None
        if sources.names_cpu(frame):
            return self._host(frame)
        if frame.f_code.co_filename == MODULE:  # that of a module: what is called by the person counts
            frame = next((part for part in callers(frame) if not is_torchs(part.f_code.co_filename)), frame)
            if sources.names_cpu(frame):
                return self._host(frame)
        # a device that the person's own code names: it speaks of devices
        self.places.strict = self.places.strict or is_own(frame.f_code.co_filename)
        return Place(DEVICE)

    def _host(self, frame: FrameType) -> Place:
        return Place(HOST, next(iter(users_frames(frame)), None), said=True)

    def _unnamed(self, frame: FrameType) -> Place:
        """The place of what is made without a device: a module's own code makes it for itself, others data."""
        own = not frame.f_code.co_filename.startswith(LOADING) and (self.modules.running or _makes_module(frame))
        return Place(HOST if own else LOOSE, next(iter(users_frames(frame)), None))

    def _move(self, func: Any, args: Any, kwargs: Any, wanted: Place) -> Any:
        """Move a tensor, by a copy where it comes from elsewhere."""
        source: Tensor = args[0]
        place = self.places.of(source)
        if place is None or place.kind == wanted.kind:
            result = func(*args, **kwargs)
            if place is None and isinstance(result, Tensor):
                self.places.put(result, wanted)
            return result
        with self.mute():
            result = func(*args, **kwargs)
            if result is source and source.is_leaf and source.requires_grad and type(source) is Tensor:
                self.places.put(source, wanted)  # whose gradient may be asked for, as on the CPU
                return result
            if result.untyped_storage()._cdata == source.untyped_storage()._cdata:
                result = result.clone()
        self.places.put(result, wanted)
        if result.requires_grad and not result.is_leaf:
            result.register_hook(lambda gradient: self._carry(gradient, place))
        if wanted.kind == DEVICE:
            self.transferred(source, result)
        return result

    def _send(self, func: Any, args: Any, kwargs: Any, wanted: Place) -> Any:
        """Make a tensor of data for the device: it is made on the CPU, and sent."""
        with self.mute():
            result = func(*args, **kwargs)
            source = result.detach().clone()
        self.places.put(source, Place(HOST))
        self.places.put(result, wanted)
        self.transferred(source, result)
        return result

    def _carry(self, gradient: Tensor, place: Place) -> Tensor:
        """A gradient where the tensor is that it belongs to."""
        with self.mute():
            carried = gradient.clone()
        self.places.put(carried, place)
        return carried

    def _tell_device(self, getter: str, tensor: Tensor, result: Any, frame: FrameType) -> Any:
        """What a tensor says of its device: to some of torch's own code what it would say on MPS."""
        place = self.places.of(tensor)
        if frame.f_code.co_filename.startswith(ASKS):
            on_device = place is not None and place.kind == DEVICE
            result = _on_mps(getter, result) if on_device else result
        elif not is_torchs(frame.f_code.co_filename):
            self._note_question(getter, frame)
        if isinstance(result, torch.device) and place is not None:
            if len(self._kinds) > MANY_READINGS:
                self._kinds.clear()
            self._kinds[id(result)] = (result, place)
        return result

    def begin_step(self) -> None:
        """From now on operators are followed. Of the questions so far those of the person's own files are kept."""
        self.alone = False
        self.modules.called = self.adopt_called
        self.questions = {place: frame for place, frame in self.questions.items() if is_own(place[0])}

    def adopt_called(self, module: torch.nn.Module) -> None:
        """Put what a module holds on the device: a copy of another is made without being seen."""
        with torch._C.DisableTorchFunction():
            self.places.adopt([module], ())

    def _note_question(self, getter: str, frame: FrameType) -> None:
        file, line = frame.f_code.co_filename, frame.f_lineno
        if (file, line) in self.questions or len(self.questions) >= MOST_QUESTIONS or not users_frames(frame):
            return
        if getter != "device" or sources.asks_for_kind(frame):
            self.questions[file, line] = {"file": file, "line": line, "function": frame.f_code.co_name}


def _on_mps(getter: str, result: Any) -> Any:
    return ON_MPS if getter == "device" else getter == "is_mps"


def _real(value: Any) -> Any:
    """The device that there is, for one that was told."""
    return torch.device("cpu") if value is ON_MPS else value


def _number(value: Any) -> Any:
    return value.tolist() if isinstance(value, Tensor) else value


def _makes_module(frame: FrameType) -> bool:
    """Whether a module is being made."""
    for part, _ in zip(callers(frame), range(DEPTH)):
        if part.f_code.co_name == "__init__" and isinstance(part.f_locals.get("self"), torch.nn.Module):
            return True
    return False
