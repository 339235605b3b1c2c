"""Listens to a training for `mpsdoctor run --watch`: step times and the memory of its devices, told once a second.

It costs a few microseconds a step. What is told goes as a datagram to a socket of the doctor: no write can block the
training, raise SIGPIPE in it or leave a file behind, and once the doctor is gone there is nothing more to tell.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import functools
import importlib
import json
import os
import socket
import time
from typing import Any, Callable, Dict, List, Optional, Sequence, Set

from ..training import memory
from ..watch_shapes import DeviceBytes, Told
from .wrapping import CHECKPOINT, EPOCH, USUAL, VALIDATION, WITHOUT_OPTIMIZER, opaque, wrap

EVERY = 1.0  # seconds between two datagrams
SURE = 16  # steps, before which nothing is usual
RESERVED = ("driver_allocated_memory", "memory_reserved")
PEAK = ("max_memory_allocated",)
GONE = (errno.ECONNREFUSED, errno.ENOENT, errno.ECONNRESET)
MARKS = (VALIDATION, CHECKPOINT, EPOCH)

Read = Callable[[], Any]


def find_working(device: str, names: Sequence[str]) -> Optional[Read]:
    """The first of these functions that torch has for a device, if it answers: torch.accelerator's may raise."""
    function = memory.find_function(device, names)
    return function if function and memory.call_quietly(function) is not None else None


class Meter:
    """Reads the memory of one device. The most is kept here for a torch that keeps none, as MPS before August 2026."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.reserved, self.native = find_working(device, RESERVED), find_working(device, PEAK)
        self.now: Optional[Read] = None if self.native else find_working(device, memory.NOW)
        self.peak = 0

    def look(self) -> None:
        """Now, in the middle of a step."""
        used = self.now() if self.now else 0
        if used > self.peak:
            self.peak = used

    def read(self) -> DeviceBytes:
        reserved = memory.call_quietly(self.reserved) if self.reserved else None
        native = memory.call_quietly(self.native) if self.native else None
        self.peak = max(self.peak, int(native or 0))
        return {
            "tensors": memory.used_bytes(self.device),
            "reserved": None if reserved is None else int(reserved),
            "peak": self.peak or None,
        }


class ProcessMeter(Meter):
    """Of the CPU: what the process takes."""

    def __init__(self) -> None:
        self.device, self.now = "cpu", None

    def read(self) -> DeviceBytes:
        return {"tensors": memory.resident_now(), "reserved": None, "peak": memory.resident_peak()}


class Watch:
    """What is known of the training in this process; a forked child begins anew."""

    def __init__(self, torch: str, path: str) -> None:
        self.torch, self.path = torch, path
        self.gone = self.has_optimizer = False
        self.socket: Optional[socket.socket] = None
        self.begin()

    def begin(self) -> None:
        """With nothing done."""
        self.close()
        self.done = self.steps = self.backwards = 0
        self.seconds = self.longest = 0.0
        self.aside: Dict[str, float] = {}
        self.marks: Dict[str, int] = {}
        self.mark = ""
        self.last: Optional[float] = None
        self.due = 0.0
        self.known: Set[int] = set()  # optimizers
        self.meters: Dict[str, Meter] = {}
        self.looking: List[Meter] = []

    # What the hooks tell.

    def before_backward(self, tensors: Any = None, *args: Any, **kwargs: Any) -> None:
        """The end of a forward pass, when most of a step's memory is in use."""
        if self.gone or (self.has_optimizer and not self.looking):
            return
        try:
            for meter in self.looking:
                meter.look()
            if not self.has_optimizer:
                self.count_backward(tensors)
        except Exception:  # the training goes on unwatched
            self.gone = True

    def count_backward(self, tensors: Any) -> None:
        self.backwards += 1
        if self.backwards >= WITHOUT_OPTIMIZER:
            tensor = tensors if hasattr(tensors, "device") else tensors[0] if tensors else None
            self.meet({tensor.device.type} if tensor is not None else set())
            self.end_step()

    def after_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        if self.gone:
            return
        try:
            if id(optimizer) not in self.known:
                self.known.add(id(optimizer))
                self.has_optimizer = True
                self.meet({one.device.type for group in optimizer.param_groups for one in group["params"]})
            self.end_step()
        except Exception:  # as above
            self.gone = True

    def note_optimizer(self, *args: Any, **kwargs: Any) -> None:
        self.has_optimizer = True

    def interrupt(self, kind: str, *args: Any, **kwargs: Any) -> None:
        """Something begins that is no training; the step that it lies in is set aside, unless it is usual."""
        self.marks[kind] = self.marks.get(kind, 0) + 1
        if self.done < SURE or self.marks[kind] <= USUAL * self.done:
            self.mark = self.mark or kind

    def meet(self, devices: Set[str]) -> None:
        """Parameters were seen there. A device is not asked before: that would start it."""
        for device in devices - set(self.meters) - {"meta"}:
            meter = self.meters[device] = ProcessMeter() if device == "cpu" else Meter(device)
            if meter.now:
                self.looking.append(meter)

    def end_step(self) -> None:
        now = time.perf_counter()
        self.done += 1
        if self.last is not None:
            took = now - self.last
            if self.mark:
                self.aside[self.mark] = self.aside.get(self.mark, 0.0) + took
            else:
                self.steps += 1
                self.seconds += took
                if took > self.longest:
                    self.longest = took
        self.last, self.mark = now, ""
        if self.looking:
            for meter in self.looking:
                meter.look()
        if now >= self.due:
            self.due = now + EVERY
            self.tell()

    # What goes to the doctor.

    def tell(self) -> None:
        """What was not told yet; kept for the next time where the doctor takes nothing at the moment."""
        message: Told = {
            "pid": os.getpid(),
            "torch": self.torch,
            "done": self.done,
            "steps": self.steps,
            "seconds": round(self.seconds, 6),
            "longest": round(self.longest, 6),
            "aside": {kind: round(seconds, 6) for kind, seconds in self.aside.items()},
            "memory": {device: meter.read() for device, meter in self.meters.items()},
        }
        if self.send(json.dumps(message).encode()):
            self.steps, self.seconds, self.longest, self.aside = 0, 0.0, 0.0, {}

    def send(self, message: bytes) -> bool:
        try:
            if self.socket is None:
                self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                self.socket.setblocking(False)
            self.socket.sendto(message, self.path)
        except OSError as error:
            if error.errno in GONE:
                self.gone = True
                self.close()
            return False
        return True

    def close(self) -> None:
        """Of a forked child this is its own end of what its parent has."""
        if self.socket:
            self.socket.close()
        self.socket = None

    def end(self) -> None:
        """The process ends: what the last second brought."""
        if self.done and not self.gone:
            with contextlib.suppress(Exception):  # torch may be half gone
                self.tell()
        self.close()


def begin(torch: Any, path: str) -> None:
    """Listen to a torch that has been imported. What it lacks is left out."""
    watch = Watch(str(torch.__version__), path)
    optimizers = importlib.import_module("torch.optim.optimizer")  # the package hides its module
    optimizers.register_optimizer_step_post_hook(opaque(functools.partial(watch.after_step)))
    wrap(torch.optim.Optimizer, "__init__", watch.note_optimizer)
    wrap(torch.autograd, "backward", watch.before_backward)
    places = ((torch.nn.Module, "eval"), (torch, "save"), (torch.utils.data.DataLoader, "__iter__"))
    for (owner, name), kind in zip(places, MARKS):
        wrap(owner, name, functools.partial(watch.interrupt, kind))
    atexit.register(watch.end)
    os.register_at_fork(after_in_child=watch.begin)
