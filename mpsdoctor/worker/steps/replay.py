"""Calls a recorded operator on a device, with tensors like the recorded ones, and judges the results."""

from __future__ import annotations

import zlib
from typing import Any, Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ..operators.comparison import GRADIENT, make_judgement
from ..operators.messages import ON_THE_CPU
from ..operators.opinfos import cotangent
from ..operators.probes import flatten, judge_safely
from ..operators.reference import UNINITIALISED, Aspect, fetch, judge, precise_dtype
from ..shapes import Judgement, OperatorCall, TensorSpec
from . import arguments

# Real shapes add up more terms than a probe's, and their roundings grow with the root of the number.
SLACK, TERMS = 4.0, 1024.0
LARGE = 1 << 24  # elements; beyond, the reference is not made in float64, which would take gigabytes


def probe(call: OperatorCall, device: str, direction: str) -> Judgement:
    """Outcome and detail of one recorded call, as `recorder` notes it. `skipped` where this torch lacks it."""
    function = resolve(call)
    if function is None:
        return make_judgement("skipped", "no_operator_of_torch", op=call["op"])
    return judge_safely(device, lambda: Replay(call, function, direction).compare(device))


def resolve(call: OperatorCall) -> Any:
    """The operator, or the function of torch for a call that is replayed whole; None if this torch lacks it."""
    space, _, name = call["op"].partition("::")
    if call.get("whole"):
        place: Any = torch
        for part in call["whole"].split(".")[1:]:
            place = getattr(place, part, None)
        return place
    packet = getattr(torch.ops.aten, name, None) if space == "aten" else None
    return getattr(packet, call.get("overload") or "default", None)


class Replay:
    """One recorded call and its numbers, the same for every device."""

    def __init__(self, call: OperatorCall, function: Any, direction: str) -> None:
        self.call, self.function, self.direction = call, function, direction
        self.host_indices = False
        generator = torch.Generator().manual_seed(zlib.crc32(call["op"].encode()))
        self.specs: list[TensorSpec] = []
        arguments.build([call["args"], list(call["kwargs"].values())], self._add_spec, "cpu")
        self.values = [arguments.fill_tensor(spec, generator) for spec in self.specs]
        floating = [value for value in self.values if value.is_floating_point()]
        self.dtype = (floating or self.values or [torch.zeros(())])[0].dtype

    def _add_spec(self, spec: TensorSpec) -> Tensor:
        self.specs.append(spec)
        return torch.empty(0)

    def compare(self, device: str) -> Judgement:
        """Outcome and detail on a device, against the CPU."""
        elements = max([value.numel() for value in self.values], default=0)
        slack = SLACK * max(1.0, (elements / TERMS) ** 0.5)
        slack *= GRADIENT.get(self.dtype, 1.0) if self.direction == "backward" else 1.0
        ways = [lambda: self.call_on("cpu", exact=True), lambda: self.call_on("cpu", exact=False)]
        return judge(
            lambda: self.call_on(device, exact=False),
            ways if elements <= LARGE else ways[1:],
            self.dtype,
            device,
            slack=slack,
            touchy=True,
            aspect=self.comparable(),
        )

    def comparable(self) -> Aspect:
        """What can be compared of the results, as `judge` names it."""
        if UNINITIALISED.search(self.call["op"].partition("::")[2]):
            return "shapes"
        return "random" if torch.Tag.nondeterministic_seeded in getattr(self.function, "tags", ()) else "values"

    def call_on(self, device: str, *, exact: bool) -> list[Tensor]:
        """Results of the call on the CPU, those written in place among them; or its gradients.

        Where torch wants indices on the CPU and says so, they stay there.
        """
        try:
            return self._call_on(device, exact=exact)
        except RuntimeError as error:
            if device == "cpu" or self.host_indices or not ON_THE_CPU.search(str(error)):
                raise
        self.host_indices = True
        return self._call_on(device, exact=exact)

    def _call_on(self, device: str, *, exact: bool) -> list[Tensor]:
        placed: list[Tensor] = []

        def make(spec: TensorSpec) -> Tensor:
            value = self.values[len(placed)]
            backward = self.direction == "backward" and spec.get("grad") and value.is_floating_point()
            kept = spec.get("lives") == "host" or (self.host_indices and not value.is_floating_point())
            place = "cpu" if kept else device
            tensor = arguments.place_tensor(spec, value.to(precise_dtype(value.dtype)) if exact else value, place)
            placed.append(tensor.requires_grad_() if backward else tensor)
            return placed[-1]

        tensors: list[Tensor] = []
        args = arguments.build(self.call["args"], make, device, tensors)
        kwargs = {name: arguments.build(spec, make, device, tensors) for name, spec in self.call["kwargs"].items()}
        args = [_widen(value, exact) for value in args]
        kwargs = {name: _widen(value, exact) for name, value in kwargs.items()}
        outputs = flatten(call_inside_a_binding(lambda: self.function(*args, **kwargs)), self.dtype)
        if self.direction == "backward":
            return fetch(gradients(outputs, [tensor for tensor in placed if tensor.requires_grad]))
        return fetch([*outputs, *self.written_arguments(args, kwargs)])

    def written_arguments(self, args: Sequence[object], kwargs: Mapping[str, object]) -> list[Tensor]:
        """The arguments an operator writes to."""
        schema = getattr(self.function, "_schema", None)
        written: list[Tensor] = []
        for place, argument in enumerate(schema.arguments if schema else ()):
            if argument.alias_info is not None and argument.alias_info.is_write:
                value = args[place] if place < len(args) else kwargs.get(argument.name)
                written += flatten(value, self.dtype)
        return written


class InsteadOf(TorchFunctionMode):
    """Does something else in place of a function of torch's."""

    def __init__(self, act: Callable[[], Any]) -> None:
        super().__init__()
        self.act = act

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self.act()


def call_inside_a_binding(act: Callable[[], Any]) -> Any:
    """What `act` returns. Warnings of C++ reach Python inside the bindings of torch's functions alone.

    What torch.ops calls is outside of them: that an operator runs on the CPU would be told on stderr.
    """
    with InsteadOf(act):
        return torch.zeros(())


def _widen(value: object, exact: bool) -> object:
    """float64 for a float32 among the arguments of the reference; half types are there to round, and stay."""
    return torch.float64 if exact and value is torch.float32 else value


def gradients(outputs: list[Tensor], leaves: list[Tensor]) -> list[Tensor]:
    """The gradient of every leaf; zero where it has no part in the result."""
    outputs = [output for output in outputs if output.requires_grad]
    partial = torch.autograd.grad(outputs, leaves, [cotangent(output) for output in outputs], allow_unused=True)
    return [torch.zeros_like(leaf) if gradient is None else gradient for gradient, leaf in zip(partial, leaves)]
