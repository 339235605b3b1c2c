"""Training sessions in this process: prepared, warmed up and timed by separate jobs, so that devices can take turns.

A step is what a trainer does: the batch copied to the device, forward, loss, backward, AdamW. Most have one session,
"main"; an experiment has one for each way to train that it compares. Whatever has a step of its own becomes a session
by `adopt`.
"""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

import torch
from torch import nn

from .. import channel
from ..shapes import Block, Losses, Prepared, Ready, WarmUp
from . import cpu_paths, memory, workloads

SHORTEST_BLOCK = 0.01  # seconds; the clock resolves 100 ns, so it adds nothing to a block of this length
SETTLED_WITHIN = 0.05  # medians of three blocks in a row differ by no more than this
SLOW_AT_FIRST = 12  # steps; a device may be slow, and evenly so, until its caches and compiled graphs are there
AT_LEAST = 3  # losses to compare, however slow the steps are
MAIN = "main"
SKETCH = 8  # numbers a gradient; the estimated distance is less than a quarter of the true one once in 10,000

_default_threads = torch.get_num_threads()


@dataclass
class Session:
    """Something that trains on a device.

    `step` does one training step and answers the loss, on the device; `restart` puts weights and optimizer back to
    where they began. `steps` counts since then, and `step` counts it up. Where `nnpack` is None the step has its own
    way with it. What follows `peak_bytes` is the workloads'.
    """

    device: str
    step: Callable[["Session"], torch.Tensor]
    restart: Callable[["Session"], None]
    num_threads: int = _default_threads
    steps: int = 0
    peak_bytes: Optional[int] = None
    workload: str = ""
    size: str = ""
    dtype: str = "float32"
    channels_last: bool = False
    fused: bool = False
    nnpack: Optional[bool] = None
    batches: List[workloads.Batch] = field(default_factory=list)
    model: nn.Module = field(default_factory=nn.Identity)
    optimizer: Any = None


_sessions: Dict[str, Session] = {}


def ready() -> Ready:
    """Answers once everything a step needs is imported, so that no workload is charged with it.

    The first optimizer of a process imports torch._dynamo, which takes 1-4 s.
    """
    model = nn.Linear(1, 1)
    model(torch.ones(1, 1)).sum().backward()
    torch.optim.AdamW(model.parameters()).step()
    # Some 500,000 objects of torch's own would cost 0.13 s at every full collection, inside timed blocks too.
    gc.freeze()
    images, _ = workloads.draw("cnn", "small")[0]
    return {
        "torch": str(torch.__version__),
        "num_threads": _default_threads,
        "nnpack": cpu_paths.switch_nnpack(True) and cpu_paths.goes_to_nnpack(images),
    }


def prepare(
    workload: str,
    size: str,
    device: str,
    dtype: str = "float32",
    num_threads: Optional[int] = None,
    batch: Optional[int] = None,
    reading: bool = False,
    resident: bool = False,
    channels_last: bool = False,
    fused: bool = False,
    nnpack: bool = True,
    name: str = MAIN,
) -> Prepared:
    """Build the workload from its seed and put it on the device, as the session of this name.

    A dtype other than float32 means autocast, the weights stay float32. There is no GradScaler, which guards long
    trainings against gradients that vanish in float16: ten steps do not need it, and its pass over the gradients is
    little beside a step. NotImplementedError where torch has no autocast to it on the device. `batch` replaces the
    declared number of samples, `reading` waits for the loss in every step, `resident` puts the batches on the device
    beforehand, `channels_last` lays out images and weights so, also beforehand, `fused` asks for AdamW in one kernel,
    and without `nnpack` the CPU takes torch's other path for convolutions.
    """
    drop(name)
    if dtype != "float32":
        check_autocast(device, dtype)
    batches = lay_out(workloads.draw(workload, size, batch), device if resident else None, channels_last)
    session = Session(
        device=device,
        step=train_and_read if reading else train,
        restart=start_afresh,
        num_threads=num_threads or _default_threads,
        workload=workload,
        size=size,
        dtype=dtype,
        channels_last=channels_last,
        fused=fused,
        nnpack=nnpack,
        batches=batches,
    )
    adopt(session, name)
    parameters = sum(parameter.numel() for parameter in session.model.parameters())
    return {"parameters": parameters, "batch": len(batches[0][0]), "loss": True, "num_threads": torch.get_num_threads()}


def lay_out(batches: List[workloads.Batch], device: Optional[str], channels_last: bool) -> List[workloads.Batch]:
    """The batches, images in that layout if it is asked for, on the device if one is named."""
    if channels_last:
        batches = [(inputs.to(memory_format=torch.channels_last), targets) for inputs, targets in batches]
    if device:
        batches = [(inputs.to(device), targets.to(device)) for inputs, targets in batches]
    return batches


def adopt(session: Session, name: str = MAIN) -> None:
    """Let the other jobs work on this session, from its fresh start."""
    memory.forget_peak(session.device)
    _sessions[name] = session
    current(name).restart(session)


def current(name: str = MAIN) -> Session:
    """A session of this process, the CPU set as it wants it; RuntimeError where there is none, as after a restart."""
    session = _sessions.get(name)
    if session is None:
        raise RuntimeError("no training session in this process: prepare() has not run since the worker started")
    if torch.get_num_threads() != session.num_threads:
        torch.set_num_threads(session.num_threads)
    if session.nnpack is not None:
        cpu_paths.switch_nnpack(session.nnpack)
    return session


def start_afresh(session: Session) -> None:
    """The initial weights and an empty optimizer, so that the loss curve begins where every device's does."""
    model = workloads.build(session.workload, session.size).to(session.device).train()
    if session.channels_last:
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch declares it for tensors
    session.model = model
    session.optimizer = torch.optim.AdamW(model.parameters(), lr=workloads.RATE, fused=session.fused or None)
    session.steps = 0


def train(session: Session) -> torch.Tensor:
    """One step; the loss stays on the device, for reading it would wait for the device."""
    inputs, targets = session.batches[session.steps % len(session.batches)]
    inputs, targets = inputs.to(session.device), targets.to(session.device)
    session.optimizer.zero_grad(set_to_none=True)
    loss = forward(session, inputs, targets)
    loss.backward()  # type: ignore[no-untyped-call]  # torch 2.0 to 2.15 differ in their annotations
    session.optimizer.step()
    session.steps += 1
    return loss.detach()


def train_and_read(session: Session) -> torch.Tensor:
    """One step as in trainers that log every loss."""
    loss = train(session)
    loss.item()
    return loss


def forward(session: Session, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    if session.dtype == "float32":
        return nn.functional.cross_entropy(session.model(inputs), targets)
    kind = torch.device(session.device).type
    with torch.autocast(device_type=kind, dtype=getattr(torch, session.dtype)):
        return nn.functional.cross_entropy(session.model(inputs), targets)


def check_autocast(device: str, dtype: str) -> None:
    """NotImplementedError where autocast is not there, or is switched off with no more than a warning.

    On MPS bfloat16 is, in torch 2.5, and up to 2.8 on macOS 13: a training would go on in float32 under another name.
    """
    ones = torch.ones(2, 2, device=device)
    with torch.autocast(device_type=torch.device(device).type, dtype=getattr(torch, dtype)):
        computed = (ones @ ones).dtype
    if computed != getattr(torch, dtype):
        raise NotImplementedError(
            f"torch {torch.__version__} has no {dtype} autocast on {device}: it computes in {computed}"
        )


def losses(steps: int, seconds: float = 60.0, most: float = 600.0, name: str = MAIN) -> Losses:
    """The loss curve from a fresh start, read after every step; shorter (3 at least) where `seconds` are over.

    The first step, which may compile for a minute, is not counted. Shorter still where one more, going by the last,
    would not end within `most` seconds of the first one's end, as the doctor would take it for a hang.
    """
    session = current(name)
    session.restart(session)
    values: List[float] = []
    times: List[float] = []
    gradients: Dict[str, List[float]] = {}
    while len(values) < steps and (sum(times[1:]) < seconds or len(values) < AT_LEAST):
        if len(times) > 1 and sum(times[1:]) + times[-1] > most:
            break
        began = time.perf_counter()
        values.append(float(session.step(session).item()))
        times.append(time.perf_counter() - began)
        channel.progress({"step": session.steps, "loss": values[-1]})
        gradients = gradients or sketches(session.model)
    return {"losses": values, "seconds": times, "gradients": gradients}


def sketches(model: nn.Module) -> Dict[str, List[float]]:
    """Those of its parameters."""
    return sketch_gradients(model.named_parameters())


def sketch_gradients(parameters: Iterable[Tuple[str, torch.Tensor]]) -> Dict[str, List[float]]:
    """Eight numbers a gradient, whose distance between two devices estimates the distance of the gradients.

    Scale, sign and order all show in them; AdamW hides the first from the loss curve.
    """
    generator = torch.Generator().manual_seed(workloads.SEED)
    numbers = {}
    for name, parameter in parameters:
        if parameter.grad is not None:
            gradient = parameter.grad.detach().to("cpu").double().flatten()
            mixed = gradient * torch.randn(gradient.numel(), generator=generator)
            rows = nn.functional.pad(mixed, (0, -mixed.numel() % SKETCH)).reshape(-1, SKETCH)
            numbers[name] = [float(number) for number in rows.sum(dim=0)]
    return numbers


def warm_up(seconds: float, name: str = MAIN) -> WarmUp:
    """Train until block medians settle, or the seconds are over."""
    session = current(name)
    began = time.perf_counter()
    curve: List[Tuple[int, float]] = []
    size = 1
    while time.perf_counter() - began < seconds and not (session.steps >= SLOW_AT_FIRST and stable(curve)):
        took, _ = time_steps(session, size)
        curve.append((size, took / size))
        channel.progress({"step": session.steps})
        if took < SHORTEST_BLOCK:
            size *= 2
    return {
        "steps": sum(steps for steps, _ in curve),
        "seconds": time.perf_counter() - began,
        "settled": session.steps >= SLOW_AT_FIRST and stable(curve),
        "step_seconds": middle([step for _, step in curve[-3:]]) if curve else None,
        "curve": curve[:64],
        "done": session.steps,
        "used_bytes": memory.used_bytes(session.device),
    }


def stable(curve: List[Tuple[int, float]]) -> bool:
    """Whether the last three blocks are, in their middle, as fast as the three before."""
    if len(curve) < 6:
        return False
    times = [step for _, step in curve]
    late, before = middle(times[-3:]), middle(times[-6:-3])
    return abs(late - before) <= SETTLED_WITHIN * before


def middle(times: List[float]) -> float:
    return sorted(times)[len(times) // 2]


def time_steps(session: Session, steps: int) -> Tuple[float, torch.Tensor]:
    """Seconds for some steps, nothing pending at either end, and the last loss."""
    wait = synchroniser(session.device)
    loss = torch.zeros((), device=session.device)
    wait(loss)
    began = time.perf_counter()
    for _ in range(steps):
        loss = session.step(session)
    wait(loss)
    return time.perf_counter() - began, loss


def block(steps: int, name: str = MAIN) -> Block:
    """Train some steps and time them."""
    session = current(name)
    # While others had their turn caches and clocks cooled down; a few steps that do not count bring them back.
    for _ in range(steps // 8 + 1 if steps > 1 else 0):
        session.step(session)
    seconds, loss = time_steps(session, steps)
    peak = memory.peak_bytes(session.device)
    if peak is not None:
        session.peak_bytes = max(peak, session.peak_bytes or 0)
    value = float(loss.item())
    return {
        "seconds": seconds,
        "steps": steps,
        "loss": value,
        "done": session.steps,
        "used_bytes": memory.used_bytes(session.device),
        "peak_bytes": session.peak_bytes,
    }


def release() -> None:
    """Drop every session and give the memory back."""
    for name in list(_sessions):
        drop(name)


def drop(name: str) -> None:
    session = _sessions.pop(name, None)
    if session is not None:
        device = session.device
        del session  # with the tensors that it holds
        memory.give_back(device)


def synchroniser(device: str) -> Callable[[torch.Tensor], object]:
    """How to wait for a device: its own call, the general one, else reading a number back."""
    kind = torch.device(device).type
    if kind == "cpu":
        return lambda loss: None
    for place in (kind, "accelerator"):
        wait = getattr(getattr(torch, place, None), "synchronize", None)
        if wait is not None:
            return lambda loss: wait()
    return lambda loss: loss.item()
