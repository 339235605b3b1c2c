"""One training session in this process: prepared, warmed up and timed by separate jobs, so that devices can take turns.

A step is what a trainer does: the batch copied to the device, forward, loss, backward, AdamW.
"""

from __future__ import annotations

import gc
import sys
import time
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Optional, Tuple

import torch
from torch import nn

from . import channel, workloads

SHORTEST_BLOCK = 0.01  # seconds; the clock resolves 100 ns, so it adds nothing to a block of this length
SETTLED_WITHIN = 0.05  # medians of three blocks in a row differ by no more than this
SLOW_AT_FIRST = 12  # steps; a device may be slow, and evenly so, until its caches and compiled graphs are there
AT_LEAST = 3  # losses to compare, however slow the steps are
SKETCH = 8  # numbers a gradient; the estimated distance is less than a quarter of the true one once in 10,000

_default_threads = torch.get_num_threads()


@dataclass
class Session:
    """A workload on a device; `steps` counts since its fresh start."""

    workload: str
    size: str
    device: str
    dtype: str
    batches: List[workloads.Batch]
    synchronise: Callable[[torch.Tensor], object]
    model: nn.Module = field(default_factory=nn.Identity)
    optimizer: Any = None
    steps: int = 0
    peak_bytes: Optional[int] = None


_session: Optional[Session] = None


def ready() -> Dict[str, Any]:
    """Answers once everything a step needs is imported, so that no workload is charged with it.

    The first optimizer of a process imports torch._dynamo, which takes 1-4 s.
    """
    model = nn.Linear(1, 1)
    model(torch.ones(1, 1)).sum().backward()
    torch.optim.AdamW(model.parameters()).step()
    # Some 500,000 objects of torch's own would cost 0.13 s at every full collection, inside timed blocks too.
    gc.freeze()
    return {"torch": str(torch.__version__), "num_threads": _default_threads}


def prepare(
    workload: str, size: str, device: str, dtype: str = "float32", num_threads: Optional[int] = None
) -> Dict[str, Any]:
    """Build the workload from its seed and put it on the device.

    A dtype other than float32 means autocast, the weights stay float32. Answers `parameters` and `batch` (counts).
    """
    global _session
    release()
    torch.set_num_threads(num_threads or _default_threads)
    batches = workloads.draw(workload, size)
    _session = Session(workload, size, device, dtype, batches, synchroniser(device))
    forget_peak(device)
    start_afresh(_session)
    parameters = sum(parameter.numel() for parameter in _session.model.parameters())
    return {"parameters": parameters, "batch": len(batches[0][0]), "num_threads": torch.get_num_threads()}


def current() -> Session:
    """The session of this process; RuntimeError where there is none, as after a restart of the worker."""
    if _session is None:
        raise RuntimeError("no training session in this process: prepare() has not run since the worker started")
    return _session


def start_afresh(session: Session) -> None:
    """The initial weights and an empty optimizer, so that the loss curve begins where every device's does."""
    session.model = workloads.build(session.workload, session.size).to(session.device).train()
    session.optimizer = torch.optim.AdamW(session.model.parameters(), lr=workloads.RATE)
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


def forward(session: Session, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    if session.dtype == "float32":
        return nn.functional.cross_entropy(session.model(inputs), targets)
    kind = torch.device(session.device).type
    with torch.autocast(device_type=kind, dtype=getattr(torch, session.dtype)):
        return nn.functional.cross_entropy(session.model(inputs), targets)


def losses(steps: int, seconds: float = 60.0) -> Dict[str, Any]:
    """The loss curve from a fresh start, read after every step; shorter (3 at least) where `seconds` are over.

    The first step, which may compile for seconds, is not counted.

    Answers `losses`, `seconds` (of each step, the first with its compilation) and `gradients` (sketches of the first
    step's, by parameter).
    """
    session = current()
    start_afresh(session)
    values: List[float] = []
    times: List[float] = []
    gradients: Dict[str, List[float]] = {}
    while len(values) < steps and (sum(times[1:]) < seconds or len(values) < AT_LEAST):
        began = time.perf_counter()
        values.append(float(train(session).item()))
        times.append(time.perf_counter() - began)
        channel.progress({"step": session.steps, "loss": values[-1]})
        gradients = gradients or sketches(session.model)
    return {"losses": values, "seconds": times, "gradients": gradients}


def sketches(model: nn.Module) -> Dict[str, List[float]]:
    """Eight numbers a gradient, whose distance between two devices estimates the distance of the gradients.

    Scale, sign and order all show in them; AdamW hides the first from the loss curve.
    """
    generator = torch.Generator().manual_seed(workloads.SEED)
    found = {}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            gradient = parameter.grad.detach().to("cpu").double().flatten()
            mixed = gradient * torch.randn(gradient.numel(), generator=generator)
            rows = nn.functional.pad(mixed, (0, -mixed.numel() % SKETCH)).reshape(-1, SKETCH)
            found[name] = [float(each) for each in rows.sum(dim=0)]
    return found


def warm_up(seconds: float) -> Dict[str, Any]:
    """Train until block medians settle, or the seconds are over.

    Answers `steps`, `seconds`, `settled`, `step_seconds` (where it settled), `curve` ([steps, seconds a step] a block).
    """
    session = current()
    began = time.perf_counter()
    curve: List[Tuple[int, float]] = []
    size = 1
    while time.perf_counter() - began < seconds and not (session.steps >= SLOW_AT_FIRST and stable(curve)):
        took, _ = timed(session, size)
        curve.append((size, took / size))
        channel.progress({"step": session.steps})
        if took < SHORTEST_BLOCK:
            size *= 2
    return {
        "steps": sum(steps for steps, _ in curve),
        "seconds": time.perf_counter() - began,
        "settled": session.steps >= SLOW_AT_FIRST and stable(curve),
        "step_seconds": middle([each for _, each in curve[-3:]]) if curve else None,
        "curve": curve[:64],
    }


def stable(curve: List[Tuple[int, float]]) -> bool:
    """Whether the last three blocks are, in their middle, as fast as the three before."""
    if len(curve) < 6:
        return False
    times = [each for _, each in curve]
    late, before = middle(times[-3:]), middle(times[-6:-3])
    return abs(late - before) <= SETTLED_WITHIN * before


def middle(times: List[float]) -> float:
    return sorted(times)[len(times) // 2]


def timed(session: Session, steps: int) -> Tuple[float, torch.Tensor]:
    """Seconds for some steps, nothing pending at either end, and the last loss."""
    loss = torch.zeros((), device=session.device)
    session.synchronise(loss)
    began = time.perf_counter()
    for _ in range(steps):
        loss = train(session)
    session.synchronise(loss)
    return time.perf_counter() - began, loss


def block(steps: int) -> Dict[str, Any]:
    """One timed block: `seconds`, `steps`, the last `loss`, `done` (steps since the start), `peak_bytes` or None."""
    session = current()
    # While others had their turn caches and clocks cooled down; a few steps that do not count bring them back.
    for _ in range(steps // 8 + 1 if steps > 1 else 0):
        train(session)
    seconds, loss = timed(session, steps)
    used = used_bytes(session.device)
    if used is not None:
        session.peak_bytes = max(used, session.peak_bytes or 0)
    value = float(loss.item())
    return {
        "seconds": seconds,
        "steps": steps,
        "loss": value,
        "done": session.steps,
        "peak_bytes": session.peak_bytes,
    }


def release() -> None:
    """Drop the session and give its memory back."""
    global _session
    _session = None
    gc.collect()
    for kind in ("cuda", "mps", "xpu", "accelerator"):
        empty = getattr(getattr(torch, kind, None), "empty_cache", None)
        if empty is not None and offered(kind):
            empty()


def offered(kind: str) -> bool:
    """Whether the back end is there; emptying the cache of one that is not may start or fail it."""
    module = torch.backends.mps if kind == "mps" else getattr(torch, kind, None)
    return module is not None and bool(module.is_available())


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


def forget_peak(device: str) -> None:
    """Let the peak be this session's own, where the back end keeps one."""
    module = getattr(torch, torch.device(device).type, None)
    forget = getattr(module, "reset_peak_memory_stats", None)
    if forget is not None:
        forget()


def used_bytes(device: str) -> Optional[int]:
    """Peak memory of the device, what its driver holds on MPS, what this process held on the CPU, else None."""
    kind = torch.device(device).type
    if kind == "cpu":
        return resident_bytes()
    module = getattr(torch, kind, None)
    for name in ("max_memory_allocated", "driver_allocated_memory", "current_allocated_memory"):
        ask = getattr(module, name, None)
        if ask is not None:
            return int(ask())
    return None


def resident_bytes() -> Optional[int]:
    """The most memory this process has held, torch itself included; None on Windows, which has no such call."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, Linux KiB
