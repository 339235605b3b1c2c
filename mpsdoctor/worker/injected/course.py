"""The course of a training: at the end of each optimizer step a script may have to wait for its turn.

Orders of the doctor are carried out by a generator that goes on from step to step, so that the code which times steps
reads as if it called them.
"""

from __future__ import annotations

import threading
import time
from typing import Any, Callable, Dict, Generator, List, Optional, Tuple

from ..race_shapes import Answer, Learnt
from ..training import memory, sessions
from . import looks
from .line import Line
from .stopwatch import Stopwatch
from .wrapping import USUAL, WITHOUT_OPTIMIZER

LONGEST_ROUND = 64  # optimizer steps; several optimizers take turns in a fixed order
READ_AT_ONCE = 512  # losses that wait on the device to be read

Steps = Generator[None, None, Any]
Order = Callable[..., Steps]  # goes on at the end of each step


class Course:
    """What is known of the training in this process. It costs a few microseconds a step."""

    def __init__(self, torch: Any, device: str, line: Line) -> None:
        self.torch, self.device, self.line = torch, device, line
        self.thread = threading.get_ident()
        synchronise = sessions.synchroniser(device)
        self.wait: Callable[[], object] = lambda: synchronise(torch.zeros((), device=device))
        self.watch = Stopwatch(self.wait)
        self.life: Optional[Steps] = None
        self.done = 0  # optimizer steps
        self.round = 1  # optimizer steps of one training step
        self.order: List[int] = []  # of the optimizers, while that is learnt
        self.backwards = 0
        self.has_optimizer = self.over = False
        self.loss: Any = None
        self.unscaled: Tuple[Any, Any] = (None, None)
        self.losses: List[Tuple[int, Any]] = []
        self.marks: Dict[str, int] = {}
        self.usual: set[str] = set()
        self.learning = self.looking = self.before_input = True
        self.seen = looks.Looks()
        self.autocast = ""

    def in_child(self) -> Optional[Course]:
        """Of a process that was forked: the same watch, with nothing seen and a connection of its own."""
        self.line.close()  # this process' end of it
        line = Line(f"{self.line.token}@{self.line.path}")
        course = Course(self.torch, self.device, line)
        course.has_optimizer, course.seen = self.has_optimizer, self.seen
        return course

    # What the hooks tell.

    def begin_backward(self, tensors: Any) -> None:
        """Keep the first loss of a step, unread: reading it would wait for the device."""
        self.backwards += 1
        if self.loss is None and not self.over:
            tensor = tensors if hasattr(tensors, "detach") else tensors[0] if tensors else None
            if tensor is self.unscaled[0] and tensor is not None:
                tensor = self.unscaled[1]
            if tensor is not None and tensor.numel() == 1:
                self.loss = tensor.detach()
            self.unscaled = (None, None)
        if not self.has_optimizer and self.backwards >= WITHOUT_OPTIMIZER:
            self.end_step(None)

    def note_move(self, device: str) -> None:
        if self.learning:
            self.seen.note_move(device)

    def begin_epoch(self, loader: Any) -> None:
        if self.learning:
            self.seen.look_at_loader(loader)

    def look_at_input(self, arguments: Any) -> None:
        """What the first module is called with in a step, while that is learnt."""
        if self.before_input and self.learning and len(self.seen.inputs) < looks.FIRST_BATCHES:
            self.before_input = not self.seen.look_at_input(arguments)

    def look_at_batch(self, batch: Any) -> None:
        self.looking = self.seen.look_at_batch(batch)

    def interrupt(self, kind: str) -> None:
        if self.learning:
            self.marks[kind] = self.marks.get(kind, 0) + 1
        elif kind not in self.usual and threading.get_ident() == self.thread:
            self.watch.interrupt(kind)

    def end_step(self, optimizer: Any) -> None:
        """The end of an optimizer's step: the moment at which a script can be made to wait."""
        if self.over:
            return
        if self.life is None:
            self.thread = threading.get_ident()
            self.life = self.live()
        if threading.get_ident() != self.thread:
            return
        self.done += 1
        self.losses.append((self.done, self.loss))
        self.loss = None
        if self.learning:
            self.before_input = True
            self.order.append(id(optimizer))
            self.seen.look_at_devices(optimizer, self.losses[-1][1])
        try:
            next(self.life)
        except StopIteration:
            self.over, self.losses = True, []

    # What the doctor asks for.

    def live(self) -> Steps:
        """Carry out orders, from the first step on, until there are no more."""
        if self.line.socket is None:  # a forked child, or a doctor who is gone
            self.line.hello(self.device, [], str(self.torch.__version__))
        self.line.send({"first": self.seen.devices_of_all()})
        orders: Dict[str, Order] = {"learn": self.learn, "warm_up": self.warm_up, "block": self.block}
        while (order := self.line.receive()) is not None and order["do"] in orders:
            answer = yield from orders[order.pop("do")](**order)
            self.line.send({"answer": answer})
            # The doctor may tell to go on meanwhile: what it does not order is not timed.
        return None

    def learn(self, steps: int, seconds: float) -> Steps:
        """Some steps, to see their order, their losses, and what is usual between them."""
        drawn = looks.generator_state(self.torch, self.device)
        begun_at, fetched = self.done, self.seen.fetched
        began = time.perf_counter()
        while self.done - begun_at < steps and time.perf_counter() - began < seconds:
            yield
        self.wait()
        took, made = time.perf_counter() - began, max(1, self.done - begun_at)
        self.learning = False
        self.round = find_round(self.order)
        self.usual = {kind for kind, count in self.marks.items() if count > USUAL * self.done}
        learnt: Learnt = {
            "step_seconds": took * self.round / made,
            "optimizers": len(set(self.order)),
            "round": self.round,
            "batches_per_step": (self.seen.fetched - fetched) * self.round / made,
            "draws": looks.generator_state(self.torch, self.device) != drawn,
            "autocast": self.autocast,
            "epoch_batches": self.seen.epoch_batches,
            "weights": self.seen.weights,
            "batches": self.seen.batches,
            "inputs": self.seen.inputs,
            "gradients": self.seen.gradients,
            "dtypes": sorted(self.seen.dtypes),
            "files": looks.own_files(),
            "moves": self.seen.moves,
            "place": looks.own_place(),
        }
        return {**self.state(), "learnt": learnt}

    def warm_up(self, seconds: float) -> Steps:
        """Train until block medians settle, or the seconds are over; the same rule as for our own sessions."""
        began, first = time.perf_counter(), self.done
        curve: List[Tuple[int, float]] = []
        size = 1
        settled = False
        while time.perf_counter() - began < seconds and not settled:
            took = yield from self.timed(size)
            curve.append((size, took / size))
            if took < sessions.SHORTEST_BLOCK:
                size *= 2
            settled = self.done - first >= sessions.SLOW_AT_FIRST and sessions.stable(curve)
        return {
            **self.state(),
            "steps": (self.done - first) // self.round,
            "seconds": time.perf_counter() - began,
            "settled": settled,
            "step_seconds": sessions.middle([step for _, step in curve[-3:]]) if curve else None,
            "curve": curve[:64],
        }

    def block(self, steps: int, before: int) -> Steps:
        """Some steps that do not count, as caches and clocks have cooled down meanwhile, then those that do."""
        for _ in range(self.round * (before + self.seen.fetched_ahead(steps))):
            yield
        seconds = yield from self.timed(steps)
        return {**self.state(), "steps": steps, "seconds": seconds, "aside": self.watch.aside}

    def timed(self, steps: int) -> Steps:
        """Seconds for so many training steps."""
        left, watch = steps * self.round, self.watch
        watch.begin()
        while left:
            yield
            if watch.interrupted:
                watch.resume(self.done)
            else:
                left -= 1
        return watch.end()

    def state(self) -> Answer:
        """What each answer tells; here losses are read."""
        losses = [(step, loss) for step, loss in self.losses if loss is not None][-READ_AT_ONCE:]
        self.losses = []
        return {
            "done": self.done,
            "losses": looks.read(self.torch, losses),
            "used_bytes": memory.used_bytes(self.device),
            "peak_bytes": memory.peak_bytes(self.device),
            "ran_on": self.seen.devices_of_all(),
        }


def find_round(order: List[int]) -> int:
    """After how many optimizer steps their order repeats, by all but the first third; 1 where it does not."""
    tail = order[len(order) // 3 :]
    for length in range(1, min(LONGEST_ROUND, len(tail) // 2) + 1):
        if all(tail[place] == tail[place - length] for place in range(length, len(tail))):
            return length
    return 1
