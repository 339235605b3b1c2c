"""Runs the samples of PyTorch's own operator database, `op_db`, forward and backward, through our judge.

The database lies in torch.testing._internal and needs numpy and expecttest.
"""

from __future__ import annotations

import functools
import itertools
import random
import time
from typing import Any, Callable, Iterator

import torch
from torch import Tensor

from . import channel
from .judgement import UNINITIALISED, attended, fetched, judge, precise, promoted, seed
from .operator_judge import GRADIENT, TOLERANCES
from .operators import flatten

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
TURN = 1.0  # seconds after which a job hands back, so that a hang is told from much work


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
    """Import the database, which takes two seconds."""
    if not missing():
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
    for name, info in database().items():
        supported = info.supported_dtypes("cpu")
        dtypes = [one for one in DTYPES if getattr(torch, one) in supported]
        found += [[name, operator_name(info), one] for one in (dtypes if every_dtype else dtypes[:1])]
    return found


def run(name: str, dtype: str, device: str, first: list[Any]) -> dict[str, Any]:
    """Judge samples of an OpInfo from `first` = [number, direction] on, for about a second.

    Sends `{"at": [number, direction]}` before each and `{"bad": verdict}` after one that is not right. Returns
    `{"next": where to go on, or None}`.
    """
    info, kind = database()[name], getattr(torch, dtype)
    deadline = time.monotonic() + TURN
    begin, skip = first[0], first[1] == "backward"
    for number, sample in itertools.islice(enumerate(samples(info, kind)), begin, None):
        if number > begin and time.monotonic() > deadline:
            return {"next": [number, "forward"]}
        case = Sample(info, sample, kind, device)
        for direction in ("forward", "backward")[1 if skip else 0 :]:
            if direction == "backward" and not case.leaves:
                continue
            channel.progress({"at": [number, direction]})
            verdict = attended(device, lambda: case.judged(direction))  # noqa: B023  # called at once
            if verdict["outcome"] != "ok":
                channel.progress({"bad": verdict})
                if verdict["outcome"] in ("error", "unimplemented", "dtype", "oom"):
                    break  # the gradient would say the same again
        skip = False
    return {"next": None}


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


class Sample:
    """One sample of an OpInfo on one device."""

    def __init__(self, info: Any, sample: Any, dtype: torch.dtype, device: str) -> None:
        self.info, self.sample, self.dtype, self.device = info, sample, dtype, device
        self.tensors = (sample.input, sample.args, sample.kwargs)
        self.leaves = _leaves(self.tensors)

    def judged(self, direction: str) -> dict[str, Any]:
        """Outcome and detail in one direction."""
        backward = direction == "backward"
        here, exact = self.there, self.exactly
        slack = SLACK * declared(self.info, self.dtype) * (GRADIENT.get(self.dtype, 1.0) if backward else 1.0)
        touchy = self.info.name in TOUCHY
        return judge(
            lambda: fetched(self.called(here, backward)),
            [lambda: fetched(self.called(exact, backward)), lambda: fetched(self.called(self.as_is, backward))],
            self.dtype,
            self.device,
            slack=slack,
            touchy=touchy or self.device != "cpu",
            told="shapes" if UNINITIALISED.search(self.info.name) else "values",
        )

    def called(self, convert: Callable[[Any], Any], backward: bool) -> list[Tensor]:
        """Results of the call, or its gradients, with every argument converted."""
        memo: dict[int, Tensor] = {}
        target, args, kwargs = walk(self.tensors, lambda one: _once(memo, convert, one, backward))
        with torch.set_grad_enabled(backward):
            result = self.sample.output_process_fn_grad(self.info(target, *args, **kwargs))
        outputs = flatten(result, self.dtype)
        if not backward:
            return outputs
        leaves = [memo[id(one)] for one in self.leaves]
        outputs = [one for one in outputs if one.requires_grad]
        if not outputs:
            return []
        found = torch.autograd.grad(outputs, leaves, [cotangent(one) for one in outputs], allow_unused=True)
        return [torch.zeros_like(leaf) if one is None else one for one, leaf in zip(found, leaves)]

    def there(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return value.detach().to(self.device, copy=True)
        return torch.device(self.device) if isinstance(value, torch.device) else value

    def as_is(self, value: Any) -> Any:
        return value.detach().clone() if isinstance(value, Tensor) else value

    def exactly(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return promoted(value)
        return precise(value) if isinstance(value, torch.dtype) and value == self.dtype else value


def _once(memo: dict[int, Tensor], convert: Callable[[Any], Any], value: Any, backward: bool) -> Any:
    """Convert an argument; one tensor in two places stays one, and is a leaf where its gradient is asked for."""
    if not isinstance(value, Tensor):
        return convert(value)
    if id(value) not in memo:
        memo[id(value)] = convert(value).requires_grad_(backward and value.requires_grad)
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
    """The same structure with every part that is no list, tuple or dict replaced by what `visit` makes of it."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(walk(one, visit) for one in value))
    if type(value) in (list, tuple):
        return type(value)(walk(one, visit) for one in value)
    return {key: walk(one, visit) for key, one in value.items()} if type(value) is dict else visit(value)


def cotangent(output: Tensor) -> Tensor:
    """A gradient that flows into an output: numbers around one that every dtype holds, none like its neighbour."""
    steps = torch.arange(output.numel(), dtype=torch.float32).remainder_(13).sub_(6).mul_(0.125).add_(1.0)
    return steps.reshape(output.shape).to(device=output.device, dtype=output.dtype)


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
