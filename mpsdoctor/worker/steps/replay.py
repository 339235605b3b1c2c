"""Calls a recorded operator on a device, with tensors like the recorded ones, and judges what comes back."""

from __future__ import annotations

import zlib
from typing import Any

import torch
from torch import Tensor

from ..operators.comparison import GRADIENT
from ..operators.messages import ON_THE_CPU
from ..operators.opinfos import cotangent
from ..operators.probes import flatten, judge_safely
from ..operators.reference import UNINITIALISED, Aspect, fetch, judge, precise_dtype
from ..shapes import Judgement
from . import arguments

# Real shapes add up more terms than a probe's, and their roundings grow with the root of the number.
SLACK, TERMS = 4.0, 1024.0
LARGE = 1 << 24  # elements; beyond, the reference is not made in float64, which would take gigabytes


def probe(call: dict[str, Any], device: str, direction: str) -> Judgement:
    """Outcome and detail of one recorded call, as `recorder` notes it. `skipped` where this torch lacks it."""
    function = resolve(call)
    if function is None:
        return {"outcome": "skipped", "detail": f"{call['op']} is not an operator of torch itself"}
    return judge_safely(device, lambda: Replay(call, function, direction).judged(device))


def resolve(call: dict[str, Any]) -> Any:
    """The operator, or the function of torch for a call that is replayed whole; None if this torch lacks it."""
    space, _, name = call["op"].partition("::")
    if call.get("whole"):
        places = ((torch, name), (torch.nn.functional, name), (torch.linalg, name.replace("linalg_", "", 1)))
        return next((found for place, each in places if (found := getattr(place, each, None)) is not None), None)
    packet = getattr(torch.ops.aten, name, None) if space == "aten" else None
    return getattr(packet, call.get("overload") or "default", None)


class Replay:
    """One recorded call and its numbers, the same for every device."""

    def __init__(self, call: dict[str, Any], function: Any, direction: str) -> None:
        self.call, self.function, self.direction = call, function, direction
        self.host_indices = False
        generator = torch.Generator().manual_seed(zlib.crc32(call["op"].encode()))
        self.known: list[dict[str, Any]] = []
        arguments.build([call["args"], list(call["kwargs"].values())], self._meet, "cpu")
        self.values = [arguments.filled(one, generator) for one in self.known]
        floating = [one for one in self.values if one.is_floating_point()]
        self.dtype = (floating or self.values or [torch.zeros(())])[0].dtype

    def _meet(self, known: dict[str, Any]) -> Tensor:
        self.known.append(known)
        return torch.empty(0)

    def judged(self, device: str) -> Judgement:
        elements = max([one.numel() for one in self.values], default=0)
        slack = SLACK * max(1.0, (elements / TERMS) ** 0.5)
        slack *= GRADIENT.get(self.dtype, 1.0) if self.direction == "backward" else 1.0
        ways = [lambda: self.called("cpu", exact=True), lambda: self.called("cpu", exact=False)]
        return judge(
            lambda: self.called(device, exact=False),
            ways if elements <= LARGE else ways[1:],
            self.dtype,
            device,
            slack=slack,
            touchy=True,
            aspect=self.told(),
        )

    def told(self) -> Aspect:
        """What the results tell, as `judge` names it."""
        if UNINITIALISED.search(self.call["op"].partition("::")[2]):
            return "shapes"
        return "random" if torch.Tag.nondeterministic_seeded in getattr(self.function, "tags", ()) else "values"

    def called(self, device: str, *, exact: bool) -> list[Tensor]:
        """Results of the call on the CPU, those written in place among them; or its gradients.

        Where torch wants indices on the CPU and says so, they stay there.
        """
        try:
            return self._called(device, exact=exact)
        except RuntimeError as error:
            if device == "cpu" or self.host_indices or not ON_THE_CPU.search(str(error)):
                raise
        self.host_indices = True
        return self._called(device, exact=exact)

    def _called(self, device: str, *, exact: bool) -> list[Tensor]:
        made: list[Tensor] = []

        def make(known: dict[str, Any]) -> Tensor:
            value = self.values[len(made)]
            backward = self.direction == "backward" and known.get("grad") and value.is_floating_point()
            place = "cpu" if self.host_indices and not value.is_floating_point() else device
            made.append(arguments.placed(known, value.to(precise_dtype(value.dtype)) if exact else value, place))
            if backward:
                made[-1] = made[-1].requires_grad_()
            return made[-1]

        built: list[Tensor] = []
        args = arguments.build(self.call["args"], make, device, built)
        kwargs = {name: arguments.build(one, make, device, built) for name, one in self.call["kwargs"].items()}
        args = [_raised(one, exact) for one in args]
        kwargs = {name: _raised(one, exact) for name, one in kwargs.items()}
        outputs = flatten(self.function(*args, **kwargs), self.dtype)
        if self.direction == "backward":
            return fetch(gradients(outputs, [one for one in made if one.requires_grad]))
        return fetch([*outputs, *self.written(args, kwargs)])

    def written(self, args: list[Any], kwargs: dict[str, Any]) -> list[Tensor]:
        """The arguments an operator writes to."""
        schema = getattr(self.function, "_schema", None)
        found: list[Tensor] = []
        for place, one in enumerate(schema.arguments if schema else ()):
            if one.alias_info is not None and one.alias_info.is_write:
                value = args[place] if place < len(args) else kwargs.get(one.name)
                found += flatten(value, self.dtype)
        return found


def _raised(value: Any, exact: bool) -> Any:
    """A dtype among the arguments of the reference; half types are asked for to round, and stay."""
    return torch.float64 if exact and value is torch.float32 else value


def gradients(outputs: list[Tensor], leaves: list[Tensor]) -> list[Tensor]:
    """The gradient of every leaf; zero where it has no part in the result."""
    outputs = [one for one in outputs if one.requires_grad]
    found = torch.autograd.grad(outputs, leaves, [cotangent(one) for one in outputs], allow_unused=True)
    return [torch.zeros_like(leaf) if one is None else one for one, leaf in zip(found, leaves)]
