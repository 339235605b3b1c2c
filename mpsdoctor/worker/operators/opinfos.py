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
from typing import Any, Callable, Iterator, NamedTuple

import torch
from torch import Tensor

from .. import channel
from .comparison import GRADIENT, TOLERANCES
from .messages import ON_THE_CPU
from .probes import BACKWARD, FORWARD, attended, flatten
from .reference import UNINITIALISED, attempted, fetched, judge, manual_seed_is, precise, promoted, seed

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
PLAIN = frozenset({int, float, bool, str, type(None)})
PLACE = struct.Struct("<5q")
TURN = 5.0  # seconds after which a job hands back, so that a hang is told from much work


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
    """Import the database, which takes two seconds; why it cannot be had is told when it is asked for."""
    with contextlib.suppress(Exception):
        database()


@functools.lru_cache(maxsize=None)
def database() -> dict[str, Any]:
    """The OpInfos of this torch by their full names."""
    from torch.testing._internal.common_methods_invocations import op_db

    return {full_name(one): one for one in op_db}


def full_name(info: Any) -> str:
    """`std`, or `std.unbiased` where an operator has several entries."""
    variant = getattr(info, "variant_test_name", "")
    return f"{info.name}.{variant}" if variant else str(info.name)


def operator_name(info: Any) -> str:
    """The aten name an OpInfo is about; its name in Python where aten has no such operator."""
    name = str(getattr(info, "aten_name", None) or info.name).replace("nn.functional.", "").replace(".", "_")
    return f"aten::{name}" if hasattr(torch.ops.aten, name) else f"torch.{info.name}"


def plan(every_dtype: bool) -> list[list[str]]:
    """[name, aten name, dtype] of each OpInfo: in one dtype, float32 if it can be, or in every one of ours it has."""
    found = []
    for name, info in sorted(database().items(), key=lambda each: each[0] not in LONGEST):
        supported = info.supported_dtypes("cpu")
        dtypes = [one for one in DTYPES if getattr(torch, one) in supported]
        found += [[name, operator_name(info), one] for one in (dtypes if every_dtype else dtypes[:1])]
    return found


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


@manual_seed_is(torch.default_generator.manual_seed)  # torch's own notes a stack for each back end: a millisecond
def run(name: str, dtype: str, device: str, first: int, notes: str, ticket: int) -> dict[str, Any]:
    """Judge samples of an OpInfo from number `first` on, for some seconds.

    Notes each in the file `notes` before it begins, and sends `{"bad": verdict, "at": [number, direction]}` after one
    that is not right. Returns `{"next": number to go on from, or None, "done": counts by direction}`.
    """
    if device == "cpu":
        torch.set_num_threads(1)  # as many workers as cores share the work
    traits, noted = Traits(database()[name], getattr(torch, dtype)), Notes(notes, ticket)
    deadline = time.monotonic() + TURN
    for number, sample in itertools.islice(enumerate(samples(traits.info, traits.dtype)), first, None):
        if number > first and time.monotonic() > deadline:
            return {"next": number, "done": noted.done}
        case = Sample(traits, sample, device)
        for direction in (FORWARD, BACKWARD) if case.leaves else (FORWARD,):
            noted.begin(number, direction)
            verdict = attended(device, lambda: case.judged(direction))  # noqa: B023  # called at once
            if verdict["outcome"] in REFUSED and device != "cpu" and lacks_double(device) and case.asks_for_double():
                verdict = {"outcome": "skipped", "detail": f"the sample asks for float64, which {device} does not have"}
            if verdict["outcome"] != "ok":
                channel.progress({"bad": verdict, "at": [number, direction]})
                if verdict["outcome"] in (*REFUSED, "oom", "skipped"):
                    break  # the gradient would say the same again
    return {"next": None, "done": noted.done}


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
    wanted = bool(info.supports_autograd) and dtype in info.supported_backward_dtypes("cpu")
    made = iter(info.sample_inputs_func(info, "cpu", dtype, wanted))
    for number in itertools.count():
        random.seed(number)
        seed(number)
        try:
            yield next(made)
        except StopIteration:
            return


class Graph(NamedTuple):
    """What a call returned, and the tensors whose gradients it can tell."""

    outputs: list[Tensor]
    leaves: list[Tensor]


class Traits:
    """What all samples of an OpInfo in one dtype have in common."""

    def __init__(self, info: Any, dtype: torch.dtype) -> None:
        self.info, self.dtype = info, dtype
        self.slack = SLACK * declared(info, dtype)
        self.touchy = info.name in TOUCHY
        self.told = "shapes" if UNINITIALISED.search(info.name) else "values"


class Sample:
    """One sample of an OpInfo on one device.

    Its forward is that of training: with what the gradient needs, which is then taken from the same call.
    """

    def __init__(self, traits: Traits, sample: Any, device: str) -> None:
        self.traits, self.sample, self.device = traits, sample, device
        self.tensors = (sample.input, sample.args, sample.kwargs)
        self.leaves = _leaves(self.tensors)
        self.graphs: dict[str, Graph] = {}
        self.host_indices = False

    def judged(self, direction: str) -> dict[str, Any]:
        """Outcome and detail in one direction."""
        traits, backward = self.traits, direction == BACKWARD
        results = self.gradients if backward else self.outputs
        return judge(
            lambda: fetched(results("there")),
            [lambda: fetched(results("exactly")), lambda: fetched(results("as_is"))],
            traits.dtype,
            self.device,
            slack=traits.slack * (GRADIENT.get(traits.dtype, 1.0) if backward else 1.0),
            touchy=traits.touchy or self.device != "cpu",
            told=traits.told,
        )

    def outputs(self, way: str) -> list[Tensor]:
        """Results of the call with every argument converted in one way; the first call's graph is kept."""
        graph = self.called(way)
        self.graphs.setdefault(way, graph)
        return graph.outputs

    def gradients(self, way: str) -> list[Tensor]:
        """The gradient of every leaf, from the graph that is kept or a new one; zero where a leaf has no part."""
        graph = self.graphs.pop(way, None) or self.called(way)
        outputs = [one for one in graph.outputs if one.requires_grad]
        if not outputs:
            return []
        found = torch.autograd.grad(outputs, graph.leaves, [cotangent(one) for one in outputs], allow_unused=True)
        return [torch.zeros_like(leaf) if one is None else one for one, leaf in zip(found, graph.leaves)]

    def asks_for_double(self) -> bool:
        """Whether float64 is in the arguments, by name or as a tensor, or in what the CPU makes of others."""
        if self.traits.dtype in DOUBLE:
            return False
        met: list[Any] = []
        walk(self.tensors, met.append)
        dtypes = [getattr(one, "dtype", one) for one in (*met, *attempted(lambda: self.outputs("as_is")))]
        return any(one in DOUBLE for one in dtypes if isinstance(one, torch.dtype))

    def called(self, way: str) -> Graph:
        """One call; where torch wants indices on the CPU and says so, they stay there."""
        try:
            return self._called(way)
        except RuntimeError as error:
            if way != "there" or self.host_indices or not ON_THE_CPU.search(str(error)):
                raise
        self.host_indices = True
        return self._called(way)

    def _called(self, way: str) -> Graph:
        memo: dict[int, Tensor] = {}
        convert = getattr(self, way)
        target, args, kwargs = walk(self.tensors, lambda one: _once(memo, convert, one))
        with torch.set_grad_enabled(bool(self.leaves)):
            result = self.sample.output_process_fn_grad(self.traits.info(target, *args, **kwargs))
        return Graph(flatten(result, self.traits.dtype), [memo[id(one)] for one in self.leaves])

    def there(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            stays = self.host_indices and value is not self.sample.input and not value.is_floating_point()
            return value.detach().clone() if stays else value.detach().to(self.device, copy=True)
        return torch.device(self.device) if isinstance(value, torch.device) else value

    def as_is(self, value: Any) -> Any:
        return value.detach().clone() if isinstance(value, Tensor) else value

    def exactly(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return promoted(value)
        return precise(value) if isinstance(value, torch.dtype) and value == self.traits.dtype else value


def _once(memo: dict[int, Tensor], convert: Callable[[Any], Any], value: Any) -> Any:
    """Convert an argument; one tensor in two places stays one."""
    if not isinstance(value, Tensor):
        return convert(value)
    if id(value) not in memo:
        memo[id(value)] = convert(value).requires_grad_(value.requires_grad)
    return memo[id(value)]


def _leaves(value: Any) -> list[Tensor]:
    found: dict[int, Tensor] = {}

    def visit(one: Any) -> Any:
        if isinstance(one, Tensor) and one.requires_grad:
            found[id(one)] = one
        return one

    walk(value, visit)
    return list(found.values())


def walk(value: Any, visit: Callable[[Any], Any]) -> Any:
    """The same structure, all but lists, tuples, dicts and plain values replaced by what `visit` makes of them."""
    kind = type(value)
    if kind is Tensor:
        return visit(value)
    if kind in PLAIN:
        return value
    if kind is tuple or kind is list:
        return kind([one if type(one) in PLAIN else walk(one, visit) for one in value])
    if kind is dict:
        return {key: walk(one, visit) for key, one in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return kind(*[walk(one, visit) for one in value])
    return visit(value)


def cotangent(output: Tensor) -> Tensor:
    """A gradient that flows into an output: numbers around one that every dtype holds, none like its neighbour."""
    return ramp(output.shape, output.device, output.dtype)


@functools.lru_cache(maxsize=256)
def ramp(shape: torch.Size, device: torch.device, dtype: torch.dtype) -> Tensor:
    numbers = torch.arange(shape.numel(), dtype=torch.float32).remainder_(13).sub_(6).mul_(0.125).add_(1.0)
    return numbers.reshape(shape).to(device=device, dtype=dtype)


def declared(info: Any, dtype: torch.dtype) -> float:
    """How much wider than usual PyTorch itself lets an operator's tolerance be, at least 1."""
    relative, absolute = TOLERANCES.get(dtype, TOLERANCES[torch.float32])
    widest = 1.0
    for decorator in getattr(info, "decorators", ()):
        for one in getattr(decorator, "decorators", (decorator,)):
            for allowed in getattr(one, "d", {}).items() if type(one).__name__ == "toleranceOverride" else ():
                if allowed[0] == dtype:
                    widest = max(widest, allowed[1].atol / absolute, allowed[1].rtol / relative)
    return widest
