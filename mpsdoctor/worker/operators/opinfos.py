"""Runs the samples of PyTorch's own operator database, `op_db`, forward and backward, through our judge.

The database lies in torch.testing._internal and needs numpy and expecttest.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import mmap
import random
import struct
import time
from typing import Any, Callable, Dict, Iterator, Literal, NamedTuple

import torch
from torch import Tensor

from .. import channel
from ..shapes import Judgement, PlannedInfo, SampleFault, SampleTurn
from .comparison import GRADIENT, TOLERANCES, make_judgement
from .messages import ON_THE_CPU
from .probes import BACKWARD, FORWARD, flatten, judge_safely
from .reference import (
    UNINITIALISED,
    Aspect,
    attempt,
    fetch,
    judge,
    precise_dtype,
    promote,
    replace_manual_seed,
    seed,
)
from .structure import convert_once, copy_tensor, find_leaves, walk

NEEDS = ("numpy", "expecttest")
DTYPES = ("float32", "float16", "bfloat16", "int64", "bool", "complex64")
# A sample may be ten times the size of a catalogue's probe, and adds up as many more terms.
SLACK = 8.0
# At a sample's numbers these lie near a pole or a step, where float32 on the CPU is as far from float64 as that.
TOUCHY = frozenset(
    {
        "histogram",
        "polygamma",
        "special.polygamma",
        "logcumsumexp",
        "grid_sampler_3d",
        "nn.functional.ctc_loss",
        "linalg.householder_product",
    }
)
# Seconds of one core each; begun late, the other workers would wait for them.
LONGEST = frozenset({"grid_sampler_3d", "nn.functional.max_pool2d", "max_pool2d_with_indices_backward"})
REFUSED = ("error", "unimplemented", "dtype")
DOUBLE = frozenset({torch.float64, torch.complex128})
PLACE = struct.Struct("<5q")
# How the arguments of a sample are converted: to the device, not at all, or to the precision of the reference.
Way = Literal["device", "plain", "precise"]
OpInfos = Dict[str, Any]  # by full name; OpInfo is a class of torch's tests that changes with each version
TURN = 5.0  # seconds after which a job hands back, so that a hang can be told from much work


def missing() -> list[str]:
    """Packages the database needs that cannot be imported here."""
    return [name for name in NEEDS if not _importable(name)]


def _importable(name: str) -> bool:
    try:
        __import__(name)
    except ImportError:
        return False
    return True


def load() -> None:
    """Import the database, which takes two seconds; `plan` reports why it cannot be imported."""
    with contextlib.suppress(Exception):
        database()


@functools.lru_cache(maxsize=None)
def database() -> OpInfos:
    """The OpInfos of this torch by their full names."""
    from torch.testing._internal.common_methods_invocations import op_db

    return {full_name(info): info for info in op_db}


def full_name(info: Any) -> str:
    """`std`, or `std.unbiased` where an operator has several entries."""
    variant = getattr(info, "variant_test_name", "")
    return f"{info.name}.{variant}" if variant else str(info.name)


def operator_name(info: Any) -> str:
    """The aten name an OpInfo is about; its name in Python where aten has no such operator."""
    name = str(getattr(info, "aten_name", None) or info.name).replace("nn.functional.", "").replace(".", "_")
    return f"aten::{name}" if hasattr(torch.ops.aten, name) else f"torch.{info.name}"


def plan(every_dtype: bool) -> list[PlannedInfo]:
    """Each OpInfo in one dtype, float32 if it has it, or in every one of ours that it has."""
    planned = []
    for name, info in sorted(database().items(), key=lambda item: item[0] not in LONGEST):
        supported = info.supported_dtypes("cpu")
        dtypes = [dtype for dtype in DTYPES if getattr(torch, dtype) in supported]
        planned += [PlannedInfo(name, operator_name(info), dtype) for dtype in (dtypes if every_dtype else dtypes[:1])]
    return planned


class Notes:
    """How far a job is, in a file that outlives a crash; a message for every sample would wake the doctor 33,000 times.

    The file holds five integers of eight bytes: ticket, number of the sample, whether it is its gradient's turn, and
    how many were begun forward and backward.
    """

    def __init__(self, path: str, ticket: int) -> None:
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 0)
        self.ticket, self.done = ticket, {FORWARD: 0, BACKWARD: 0}

    def begin(self, number: int, direction: str) -> None:
        self.done[direction] += 1
        PLACE.pack_into(self.memory, 0, self.ticket, number, direction == BACKWARD, *self.done.values())


@replace_manual_seed(torch.default_generator.manual_seed)  # torch's own notes a stack for each back end: a millisecond
def run(name: str, dtype: str, device: str, first: int, notes: str, ticket: int) -> SampleTurn:
    """Judge samples of an OpInfo from number `first` on, for some seconds.

    Notes each in the file `notes` before it begins, and sends a `SampleFault` after a sample that is not right.
    """
    if device == "cpu":
        torch.set_num_threads(1)  # as many workers as cores share the work
    traits, progress = Traits(database()[name], getattr(torch, dtype)), Notes(notes, ticket)
    deadline = time.monotonic() + TURN
    for number, sample in itertools.islice(enumerate(samples(traits.info, traits.dtype)), first, None):
        if number > first and time.monotonic() > deadline:
            return {"next": number, "done": progress.done}
        case = Sample(traits, sample, device)
        for direction in (FORWARD, BACKWARD) if case.leaves else (FORWARD,):
            progress.begin(number, direction)
            judgement = case.judge_safely(direction)
            if judgement["outcome"] != "ok":
                fault: SampleFault = {"bad": judgement, "at": (number, direction)}
                channel.progress(fault)
                if judgement["outcome"] in (*REFUSED, "oom", "skipped"):
                    break  # the gradient would say the same again
    return {"next": None, "done": progress.done}


@functools.lru_cache(maxsize=None)
def lacks_double(device: str) -> bool:
    """Whether a device cannot hold float64, as MPS cannot."""
    try:
        torch.zeros(1, dtype=torch.float64, device=device)
    except Exception:
        return True
    return False


def samples(info: Any, dtype: torch.dtype) -> Iterator[Any]:
    """The samples of an OpInfo on the CPU; with gradients where it has them in this dtype.

    Asked of the function behind `OpInfo.sample_inputs`, which looks through the stack for a test and seeds every
    back end before each sample: half of all the time. Each is seeded by its number instead.
    """
    requires_grad = bool(info.supports_autograd) and dtype in info.supported_backward_dtypes("cpu")
    inputs = iter(info.sample_inputs_func(info, "cpu", dtype, requires_grad))
    for number in itertools.count():
        random.seed(number)
        seed(number)
        try:
            yield next(inputs)
        except StopIteration:
            return


class Graph(NamedTuple):
    """What a call returned, and the tensors that have a gradient."""

    outputs: list[Tensor]
    leaves: list[Tensor]


class Traits:
    """What all samples of an OpInfo in one dtype have in common."""

    def __init__(self, info: Any, dtype: torch.dtype) -> None:
        self.info, self.dtype = info, dtype
        self.slack = SLACK * declared_slack(info, dtype)
        self.touchy = info.name in TOUCHY
        self.aspect: Aspect = "shapes" if UNINITIALISED.search(info.name) else "values"


class Sample:
    """One sample of an OpInfo on one device.

    Its forward is that of training: with what the gradient needs, which is then taken from the same call.
    """

    def __init__(self, traits: Traits, sample: Any, device: str) -> None:
        self.traits, self.sample, self.device = traits, sample, device
        self.tensors = (sample.input, sample.args, sample.kwargs)
        self.leaves = find_leaves(self.tensors)
        self.graphs: dict[Way, Graph] = {}
        self.conversions: dict[Way, Callable[[Any], Any]] = {
            "device": self.move_to_device,
            "plain": copy_tensor,
            "precise": self.make_precise,
        }
        self.host_indices = False

    def judge_safely(self, direction: str) -> Judgement:
        """Outcome and detail in one direction, whatever happens short of a crash."""
        judgement = judge_safely(self.device, lambda: self.judge(direction))
        refused = judgement["outcome"] in REFUSED and self.device != "cpu"
        if refused and lacks_double(self.device) and self.asks_for_double():
            return make_judgement("skipped", "asks_for_float64", device=self.device)
        return judgement

    def judge(self, direction: str) -> Judgement:
        """Outcome and detail in one direction; raises what the operator raises on the device."""
        traits, backward = self.traits, direction == BACKWARD
        results = self.gradients if backward else self.outputs
        return judge(
            lambda: fetch(results("device")),
            [lambda: fetch(results("precise")), lambda: fetch(results("plain"))],
            traits.dtype,
            self.device,
            slack=traits.slack * (GRADIENT.get(traits.dtype, 1.0) if backward else 1.0),
            touchy=traits.touchy or self.device != "cpu",
            aspect=traits.aspect,
        )

    def outputs(self, way: Way) -> list[Tensor]:
        """Results of the call with every argument converted in one way; the first call's graph is kept."""
        graph = self.call(way)
        self.graphs.setdefault(way, graph)
        return graph.outputs

    def gradients(self, way: Way) -> list[Tensor]:
        """The gradient of every leaf, from the graph that is kept or a new one; zero where a leaf has no part."""
        graph = self.graphs.pop(way, None) or self.call(way)
        outputs = [output for output in graph.outputs if output.requires_grad]
        if not outputs:
            return []
        partial = torch.autograd.grad(outputs, graph.leaves, list(map(cotangent, outputs)), allow_unused=True)
        return [
            torch.zeros_like(leaf) if gradient is None else gradient for gradient, leaf in zip(partial, graph.leaves)
        ]

    def asks_for_double(self) -> bool:
        """Whether float64 is in the arguments, by name or as a tensor, or in what the CPU makes of others."""
        if self.traits.dtype in DOUBLE:
            return False
        values: list[Any] = []
        walk(self.tensors, values.append)
        dtypes = [getattr(value, "dtype", value) for value in (*values, *attempt(lambda: self.outputs("plain")))]
        return any(dtype in DOUBLE for dtype in dtypes if isinstance(dtype, torch.dtype))

    def call(self, way: Way) -> Graph:
        """One call; indices stay on the CPU where torch raises an error that they must."""
        try:
            return self._call(way)
        except RuntimeError as error:
            if way != "device" or self.host_indices or not ON_THE_CPU.search(str(error)):
                raise
        self.host_indices = True
        return self._call(way)

    def _call(self, way: Way) -> Graph:
        memo: dict[int, Tensor] = {}
        convert = self.conversions[way]
        target, args, kwargs = walk(self.tensors, lambda value: convert_once(memo, convert, value))
        with torch.set_grad_enabled(bool(self.leaves)):
            result = self.sample.output_process_fn_grad(self.traits.info(target, *args, **kwargs))
        return Graph(flatten(result, self.traits.dtype), [memo[id(leaf)] for leaf in self.leaves])

    def move_to_device(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            stays = self.host_indices and value is not self.sample.input and not value.is_floating_point()
            return value.detach().clone() if stays else value.detach().to(self.device, copy=True)
        return torch.device(self.device) if isinstance(value, torch.device) else value

    def make_precise(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return promote(value)
        return precise_dtype(value) if isinstance(value, torch.dtype) and value == self.traits.dtype else value


def cotangent(output: Tensor) -> Tensor:
    """A gradient that flows into an output: numbers near 1 that every dtype holds, no two neighbours alike."""
    return ramp(output.shape, output.device, output.dtype)


@functools.lru_cache(maxsize=256)
def ramp(shape: torch.Size, device: torch.device, dtype: torch.dtype) -> Tensor:
    numbers = torch.arange(shape.numel(), dtype=torch.float32).remainder_(13).sub_(6).mul_(0.125).add_(1.0)
    return numbers.reshape(shape).to(device=device, dtype=dtype)


def declared_slack(info: Any, dtype: torch.dtype) -> float:
    """How much wider than usual PyTorch itself lets an operator's tolerance be, at least 1."""
    relative, absolute = TOLERANCES.get(dtype, TOLERANCES[torch.float32])
    widest = 1.0
    for override in overrides(info):
        for key, declared in override.d.items():
            if key == dtype:
                widest = max(widest, declared.atol / absolute, declared.rtol / relative)
    return widest


def overrides(info: Any) -> Iterator[Any]:
    """The tolerances among an OpInfo's decorators, which may stand in one for a test or a device."""
    for outer in getattr(info, "decorators", ()):
        for decorator in getattr(outer, "decorators", (outer,)):
            if type(decorator).__name__ == "toleranceOverride":
                yield decorator
